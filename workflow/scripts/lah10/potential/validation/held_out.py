"""How far a potential is from its labels, by set, source and pressure.

Energies are compared after one constant, since neither the codes nor the published sets share a
zero of energy (see `alignment`): one per set, which leaves what matters for dynamics, and one per
source, which also counts the sets' disagreement among themselves. Pressures are compared on the
common scale (the labels' are, see `preparation`); their mean difference is given beside the root
mean square.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import ase
import numpy as np
import xarray as xr

import lah10
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.potential.data import preparation
from lah10.potential.data.systems import System, pressures
from lah10.potential.evaluate import Prediction, evaluate
from lah10.potential.validation import extrapolation_scan

#: GPa, limits of the ranges that errors are given for.
PRESSURE_RANGES = (0, 100, 125, 150, 175, 200, 250, 300, 500)
#: eV/Å: forces are counted in squares of this size, up to this size.
FORCE_BIN, FORCE_LIMIT = 0.1, 12.0


def compare(systems: Sequence[System], predictions: Sequence[Prediction]) -> xr.Dataset:
    """Labels and predictions, frame by frame.

    Returns
    -------
    xarray.Dataset
        Along `frame`: `system`, `source`, `atoms`, `pressure_label`, `pressure_model` (GPa),
        `energy_label`, `energy_model` (eV/atom; the model's with the system's constant added),
        `energy_constant` (eV/atom, what was added), `force_rms` and `force_rmse` (eV/Å); and the
        count of force components by source in squares of (`force_label`, `force_model`), eV/Å,
        those beyond the limits in the outermost squares.
    """
    frames = []
    for system, prediction in zip(systems, predictions, strict=True):
        difference = (system.energies - prediction.energies) / system.n_atoms
        constant = difference.mean()
        size = len(system)
        columns = {
            "system": np.full(size, system.name, dtype=object),
            "source": np.full(size, system.source, dtype=object),
            "atoms": np.full(size, system.n_atoms),
            "pressure_label": system.pressures,
            "pressure_model": pressures(prediction.virials, system.volumes),
            "energy_label": system.energies / system.n_atoms,
            "energy_model": prediction.energies / system.n_atoms + constant,
            "energy_constant": np.full(size, constant),
            "force_rms": _rms(system.forces, axis=(1, 2)),
            "force_rmse": _rms(system.forces - prediction.forces, axis=(1, 2)),
        }
        frames.append(xr.Dataset({name: ("frame", value) for name, value in columns.items()}))
    data = xr.concat(frames, dim="frame")
    for name, unit in (("pressure", "GPa"), ("energy", "eV/atom"), ("force", "eV/Å")):
        for variable in data:
            if str(variable).startswith(name):
                data[variable].attrs["units"] = unit
    return data.merge(_force_counts(systems, predictions))


def _force_counts(systems: Sequence[System], predictions: Sequence[Prediction]) -> xr.Dataset:
    edges = np.arange(-FORCE_LIMIT, FORCE_LIMIT + FORCE_BIN / 2, FORCE_BIN)
    centres = (edges[1:] + edges[:-1]) / 2
    sources = sorted({system.source for system in systems})
    counts = np.zeros((len(sources), len(centres), len(centres)), np.int64)
    for system, prediction in zip(systems, predictions, strict=True):
        label, model = (
            np.clip(f.ravel(), centres[0], centres[-1]) for f in (system.forces, prediction.forces)
        )
        which = sources.index(system.source)
        counts[which] += np.histogram2d(label, model, bins=(edges, edges))[0].astype(np.int64)
    return xr.Dataset(
        {
            "force_count": (
                ("counted_source", "force_label", "force_model"),
                counts,
                {"long_name": "force components in the square"},
            )
        },
        {
            "counted_source": sources,
            "force_label": ("force_label", centres, {"units": "eV/Å"}),
            "force_model": ("force_model", centres, {"units": "eV/Å"}),
        },
    )


def errors(data: xr.Dataset) -> dict[str, float | int | list[float]]:
    """Errors over the frames of `compare`'s dataset that are given.

    Returns
    -------
    dict
        frames; pressure_range (GPa); energy_rmse and energy_rmse_one_constant (meV/atom: after
        one constant per set; one for all frames given); force_rmse, force_rms (eV/Å), the mean
        over all components; pressure_rmse, pressure_bias (GPa; model minus label).
    """
    energy = 1e3 * (data.energy_model - data.energy_label).values
    raw = energy - 1e3 * data.energy_constant.values
    pressure = (data.pressure_model - data.pressure_label).values
    atoms = data.atoms.values
    return {
        "frames": int(data.sizes["frame"]),
        "pressure_range": [float(data.pressure_label.min()), float(data.pressure_label.max())],
        "energy_rmse": _rms(energy),
        "energy_rmse_one_constant": _rms(raw - raw.mean()),
        "force_rmse": _pooled(data.force_rmse.values, atoms),
        "force_rms": _pooled(data.force_rms.values, atoms),
        "pressure_rmse": _rms(pressure),
        "pressure_bias": float(pressure.mean()),
    }


def _rms(values: np.ndarray, axis=None):
    result = np.sqrt(np.mean(np.square(values), axis=axis))
    return float(result) if axis is None else result


def _pooled(per_frame: np.ndarray, atoms: np.ndarray) -> float:
    """Root mean square over all components, from that of each frame."""
    return float(np.sqrt(np.average(per_frame**2, weights=atoms)))


def tabulate(data: xr.Dataset) -> dict[str, dict]:
    """`errors` by source, by set, and by source and pressure range."""
    frames = data.drop_dims(["counted_source", "force_label", "force_model"])
    table: dict[str, dict] = {"sources": {}, "sets": {}, "pressure_ranges": {}}
    for source, part in _groups(frames, "source"):
        table["sources"][source] = errors(part)
        ranges = {}
        for low, high in itertools.pairwise(PRESSURE_RANGES):
            inside = ((part.pressure_label >= low) & (part.pressure_label < high)).values
            if inside.any():
                ranges[f"{low}-{high}"] = errors(part.isel(frame=inside))
        table["pressure_ranges"][source] = ranges
    for system, part in _groups(frames, "system"):
        table["sets"][system] = errors(part)
    return table


def _groups(data: xr.Dataset, by: str):
    for value in dict.fromkeys(data[by].values.tolist()):
        yield value, data.isel(frame=(data[by] == value).values)


def validate(
    model: str | os.PathLike,
    index_path: str | os.PathLike,
    crystal: ase.Atoms,
    table_path: str | os.PathLike,
    frames_path: str | os.PathLike,
    threads: int = 1,
    name: str | None = None,
) -> dict:
    """Validate a frozen graph on the held-out sets; writes a table (JSON) and frames (NetCDF).

    Parameters
    ----------
    name : str, optional
        Of the model, in the table; by default its file's.
    crystal : ase.Atoms
        LaH10 at rest, whose walks out of the data are recorded (`extrapolation_scan`).

    Raises
    ------
    UserError
        Bad model or data, or nothing to validate with.
    """
    index = preparation.read_index(index_path)
    systems = preparation.read_part(index_path, "test")
    if not systems:
        raise UserError(f"{index_path}: nothing is held out, so there is nothing to validate with")
    data = compare(systems, evaluate(model, systems, threads))
    data.attrs = {
        "model": name or Path(model).name,
        "model_sha256": sha256(model),
        "lah10_version": lah10.__version__,
    }
    walks = {
        name: {
            "coordinate": walk.coordinate.tolist(),
            "energy": walk.energy.tolist(),
            "pressure": walk.pressure.tolist(),
            "energy_rises_to": walk.energy_rises_to,
            "pressure_rises_to": walk.pressure_rises_to,
        }
        for name, walk in extrapolation_scan.walks(model, crystal, threads).items()
    }
    about = ("name", "frames", "atoms", "energies", "pressure_GPa", "volume_per_atom_A3")
    result = {
        **data.attrs,
        **tabulate(data),
        "walks": walks,
        "training_data": [{key: entry[key] for key in about} for entry in index["train"]],
        "aligned": index["aligned"],
    }
    netcdf.write(data, frames_path, "a model beside DFT on the held-out frames")
    write_json(table_path, result)
    return result


HEADER = (
    "set",
    "frames",
    "P (GPa)",
    "energy (meV/atom)",
    "one constant (meV/atom)",
    "force (eV/Å)",
    "rms force (eV/Å)",
    "pressure (GPa)",
    "its mean (GPa)",
)


def rows(table: Mapping[str, dict], kind: str = "sets") -> list[tuple[str, ...]]:
    """Lines of text for a table with `HEADER`, from one part of `tabulate`'s result."""
    entries = table[kind]
    if kind == "pressure_ranges":
        entries = {
            f"{source}, {name} GPa": entry
            for source, ranges in entries.items()
            for name, entry in ranges.items()
        }
    return [
        (
            name,
            str(e["frames"]),
            "{:.0f}-{:.0f}".format(*e["pressure_range"]),
            f"{e['energy_rmse']:.2f}",
            f"{e['energy_rmse_one_constant']:.2f}",
            f"{e['force_rmse']:.4f}",
            f"{e['force_rms']:.3f}",
            f"{e['pressure_rmse']:.3f}",
            f"{e['pressure_bias']:+.3f}",
        )
        for name, e in entries.items()
    ]
