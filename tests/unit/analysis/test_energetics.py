"""Temperatures, densities of states and the fluctuation-dissipation measure of known systems."""

import numpy as np
import pytest

import made_up_run
from crystals import supercell
from lah10 import units
from lah10.analysis import energetics
from lah10.bath.spectra import bath_energy
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.dynamics import records

HALF_QUANTUM = 0.5 * units.PLANCK / units.BOLTZMANN  # K per THz: 24 K


@pytest.fixture
def rng():
    return np.random.default_rng(41)


def test_equipartition_without_total_momentum(rng):
    """Maxwell velocities at 200 K: both elements say 200 K, though 8 La lack 12 % of 3N."""
    template = supercell()
    thermo = made_up_run.thermo(template, rng, n=2000)
    summary, arrays = energetics.measure(
        thermo, made_up_run.oscillator_spectra(template, (6, 40)), 0.0
    )
    for name in ("kinetic_temperature", "kinetic_temperature_mean", "energy_per_mode",
                 "cell_temperature"):  # fmt: skip
        value, error = np.array(summary[name]), np.array(summary[f"{name}_stderr"])
        assert (abs(value - 200) < 4 * error).all() and (error < 0.02 * 200).all(), name
    assert summary["kinetic_temperature"] == pytest.approx([200, 200], rel=0.02)
    assert summary["volume_per_formula"] == pytest.approx(5.1**3 / 4, rel=1e-3)
    assert arrays["energy_per_mode_series"].shape == (2000,)


def test_begin_leaves_samples_out(rng):
    template = supercell()
    thermo = made_up_run.thermo(template, rng)
    thermo["potential_energy"][:100] += 50.0
    spectra = made_up_run.oscillator_spectra(template, (6, 40), blocks=3)
    spectra["velocity_spectrum"][0] *= 5
    late, _ = energetics.measure(thermo, spectra, 0.5)
    early, _ = energetics.measure(thermo, spectra, 0.0)
    assert late["energy_per_mode"] == pytest.approx(200, rel=0.03)
    assert early["energy_per_mode"] > 220
    # The first spectral block begins at 0 and is left out; so is the fivefold power.
    assert abs(late["fdt_deviation_signed"]).max() < 0.05 < abs(early["fdt_deviation_signed"]).max()


def test_degrees_of_freedom():
    numbers, masses = np.array([8, 80]), made_up_run.MASSES
    freedom = energetics.degrees_of_freedom(numbers, masses)
    assert freedom.sum() == pytest.approx(3 * 88 - 3)
    assert freedom[0] / 24 == pytest.approx(1 - 138.905 / (8 * 138.905 + 80 * 1.008), rel=1e-4)


@pytest.mark.parametrize("bath", ["classical", "qtb"])
def test_vdos_of_lines_that_the_recorder_saw(bath, rng):
    """Velocities of undamped oscillators with energy Θ of the bath, through the recorder: the
    zero-point temperature is the mean of ħω/2 and the modes count 1."""
    template, temperature, interval, samples = supercell(), 150.0, 0.002, 500
    types = np.where(template.numbers == 57, 0, 1)
    line = np.where(types == 0, 6.0, 40.0) + rng.uniform(-1, 1, size=len(types))
    mass = made_up_run.MASSES[types]
    amplitude = np.sqrt(2 * bath_energy(bath, line, temperature) / (mass * units.MVV2E))
    phase = rng.uniform(0, 2 * np.pi, size=(len(types), 3))
    recorder = SpectrumRecorder(types, interval, samples, 1000)
    for i in range(3 * samples):
        v = amplitude[:, None] * np.cos(2 * np.pi * line[:, None] * i * interval + phase)
        recorder.add(v[recorder.atoms], np.zeros_like(v))
    velocity = np.array([block[0] for block in recorder.blocks])
    spectra = records.spectra_dataset(
        recorder.frequency, velocity, 0 * velocity, np.full((2, 251), 1.0), [8, 80], bath,
        temperature, made_up_run.ATTRS | {"bath": bath, "temperature_K": temperature,
                                          "friction_per_ps": 0.1},
    )  # fmt: skip
    summary, arrays = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    assert summary["zero_point_temperature"] == pytest.approx(HALF_QUANTUM * line.mean(), rel=0.01)
    assert arrays["vdos"].sum() * 1.0 == pytest.approx(1, abs=1e-9)
    assert arrays["vdos_modes"] == pytest.approx(3 * 88 / (3 * 88 - 3), rel=0.02)
    assert arrays["frequency"][arrays["vdos_element"][1].argmax()] == pytest.approx(40, abs=1.5)
    assert arrays["vdos_element"].sum(axis=1) == pytest.approx([1 / 11, 10 / 11], rel=0.01)


