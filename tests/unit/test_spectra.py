"""Θ(ω, T) against the values of the oscillator and the closed form of finite friction."""

import numpy as np
import pytest

from lah10.dynamics import spectra
from lah10.units import BOLTZMANN, PLANCK


@pytest.mark.parametrize(
    ("frequency", "temperature", "expected"),
    [(10, 0, 239.96), (10, 300, 361.41), (40, 0, 959.85), (40, 300, 963.05), (60, 300, 1439.97)],
)
def test_quantum_energy_in_kelvin(frequency, temperature, expected):
    energy = spectra.quantum_energy(frequency, temperature) / BOLTZMANN
    assert energy == pytest.approx(expected, abs=0.01)


def test_quantum_energy_limits():
    assert spectra.quantum_energy(0.0, 50.0) == pytest.approx(50 * BOLTZMANN)
    assert spectra.quantum_energy(1e-6, 50.0) == pytest.approx(50 * BOLTZMANN)
    assert spectra.quantum_energy(-30.0, 200.0) == spectra.quantum_energy(30.0, 200.0)
    assert spectra.quantum_energy(40.0, 0.0) == pytest.approx(0.5 * PLANCK * 40)


def test_baths_differ_in_their_spectrum_alone():
    frequency = np.array([1.0, 40.0])
    assert spectra.bath_energy("classical", frequency, 300) == pytest.approx(300 * BOLTZMANN)
    quantum = spectra.bath_energy("qtb", frequency, 300)
    assert quantum == pytest.approx(spectra.bath_energy("adqtb", frequency, 300))
    assert quantum[1] > 3 * quantum[0]


def test_cutoff_is_smooth_and_spares_what_lies_below():
    f = np.array([0.0, 100.0, 180.0, 200.0, 220.0, 300.0])
    gain = spectra.cutoff_filter(f, 200.0)
    assert gain[:2] == pytest.approx(1.0, abs=1e-8)
    assert gain[2] > 0.99
    assert gain[3] == pytest.approx(0.5)
    assert gain[4] < 0.01
    assert gain[5] < 1e-8


def test_noise_spectrum_rounds_only_the_lowest_frequencies():
    f = np.array([0.5, 1.0, 5.0, 100.0])
    realised = spectra.noise_energy("qtb", f, 1.0, 200.0) / spectra.quantum_energy(f, 1.0)
    assert realised == pytest.approx(1.0, abs=6e-3)
    assert realised[1:] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("frequency", "friction", "temperature", "kinetic", "potential"),
    [(40, 1, 300, 0.003, -0.001), (40, 20, 300, 0.052, -0.021), (10, 20, 0, 0.47, -0.09)],
)
def test_bias_of_finite_friction(frequency, friction, temperature, kinetic, potential):
    half = 0.5 * spectra.quantum_energy(frequency, temperature)
    e_k, e_p = spectra.oscillator_energies("qtb", frequency, temperature, friction, 200.0)
    assert e_k / half - 1 == pytest.approx(kinetic, abs=0.001 + 0.01 * abs(kinetic))
    assert e_p / half - 1 == pytest.approx(potential, abs=0.001 + 0.01 * abs(potential))


def test_potential_energy_at_zero_temperature_has_a_closed_form():
    frequency, friction = 40.0, 20.0
    omega = 2 * np.pi * frequency
    shifted = np.sqrt(omega**2 - friction**2 / 4)
    hbar = PLANCK / (2 * np.pi)
    angle = np.pi / 2 + np.arctan((omega**2 - friction**2 / 2) / (friction * shifted))
    exact = hbar * omega**2 / (4 * np.pi * shifted) * angle
    _, potential = spectra.oscillator_energies("qtb", frequency, 0.0, friction, 2000.0)
    assert potential == pytest.approx(exact, rel=2e-3)


def test_classical_bath_keeps_equipartition_at_any_friction():
    kinetic, potential = spectra.oscillator_energies("classical", 10.0, 300.0, 20.0, 200.0)
    assert potential == pytest.approx(0.5 * BOLTZMANN * 300, rel=1e-3)
    assert kinetic == pytest.approx(0.5 * BOLTZMANN * 300, rel=5e-3)
