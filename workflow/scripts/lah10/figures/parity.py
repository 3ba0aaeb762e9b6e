"""The source paper's Fig. 1(c, d): the potential against its labels, with the pressure beside."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from lah10.figures.style import save, styled
from lah10.potential.validation.held_out import errors

#: Components of force in a square from which on the colour counts.
LEAST = 1


@styled
def parity(data: xr.Dataset) -> Figure:
    """Energy, force and pressure of the potential against the labels, by source.

    Root mean square errors stand in the panels, in the sources' colours.

    Parameters
    ----------
    data : xarray.Dataset
        Of `lah10.potential.validation.held_out.compare`. Energies of a source are shown relative
        to its lowest label, after one constant a set; forces as counts of components.
    """
    figure = Figure(figsize=(7.0, 2.7))
    energy, force, pressure = figure.subplots(1, 3)
    sources = list(dict.fromkeys(data.source.values.tolist()))
    colours = sns.color_palette("colorblind", len(sources))
    frames = data.drop_dims(["counted_source", "force_label", "force_model"])
    for row, (source, colour) in enumerate(zip(sources, colours, strict=True)):
        part = frames.isel(frame=(frames.source == source).values)
        found = errors(part)
        lowest = part.energy_label.min().item()
        style = {"s": 5, "color": [colour], "linewidth": 0, "alpha": 0.6}
        energy.scatter(
            part.energy_label - lowest, part.energy_model - lowest, label=source, **style
        )
        pressure.scatter(part.pressure_label, part.pressure_model, **style)
        for axes, text in (
            (energy, f"{found['energy_rmse']:.2f} meV/atom"),
            (force, f"{found['force_rmse']:.3f} eV/Å"),
            (pressure, f"{found['pressure_rmse']:.2f} GPa"),
        ):
            axes.text(
                0.05,
                0.95 - 0.09 * row,
                text,
                color=colour,
                transform=axes.transAxes,
                va="top",
                size=7,
            )
    _counts(figure, force, data.force_count.sum("counted_source"))
    for axes, quantity, unit in (
        (energy, "energy", "eV/atom"),
        (force, "force", "eV/Å"),
        (pressure, "pressure", "GPa"),
    ):
        axes.set(xlabel=f"DFT {quantity} ({unit})", ylabel=f"DP {quantity} ({unit})")
        axes.axline((0, 0), slope=1, color="0.3", linewidth=0.6, zorder=0)
        axes.set_aspect("equal", adjustable="datalim")
    figure.legend(loc="outside lower center", ncols=len(sources), markerscale=2, handletextpad=0.1)
    return figure


def _counts(figure: Figure, axes: Axes, counts: xr.DataArray) -> None:
    label, model = counts.force_label.values, counts.force_model.values
    values = np.where(counts.values >= LEAST, counts.values, np.nan)
    used = np.flatnonzero(np.isfinite(values).any(axis=0) | np.isfinite(values).any(axis=1))
    limits = slice(used.min(), used.max() + 1) if len(used) else slice(None)
    mesh = axes.pcolormesh(
        label[limits],
        model[limits],
        values[limits, limits].T,
        norm=LogNorm(LEAST),
        cmap=sns.color_palette("rocket_r", as_cmap=True),
        rasterized=True,
    )
    figure.colorbar(mesh, ax=axes, pad=0.02, aspect=30).set_label("components")


def draw(frames: str | os.PathLike, outputs: Sequence[str | os.PathLike]) -> None:
    """Draw the parity figure of a validation's NetCDF file into each of `outputs`."""
    with xr.load_dataset(frames, engine="netcdf4") as data:
        figure = parity(data)
    for output in outputs:
        save(figure, Path(output))
