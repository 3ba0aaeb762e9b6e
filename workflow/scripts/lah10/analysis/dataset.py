"""Datasets from tables of variables: the same names, units and shapes whatever a run came to."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from lah10.files import atomic_path

#: name -> (dimensions, units, long name)
Table = Mapping[str, tuple[tuple[str, ...], str, str]]


def assemble(
    table: Table,
    coords: Mapping[str, xr.Variable | tuple | list],
    values: Mapping[str, np.ndarray | float],
    attrs: Mapping | None = None,
) -> xr.Dataset:
    """A dataset with every variable of the table; what has no value is NaN.

    A value may also be named `<name>_stderr`: the standard error of a variable of the table.

    Raises
    ------
    KeyError
        A value is not in the table.
    """
    dataset = xr.Dataset(coords=coords, attrs=dict(attrs or {}))
    for name, (dims, units, long_name) in table.items():
        shape = tuple(dataset.sizes[dim] for dim in dims)
        value = np.asarray(values.get(name, np.full(shape, np.nan)))
        dataset[name] = (dims, value, {"units": units, "long_name": long_name})
    for name in values:
        if name in table:
            continue
        measured = name.removesuffix("_stderr")
        dims, units, long_name = table[measured]
        dataset[name] = (
            dims,
            np.asarray(values[name]),
            {"units": units, "long_name": f"standard error: {long_name}"},
        )
    return dataset


def write(dataset: xr.Dataset, path: str | Path) -> None:
    """Write compressed netCDF-4; the file appears whole."""
    encoding = {
        name: {"zlib": True, "complevel": 4, "_FillValue": None if name in dataset.coords else np.nan}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind == "f"
    }
    with atomic_path(path) as aside:
        dataset.to_netcdf(aside, engine="netcdf4", format="NETCDF4", encoding=encoding)
