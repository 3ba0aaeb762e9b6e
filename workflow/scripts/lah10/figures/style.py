"""The look that all figures share, and how they are read and written.

The colour map of Fig. 2(a) is seaborn's "rocket_r", in `campaign.fig2a`.
"""

import functools
import os
from pathlib import Path

import matplotlib
import matplotlib.patheffects
import matplotlib.ticker
import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from lah10 import nuclides
from lah10.analysis import dataset as datasets
from lah10.figures import verdict
from lah10.io.files import atomic_path

STYLE = Path(__file__).with_name("publication.mplstyle")
#: Okabe and Ito's colours (Wong, Nature Methods 8, 441 (2011)), distinct to all kinds of sight.
COLOURS = {"classical": "#0072B2", "qtb": "#D55E00", "adqtb": "#009E73", "pimd": "#CC79A7"}
NAMES = {
    "classical": "classical",
    "qtb": "quantum (QTB)",
    "adqtb": "quantum (adQTB)",
    "pimd": "quantum (PIMD)",
}
#: Grey of the cells of Fig. 2(a) that have no number.
NO_DATA = "0.85"
FORMATS = ("png", "pdf", "svg")
#: GPa: figures at one pressure take the grid value nearest to it, unless they are given another.
PRESSURE = 150.0


def read(path: str | os.PathLike, remedy: str) -> xr.Dataset:
    """A NetCDF file of the campaign, whole in memory; `UserError` if it cannot be read."""
    return datasets.read(path, "a dataset of the campaign", remedy)


def styled(draw):
    """Draw within the project's style, whatever the caller's settings."""

    @functools.wraps(draw)
    def within_style(*args, **kwargs):
        with matplotlib.style.context(STYLE):
            return draw(*args, **kwargs)

    return within_style


def cell_edges(values: np.ndarray, lone: float, floor: float | None = None) -> np.ndarray:
    """Edges of the cells round grid values: midway between neighbours, mirrored at the ends.

    A lone value gets a cell `lone` wide. No edge lies below `floor`.
    """
    values = np.asarray(values, float)
    if len(values) == 1:
        edges = values[0] + lone * np.array([-0.5, 0.5])
    else:
        middle = 0.5 * (values[1:] + values[:-1])
        edges = np.concatenate(([2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]))
    return edges if floor is None else np.maximum(edges, floor)


def errorbar(
    axes: Axes,
    row: xr.Dataset,
    name: str,
    dim: str,
    colour: str,
    marker: str,
    label: str,
    less: np.ndarray | float = 0.0,
    shift: float = 0.0,
    **style,
) -> None:
    """Values with their standard errors; lines stop at gaps.

    A marker is filled as the point's verdict demands (`lah10.figures.verdict`).

    Parameters
    ----------
    less : array or float
        What is taken from the values.
    shift : float
        By which markers stand aside of their places along `dim`, so that none hides another.
    """
    error = row[f"{name}_stderr"].values if f"{name}_stderr" in row else None
    x, y = row[dim].values + shift, row[name].values - less
    settings = {"elinewidth": 0.8, "zorder": 3} | style
    axes.errorbar(x, y, yerr=error, color=colour, label=label, **settings)
    verdict.markers(axes, x, y, row, colour, marker, label, settings["zorder"])


def band_line(
    axes: Axes,
    x,
    mean: xr.DataArray,
    error: xr.DataArray,
    colour: str,
    dashes: str,
    label: str,
    hatch: str | None = None,
) -> Line2D:
    """A curve with a band of ± one standard error, hatched where `hatch` is given; returns its
    handle for the legend."""
    sns.lineplot(
        x=x,
        y=mean.values,
        ax=axes,
        color=colour,
        linestyle=dashes,
        label=label,
        errorbar=None,
        estimator=None,
        legend=False,
    )
    axes.fill_between(
        x,
        (mean - error).values,
        (mean + error).values,
        color=colour,
        alpha=0.25,
        linewidth=0,
        label=f"{label} band",
        hatch=hatch,
    )
    return Line2D([], [], color=colour, linestyle=dashes, label=label)


def one_panel(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure outside pyplot's bookkeeping; sizes in inches."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()


def legend_above(figure: Figure, handles: list, columns: int) -> None:
    """Above the axes: never on the data."""
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=columns, columnspacing=1.2)


def mark_empty(axes: Axes, *arrays: xr.DataArray) -> None:
    """Write "no finished point" into axes where none of the arrays has a number."""
    if not any(array.notnull().any() for array in arrays):
        axes.text(
            0.5,
            0.5,
            "no finished point",
            transform=axes.transAxes,
            ha="center",
            va="center",
            color="0.4",
            backgroundcolor="white",
        )


def grid_ticks(axis, values: np.ndarray) -> None:
    """Ticks at the grid values while they are few and far enough apart to be read."""
    spacing = np.diff(values).min(initial=np.inf)
    if len(values) <= 7 and spacing >= 0.08 * np.ptp(values):
        axis.set_major_locator(matplotlib.ticker.FixedLocator(values))
        axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))


def halo():
    """White rim that keeps black marks readable on dark cells."""
    return matplotlib.patheffects.withStroke(linewidth=1.8, foreground="white")


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as png, pdf or svg, without dates: the same data give the same file."""
    metadata = {"png": None, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    suffix = path.suffix[1:]
    with atomic_path(path) as aside, matplotlib.style.context(STYLE):
        figure.savefig(aside, format=suffix, metadata=metadata[suffix])
    return path


def nearest(coordinate: xr.DataArray, value: float | None) -> float:
    """The coordinate's value nearest to one that is given, or to `PRESSURE`."""
    value = PRESSURE if value is None else value
    return float(coordinate.sel({coordinate.dims[0]: value}, method="nearest"))


def of_crystal(dataset: xr.Dataset, words: str) -> str:
    """A label on La, H or LaH10 with the symbols of the dataset's isotopes."""
    return nuclides.renamed(words, nuclides.of_attributes(dataset.attrs))


def crystal_title(dataset: xr.Dataset, text: str) -> str:
    """A title; of a crystal with isotopes its formula comes first, as in LaD$_{10}$, 150 GPa."""
    known = nuclides.of_attributes(dataset.attrs)
    formula = of_crystal(dataset, "LaH$_{10}$") if known else ""
    return ", ".join(filter(None, (formula, text)))


def left_title(axes: Axes, text: str) -> None:
    """Title above the left end of axes."""
    axes.set_title(text, loc="left")
