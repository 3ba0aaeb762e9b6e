"""A campaign's grid: the folders of its points, and arrays over bath, pressure, temperature."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, schema
from lah10.analysis import dataset
from lah10.config.quantities import canonical
from lah10.errors import UserError


def point_folder(points: str | os.PathLike, bath: str, pressure, temperature) -> Path:
    """Folder of a point: <points>/<bath>/P<GPa>_T<K>."""
    return Path(points) / bath / f"P{canonical(pressure)}_T{canonical(temperature)}"


class Grid:
    """Arrays over (bath, pressure, temperature) that are filled point by point."""

    dims = ("bath", "pressure", "temperature")

    def __init__(self, baths: list[str], pressures: list[str], temperatures: list[str]):
        self.axes = (baths, pressures, temperatures)
        self.shape = tuple(len(axis) for axis in self.axes)
        self.extra = {"element": np.array(ELEMENTS), "variant": np.array(schema.VARIANTS),
                      "ring": np.array(schema.RINGS), "wyckoff": np.array(schema.WYCKOFF)}
        self.variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict]] = {}
        for name, (dims, units, long_name) in schema.SUMMARY.items():
            described = {"units": units, "long_name": long_name}
            self._define(name, dims, described)
            title = schema.uncertainty_title(name, long_name)
            self._define(schema.uncertainty(name), dims, described | {"long_name": title})
        for name in schema.FLAGS:
            fill = schema.STATUS["missing"] if name == "status" else -1
            self.variables[name] = dataset.flag(name, np.full(self.shape, fill), self.dims)
        for name, (kind, units, long_name) in schema.PROVENANCE.items():
            data = np.full(self.shape, np.nan) if kind is float else np.full(self.shape, "", object)
            self.variables[name] = (self.dims, data, {"units": units, "long_name": long_name})

    def _define(self, name: str, dims: tuple[str, ...], attributes: dict) -> None:
        shape = self.shape + tuple(len(self.extra[dim]) for dim in dims)
        self.variables[name] = (self.dims + dims, np.full(shape, np.nan), attributes)

    def flag(self, point: tuple[str, str, str], status: str, message: str) -> None:
        """Give a point without numbers its status and the reason."""
        index = self._index(point)
        self.variables["status"][1][index] = schema.STATUS[status]
        self.variables["status_message"][1][index] = message

    def fits(self, arrays: Mapping[str, np.ndarray]) -> bool:
        """Whether the arrays of a summary are, by names and shapes, those of this grid alone: then
        `put_arrays` takes them."""
        for name, values in arrays.items():
            if name in self.extra:
                if not np.array_equal(values.astype(str), self.extra[name].astype(str)):
                    return False
            elif name not in self.dims and (
                name not in self.variables
                or values.shape != self.variables[name][1].shape[len(self.dims):]
            ):
                return False
        return True

    def put_arrays(
        self, point: tuple[str, str, str], arrays: Mapping[str, np.ndarray], attrs: Mapping, path
    ) -> None:
        """`put` for arrays that `fits` found good, with their attributes; `path` for messages."""
        index = self._index(point)
        for name, values in arrays.items():
            if name in schema.FLAGS:
                if np.isfinite(values):
                    self.variables[name][1][index] = values.item()
            elif name in self.variables and values.dtype.kind in "fiu":
                self.variables[name][1][index] = values
        self._put_provenance(index, attrs)

    def _index(self, point: tuple[str, str, str]) -> tuple[int, ...]:
        return tuple(axis.index(value) for axis, value in zip(self.axes, point, strict=True))

    def _put_provenance(self, index: tuple[int, ...], attrs: Mapping) -> None:
        for name, (kind, _, _) in schema.PROVENANCE.items():
            if name in attrs:
                self.variables[name][1][index] = kind(attrs[name])

    def put(
        self, point: tuple[str, str, str], summary: xr.Dataset, attrs: Mapping, path
    ) -> None:
        index = self._index(point)
        for dim in summary.sizes:
            self._check_dimension(dim, summary, path)
        for name in summary.data_vars:
            variable = summary.variables[name]  # without its coordinates, which take time to copy
            if name in schema.FLAGS:
                value = variable.item()
                if np.isfinite(value):  # a flag that was given a fill value comes back as NaN
                    self.variables[name][1][index] = value
                continue
            if not np.issubdtype(variable.dtype, np.number):
                continue  # notes of one point, not numbers on the grid
            if name not in self.variables:
                self._define(name, variable.dims, dict(variable.attrs))
            dims, data, attributes = self.variables[name]
            point_dims = dims[len(self.dims):]
            if set(point_dims) != set(variable.dims):
                raise UserError(
                    f"{path}: {name} has dimensions {variable.dims}, not {point_dims} like the "
                    "other points; analyse the point again"
                )
            data[index] = variable.transpose(*point_dims).values
            attributes.update(variable.attrs)
        self._put_provenance(index, attrs)

    def _check_dimension(self, dim: str, summary: xr.Dataset, path) -> None:
        labels = summary[dim].values.astype(str) if summary[dim].dtype.kind in "OUST" \
            else summary[dim].values
        known = self.extra.setdefault(dim, labels)
        if not np.array_equal(known, labels):
            raise UserError(
                f"{path}: dimension {dim} is {list(labels)}, not {list(known)} like the other "
                "points; analyse the point again"
            )

    def dataset(self) -> xr.Dataset:
        baths, pressures, temperatures = self.axes
        coordinates = {
            "bath": ("bath", np.array(baths, dtype=object), {"long_name": "thermal bath"}),
            "pressure": ("pressure", np.array(pressures, float),
                         {"units": "GPa", "long_name": "pressure"}),
            "temperature": ("temperature", np.array(temperatures, float),
                            {"units": "K", "long_name": "temperature"}),
        }
        names = {"element": "chemical element",
                 "variant": "axis of the rhombohedral distortion, cubic frame",
                 "ring": "atoms in a ring", "wyckoff": "Wyckoff position of the site"}
        for dim, labels in self.extra.items():
            labels = labels.astype(object) if labels.dtype.kind == "U" else labels
            coordinates[dim] = (dim, labels, {"long_name": names.get(dim, dim)})
        return xr.Dataset(self.variables, coordinates)
