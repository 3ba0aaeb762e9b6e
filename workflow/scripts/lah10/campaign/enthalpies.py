"""Static enthalpies of the phases by several potentials and by DFT, and where they cross.

Energies of different potentials and of DFT have zeros of their own, so enthalpies are given
relative to the cubic crystal (`REFERENCE`) by the same method.

A crossing is the pressure at which a phase and the cubic crystal have one enthalpy: where the
difference changes its sign, by a straight line between two pressures; or, where the phase relaxes
to the cubic crystal from some pressure on, between the last pressure at which it is a phase and the
next, with the error of an even distribution. Its error is that of the difference over the slope
there, and the half distance of what straight lines and what a cubic spline give.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from lah10.analysis import dataset as datasets
from lah10.io import netcdf
from lah10.io.files import atomic_path
from lah10.io.text import markdown, plus_minus
from lah10.potential.validation.dft_enthalpies import Point
from lah10.potential.validation.enthalpies import ATOMS
from lah10.potential.validation.phases import REFERENCE

#: The method "DFT" and the phase that its labels compare with the cubic one.
DFT, DFT_PHASE = "PBE (GPAW)", "R-3m"


def merge(
    potentials: Mapping[str, xr.Dataset],
    dft: Sequence[Point] = (),
    dft_crossing: tuple[float, float] | None = None,
) -> xr.Dataset:
    """`enthalpies.nc`: differences by source, phase and pressure, and crossings.

    Parameters
    ----------
    potentials : mapping
        What `lah10.potential.validation.enthalpies` wrote, by the potential's name.
    dft : sequence of Point
    dft_crossing : (float, float), optional
        Pressure and error (GPa) of `dft_enthalpies.Curve`; by default between the points.

    Returns
    -------
    Dataset
        By (source, phase, pressure), meV/atom: enthalpy_difference (less Fm-3m), above_lowest,
        zero_point (the harmonic energy), zero_point_difference and enthalpy_quantum_difference
        (both less Fm-3m, where both phases are stable), volume_per_formula (Å³), space_group. By
        (source, phase): crossing, crossing_quantum (GPa), each with an error, and
        crossing_comment where there is none. By dft_point: dft_pressure, dft_difference.
    """
    sources = [*potentials, *([DFT] if dft else [])]
    phases = [REFERENCE, *sorted({str(p) for data in potentials.values() for p in data.phase.values}
                                 - {REFERENCE})]  # fmt: skip
    pressures = np.unique(np.concatenate([data.pressure.values for data in potentials.values()]))
    result = xr.Dataset(coords={
        "source": sources, "phase": phases,
        "pressure": ("pressure", pressures, {"units": "GPa", "long_name": "pressure"}),
    })
    dims = ("source", "phase", "pressure")
    shape = tuple(result.sizes[dim] for dim in dims)
    names = {
        "enthalpy_difference": ("meV", "enthalpy per atom less that of the cubic crystal"),
        "enthalpy_difference_stderr": ("meV", "standard error: enthalpy difference"),
        "above_lowest": ("meV", "enthalpy per atom above the lowest phase of the method"),
        "zero_point": ("meV", "harmonic zero-point energy per atom; none where a mode is "
                       "imaginary"),
        "zero_point_difference": ("meV", "the same less that of the cubic crystal"),
        "enthalpy_quantum_difference": ("meV", "enthalpy with zero-point energy per atom less that "
                                        "of the cubic crystal"),
        "above_lowest_quantum": ("meV", "enthalpy with zero-point energy per atom above the lowest "
                                 "of the phases that have one, where two have"),
        "imaginary_share": ("1", "share of the modes with an imaginary frequency"),
        "volume_per_formula": ("angstrom3", "volume per formula unit"),
    }  # fmt: skip
    values = {name: np.full(shape, np.nan) for name in names}
    groups = np.full(shape, "none", dtype=object)
    for i, data in enumerate(potentials.values()):
        data = data.reindex(phase=phases, pressure=pressures)
        cubic = data.sel(phase=REFERENCE)
        values["enthalpy_difference"][i] = 1e3 / ATOMS * (data.enthalpy - cubic.enthalpy)
        values["enthalpy_difference_stderr"][i] = 1e3 / ATOMS * np.hypot(
            data.enthalpy_stderr, cubic.enthalpy_stderr)  # fmt: skip
        values["above_lowest"][i] = 1e3 / ATOMS * (data.enthalpy - data.enthalpy.min("phase"))
        values["zero_point"][i] = 1e3 / ATOMS * data.zero_point_energy
        values["zero_point_difference"][i] = 1e3 / ATOMS * (
            data.zero_point_energy - cubic.zero_point_energy)  # fmt: skip
        quantum = data.enthalpy + data.zero_point_energy
        values["enthalpy_quantum_difference"][i] = 1e3 / ATOMS * (quantum - quantum.sel(
            phase=REFERENCE))  # fmt: skip
        # One phase alone is the lowest of nothing.
        quantum = quantum.where(quantum.notnull().sum("phase") > 1)
        values["above_lowest_quantum"][i] = 1e3 / ATOMS * (quantum - quantum.min("phase"))
        values["imaginary_share"][i] = data.imaginary_share
        values["volume_per_formula"][i] = data.volume_per_formula
        found = data.space_group.values
        groups[i] = np.where([[isinstance(g, str) for g in row] for row in found], found, "none")
    for name, (unit, text) in names.items():
        result[name] = (dims, values[name], {"units": unit, "long_name": text})
    result["space_group"] = (dims, groups, {"long_name": "space group after relaxation"})
    _add_dft(result, dft)
    _add_crossings(result, dft, dft_crossing)
    return result


def _add_dft(result: xr.Dataset, dft: Sequence[Point]) -> None:
    for name, unit, text, column in (
        ("dft_pressure", "GPa", "pressure of R-3m", [p.pressure for p in dft]),
        ("dft_difference", "meV", "enthalpy per atom of R-3m less Fm-3m, by DFT",
         [p.difference for p in dft]),
        ("dft_difference_stderr", "meV", "standard error: the same", [p.error for p in dft]),
    ):  # fmt: skip
        result[name] = ("dft_point", np.array(column, float), {"units": unit, "long_name": text})


def _add_crossings(
    result: xr.Dataset, dft: Sequence[Point], dft_crossing: tuple[float, float] | None
) -> None:
    shape = (result.sizes["source"], result.sizes["phase"])
    found = {name: np.full((2, *shape), np.nan) for name in ("crossing", "crossing_quantum")}
    comments = np.full(shape, "", dtype=object)
    for i, source in enumerate(result.source.values):
        for j, phase in enumerate(result.phase.values):
            if phase == REFERENCE:
                continue
            if source == DFT:
                if phase != DFT_PHASE or not dft:
                    continue
                pressure, difference, error = result.dft_pressure.values, \
                    result.dft_difference.values, result.dft_difference_stderr.values  # fmt: skip
                groups = [phase] * len(pressure)
            else:
                row = result.sel(source=source, phase=phase)
                pressure, groups = result.pressure.values, list(row.space_group.values)
                difference = row.enthalpy_difference.values
                error = row.enthalpy_difference_stderr.values
                quantum = row.enthalpy_quantum_difference.values
                *found["crossing_quantum"][:, i, j], _ = crossing(pressure, quantum, error, groups)
            *found["crossing"][:, i, j], comments[i, j] = crossing(
                pressure, difference, error, groups)  # fmt: skip
            if source == DFT and dft_crossing is not None and np.isfinite(dft_crossing[0]):
                found["crossing"][:, i, j] = dft_crossing
                comments[i, j] = "sign changes, labels interpolated in volume"
    for name, (value, error) in found.items():
        text = "pressure at which the phase and the cubic crystal have one enthalpy" + (
            ", zero-point energy included" * name.endswith("quantum")
        )
        result[name] = (("source", "phase"), value, {"units": "GPa", "long_name": text})
        result[f"{name}_stderr"] = (("source", "phase"), error, {
            "units": "GPa", "long_name": f"standard error: {text}"})  # fmt: skip
    result["crossing_comment"] = (("source", "phase"), comments, {
        "long_name": "how the crossing was found, or why there is none"})


def crossing(
    pressure: np.ndarray, difference: np.ndarray, error: np.ndarray, groups: Sequence[str]
) -> tuple[float, float, str]:
    """Where a difference (meV/atom) to the cubic crystal changes its sign: pressure and error
    (GPa), NaN for none; and a comment.

    Parameters
    ----------
    pressure : (n,) GPa, ascending.
    difference, error : (n,)
        NaN where the crystal is another phase.
    groups : (n,) str
        What it is, where not itself.
    """
    known = np.flatnonzero(np.isfinite(difference))
    if not len(known):
        return np.nan, np.nan, "relaxes to another phase at all pressures"
    p, d, e = pressure[known], difference[known], np.nan_to_num(error[known])
    for i in range(len(p) - 1):
        if d[i] * d[i + 1] > 0 or d[i] == d[i + 1]:
            continue
        share = d[i] / (d[i] - d[i + 1])
        where = p[i] + share * (p[i + 1] - p[i])
        slope = (d[i + 1] - d[i]) / (p[i + 1] - p[i])
        sigma = np.hypot((1 - share) * e[i], share * e[i + 1]) / abs(slope)
        if len(p) >= 4:
            roots = CubicSpline(p, d).roots(extrapolate=False)
            roots = roots[(roots >= p[i]) & (roots <= p[i + 1])]
            if len(roots):
                sigma = np.hypot(sigma, abs(roots[0] - where) / 2)
        return float(where), float(sigma), "sign changes"
    last = known[-1]
    if last + 1 < len(pressure) and d[-1] < 0 and groups[last + 1] == REFERENCE:
        low, high = pressure[last], pressure[last + 1]
        return float((low + high) / 2), float((high - low) / np.sqrt(12)), "relaxes to Fm-3m beyond"
    where = f"from {p[0]:.4g} to {p[-1]:.4g} GPa" if len(p) > 1 else f"at {p[0]:.4g} GPa"
    return np.nan, np.nan, f"{'below' if d[-1] < 0 else 'above'} Fm-3m {where}"


def table(data: xr.Dataset) -> str:
    """The dataset in Markdown."""
    parts = [
        "# Static enthalpies of the phases",
        "meV/atom, less that of Fm-3m by the same method; “–”: the crystal relaxes to another "
        "phase. In brackets: with the harmonic zero-point energy, where both phases are stable.",
    ]
    others = [str(phase) for phase in data.phase.values if phase != REFERENCE]
    for source in data.source.values:
        if source == DFT:
            rows = [
                (f"{p:.1f}", plus_minus(d, e))
                for p, d, e in zip(data.dft_pressure.values, data.dft_difference.values,
                                   data.dft_difference_stderr.values, strict=True)
            ]  # fmt: skip
            head = ("P (GPa)", DFT_PHASE)
        else:
            here = data.sel(source=source)
            rows = [(f"{p:g}", *(_cell(here.sel(phase=phase, pressure=p)) for phase in others))
                    for p in data.pressure.values]  # fmt: skip
            head = ("P (GPa)", *others)
        parts += [f"## {source}", markdown(head, rows)]
    lines = []
    for source in data.source.values:
        for phase in others:
            row = data.sel(source=source, phase=phase)
            if not row.crossing_comment.item():
                continue
            at, quantum = (
                plus_minus(row[name].item(), row[f"{name}_stderr"].item())
                for name in ("crossing", "crossing_quantum")
            )
            lines.append((source, phase, at, quantum, row.crossing_comment.item()))
    parts += ["## Where a phase and Fm-3m have one enthalpy", markdown(
        ("source", "phase", "P (GPa)", "with zero-point energy (GPa)", "how"), lines)]
    return "\n\n".join(parts) + "\n"


def _cell(row: xr.Dataset) -> str:
    value = row.enthalpy_difference.item()
    if np.isnan(value):
        return "–"
    quantum = row.enthalpy_quantum_difference.item()
    return f"{value:.2f}" + (f" ({quantum:.2f})" if np.isfinite(quantum) else "")


def write(
    files: Mapping[str, str | os.PathLike],
    dft: Sequence[Point],
    dataset: str | os.PathLike,
    text: str | os.PathLike,
    dft_crossing: tuple[float, float] | None = None,
) -> xr.Dataset:
    """Merge the files of potentials with the points of DFT into a dataset and a table.

    dft_crossing : as in `merge`.

    Raises
    ------
    UserError
        A file cannot be read.
    """
    remedy = "run `snakemake enthalpies` again"
    found = {name: datasets.read(path, "enthalpies of a potential", remedy)
             for name, path in files.items()}  # fmt: skip
    result = merge(found, dft, dft_crossing)
    result.attrs |= {f"potential_sha256_{name}": data.attrs.get("potential_sha256", "")
                     for name, data in found.items()}  # fmt: skip
    netcdf.write(result, dataset, "static enthalpies of phases")
    with atomic_path(text) as aside:
        Path(aside).write_text(table(result), encoding="utf-8")
    return result
