"""The analysis of a whole point, from files to files."""

import numpy as np
import pytest
import xarray as xr
from netCDF4 import Dataset

import made_up_run
from crystals import deformation, supercell
from lah10.analysis.summary import analyse_point, equilibration_time
from lah10.campaign import merge
from lah10.crystal.sites import find_cages
from lah10.crystal.trajectory import write_trajectory
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.schema import EXTRAPOLATION, PHASE, STATUS, SUMMARY, uncertainty

NAMES = ("distortion", "diffusion", "energetics", "correlations", "summary")
#: What only an adaptive bath has.
OF_ADAPTATION = ("friction_drift", "gamma_r_saturated_share")
#: What only a crystal knows in which atoms hop.
OF_HOPS = ("diffusion", "diffusion_hops", "dwell_", "hop_", "event_", "exchange_dispersion",
           "exchange_rate_stderr", "ring_rate_stderr", "site_dwell_time")
#: Counts and limits, which know no error.
WITHOUT_ERROR = ("diffusion_limit_stderr", "exchange_events_stderr", "hop_rate_limit_stderr",
                 "exchange_rate_limit_stderr", "ring_rate_limit_stderr",
                 "equilibration_time_stderr", "spectral_blocks_stderr",
                 "theta_threshold_stderr", "theta_upper_stderr",
                 "local_distortion_threshold_stderr", "local_distortion_upper_stderr")  # fmt: skip
#: What only a committee knows.
OF_COMMITTEE = ("model_deviation", "extrapolated_share")


def analyse(folder, run, **options):
    outputs = {name: folder / "out" / f"{name}.nc" for name in NAMES}
    analyse_point(
        run["trajectory"], run["thermo"], run["spectra"], run["supercell"],
        **{f"{name}_out": path for name, path in outputs.items()}, **options,
    )  # fmt: skip
    return {name: xr.load_dataset(path) for name, path in outputs.items()}


@pytest.fixture(scope="module")
def distorted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("distorted")
    template = supercell()
    axes = find_cages(template).axes @ template.cell.array / 5.1
    strain = axes.T @ deformation(0.04, 1) @ axes
    run = made_up_run.write_run(folder, template, strain=strain)
    return folder, run, analyse(folder, run)


def test_every_number_is_there_with_error_and_units(distorted):
    _, _, found = distorted
    summary = found["summary"]
    for name in SUMMARY:
        for variable in (name, uncertainty(name)):
            assert summary[variable].attrs["units"], variable
            assert summary[variable].attrs["long_name"], variable
            without = (*OF_COMMITTEE, *OF_ADAPTATION, *OF_HOPS, *WITHOUT_ERROR)
            assert np.isfinite(summary[variable]).all() or variable.startswith(without), variable
    for dataset in found.values():
        assert dataset.attrs["potential_sha256"] == "0" * 64
        for name, variable in dataset.data_vars.items():
            assert {"units", "long_name"} <= variable.attrs.keys(), name
            without = (*OF_COMMITTEE, *OF_ADAPTATION, *OF_HOPS)
            known = name.startswith(without) or name in WITHOUT_ERROR
            assert variable.notnull().any() or known, name
    # No atom hopped: no diffusion coefficient, whatever the slope, and a limit.
    assert summary.diffusion.isnull().all() and np.isfinite(summary.diffusion_limit).all()
    assert (summary.exchange_events == 0).all() and (summary.hop_rate_limit > 0).all()
    assert (summary.site_occupancy == 1).all() and summary.vacant_share == 0


def test_a_spread_is_not_called_a_standard_error(distorted, tmp_path):
    folder, _, found = distorted
    merged = merge.merge(
        [("classical", 150, 200, folder / "out" / "summary.nc")], tmp_path / "phase_diagram.nc"
    )
    for dataset in (found["summary"], merged):
        assert dataset.theta_null_spread.long_name.startswith("spread over bootstrap samples")
        for name in ("theta_deviation_stderr", "local_distortion_null_stderr"):
            assert dataset[name].long_name.startswith("standard error: ")


def test_a_committee_tells_where_it_does_not_know(tmp_path):
    """Asked at every fourth sample; in the second half of the run it disagrees."""
    run = made_up_run.write_run(tmp_path)
    thermo = xr.load_dataset(run["thermo"])
    deviation = np.full(thermo.sizes["time"], np.nan)
    deviation[::4] = 0.2
    half = len(deviation) // 2
    for disagreement, flag in ((0.3, "inside"), (4.0, "outside")):
        deviation[half::4] = disagreement
        netcdf.write(thermo.assign(model_deviation=("time", deviation)), run["thermo"])
        found = analyse(tmp_path, run)
        summary = found["summary"]
        assert summary.extrapolation == EXTRAPOLATION[flag]
        assert summary.extrapolated_share == pytest.approx(0.5 * (flag == "outside"), abs=0.1)
        assert summary.model_deviation_largest == disagreement
        assert summary.model_deviation == pytest.approx((0.2 + disagreement) / 2, rel=0.2)
        series = found["energetics"].model_deviation_series
        np.testing.assert_array_equal(series, deviation)


