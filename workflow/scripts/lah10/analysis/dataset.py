"""Datasets from the tables of `lah10.schema`: the same names, units and shapes whatever a run came
to, and the reader of files of either generation of names."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr

from lah10 import schema
from lah10.io import netcdf

#: Coordinates: name -> (units or None, long name, values where a run has none to offer).
Coordinates = Mapping[str, tuple[str | None, str, Sequence]]


def assemble(
    coordinates: Coordinates,
    table: schema.Table,
    values: Mapping[str, np.ndarray | float],
    attrs: Mapping | None = None,
) -> xr.Dataset:
    """A dataset with every coordinate and variable of the tables; what has no value is NaN.

    A value may also be the uncertainty of a variable of the table (`lah10.schema.uncertainty`).

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
        variable = schema.measured(name)
        dims, units, long_name = table[variable]
        described = {"units": units, "long_name": schema.uncertainty_title(variable, long_name)}
        dataset[name] = (dims, np.asarray(values[name], dtype=float), described)
    return dataset


def flag(name: str, values, dims: tuple[str, ...] | str = ()) -> tuple:
    """A flag of `lah10.schema.FLAGS` as xarray takes a variable: dimensions, int8 values and the
    attributes that give each value its meaning (CF)."""
    flags = (schema.FLAGS | schema.START_FLAGS)[name]
    described = {
        "units": "1",
        "long_name": schema.MEANINGS[name],
        "flag_values": np.array(list(flags.values()), np.int8),
        "flag_meanings": " ".join(flags),
    }
    return dims, np.asarray(values, np.int8), described


def read(path: str | os.PathLike, what: str, remedy: str, small: bool = False) -> xr.Dataset:
    """A dataset of a point or a campaign, whole in memory, with the names of `lah10.schema`.

    Files that hold former names (`lah10.schema.FORMER`) are read, too. The parameters, and the
    `UserError` for a file that cannot be read, are those of `lah10.io.netcdf.read`.
    """
    return schema.with_current_names(netcdf.read(path, what, remedy, small))
