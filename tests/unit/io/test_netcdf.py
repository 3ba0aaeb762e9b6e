"""The one writer of NetCDF datasets, and the reader."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from lah10.errors import UserError
from lah10.io import netcdf


@pytest.fixture
def dataset():
    return xr.Dataset(
        {
            "x": ("time", [1.0, np.nan, 3.0]),
            "count": ("time", np.array([1, 2, 3], np.int8)),
            "name": ("time", np.array(["a", "b", "c"], dtype=object)),
            "single": ((), 2.5),
        },
        {"time": ("time", [0.1, 0.2, 0.3])},
        {"seed": 3},
    )


def test_round_trip_to_the_bit(dataset, tmp_path):
    netcdf.write(dataset, tmp_path / "new/folder/x.nc", "made up")
    found = netcdf.read(tmp_path / "new/folder/x.nc", "a dataset", "make it again")
    for name, variable in dataset.variables.items():
        if name != "name":  # text comes back with a length
            assert found[name].dtype == variable.dtype
        np.testing.assert_array_equal(found[name], variable)
    assert found.seed == 3


def test_compression_and_fill_values(dataset, tmp_path):
    netcdf.write(dataset, tmp_path / "x.nc", "made up")
    with netCDF4.Dataset(tmp_path / "x.nc") as file:
        for name in ("x", "count", "time"):
            assert file[name].filters()["zlib"], name
        assert np.isnan(file["x"]._FillValue)
        for name in ("time", "count"):
            assert "_FillValue" not in file[name].ncattrs(), name


def test_global_attributes(dataset, tmp_path):
    netcdf.write(dataset, tmp_path / "x.nc", "a run")
    first = netcdf.read(tmp_path / "x.nc", "a dataset", "")
    assert first.attrs["Conventions"] == netcdf.CONVENTIONS and first.attrs["title"] == "a run"
    for _ in range(2):  # a second time adds nothing
        netcdf.write(first, tmp_path / "y.nc", "its analysis")
        first = netcdf.read(tmp_path / "y.nc", "a dataset", "")
    assert first.attrs["title"] == "its analysis"
    run, analysis = first.attrs["history"].splitlines()
    assert run.startswith("lah10 ") and run.endswith(": a run")
    assert analysis.endswith(": its analysis")
    assert "title" not in dataset.attrs  # what was handed in stays as it was


def test_equal_data_make_equal_files(dataset, tmp_path):
    for name in ("x.nc", "y.nc"):
        netcdf.write(dataset, tmp_path / name, "made up")
    assert (tmp_path / "x.nc").read_bytes() == (tmp_path / "y.nc").read_bytes()


def test_a_file_appears_whole_or_not_at_all(dataset, tmp_path):
    dataset["bad"] = ("time", np.array([{}, 1, "a"], dtype=object))
    with pytest.raises((TypeError, ValueError)):
        netcdf.write(dataset, tmp_path / "x.nc", "made up")
    assert list(tmp_path.iterdir()) == []


def test_a_title_is_needed(dataset, tmp_path):
    with pytest.raises(ValueError, match="with a title"):
        netcdf.write(dataset, tmp_path / "x.nc")
    netcdf.write(dataset.assign_attrs(title="its own"), tmp_path / "x.nc")
    assert netcdf.read(tmp_path / "x.nc", "a dataset", "").attrs["title"] == "its own"


def test_what_cannot_be_read_is_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"^.*x\.nc: no such file, expected a summary; do this$"):
        netcdf.read(tmp_path / "x.nc", "a summary", "do this")
    (tmp_path / "x.nc").write_text("rubbish")
    with pytest.raises(UserError, match=r"x\.nc: cannot be read as a summary .*; do this$"):
        netcdf.read(tmp_path / "x.nc", "a summary", "do this")


def test_arrays_are_those_of_the_reader(dataset, tmp_path):
    dataset = dataset.assign(
        text=((), "one point"), small=("time", np.array([1, 2, 3], np.float32)),
        empty=("none", np.empty(0)),
    )  # fmt: skip
    dataset["gap"] = ("time", np.array([1, -1, 3], np.int8), {"_FillValue": np.int8(-1)})
    netcdf.write(dataset, tmp_path / "x.nc", "made up")
    found, attrs = netcdf.read_arrays(tmp_path / "x.nc")
    whole = netcdf.read(tmp_path / "x.nc", "a dataset", "make it again")
    assert set(found) - {"none"} == set(whole.variables)  # HDF5 stores a dimension as an array
    for name, variable in whole.variables.items():
        np.testing.assert_array_equal(found[name], variable.values)
    assert attrs["seed"] == whole.attrs["seed"] and attrs["title"] == whole.attrs["title"]
    assert found["text"].item() == "one point"


def test_arrays_of_what_is_no_netcdf_are_left_to_the_reader(tmp_path, monkeypatch):
    (tmp_path / "x.nc").write_bytes(b"rubbish")
    assert netcdf.read_arrays(tmp_path / "x.nc") is None
    assert netcdf.read_arrays(tmp_path / "none.nc") is None
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    assert netcdf.read_arrays(tmp_path / "x.nc") is None
