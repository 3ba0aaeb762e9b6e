"""Springs between beads: what they leave out of an oscillator, and what runs say of it."""

import numpy as np
import pytest

from lah10.bath.spectra import bath_energy
from lah10.pimd.beads import (
    converged,
    extrapolate,
    harmonic_error,
    harmonic_temperature,
    spring_frequencies,
)
from lah10.units import BOLTZMANN, PLANCK

FREQUENCY = np.array([0.0, 2.0, 20.0, 40.0, 65.0])


def exact(temperature, frequency=FREQUENCY):
    return bath_energy("qtb", frequency, temperature) / BOLTZMANN


def test_trotter_springs():
    """Of two beads: 4 k_B T/ħ, as an angular frequency."""
    springs = spring_frequencies(2, 300.0, None)
    assert springs == pytest.approx([0.0, 4 * BOLTZMANN * 300.0 / PLANCK * 2 * np.pi / (2 * np.pi)])
    many = spring_frequencies(64, 100.0, None)
    # The softest ring mode is the first Matsubara frequency, 2π k_B T/ħ, which as ω/2π is:
    assert many[1] == pytest.approx(2 * np.pi * BOLTZMANN * 100.0 / PLANCK, rel=1e-3)
    np.testing.assert_allclose(many[1:], many[:0:-1])


def test_one_bead_is_classical():
    for highest in (None, 80.0):
        springs = spring_frequencies(1, 200.0, highest)
        np.testing.assert_allclose(harmonic_temperature(FREQUENCY, 200.0, springs), 200.0)


def test_many_beads_are_quantum():
    springs = spring_frequencies(4096, 100.0, None)
    np.testing.assert_allclose(
        harmonic_temperature(FREQUENCY, 100.0, springs), exact(100.0), rtol=1e-3
    )


def test_harmonic_sum_is_the_known_one():
    """Trotter, closed form: (T/2P) x coth(…), by the eigenvalues of the discretised path."""
    beads, temperature, frequency = 8, 150.0, 30.0
    springs = spring_frequencies(beads, temperature, None)
    x = PLANCK * frequency / (BOLTZMANN * temperature * beads)
    a = np.arcsinh(x / 2)
    closed = temperature * x * beads / (2 * np.sqrt(1 + x**2 / 4)) / np.tanh(beads * a)
    assert harmonic_temperature(frequency, temperature, springs) == pytest.approx(closed)


def test_trotter_error_falls_as_the_square():
    errors = [
        harmonic_temperature(40.0, 100.0, spring_frequencies(beads, 100.0, None))
        - exact(100.0, 40.0)
        for beads in (128, 256)
    ]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.03)


def test_economised_springs_are_exact_where_trotter_springs_are_not():
    within = FREQUENCY[FREQUENCY > 0]
    for temperature, beads in ((100.0, 48), (50.0, 96), (300.0, 20)):
        few, usual = (
            harmonic_temperature(within, temperature, spring_frequencies(beads, temperature, h))
            / exact(temperature, within)
            - 1
            for h in (70.0, None)
        )
        assert abs(few).max() < 2e-3
        assert abs(usual).max() > 0.03


def test_error_of_a_crystal_is_the_mean_over_its_modes():
    springs = spring_frequencies(8, 100.0, None)
    each = harmonic_temperature(FREQUENCY, 100.0, springs) - exact(100.0)

    def average(function):
        return function(FREQUENCY).mean()

    assert harmonic_error(average, 100.0, springs) == pytest.approx(each.mean())


def test_extrapolation():
    beads = np.array([16, 32, 64])
    values = 860.0 - 12_000.0 / beads**2
    value, error, chi = extrapolate(beads, values, np.full(3, 2.0))
    assert value == pytest.approx(860.0)
    assert 1.0 < error < 4.0 and chi == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(extrapolate(beads[:2], values[:2], np.ones(2))[2])
    with pytest.raises(ValueError, match="two numbers of beads"):
        extrapolate([32, 32], [1.0, 1.0], [1.0, 1.0])


def test_extrapolation_is_within_its_error():
    rng = np.random.default_rng(5)
    beads, errors = np.array([16.0, 24, 32, 64]), np.array([1.0, 2.0, 2.0, 4.0])
    drawn = [
        extrapolate(beads, 860 - 9e3 / beads**2 + errors * rng.normal(size=4), errors)
        for _ in range(400)
    ]
    deviations = [(value - 860) / error for value, error, _ in drawn]
    assert np.std(deviations) == pytest.approx(1.0, abs=0.1)
    assert np.mean([chi for *_, chi in drawn]) == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize(
    ("values", "errors", "answer"),
    [
        ([700.0, 850.0, 852.0], [1.0, 1.0, 1.0], True),
        ([700.0, 850.0], [1.0, 1.0], False),
        ([850.0, 852.0], [10.0, 10.0], None),
        ([850.0], [1.0], None),
    ],
)
def test_converged(values, errors, answer):
    assert converged(np.array(values), np.array(errors), 8.5) is answer
