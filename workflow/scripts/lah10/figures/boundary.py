"""Free energies along the cell's angle, and the phase boundary that they make."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.interpolate import CubicHermiteSpline

from lah10 import nuclides
from lah10.figures.style import COLOURS, NAMES, crystal_title, read, save, styled

#: Line styles of potentials, in their order.
STYLES = ("-", "--", ":", "-.")
#: Panels of free energies in a row.
COLUMNS = 3


@dataclass(frozen=True)
class Published:
    """A published statement on where LaH10 is cubic.

    Attributes
    ----------
    nuclei : {"classical", "pimd"}
    pressure : (lowest, highest)
        GPa; one value twice where it is a transition's.
    temperature : float
        K.
    label : str
        Who found it.
    """

    nuclei: str
    pressure: tuple[float, float]
    temperature: float
    label: str


WATANABE = "Watanabe, Nomoto, Arita, arXiv:2205.06524"
ERREA = "Errea et al., Nature 578, 66 (2020)"
#: Cubic over the whole range; a single pressure is the one below which the crystal distorts.
PUBLISHED = (
    Published("classical", (125.0, 150.0), 300.0, WATANABE),
    Published("pimd", (125.0, 150.0), 200.0, WATANABE),
    Published("classical", (230.0, 230.0), 0.0, ERREA),
    Published("pimd", (137.0, 218.0), 0.0, ERREA),
)


def draw_file(boundary: str | os.PathLike, outputs: Iterable[str | os.PathLike]) -> None:
    """Draw a campaign's boundary.nc into files.

    Raises
    ------
    UserError
        The file is absent or cannot be read.
    """
    figure = draw(read(boundary, "run `snakemake boundary`"))
    for path in outputs:
        save(figure, Path(path))


@styled
def draw(data: xr.Dataset) -> Figure:
    """G(δ), a panel for each temperature and kind of nuclei, and the line ΔG = 0."""
    panels = [
        (str(nuclei), float(temperature))
        for nuclei in data["nuclei"].values
        for temperature in data["temperature"].values
        if data["free_energy"].sel(nuclei=nuclei, temperature=temperature).notnull().any()
    ]
    columns = min(COLUMNS, len(panels) + 1)
    rows = -(-(len(panels) + 1) // columns)
    figure = Figure(figsize=(2.6 * columns, 2.3 * rows))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (nuclei, temperature) in zip(axes, panels, strict=False):
        draw_free_energy(panel, data, nuclei, temperature)
    for panel in axes[len(panels) : -1]:
        panel.set_axis_off()
    draw_line(axes[-1], data)
    draw_published(axes[-1], nuclides.of_attributes(data.attrs))
    axes[-1].legend(fontsize="xx-small")
    axes[-1].set(xlabel="temperature (K)", ylabel="pressure (GPa)")
    axes[-1].set_xlim(left=0)
    return figure


def draw_free_energy(axes: Axes, data: xr.Dataset, nuclei: str, temperature: float) -> None:
    """G(δ) − G(0) with one standard error at every pressure, of one kind of nuclei at one T.

    A colour a pressure, a line style a potential; a triangle marks the minimum. Windows are joined
    by the curve that has their gradients.
    """
    here = data.sel(nuclei=nuclei, temperature=temperature)
    colours = sns.color_palette("viridis", data.sizes["pressure"])
    for p, pressure in enumerate(data["pressure"].values):
        for potential, style in zip(data["potential"].values, _cycled(data), strict=True):
            curve = here.sel(pressure=pressure, potential=potential)
            x, energy, gradient, error = nodes(curve)
            if len(x) < 2:
                continue
            fine = np.linspace(0.0, x[-1], 100)
            label = f"{pressure:g} GPa" if potential == data["potential"].values[0] else None
            axes.plot(fine, CubicHermiteSpline(x, energy, gradient)(fine), style,
                      color=colours[p], linewidth=1.0, label=label)  # fmt: skip
            axes.fill_between(x, energy - error, energy + error, color=colours[p], alpha=0.2,
                              linewidth=0)  # fmt: skip
            if np.isfinite(curve["delta_g"]):
                at, depth, deviation = (
                    float(curve[name]) for name in ("minimum_angle", "delta_g", "delta_g_stderr")
                )
                axes.errorbar(at, depth, yerr=deviation, color=colours[p], marker="v", markersize=3)
    axes.axhline(0.0, color="0.5", linewidth=0.6)
    axes.set(xlabel="cell angle − 90°", ylabel="G − G$_{cubic}$ (meV/atom)")
    title = crystal_title(data, f"{NAMES[nuclei]}, {temperature:g} K")
    axes.set_title(title, loc="left", fontsize="small")
    axes.legend(fontsize="xx-small")


def nodes(curve: xr.Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Angles, G, dG/dδ and the error of G of one curve's windows, δ = 0 exact and first."""
    known = (curve["free_energy"].notnull() & (curve["angle"] > 0)).values
    columns = [curve[name].values[known] for name in ("angle", "free_energy", "gradient",
                                                      "free_energy_stderr")]  # fmt: skip
    return tuple(np.concatenate([[0.0], column]) for column in columns)


