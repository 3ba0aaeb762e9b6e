"""Merging of points' summaries into the dataset of a campaign."""

import copy
import json

import numpy as np
import pytest
import xarray as xr

from lah10.campaign import table
from lah10.campaign.grid import Grid
from lah10.campaign.merge import merge, unreadable
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.schema import FORMER, PHASE, STATUS, SUMMARY, uncertainty
from springs import crystal_of_modes
from synthetic_campaign import CONFIG, write_campaign, write_point

SMALL = {"baths": ("classical", "qtb"), "pressures": (100, 150), "temperatures": (100, 300)}


def test_round_trip(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    merge(summaries, tmp_path / "phase_diagram.nc")
    with xr.open_dataset(tmp_path / "phase_diagram.nc") as merged:
        assert dict(merged.sizes) == {
            "bath": 2, "pressure": 2, "temperature": 2, "element": 2, "variant": 5,
            "ring": 5, "wyckoff": 2,
        }
        for bath, pressure, temperature, path in summaries:
            cell = merged.sel(bath=bath, pressure=pressure, temperature=temperature)
            with xr.open_dataset(path) as point:
                for name, variable in point.data_vars.items():
                    np.testing.assert_array_equal(cell[name].values, variable.values, name)
                assert cell.fingerprint.item() == point.attrs["fingerprint"]
                assert cell.ps_per_hour.item() == point.attrs["ps_per_hour"]


def test_every_variable_has_units_and_long_name(tmp_path):
    merge(write_campaign(tmp_path, **SMALL), tmp_path / "merged.nc")
    with xr.open_dataset(tmp_path / "merged.nc") as merged:
        for name in SUMMARY:
            assert merged[name].attrs["units"] == SUMMARY[name].units
            assert merged[name].attrs["long_name"]
            assert uncertainty(name) in merged
        for name in ("pressure", "temperature", "bath", "element", "variant"):
            assert merged[name].attrs["long_name"]
        assert merged.pressure.units == "GPa"
        assert merged.temperature.units == "K"


def test_grid_order_does_not_depend_on_the_order_of_points(tmp_path):
    summaries = write_campaign(tmp_path, pressures=(90, 100.5, 120), temperatures=(5, 50))
    merged = merge(reversed(summaries), tmp_path / "merged.nc")
    assert list(merged.bath.values) == ["classical", "qtb"]
    assert list(merged.pressure.values) == [90.0, 100.5, 120.0]
    assert list(merged.temperature.values) == [5.0, 50.0]


def test_failed_and_missing_points_are_nan_with_a_status(tmp_path):
    failed = ("classical", 150, 300)
    missing = ("qtb", 100, 100)
    summaries = write_campaign(tmp_path, **SMALL, failed={failed: "volume"}, missing=[missing])
    merge(summaries, tmp_path / "merged.nc")
    with xr.open_dataset(tmp_path / "merged.nc") as merged:
        for point, status in ((failed, "volume"), (missing, "missing")):
            cell = merged.sel(bath=point[0], pressure=point[1], temperature=point[2])
            assert cell.status.item() == STATUS[status]
            assert cell.phase.item() == PHASE["undetermined"]
            for name in SUMMARY:
                assert cell[name].isnull().all(), name
        assert int((merged.status == STATUS["ok"]).sum()) == 6
        assert merged.sel(bath="classical", pressure=150, temperature=300).status_message.item()
        assert merged.status.dtype == np.int8
        flags = dict(zip(merged.status.flag_meanings.split(), merged.status.flag_values,
                         strict=True))
        assert flags == STATUS


def test_points_absent_from_the_list_are_missing_too(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    merged = merge(summaries[:-1], tmp_path / "merged.nc")
    bath, pressure, temperature, _ = summaries[-1]
    cell = merged.sel(bath=bath, pressure=pressure, temperature=temperature)
    assert cell.status.item() == STATUS["missing"]


def test_all_variables_are_there_when_every_point_is_missing(tmp_path):
    points = [("qtb", 150, 100, tmp_path / "nowhere.nc"), ("qtb", 200, 100, None)]
    merged = merge(points, tmp_path / "merged.nc", {"campaign": "empty"})
    assert set(SUMMARY) <= set(merged)
    assert (merged.status == STATUS["missing"]).all()
    assert merged.theta_deviation.isnull().all()
    assert merged.attrs["campaign"] == "empty"


def test_global_attributes(tmp_path):
    attrs = {"campaign": "other", "notes": {"a": [1]}}
    merge(write_campaign(tmp_path, **SMALL), tmp_path / "merged.nc", attrs)
    with xr.open_dataset(tmp_path / "merged.nc") as merged:
        assert merged.potential_sha256 == "a" * 64
        assert merged.potential == "made-up.pb"
        assert "committee_sha256" not in merged.attrs
        assert merged.seed == 1
        assert merged.campaign == "other"
        assert json.loads(merged.config) == CONFIG
        assert json.loads(merged.notes) == {"a": [1]}
        versions = json.loads(merged.versions)
        assert versions["lammps"] == "22 Jul 2025" and "xarray" in versions
        assert merged.created.endswith("+00:00")
        assert "outward normals" in merged.theta_definition


def test_the_committee_is_recorded_by_content(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)

    def give(point: int, committee: str) -> None:
        path = summaries[point][3]
        xr.load_dataset(path).assign_attrs(committee_sha256=committee).to_netcdf(path)

    for point, committee in enumerate(("c" * 64, "c" * 64, "")):
        give(point, committee)
    assert merge(summaries, tmp_path / "merged.nc").attrs["committee_sha256"] == "c" * 64
    give(3, "d" * 64)
    found = merge(summaries, tmp_path / "merged.nc").attrs["committee_sha256"]
    assert found.splitlines() == ["c" * 64, "d" * 64]


def test_is_compressed(tmp_path):
    merge(write_campaign(tmp_path, **SMALL), tmp_path / "merged.nc")
    with xr.open_dataset(tmp_path / "merged.nc") as merged:
        assert merged.theta_large.encoding["zlib"]


def test_different_potentials_are_refused(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    write_point(tmp_path, "qtb", 150, 300, potential="b" * 64)
    with pytest.raises(UserError, match=r"P150_T300.*bbbb.*aaaa.*one campaign has one potential"):
        merge(summaries, tmp_path / "merged.nc")
    assert not (tmp_path / "merged.nc").exists()


def test_the_campaigns_own_potential_must_be_the_points(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    with pytest.raises(UserError, match="but the campaign's is cccc"):
        merge(summaries, tmp_path / "merged.nc", {"potential_sha256": "cccc"})


def test_different_parameters_are_refused_and_named(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    config = copy.deepcopy(CONFIG)
    config["dynamics"]["timestep"] = "0.25 fs"
    write_point(tmp_path, "qtb", 150, 300, config=config)
    with pytest.raises(UserError, match=r'dynamics.timestep = "0.25 fs".*"0.5 fs"'):
        merge(summaries, tmp_path / "merged.nc")


def test_a_grown_grid_is_no_difference(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    config = copy.deepcopy(CONFIG)
    config["temperature"]["values"].append("400")
    config["potential"] = {"model": "elsewhere/same.pb"}
    summaries.append(("qtb", 150, 400, write_point(tmp_path, "qtb", 150, 400, config=config)))
    merged = merge(summaries, tmp_path / "merged.nc")
    assert merged.sizes["temperature"] == 3
    assert merged.status.sel(bath="qtb", pressure=150, temperature=400) == STATUS["ok"]


def test_versions_that_changed_are_all_recorded(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    with xr.load_dataset(summaries[-1][3]) as point:
        point.attrs["versions"] = json.dumps({"lammps": "1 Jan 2026"})
        point.to_netcdf(summaries[-1][3])
    merged = merge(summaries, tmp_path / "merged.nc")
    assert json.loads(merged.versions)["lammps"] == ["22 Jul 2025", "1 Jan 2026"]


def unreadable_point(tmp_path, path, caplog, point=("qtb", 150, 100)) -> str:
    """What is said of a file that is no summary of its point; the point beside it is merged."""
    good = write_point(tmp_path / "good", "qtb", 150, 300)
    merged = merge([("qtb", 150, 300, good), (*point, path)], tmp_path / "merged.nc")
    with xr.load_dataset(tmp_path / "merged.nc", decode_times=False) as written:
        cell = written.sel(bath=point[0], pressure=point[1], temperature=point[2])
        assert cell.status == STATUS["unreadable"] and cell.theta_deviation.isnull()
        beside = written.sel(bath="qtb", pressure=150, temperature=300)
        assert beside.status == STATUS["ok"] and beside.theta_deviation.notnull()
        assert [cell.status_message.item()] == unreadable(merged)
    message = unreadable(merged)[0]
    assert message in caplog.messages
    assert message.startswith(f"{path}: ")
    return message


def test_a_summary_of_another_point_is_flagged(tmp_path, caplog):
    path = write_point(tmp_path, "qtb", 150, 100)
    said = unreadable_point(tmp_path, path, caplog, ("qtb", 200, 100))
    assert "belongs to pressure 150.0, not 200" in said
    said = unreadable_point(tmp_path, path, caplog, ("classical", 150, 100))
    assert "belongs to bath qtb, not classical" in said


def test_unreadable_and_foreign_files_are_flagged(tmp_path, caplog):
    broken = tmp_path / "summary.nc"
    broken.write_bytes(b"not NetCDF")
    assert "cannot be read as a point's summary" in unreadable_point(tmp_path, broken, caplog)
    xr.Dataset({"x": 1}).to_netcdf(broken)
    assert "no coordinate bath" in unreadable_point(tmp_path, broken, caplog)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], "no points"),
        ([("qtb", 150, 100, None), ("qtb", "150.0", 100, None)], "given twice"),
        ([("ice", 150, 100, None)], "unknown bath 'ice'"),
    ],
)
def test_bad_lists_are_refused(tmp_path, points, message):
    with pytest.raises(UserError, match=message):
        merge(points, tmp_path / "merged.nc")


def test_former_names_are_aliases_in_the_file(tmp_path):
    merged = merge(write_campaign(tmp_path, **SMALL), tmp_path / "merged.nc")
    assert not FORMER.keys() & set(merged)
    with xr.open_dataset(tmp_path / "merged.nc") as written:
        for former, name in FORMER.items():
            if name in merged:
                np.testing.assert_array_equal(written[former], merged[name])
                assert written[former].alias_of == name
                assert written[former].units == merged[name].units
        assert {"theta_null_stderr", "mode_occupation_stderr"} <= set(written)


def test_summaries_of_either_generation_merge(tmp_path):
    """A point analysed before the names changed beside one analysed after."""
    old = write_point(tmp_path, "qtb", 150, 100, theta_null_spread=0.07)
    new = write_point(tmp_path, "qtb", 150, 300, theta_null_spread=0.09)
    summary = xr.load_dataset(old)
    back = {name: former for former, name in FORMER.items() if name in summary}
    assert "theta_null_spread" in back
    summary.rename(back).to_netcdf(old)
    points = [("qtb", 150, 100, old), ("qtb", 150, 300, new)]
    merged = merge(points, tmp_path / "merged.nc")
    np.testing.assert_array_equal(merged.theta_null_spread.values.ravel(), [0.07, 0.09])


def deuterated(path):
    """The same file of a campaign of LaD10."""
    with xr.open_dataset(path) as file:
        data = file.load()
    data.attrs |= {"isotopes": "H: D", "formula": "LaD10"}
    data.to_netcdf(path)


def test_isotopes_are_named_in_the_dataset_and_the_table(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    natural = merge(summaries, tmp_path / "merged.nc")
    assert (natural.attrs["formula"], natural.attrs["isotopes"]) == ("LaH10", "natural")
    for *_, path in summaries:
        deuterated(path)
    merged = merge(summaries, tmp_path / "merged.nc")
    assert (merged.attrs["formula"], merged.attrs["isotopes"]) == ("LaD10", "H: D")
    with xr.open_dataset(tmp_path / "merged.nc") as file:
        assert file.attrs["title"].startswith("Phase diagram of LaD10 ")
    table.write(tmp_path / "merged.nc", tmp_path / "table.md")
    head = (tmp_path / "table.md").read_text().splitlines()[0]
    assert "volume (Å³ per LaD10)" in head and "D of D (" in head and "LaH10" not in head


def test_points_of_two_isotopes_are_no_campaign(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    deuterated(summaries[3][3])
    with pytest.raises(UserError, match=r"with isotopes H: D, but .* with natural; .* again"):
        merge(summaries, tmp_path / "merged.nc")


def test_phonons_of_another_isotope_are_refused(tmp_path):
    summaries = write_campaign(tmp_path, **SMALL)
    crystal = crystal_of_modes(20.0, 50.0)
    crystal.attrs |= {"potential_sha256": "a" * 64, "isotopes": "H: D"}
    crystal.to_netcdf(tmp_path / "P100.nc")
    with pytest.raises(UserError, match=r"P100.nc: phonons of isotopes H: D, but .* natural; comp"):
        merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "P100.nc"])


def test_files_are_merged_alike_with_and_without_h5py(tmp_path, monkeypatch):
    points = write_campaign(tmp_path / "points", failed={("classical", 200, 300): "volume"},
                            missing=[("qtb", 100, 100)])  # fmt: skip
    used = []
    monkeypatch.setattr(Grid, "put_arrays", lambda self, *args, put=Grid.put_arrays: (
        used.append(1), put(self, *args)))  # fmt: skip
    fast = merge(points, tmp_path / "fast.nc")
    assert len(used) == 17
    monkeypatch.setattr(netcdf, "read_arrays", lambda path: None)
    slow = merge(points, tmp_path / "slow.nc")
    xr.testing.assert_equal(fast, slow)
    assert {key for key in fast.attrs if fast.attrs[key] != slow.attrs[key]} <= {"created"}


def test_a_summary_with_a_variable_of_its_own_takes_the_slower_way(tmp_path):
    (point,) = write_campaign(tmp_path / "points", baths=("qtb",), pressures=(150,),
                              temperatures=(100,))  # fmt: skip
    with xr.open_dataset(point[-1]) as file:
        changed = file.load()
    changed["extra"] = ("element", [1.0, 2.0], {"units": "1", "long_name": "a variable"})
    changed.to_netcdf(point[-1])
    merged = merge([point], tmp_path / "phase_diagram.nc")
    np.testing.assert_array_equal(merged.extra.squeeze(), [1.0, 2.0])
    assert merged.extra.attrs["long_name"] == "a variable"
