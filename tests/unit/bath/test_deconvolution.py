"""Kinetic energies of oscillators in a bath of known friction, as the recorder sees them."""

import numpy as np
import pytest

from lah10.bath import deconvolution
from lah10.bath.deconvolution import BathParameters, Deconvolution
from lah10.bath.spectra import bath_energy, oscillator_energies
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

TIMESTEP = 0.0005
FREQUENCY = np.arange(251.0)


def bath(name="qtb", temperature=20.0, friction=10.0, correction="none", timestep=TIMESTEP):
    return BathParameters(name, temperature, friction, 200.0, timestep, correction)


def test_window_is_the_recorders():
    """Of a sine between two bins the recorder makes the power that the window's formula says."""
    recorder = SpectrumRecorder([0], 0.002, 500, 1)
    for n in range(500):
        wave = np.full((1, 3), np.sin(2 * np.pi * 40.3 * 0.002 * n + 0.4))
        recorder.add(wave, wave)
    power = recorder.blocks[0][0][0]
    around = np.arange(37, 45)
    expected = 0.25 * deconvolution.window_response(around - 40.3)
    assert power[around] == pytest.approx(expected, rel=0.02, abs=1e-4 * power.max())
    x = np.linspace(-30, 30, 60_001)
    assert deconvolution.window_response(x).sum() * 0.001 == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("correction", ["none", "potential"])
@pytest.mark.parametrize("friction", [1.0, 20.0])
def test_spreading_holds_the_energy_of_the_oscillator(friction, correction):
    """Its columns add up to the exact kinetic energy at finite friction and time step."""
    one = bath(friction=friction, correction=correction)
    modes = np.array([10.0, 23.4, 60.0])
    columns = deconvolution.spreading(FREQUENCY, modes, one)
    total = 2 * columns.sum(axis=0) - columns[0]
    exact = [
        2 * oscillator_energies("qtb", f, 20.0, friction, 200.0, correction=correction,
                                timestep=TIMESTEP)[0]
        for f in modes
    ]  # fmt: skip
    assert total == pytest.approx(exact, rel=2e-3)


@pytest.mark.parametrize("correction", ["none", "potential"])
@pytest.mark.parametrize("temperature", [0.0, 100.0, 300.0])
@pytest.mark.parametrize("friction", [1.0, 5.0, 10.0, 20.0])
def test_kinetic_energy_of_every_mode_from_10_thz(friction, temperature, correction):
    """Deconvolved within 0.3 % of Θ, wherever the mode lies between the bins; raw up to +53 %."""
    one = bath(temperature=temperature, friction=friction, correction=correction)
    inversion = Deconvolution(FREQUENCY, one)
    modes = np.array([10.0, 10.5, 14.3, 40.0, 61.7, 80.2])
    spectra = deconvolution.spreading(FREQUENCY, modes, one).T
    raw, sharp = inversion.energies(spectra)
    theta = bath_energy("qtb", modes, temperature)
    assert sharp == pytest.approx(theta, rel=3e-3)
    assert raw[0] > (1 + 0.01 * friction) * theta[0]


def test_classical_bath_has_no_bias_to_remove():
    one = bath("classical", 300.0, 10.0)
    modes = np.array([12.0, 50.0])
    raw, sharp = Deconvolution(FREQUENCY, one).energies(
        deconvolution.spreading(FREQUENCY, modes, one).T
    )
    assert sharp == pytest.approx([BOLTZMANN * 300] * 2, rel=3e-3)
    assert raw == pytest.approx(sharp, rel=0.02)


def test_noise_of_few_segments_leaves_the_energy_alone():
    """Spectral estimates of 10 % noise a bin, many modes: the ratio to the raw energy holds."""
    rng = np.random.default_rng(5)
    one = bath(friction=20.0)
    modes = np.linspace(8, 60, 40)
    clean = deconvolution.spreading(FREQUENCY, modes, one).mean(axis=1)
    inversion = Deconvolution(FREQUENCY, one)
    wanted = bath_energy("qtb", modes, 20.0).mean()
    noisy = clean * rng.gamma(100, 1 / 100, size=(20, len(clean)))
    raw, sharp = inversion.energies(noisy)
    truth = wanted / (2 * clean.sum() - clean[0])
    assert (sharp / raw).mean() == pytest.approx(truth, rel=0.004)
    assert (sharp / raw).std() < 0.01


def test_density_of_states_is_found_again():
    """Two bands, blurred by a friction as wide as themselves."""
    one = bath(friction=20.0, temperature=100.0)
    modes = np.concatenate([np.linspace(8, 12, 30), np.linspace(35, 45, 70)])
    spectrum = deconvolution.spreading(FREQUENCY, modes, one).mean(axis=1)
    found = Deconvolution(FREQUENCY, one).modes_of(spectrum[None])[0]
    assert found.sum() == pytest.approx(1, abs=0.005)
    assert found[6:15].sum() == pytest.approx(0.3, abs=0.01)
    assert found[33:48].sum() == pytest.approx(0.7, abs=0.01)


def test_pressure_shift_is_that_of_an_ideal_gas():
    """An excess of T in all of N atoms presses like a gas: N k_B T/V."""
    atoms, volume, excess = np.array([8, 80]), 270.0, 50.0
    shift = deconvolution.pressure_shift(
        np.array([300.0, 900.0]), np.array([250.0, 850.0]), 3 * atoms, volume
    )
    assert shift == pytest.approx(88 * BOLTZMANN * excess / volume * EV_PER_A3_IN_GPA)
