"""The figure of a point: g(r) and numbers of path integrals and baths side by side."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.figures import verdict
from lah10.figures.style import (
    COLOURS,
    crystal_title,
    legend_above,
    of_crystal,
    read,
    save,
    styled,
)
from lah10.pimd.comparison import points
from lah10.schema import BATH_OK

#: Colour of the harmonic crystal.
GREY = "0.45"
#: Å; g(r) beyond it is the same for all.
FARTHEST = 4.0
#: Numbers: variable, element or None, label.
PANELS = (
    ("kinetic_temperature", "La", "kinetic temperature of La (K)"),
    ("kinetic_temperature", "H", "kinetic temperature of H (K)"),
    ("volume_per_formula", None, "volume per LaH$_{10}$ (Å$^3$)"),
    ("theta", None, "distortion angle θ (degree)"),
)


def draw_point(
    comparison: str | os.PathLike,
    pressure: str,
    temperature: str,
    outputs: Iterable[str | os.PathLike],
) -> None:
    """Draw the figure of one point of a comparison (canonical GPa and K) into files.

    Raises
    ------
    UserError
        The comparison lacks the point.
    """
    dataset = read(comparison, "run `snakemake pimd`")
    for p, t, rows in points(dataset):
        if (canonical(p), canonical(t)) == (pressure, temperature):
            figure = draw(rows, f"{pressure} GPa, {temperature} K")
            for path in outputs:
                save(figure, Path(path))
            return
    raise UserError(f"{comparison}: has no point at {pressure} GPa, {temperature} K")


@styled
def draw(rows: xr.Dataset, title: str) -> Figure:
    """g(r) of La–H and H–H, and kinetic temperatures, volume and θ, of one point.

    Diamonds: a bath's kinetic temperature deconvolved from its friction; crosses: what its
    vibrations should hold by their response; three-legged marks: θ of centroids. Markers of a bath
    are filled as its verdict demands (`lah10.figures.verdict`). Errors are one standard error; the
    band is the reference's.
    """
    figure = Figure(figsize=(7.0, 4.4))
    axes = figure.subplots(2, 3)
    colours = _colours(rows)
    for pair, panel in zip(("La-H", "H-H"), axes[:, 0], strict=True):
        _curves(panel, rows, pair, colours)
    for (name, element, label), panel in zip(PANELS, axes[:, 1:].flat, strict=True):
        here = rows if element is None else rows.sel(element=element)
        if name == "theta":
            _theta(panel, here, colours)
        else:
            _values(panel, here, name, colours)
        panel.set_ylabel(of_crystal(rows, label))
    axes[0, 0].set_title(crystal_title(rows, title), loc="left")
    curves, _ = axes[0, 0].get_legend_handles_labels()
    legend_above(figure, [*curves, *_verdicts(rows)], columns=4)
    return figure


def _colours(rows: xr.Dataset) -> list:
    """One colour a row: a bath's own; path integrals the darker the more beads."""
    beads = sorted({int(b) for b in rows.beads.values if b})
    shades = sns.light_palette(COLOURS["pimd"], len(beads) + 2)[2:]
    return [
        shades[beads.index(b)] if b else COLOURS.get(str(method), GREY)
        for method, b in zip(rows.method.values, rows.beads.values, strict=True)
    ]


def _curves(axes: Axes, rows: xr.Dataset, pair: str, colours: list) -> None:
    near = rows.sel(pair=pair).isel(r=np.flatnonzero(rows.r.values < FARTHEST))
    for i, colour in enumerate(colours):
        row = near.isel(row=i)
        if row.g.notnull().any():
            axes.plot(row.r, row.g, color=colour, label=str(row.label.values), linewidth=1.0)
            axes.fill_between(row.r, row.g - row.g_stderr, row.g + row.g_stderr, color=colour,
                              alpha=0.25, linewidth=0)  # fmt: skip
    label = of_crystal(rows, f"g(r), {pair.replace('-', '–')}")
    axes.set(xlabel="r (Å)", ylabel=label, xlim=(0.5, FARTHEST))
    axes.set_ylim(bottom=0)


def _values(axes: Axes, rows: xr.Dataset, name: str, colours: list) -> None:
    _points(axes, rows, name, colours, "o", 0.0)
    if f"{name}_deconvolved" in rows:  # of temperatures
        _points(axes, rows, f"{name}_deconvolved", colours, "D", 0.2)
        _points(axes, rows, f"{name}_expected", colours, "x", 0.4)
    runs = (rows.method == "pimd") & rows[name].notnull()
    if runs.any():
        last = int(np.flatnonzero(runs.values)[-1])
        value, error = float(rows[name][last]), float(rows[f"{name}_stderr"][last])
        axes.axhspan(value - error, value + error, color=COLOURS["pimd"], alpha=0.3, linewidth=0)
    _names(axes, rows)


def _theta(axes: Axes, rows: xr.Dataset, colours: list) -> None:
    axes.axhline(90.0, color="0.5", linewidth=0.6)
    for word, marker, thin in (("large", "^", "2"), ("small", "v", "1")):
        _points(axes, rows, f"theta_{word}", colours, marker, 0.0)
        _points(axes, rows, f"theta_centroid_{word}", colours, thin, 0.2)
    null = rows.theta_null.values
    for i, colour in enumerate(colours):
        if np.isfinite(null[i]):
            axes.bar(i, 2 * null[i], 0.8, 90.0 - null[i], color=colour, alpha=0.15, linewidth=0)
    _names(axes, rows)


def _points(
    axes: Axes, rows: xr.Dataset, name: str, colours: list, marker: str, shift: float
) -> None:
    errors, flags = rows[f"{name}_stderr"].values, _flags(rows)
    for i, colour in enumerate(colours):
        value = float(rows[name].values[i])
        if np.isfinite(value):
            error = errors[i] if errors[i] > 0 else None
            axes.errorbar(i + shift, value, yerr=error, linestyle="none",
                          **verdict.style(flags[i], colour, marker))  # fmt: skip


def _flags(rows: xr.Dataset) -> list[int]:
    """`quantum_bath_ok` of every row."""
    if "quantum_bath_ok" not in rows:
        return [BATH_OK["not_applicable"]] * rows.sizes["row"]
    return [int(flag) for flag in rows.quantum_bath_ok.values]


def _verdicts(rows: xr.Dataset) -> list[Line2D]:
    """Of the legend: the verdicts on baths that are drawn."""
    flags = set(_flags(rows)) - {BATH_OK["not_applicable"]}
    return [
        Line2D([], [], linestyle="none", label=verdict.LOOKS[flag].text,
               **verdict.style(flag, "0.3", "o"))
        for flag in sorted(flags)
    ]  # fmt: skip


def _names(axes: Axes, rows: xr.Dataset) -> None:
    names = [str(x).replace("pimd, ", "").replace(" crystal", "") for x in rows.label.values]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.tick_params(axis="x", which="both", length=0)
    axes.set_xlim(-0.6, len(names) - 0.4)
