"""Numbers of a path-integral run, from files with known answers."""

import numpy as np
import pytest
import xarray as xr

import made_up_pimd
from lah10.errors import UserError
from lah10.pimd.analysis import analyse_run
from lah10.schema import BEADS, PHASE, STATUS, SUMMARY, uncertainty


def analyse(folder, run, **options):
    outputs = {name: folder / "out" / f"{name}.nc" for name in
               ("summary", "distortion", "correlations")}  # fmt: skip
    analyse_run(
        run["thermo"], run["centroids"], run["beads"], run["supercell"],
        **{f"{name}_out": path for name, path in outputs.items()}, **options,
    )  # fmt: skip
    return {name: xr.load_dataset(path) for name, path in outputs.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return analyse(folder, made_up_pimd.write_run(folder), window=0.1)


def close(dataset, name, expected, sigmas=4.0):
    value, error = dataset[name].values, dataset[f"{name}_stderr"].values
    assert (error > 0).all() and (abs(value - expected) < sigmas * error).all(), (value, error)


def test_kinetic_temperatures_leave_the_centre_of_mass_out(found):
    summary = found["summary"]
    close(summary, "kinetic_temperature", [150.0, 860.0])
    # La's error is far below what the centre of mass would add: 100 K in the mean of 8 atoms.
    assert summary.kinetic_temperature_stderr[0] < 2.0
    between = float(summary.kinetic_temperature_mean)
    assert 150.0 < between < 860.0
    assert between == pytest.approx((150 * 8 + 860 * 80) / 88, rel=0.02)


def test_cell_and_sampling(found):
    summary = found["summary"]
    close(summary, "volume_per_formula", 33.5)
    close(summary, "bead_temperature", 100.0)
    close(summary, "pressure_mean", 150.0)


def test_theta_of_centroids_and_of_beads(found):
    """A cubic crystal; the noise of beads is ten times that of centroids, over four of them."""
    summary = found["summary"]
    assert int(summary.phase) == PHASE["cubic"]
    for name in ("theta", "theta_beads"):
        large, small = (float(summary[f"{name}_{word}"]) for word in ("large", "small"))
        deviation, null = (float(summary[f"{name}_{word}"]) for word in ("deviation", "null"))
        assert small < 90 < large
        assert deviation == pytest.approx(max(large - 90, 90 - small))
        assert deviation < null + 4 * float(summary[f"{name}_null_spread"])
    ratio = float(summary.theta_beads_null / summary.theta_null)
    assert 2 < ratio < 8


def test_structure_is_that_of_beads(found):
    """rms displacement √3 · 0.1 Å over the nearest distance of the element."""
    lindemann = found["summary"].lindemann
    nearest = {"La": 5.1 / np.sqrt(2), "H": 5.1 * 0.2410}
    scale = (33.5 * 4 / 5.1**3) ** (1 / 3)
    rms = np.sqrt(3) * 0.1
    for element, rel in (("La", 0.05), ("H", 0.1)):
        expected = rms / (nearest[element] * scale)
        assert float(lindemann.sel(element=element)) == pytest.approx(expected, rel=rel)
    g = found["correlations"].g.sel(pair="La-La")
    near = float(g.r[int(g.argmax())])
    assert near == pytest.approx(5.1 * scale / np.sqrt(2), abs=0.1)
    peak = g.sel(r=slice(3, 4.2))
    weight = peak * peak.r**2
    mean = float((weight * peak.r).sum() / weight.sum())
    width = np.sqrt(float((weight * (peak.r - mean) ** 2).sum() / weight.sum()))
    assert width == pytest.approx(np.sqrt(2) * 0.1, rel=0.1)


def test_summary_has_what_a_baths_has(found):
    summary = found["summary"]
    assert set(SUMMARY) <= set(summary.data_vars)
    assert (str(summary.bath.values), int(summary.beads)) == ("pimd", 16)
    assert float(summary.pressure) == 150.0 and float(summary.temperature) == 100.0
    assert int(summary.status) == STATUS["ok"] and int(summary.quantum_bath_ok) == -1
    for name in BEADS:
        assert np.isfinite(summary[name]) and np.isfinite(summary[uncertainty(name)])
    for dataset in found.values():
        for name, variable in dataset.data_vars.items():
            assert {"units", "long_name"} <= variable.attrs.keys(), name


def test_failed_run_is_nan_with_its_status(tmp_path):
    run = made_up_pimd.write_run(tmp_path, status="volume")
    found = analyse(tmp_path, run)
    assert int(found["summary"].status) == STATUS["volume"]
    assert found["summary"].kinetic_temperature.isnull().all()
    assert found["summary"].theta_beads_large.isnull()
    assert found["correlations"].g.isnull().all()


def test_short_run_says_so(tmp_path):
    found = analyse(tmp_path, made_up_pimd.write_run(tmp_path, frames=5))
    assert int(found["summary"].status) == STATUS["too_short"]


def test_another_crystal_is_refused(tmp_path):
    run = made_up_pimd.write_run(tmp_path, frames=12)
    from crystals import supercell
    from lah10.crystal.structures import write_supercell

    write_supercell(run["supercell"], supercell(repeat=(2, 2, 1)))
    with pytest.raises(UserError, match="belong to different runs"):
        analyse(tmp_path, run)
