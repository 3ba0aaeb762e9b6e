"""The one writer, and the one reader, of NetCDF datasets.

Trajectories are another matter (`lah10.crystal.trajectory`): AMBER's convention, frame by frame.
"""

import os
from pathlib import Path

import netCDF4
import numpy as np
import xarray as xr

from lah10 import __version__
from lah10.errors import UserError
from lah10.io.files import atomic_path

CONVENTIONS = "CF-1.11"
#: zlib's level: higher ones gain a few per cent and take several times as long.
LEVEL = 4


def write(dataset: xr.Dataset, path: str | os.PathLike, title: str | None = None) -> None:
    """Write a dataset as compressed netCDF-4; the file appears whole.

    Gaps of variables are NaN; coordinates have none, and no fill value, which breaks some readers.
    The global attributes `Conventions`, `title` and `history` are added. A line of `history` holds
    the version and the title, and no date: equal data make equal files.

    Parameters
    ----------
    dataset : Dataset
        Its attributes are kept. `history`, where it has one, grows by a line.
    path : path
    title : str, optional
        What the file holds. Default: the dataset's own attribute.

    Raises
    ------
    ValueError
        No title.
    """
    title = title or dataset.attrs.get("title")
    if not title:
        raise ValueError(f"{path}: a dataset is written with a title")
    line = f"lah10 {__version__}: {title}"
    past = [entry for entry in dataset.attrs.get("history", "").splitlines() if entry != line]
    described = dataset.assign_attrs(
        {"Conventions": CONVENTIONS, "title": title, "history": "\n".join([*past, line])}
    )
    encoding = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind not in "fiu":
            continue
        encoding[name] = {"zlib": True, "complevel": LEVEL} if variable.ndim else {}
        if variable.dtype.kind == "f":
            encoding[name]["_FillValue"] = None if name in dataset.coords else np.nan
    with atomic_path(path) as aside:
        described.to_netcdf(aside, engine="netcdf4", format="NETCDF4", encoding=encoding)


def read(path: str | os.PathLike, what: str, remedy: str, small: bool = False) -> xr.Dataset:
    """A dataset, whole in memory.

    Parameters
    ----------
    path : path
    what : str
        What the file should be, for the error: "a point's summary".
    remedy : str
        What to do if it cannot be read: "analyse the point again".
    small : bool
        Read many small variables some four times as fast, without what files of this project do
        not hold: packed values.

    Raises
    ------
    UserError
        The file is absent or no NetCDF.
    """
    if not Path(path).exists():
        raise UserError(f"{path}: no such file, expected {what}; {remedy}")
    try:
        if small:
            return _read_small(path)
        return xr.load_dataset(path, engine="netcdf4", decode_times=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as {what} ({error}); {remedy}") from None


def _read_small(path: str | os.PathLike) -> xr.Dataset:
    """The dataset as xarray reads it, without its costs a variable."""
    variables, coordinates = {}, set()
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        attrs = {name: file.getncattr(name) for name in file.ncattrs()}
        for name, variable in file.variables.items():
            values = np.asarray(variable[...])
            described = {key: variable.getncattr(key) for key in variable.ncattrs()}
            fill = described.pop("_FillValue", None)
            if fill is not None and values.dtype.kind in "iu":
                values = np.where(values == fill, np.nan, values)
            coordinates |= set(described.pop("coordinates", "").split())
            variables[name] = xr.Variable(variable.dimensions, values, described)
    coordinates |= set(attrs.pop("coordinates", "").split())
    coordinates = {
        name: variables.pop(name)
        for name in list(variables)
        if name in coordinates or variables[name].dims == (name,)
    }
    return xr.Dataset(variables, coordinates, attrs)


def read_arrays(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict] | None:
    """All arrays of a small NetCDF-4 file by name, and its global attributes, as fast as can be.

    netCDF4 takes longer to look at the variables of a point's summary than to read them; HDF5 gives
    their values alone. Dimensions and attributes of variables are left out: the caller knows them.
    Integers that are fill values are NaN, texts are str.

    Returns
    -------
    tuple or None
        None where h5py is not installed, or does not read the file: `read` then does, or has the
        error.
    """
    try:
        import h5py
    except ImportError:
        return None
    try:
        with h5py.File(path) as file:
            attrs = {name: _plain(value) for name, value in file.attrs.items()
                     if not name.startswith("_NC")}  # fmt: skip
            return {name: _values(file, name) for name in file}, attrs
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        return None


def _values(file, name: str) -> np.ndarray:
    """Of an open h5py file. Doubles, which nearly all are, by HDF5's own calls: h5py's take twice
    as long."""
    from h5py import h5d, h5s, h5t

    stored = h5d.open(file.id, name.encode())
    kind = stored.get_type()
    if kind.get_class() == h5t.FLOAT and kind.get_size() == 8:
        found = np.empty(stored.shape)
        if found.size:
            stored.read(h5s.ALL, h5s.ALL, found)
        return found
    stored = file[name]
    if stored.dtype.kind not in "iuf":
        return np.asarray(stored.asstr()[()], dtype=object)
    found, fill = np.asarray(stored[()]), stored.attrs.get("_FillValue")
    if fill is None or stored.dtype.kind == "f":
        return found
    return np.where(found == fill, np.nan, found)


def _plain(value):
    """A global attribute as netCDF4 gives it: text as str, lone numbers as scalars."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, np.ndarray) and value.shape == (1,):
        return value[0]
    return value