def draw_line(axes: Axes, data: xr.Dataset) -> None:
    """The lines ΔG = 0 in temperature (x) and pressure (y), as Fig. 2(a), with one standard error.

    A colour for the nuclei, a line style for the potential; between potentials lies the systematic
    error. States stand as points where their own ΔG favours the cubic (open) or the rhombohedral
    (full) crystal.
    """
    for nuclei in data["nuclei"].values:
        colour = COLOURS[str(nuclei)]
        for potential, style in zip(data["potential"].values, _cycled(data), strict=True):
            here = data.sel(nuclei=nuclei, potential=potential)
            pressure, error = here["line_pressure"].values, here["line_pressure_stderr"].values
            temperature = here["line_temperature"].values
            if np.isfinite(pressure).any():
                label = NAMES[str(nuclei)]
                if data.sizes["potential"] > 1:
                    label += f", {potential}"
                if np.isfinite(pressure).sum() > 1:
                    axes.plot(temperature, pressure, style, color=colour, label=label)
                    axes.fill_between(temperature, pressure - error, pressure + error,
                                      color=colour, alpha=0.25, linewidth=0)  # fmt: skip
                else:
                    axes.errorbar(temperature, pressure, yerr=error, color=colour, marker="s",
                                  linestyle="none", label=label)  # fmt: skip
    first = data.isel(potential=0)
    for nuclei in data["nuclei"].values:
        states = first.sel(nuclei=nuclei).stack(state=("pressure", "temperature"))
        ran = (states["curve_status"] > 0).values
        distorted = ran & (states["delta_g"] < 0).values
        for chosen, face in ((distorted, COLOURS[str(nuclei)]), (ran & ~distorted, "white")):
            axes.plot(states["temperature"].values[chosen], states["pressure"].values[chosen],
                      linestyle="none", marker="o", markersize=3, color=COLOURS[str(nuclei)],
                      markerfacecolor=face)  # fmt: skip


def draw_published(axes: Axes, isotopes: Mapping[str, str]) -> None:
    """Published results (`PUBLISHED`): a bar where the crystal is cubic, a cross where it distorts.

    Blue or violet as the lines of the same nuclei. They are of natural LaH10; classical averages
    do not depend on masses, those of path integrals are left out of figures of isotopes.
    """
    markers = {WATANABE: "D", ERREA: "^"}
    seen = set()
    for found in PUBLISHED:
        if isotopes and found.nuclei != "classical":
            continue
        colour = COLOURS[found.nuclei]
        label = None if found.label in seen else found.label
        seen.add(found.label)
        low, high = found.pressure
        marker = "x" if low == high else markers[found.label]
        axes.plot([found.temperature] * 2, [low, high], color=colour, marker=marker, markersize=4,
                  markerfacecolor="white", linewidth=0.8, linestyle="-", label=label,
                  clip_on=False)  # fmt: skip


def _cycled(data: xr.Dataset) -> list[str]:
    return [STYLES[i % len(STYLES)] for i in range(data.sizes["potential"])]