def test_its_numbers_are_the_crystals(distorted):
    _, _, found = distorted
    summary = found["summary"]
    assert summary.phase == PHASE["distorted"] and summary.status == STATUS["ok"]
    assert "is above the threshold of" in summary.attrs["phase_reason"]
    for name, units in (("pressure", "GPa"), ("temperature", "K")):
        assert summary[name].attrs == {"units": units, "long_name": name}
    assert summary.cell_angle_alpha == pytest.approx(90 - np.degrees(0.08), abs=0.15)
    assert summary.cell_angle_beta == pytest.approx(90 + np.degrees(0.08), abs=0.15)
    assert summary.variant_share.sel(variant="-111") > 0.9
    assert summary.kinetic_temperature_mean == pytest.approx(200, rel=0.03)
    assert summary.lindemann.sel(element="H") == pytest.approx(np.sqrt(3) * 0.1 / 1.14, rel=0.05)
    assert summary.bath == "classical" and summary.pressure == 150 and summary.temperature == 200
    assert found["diffusion"].msd.sel(element="H")[-1] == pytest.approx(0.06, rel=0.1)
    assert found["correlations"].g.sel(pair="La-H").max() > 2
    theta = found["distortion"].theta.sel(time=slice(float(summary.equilibration_time), None))
    theta = theta.mean("time")
    assert float(abs(theta - 90).max()) == pytest.approx(float(summary.theta_deviation), abs=1e-6)


def test_analysis_is_reproducible(distorted, tmp_path):
    _, run, found = distorted
    again = analyse(tmp_path, run)
    for name in NAMES:
        xr.testing.assert_identical(found[name], again[name])


def test_points_merge_into_a_campaign(distorted, tmp_path):
    folder, _, _ = distorted
    failed = made_up_run.write_run(tmp_path, temperature_K=300.0, status="volume")
    analyse(tmp_path, failed)
    merged = merge.merge(
        [("classical", 150, 200, folder / "out" / "summary.nc"),
         ("classical", 150, 300, tmp_path / "out" / "summary.nc")],
        tmp_path / "phase_diagram.nc",
    )  # fmt: skip
    assert merged.status.values.ravel().tolist() == [STATUS["ok"], STATUS["volume"]]
    assert np.isfinite(merged.theta_large.values.ravel()).tolist() == [True, False]


@pytest.mark.parametrize("frames", [0, 30])
def test_failed_run_gives_nan_and_its_status(tmp_path, frames):
    run = made_up_run.write_run(tmp_path, frames=frames, status="lost_atoms",
                                status_message="lost 3 atoms at 0.4 ps")  # fmt: skip
    run["spectra"].unlink()
    found = analyse(tmp_path, run)
    summary = found["summary"]
    assert summary.status == STATUS["lost_atoms"] and summary.phase == PHASE["undetermined"]
    for name in SUMMARY:
        assert summary[name].isnull().all() and summary[uncertainty(name)].isnull().all(), name
    for dataset in found.values():
        assert dataset.attrs["status"] == "lost_atoms"
        assert all(variable.isnull().all() for variable in dataset.data_vars.values()
                   if variable.dtype.kind == "f")  # fmt: skip
    assert {"msd", "reordered_msd"} <= found["diffusion"].keys()
    assert found["correlations"].g.sizes == {"pair": 3, "r": 275}


@pytest.mark.parametrize("frames", [0, 1, 6])
def test_short_run_is_called_too_short(tmp_path, frames):
    found = analyse(tmp_path, made_up_run.write_run(tmp_path, frames=frames))
    assert found["summary"].status == STATUS["too_short"]
    assert found["distortion"].attrs["status"] == "too_short"


def test_barely_long_enough(tmp_path):
    found = analyse(tmp_path, made_up_run.write_run(tmp_path, frames=20))
    assert found["summary"].status == STATUS["ok"]
    assert np.isfinite(found["summary"].theta_deviation)
    assert np.isnan(found["summary"].local_distortion)


def test_drift_at_the_beginning_is_left_out(tmp_path):
    run = made_up_run.write_run(tmp_path, burst=5)
    thermo = xr.load_dataset(run["thermo"])
    n = thermo.sizes["time"]
    thermo["volume"] += 20 * np.exp(-np.arange(n) / (0.07 * n))
    netcdf.write(thermo, run["thermo"])
    axes = find_cages(supercell()).axes
    begin = equilibration_time(thermo, axes)
    length = float(thermo.time[-1])
    assert 0.05 * length < begin <= 0.51 * length
    found = analyse(tmp_path, run)
    assert found["summary"].equilibration_time == pytest.approx(begin)
    first = found["distortion"].window[0]
    assert first > begin
    assert found["summary"].lindemann.sel(element="H") == pytest.approx(0.152, rel=0.05)
    assert found["summary"].reordered_msd == pytest.approx(0.06, rel=0.1)
    assert found["summary"].theta_deviation < 1.0


