"""Windows and curves of free energy: known integrals, known errors, runs that do not count."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from lah10.analysis import free_energy
from lah10.crystal import angle as along
from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.crystal.trajectory import write_trajectory
from lah10.dynamics.records import thermo_dataset
from lah10.errors import UserError
from lah10.io.netcdf import write
from lah10.units import EV_PER_A3_IN_GPA

FM3M = Path(__file__).parents[3] / "resources/structures/Fm-3m.cif"
ANGLES = np.array([0.4, 0.8, 1.2, 1.6, 2.0, 2.4])


def landau(x, a=-4.0, b=1.0, c=0.5):
    """dG/dδ and G."""
    return a * x + b * x**2 + c * x**3, x**2 * (a / 2 + b * x / 3 + c * x**2 / 4)


# ------------------------------------------------------------------------------------ curve


def test_cubic_gradient_is_integrated_exactly():
    """A cubic spline is exact for a cubic."""
    gradient, energy = landau(ANGLES)
    curve = free_energy.integrate(ANGLES, gradient, np.full(6, 0.1))
    minimum = np.roots([0.5, 1.0, -4.0]).max()
    assert curve.status == "ok"
    assert curve.minimum == pytest.approx(minimum)
    assert curve.difference == pytest.approx(landau(minimum)[1])
    np.testing.assert_allclose(curve.free_energy[1:], energy, atol=1e-12)
    assert curve.free_energy[0] == 0 and curve.free_energy_error[0] == 0
    assert curve.integration_error == pytest.approx(0.0, abs=1e-7)


def test_error_is_the_scatter_of_repeated_measurements():
    gradient, _ = landau(ANGLES)
    error = np.array([0.3, 0.2, 0.1, 0.1, 0.05, 0.05])
    rng = np.random.default_rng(1)
    curves = [
        free_energy.integrate(ANGLES, gradient + error * rng.normal(size=6), error)
        for _ in range(400)
    ]
    curve = free_energy.integrate(ANGLES, gradient, error)
    assert np.std([c.difference for c in curves]) == pytest.approx(curve.error, rel=0.12)
    assert np.std([c.minimum for c in curves]) == pytest.approx(curve.minimum_error, rel=0.15)


def test_too_wide_windows_are_seen_by_leaving_one_out():
    """A gradient that four windows do not resolve; the error covers the truth, without noise."""

    def gradient(x):
        return np.sin(2.2 * x) * -3

    wide = np.array([0.6, 1.2, 1.8, 2.4])
    coarse = free_energy.integrate(wide, gradient(wide), np.full(4, 1e-6))
    fine = np.arange(0.1, 2.45, 0.1)
    exact = free_energy.integrate(fine, gradient(fine), np.full(len(fine), 1e-6))
    assert abs(coarse.difference - exact.difference) < coarse.integration_error
    assert coarse.integration_error > 100 * exact.integration_error


def test_noise_alone_is_no_integration_error():
    gradient, _ = landau(ANGLES)
    rng = np.random.default_rng(3)
    found = [
        free_energy.integrate(ANGLES, gradient + 0.2 * rng.normal(size=6), np.full(6, 0.2))
        for _ in range(200)
    ]
    assert np.median([c.integration_error for c in found]) < np.median([c.error for c in found])


@pytest.mark.parametrize(
    ("gradient", "status"),
    [
        (ANGLES, "cubic"),
        (-ANGLES, "beyond"),
        (np.where(ANGLES > 1.7, np.nan, -ANGLES), "beyond"),
        (np.where(ANGLES > 1.3, np.nan, -ANGLES), "too_few_windows"),
    ],
)
def test_without_a_minimum_nothing_is_made_up(gradient, status):
    curve = free_energy.integrate(ANGLES, gradient, np.full(6, 0.1))
    assert curve.status == status
    assert np.isnan([curve.difference, curve.minimum, curve.error]).all()


def test_a_window_at_zero_is_not_used():
    gradient, _ = landau(ANGLES)
    with_zero = free_energy.integrate([0, *ANGLES], [0.7, *gradient], [0.5] * 7)
    without = free_energy.integrate(ANGLES, gradient, [0.5] * 6)
    assert with_zero.difference == without.difference


def test_a_kink_at_zero_is_extrapolated_to():
    """dG/dδ that does not vanish at 0: exact where it is a cubic, with a larger error."""
    gradient, energy = landau(ANGLES)
    kinked = free_energy.integrate(ANGLES, gradient - 2, np.full(6, 0.01), cubic=False)
    assert kinked.status == "kinked"
    np.testing.assert_allclose(kinked.free_energy[1:], energy - 2 * ANGLES, atol=1e-12)
    smooth = free_energy.integrate(ANGLES, gradient - 2, np.full(6, 0.01))
    assert smooth.error < kinked.error
    assert abs(smooth.difference - kinked.difference) > 10 * kinked.error


def test_differences_of_even_quantities():
    value = 33.0 + 0.2 * ANGLES**2 - 0.03 * ANGLES**3
    found = free_energy.even_difference(ANGLES, value, np.full(6, 0.01), 2.1)
    assert found[0] == pytest.approx(0.2 * 2.1**2 - 0.03 * 2.1**3)
    rng = np.random.default_rng(2)
    error = np.full(6, 0.01)
    many = [
        free_energy.even_difference(ANGLES, value + error * rng.normal(size=6), error, 2.1)
        for _ in range(400)
    ]
    assert np.std([m[0] for m in many]) == pytest.approx(found[1], rel=0.12)
    assert np.isnan(free_energy.even_difference(ANGLES, value, np.full(6, np.nan), 2.1)).all()


# ----------------------------------------------------------------------------------- window


@pytest.fixture(scope="module")
def template():
    return build_supercell(read_crystal(FM3M), "conventional", (1, 1, 1))


@pytest.fixture
def run(tmp_path, template):
    """A function that writes a made-up run with a known shear stress; returns its three files."""

    def make(
        angle=1.2, shear=2.0, drift=0.0, move=0.0, held=True, wobble=0.0, samples=400, **attrs
    ):
        rng = np.random.default_rng(5)
        crystal = along.sheared(template, angle)
        cell = np.repeat(crystal.cell.array[None], samples, axis=0)
        cell[:, 1, 0] += wobble
        n = along.direction(along.threefold_axis(template), crystal.cell.array)
        tensor = 150 * np.eye(3) + shear * (np.outer(n, n) - np.eye(3) / 3)
        pressure = np.tile(tensor[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]], (samples, 1))
        noise = rng.normal(size=samples) + drift * np.linspace(0, 1, samples)
        extra = (np.outer(n, n) - np.eye(3) / 3)[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        pressure += noise[:, None] * extra
        series = {
            "potential_energy": np.full(samples, -100.0),
            "kinetic_energy": np.full((samples, 2), 1.0),
            "pressure": pressure,
            "volume": np.full(samples, crystal.get_volume()),
            "cell": cell,
            "cell_kinetic_energy": np.zeros(samples),
        }
        given = {
            "status": "ok", "status_message": "", "bath": "classical", "pressure_GPa": 150.0,
            "temperature_K": 300.0,
        }  # fmt: skip
        given |= {"angle_degree": angle} if held else {}
        thermo = thermo_dataset(
            np.arange(samples) * 0.005, series, [138.9, 1.008], [4, 40], np.nan, given | attrs
        )
        write(thermo, tmp_path / "thermo.nc", "made up")
        positions = crystal.positions + move * np.eye(3)[0] * (np.arange(44) == 20)[:, None]
        frames = [(0.02 * i, crystal.cell.array, positions) for i in range(samples // 4)]
        write_trajectory(tmp_path / "trajectory.nc", crystal.numbers, iter(frames), "made up")
        write_supercell(tmp_path / "supercell.xyz", template)
        return tmp_path / "thermo.nc", tmp_path / "trajectory.nc", tmp_path / "supercell.xyz"

    return make


def test_window_measures_a_known_stress(run, template):
    window = free_energy.measure(*run())
    assert window.status == "ok"
    # n·P·n less the pressure is 2 GPa times 2/3.
    expected = -template.get_volume() * along.stretch_rate(1.2) * 1.5 * (2 / 3) * 2.0
    expected *= np.pi / 180 / EV_PER_A3_IN_GPA * 1e3 / 44
    mean, error = window.values["gradient"]
    assert error == pytest.approx(abs(expected) / 2 / np.sqrt(400), rel=0.3)
    assert abs(mean - expected) < 4 * error
    assert window.values["volume"][0] == pytest.approx(template.get_volume() / 4)
    enthalpy = (-98 + 150 / EV_PER_A3_IN_GPA * template.get_volume()) / 44 * 1e3
    assert window.values["enthalpy"][0] == pytest.approx(enthalpy)


def test_window_survives_its_file(run, tmp_path):
    window = free_energy.measure(*run())
    write(free_energy.to_dataset(window), tmp_path / "window.nc", "made up")
    with xr.open_dataset(tmp_path / "window.nc") as data:
        back = free_energy.from_dataset(data.load())
        assert data["gradient"].attrs["units"] == "meV/degree"
    assert back.values == window.values and back.status == "ok"


def test_a_crystal_that_left_the_basin_has_no_numbers(run):
    window = free_energy.measure(*run(move=0.5))
    assert window.status == "left_basin" and "another crystal" in window.message
    assert np.isnan([v for pair in window.values.values() for v in pair]).all()


def test_a_run_that_drifts_is_flagged_and_keeps_its_numbers(run):
    window = free_energy.measure(*run(drift=20.0))
    assert window.status == "drifts" and "a longer run is needed" in window.message
    assert np.isfinite(window.values["gradient"]).all()


def test_a_run_that_broke_down_hands_its_reason_on(run):
    window = free_energy.measure(*run(status="volume", status_message="collapsed"))
    assert (window.status, window.message) == ("volume", "collapsed")
    assert np.isnan(window.values["gradient"]).all()


def test_a_short_run_is_flagged(run):
    assert free_energy.measure(*run(samples=30)).status == "too_short"


def test_a_cell_that_changes_its_shape_is_refused(run):
    with pytest.raises(UserError, match="shape of a window must not change"):
        free_energy.measure(*run(wobble=0.01))


def test_a_run_with_a_free_cell_is_refused(run):
    with pytest.raises(UserError, match="expected a window of `snakemake boundary`"):
        free_energy.measure(*run(held=False))
