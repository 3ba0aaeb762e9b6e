"""Θ(ω, T) against the values of the oscillator and the closed form of finite friction."""

import numpy as np
import pytest

from lah10.bath import spectra
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


@pytest.mark.parametrize("friction", [1.0, 20.0])
@pytest.mark.parametrize("mode", [0.5, 10.0, 60.0])
def test_response_to_white_noise_is_equipartition(mode, friction):
    """K and P integrate to 1; with a time step to the known factors of the integrator."""
    grid, weight = spectra._mode_grid(mode, friction, 1e5, 20_000)
    kinetic, potential = spectra.response(grid, mode, friction)
    assert 2 * kinetic @ weight == pytest.approx(1, abs=1e-4)
    assert 2 * potential @ weight == pytest.approx(1, abs=1e-4)
    step = 0.0005
    grid, weight = spectra._mode_grid(mode, friction, 0.5 / step, 20_000)
    kinetic, potential = spectra.response(grid, mode, friction, step)
    assert 2 * kinetic @ weight == pytest.approx(1 / (1 + 0.5 * friction * step), abs=1e-4)
    verlet = 1 / (1 - (np.pi * mode * step) ** 2)
    assert 2 * potential @ weight == pytest.approx(verlet, abs=1e-4)


def test_response_is_that_of_the_integrator():
    """A damped oscillator stepped by the bath's own formula, driven by a cosine."""
    from lah10.bath.bath import Bath
    from lah10.units import MVV2E

    step, mode, friction, drive = 0.0005, 60.0, 20.0, 58.0
    bath = Bath("qtb", 300.0, friction, 200.0, [1.008], [0], step, 1, conserve_momentum=False)
    inertia = np.array([[1.008 * MVV2E]])
    spring = inertia * (2 * np.pi * mode) ** 2
    x, v = np.zeros((1, 1)), np.zeros((1, 1))
    force, push = -spring * x, np.ones((1, 1))
    path, velocity = [], []
    for n in range(1, 8001):
        v = v + 0.5 * step / inertia * (force + push)
        x = x + step * v
        force = -spring * x
        random = np.full((1, 1), np.cos(2 * np.pi * drive * n * step))
        push, on_step = bath.half_step_force(random, inertia, v, force)
        v = v + 0.5 * step / inertia * (force + push)
        path.append(x[0, 0])
        velocity.append(on_step[0, 0])
    late = slice(4000, None)  # 4000 steps hold 116 whole periods
    kinetic, potential = spectra.response(drive, mode, friction, step)
    per_force = 2 * float(inertia[0, 0]) * friction
    assert inertia[0, 0] * np.mean(np.square(velocity[late])) == pytest.approx(
        0.5 * kinetic / per_force, rel=1e-6
    )
    assert spring[0, 0] * np.mean(np.square(path[late])) == pytest.approx(
        0.5 * potential / per_force, rel=1e-6
    )


@pytest.mark.parametrize("temperature", [0.0, 20.0, 300.0])
@pytest.mark.parametrize("friction", [1.0, 5.0, 10.0, 20.0])
def test_corrected_noise_gives_every_mode_its_potential_energy(friction, temperature):
    """Within 0.1 % from 10 THz, 0.5 % from 5 THz, time step included; as realised by the filter."""
    from lah10.bath.noise import filter_kernel

    step = 0.0005

    def energy(f):
        return spectra.noise_energy("qtb", f, temperature, 200.0, "potential", friction, step)

    kernel = filter_kernel(energy, step)
    points = 2**19
    gain = step * np.abs(np.fft.rfft(kernel, points)) ** 2
    axis = np.fft.rfftfreq(points, step)
    for mode, tolerance in ((5.0, 5e-3), (10.0, 1e-3), (40.0, 1e-3), (60.0, 1e-3), (90.0, 1e-3)):
        grid, weight = spectra._mode_grid(mode, friction, 0.5 / step, 8000)
        potential = spectra.response(grid, mode, friction, step)[1]
        found = np.sum(weight * potential * np.interp(grid, axis, gain))
        half = 0.5 * spectra.quantum_energy(mode, temperature)
        assert found == pytest.approx(half, rel=tolerance), mode
        assert spectra.oscillator_energies(
            "qtb", mode, temperature, friction, 200.0, correction="potential", timestep=step
        )[1] == pytest.approx(half, rel=tolerance)


def test_correction_is_small_smooth_and_positive():
    f = np.linspace(0.0, 190.0, 500)
    plain = spectra.noise_energy("qtb", f, 100.0, 200.0)
    modified = spectra.noise_energy("qtb", f, 100.0, 200.0, "potential", 10.0)
    ratio = modified / plain
    assert np.all((ratio > 0.95) & (ratio < 1.2))
    assert np.abs(np.diff(ratio)).max() < 0.03
    white = spectra.noise_energy("classical", f, 100.0, 200.0, "potential", 10.0)
    assert white == pytest.approx(BOLTZMANN * 100)


def test_unknown_correction_is_refused():
    with pytest.raises(ValueError, match="none or potential"):
        spectra.noise_energy("qtb", 1.0, 100.0, 200.0, "kinetic")