def test_supercell_of_another_run(tmp_path):
    run = made_up_run.write_run(tmp_path)
    from lah10.crystal import structures

    structures.write_supercell(run["supercell"], supercell("primitive", (2, 2, 1)))
    with pytest.raises(UserError, match="88 atoms, supercell with 44"):
        analyse(tmp_path, run)


@pytest.mark.parametrize("kept", [0, 100, 0.5, -100])
def test_half_written_trajectory_is_refused(tmp_path, kept):
    """netCDF's library reads zeros where a file is cut off."""
    run = made_up_run.write_run(tmp_path, frames=40)
    content = run["trajectory"].read_bytes()
    run["trajectory"].write_bytes(content[: int(kept * len(content)) if kept == 0.5 else kept])
    with pytest.raises(UserError, match=r"cut off|cannot be read") as caught:
        analyse(tmp_path, run)
    assert "trajectory.nc" in str(caught.value) and "again" in str(caught.value)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_trajectory_that_ends_before_the_run_is_refused(tmp_path):
    run = made_up_run.write_run(tmp_path, frames=40)
    thermo = run["thermo"].read_bytes()
    made_up_run.write_run(tmp_path, frames=25)
    run["thermo"].write_bytes(thermo)
    with pytest.raises(UserError, match=r"the last 0\.3\d* ps have no frames"):
        analyse(tmp_path, run)


@pytest.mark.parametrize("value", [np.nan, np.inf, 9.96921e36])
def test_positions_that_are_no_numbers_are_refused(tmp_path, value):
    """The last is netCDF's fill value of what was never written."""
    run = made_up_run.write_run(tmp_path, frames=40)
    with Dataset(run["trajectory"], "a") as file:
        file.set_auto_mask(False)
        file["coordinates"][23, 5, 1] = value
    with pytest.raises(UserError, match="frame 23 of 40: expected every position"):
        analyse(tmp_path, run)


def test_time_that_runs_back_and_a_cell_without_size_are_refused(tmp_path):
    run = made_up_run.write_run(tmp_path, frames=40)
    for name, frame, value, message in (
        ("cell_lengths", (7, 0), np.nan, "frame 7 of 40: expected the cell"),
        ("time", 30, 0.1, "frame 30 of 40: expected the time"),
    ):
        with Dataset(run["trajectory"], "a") as file:
            file[name][frame] = value
        with pytest.raises(UserError, match=message):
            analyse(tmp_path, run)


def test_exchanges_reach_the_summary_and_the_lists(tmp_path):
    """Twelve pairs change places, one after the other: a diffusion coefficient with an error; and
    the campaign's dataset holds what was found."""
    template = supercell("conventional", (1, 1, 2))
    rng = np.random.default_rng(3)
    h = np.flatnonzero(template.numbers == 1)
    run = made_up_run.write_run(tmp_path, template=template, frames=320)
    scaled, cell = template.get_scaled_positions(), template.cell.array
    place, frames = np.arange(len(template)), []
    for frame in range(320):
        if frame and frame % 25 == 0:
            k = 2 * (frame // 25 - 1)
            place[h[[k, k + 1]]] = place[h[[k + 1, k]]]
        noise = 0.05 * rng.normal(size=scaled.shape)
        frames.append((0.02 * frame, cell, scaled[place] @ cell + noise))
    write_trajectory(run["trajectory"], template.numbers, frames, "exchanges")
    found = analyse(tmp_path, run)
    proton = found["summary"].sel(element="H")
    assert proton.exchange_events == 12 and proton.exchange_rate_stderr > 0
    assert np.isnan(proton.diffusion_limit) and np.isfinite(proton.diffusion_stderr)
    assert proton.diffusion_stderr >= abs(proton.diffusion) / np.sqrt(12.01)
    assert proton.diffusion_hops > 3 * proton.diffusion_hops_stderr > 0
    assert found["diffusion"].ring_count.values.tolist() == [12, 0, 0, 0, 0]
    assert found["diffusion"].hop_time.values[::2] == pytest.approx(0.5 * np.arange(1, 13) - 0.01)
    assert found["diffusion"].hop_atom.values.tolist() == h[:24].tolist()
    merged = merge.merge(
        [("classical", 150, 200, tmp_path / "out" / "summary.nc")], tmp_path / "phase_diagram.nc"
    )
    assert merged.ring_rate.sel(ring="2").item() == pytest.approx(float(proton.exchange_rate))
    assert merged.ring_rate.units == "ps-1" and merged.site_occupancy.sel(wyckoff="8c") == 1