@pytest.mark.parametrize("friction", [5.0, 20.0])
@pytest.mark.parametrize("bath", ["classical", "qtb"])
def test_friction_is_deconvolved(bath, friction, rng):
    """Friction spreads a line: the raw zero-point energy is too high and so is the kinetic energy
    of a quantum bath; the deconvolved ones are right, element by element."""
    template, lines = supercell(), np.array([15.0, 45.0])
    spectra = made_up_run.oscillator_spectra(template, lines, friction=friction, bath=bath)
    thermo = made_up_run.thermo(template, rng)
    masses, step = made_up_run.MASSES, 1.0
    power = spectra.velocity_spectrum.mean("block").values
    raw = masses * units.MVV2E * step * (2 * power.sum(axis=1) - power[:, 0]) / units.BOLTZMANN
    # Kinetic energies of the same crystal, of which the centre of mass has none.
    freedom = energetics.degrees_of_freedom(thermo.n_atoms.values, masses)
    thermo["kinetic_energy"][:] = 0.5 * freedom * raw * units.BOLTZMANN
    summary, arrays = energetics.measure(thermo, spectra, 0.0)
    exact = HALF_QUANTUM * (15 + 10 * 45) / 11
    assert summary["zero_point_temperature"] > 1.01 * exact
    assert summary["zero_point_temperature_deconvolved"] == pytest.approx(exact, rel=0.006)
    theta = bath_energy(bath, lines, 200.0) / units.BOLTZMANN
    assert summary["kinetic_temperature"] == pytest.approx(raw)
    assert summary["kinetic_temperature_deconvolved"] == pytest.approx(theta, rel=0.006)
    mean = freedom @ theta / freedom.sum()
    assert summary["kinetic_temperature_mean_deconvolved"] == pytest.approx(mean, rel=0.006)
    excess = 0.5 * units.BOLTZMANN * freedom @ (raw - theta)
    shift = 2 * excess / (3 * thermo.volume.values.mean()) * units.EV_PER_A3_IN_GPA
    assert summary["pressure_shift"] == pytest.approx(shift, rel=0.1, abs=0.02)
    assert (shift > 0.2) == (bath == "qtb" and friction == 20)
    assert arrays["vdos_deconvolved_element"].sum() * step == pytest.approx(1)


def test_missing_energy_shows_in_the_occupation_of_modes(rng):
    """H lines with 80 % of their energy. The expected temperature and the density of states come
    from the response and do not see it."""
    template = supercell()
    spectra = made_up_run.oscillator_spectra(template, (6, 40))
    spectra["velocity_spectrum"][:, 1] *= 0.8
    summary, arrays = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    freedom = energetics.degrees_of_freedom(np.array([8, 80]), made_up_run.MASSES)
    assert summary["kinetic_energy_ratio"] == pytest.approx([1.0, 0.8])
    theta = bath_energy("qtb", [6, 40], 200.0) / units.BOLTZMANN * [24, 240] / freedom
    assert summary["kinetic_temperature_expected"] == pytest.approx(theta, rel=0.006)
    assert arrays["response_modes"] == pytest.approx([24, 240] / freedom, rel=0.01)
    exact = HALF_QUANTUM * (6 + 10 * 40) / 11
    assert summary["zero_point_temperature_deconvolved"] == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("power", [1.0, 0.9, 1.2])
def test_fluctuation_dissipation(power, rng):
    """The random force does more work than the friction takes: energy goes missing, Δ > 0."""
    template = supercell()
    spectra = made_up_run.oscillator_spectra(template, (6, 40), power=power)
    summary, arrays = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    assert summary["fdt_deviation_signed"] == pytest.approx(np.full(2, power - 1), abs=1e-9)
    assert summary["fdt_deviation"] == pytest.approx(np.full(2, abs(power - 1)), abs=1e-9)
    assert (np.sign(arrays["fdt_difference"][1, 40]) == np.sign(power - 1)) or power == 1


def test_one_block_has_no_error(rng):
    template = supercell()
    spectra = made_up_run.oscillator_spectra(template, (6, 40), blocks=1)
    summary, _ = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    assert np.isfinite(summary["zero_point_temperature"])
    assert np.isnan(summary["zero_point_temperature_stderr"])


def test_zero_kelvin_has_no_division_by_zero(rng):
    template = supercell()
    spectra = made_up_run.oscillator_spectra(template, (6, 40), temperature=0.0)
    with np.errstate(all="raise"):
        summary, _ = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    assert summary["zero_point_temperature_deconvolved"] == pytest.approx(
        HALF_QUANTUM * 406 / 11, rel=0.02
    )
