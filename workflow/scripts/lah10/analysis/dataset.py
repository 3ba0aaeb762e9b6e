"""Datasets from tables of variables: the same names, units and shapes whatever a run came to."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from lah10.campaign.merge import error_name
from lah10.io.files import atomic_path

#: Variables: name -> (dimensions, units, long name).
Table = Mapping[str, tuple[tuple[str, ...], str, str]]
#: Coordinates: name -> (units or None, long name, values where a run has none to offer).
Coordinates = Mapping[str, tuple[str | None, str, Sequence]]


def assemble(
    coordinates: Coordinates,
    table: Table,
    values: Mapping[str, np.ndarray | float],
    attrs: Mapping | None = None,
) -> xr.Dataset:
    """A dataset with every coordinate and variable of the tables; what has no value is NaN.

    A value may also be named `<name>_stderr`: the standard error of a variable of the table (or a
    spread, see `lah10.campaign.merge.SPREADS`).

    Raises
    ------
    KeyError
        A value is in neither table.
    """
    dataset = xr.Dataset(attrs=dict(attrs or {}))
    for name, (units, long_name, default) in coordinates.items():
        described = {"long_name": long_name} | ({"units": units} if units else {})
        dataset.coords[name] = (name, np.asarray(values.get(name, default)), described)
    for name, (dims, units, long_name) in table.items():
        shape = tuple(dataset.sizes[dim] for dim in dims)
        value = np.asarray(values.get(name, np.full(shape, np.nan)), dtype=float)
        dataset[name] = (dims, value, {"units": units, "long_name": long_name})
    for name in values.keys() - coordinates.keys() - table.keys():
        variable = name.removesuffix("_stderr")
        dims, units, long_name = table[variable]
        described = {"units": units, "long_name": error_name(variable, long_name)}
        dataset[name] = (dims, np.asarray(values[name], dtype=float), described)
    return dataset


def write(dataset: xr.Dataset, path: str | Path) -> None:
    """Write compressed netCDF-4; the file appears whole."""
    encoding = {
        # Coordinates hold no gaps; a fill value there breaks some readers.
        name: {"zlib": True, "complevel": 4}
        | {"_FillValue": None if name in dataset.coords else np.nan}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind == "f"
    }
    with atomic_path(path) as aside:
        dataset.to_netcdf(aside, engine="netcdf4", format="NETCDF4", encoding=encoding)
