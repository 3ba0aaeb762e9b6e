"""Static enthalpies of the phases and the phases, after the source paper's Fig. 1(a) and (b)."""

import os
from collections.abc import Iterable
from pathlib import Path

import ase.io
import numpy as np
import seaborn as sns
import xarray as xr
from ase import Atoms
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

from lah10.campaign.enthalpies import DFT, DFT_PHASE
from lah10.crystal.cage import Cage, find_cage
from lah10.errors import UserError
from lah10.figures.style import left_title, legend_above, read, save, styled
from lah10.potential.validation.phases import REFERENCE

#: GPa at which the phases are drawn, if they are there.
DRAWN_AT = 150.0
#: Markers of phases, in their order.
MARKERS = "os^vD<>p*hX"
#: Colours of the cage: hydrogen, lanthanum, quadrilaterals.
HYDROGEN, LANTHANUM, FACE = "0.35", "#009E73", "#56B4E9"
#: Degree: from where a cage is looked at.
VIEW = {"elev": 16, "azim": -62}


def draw_files(
    enthalpies: str | os.PathLike,
    crystals: str | os.PathLike,
    curves: Iterable[str | os.PathLike],
    phases: Iterable[str | os.PathLike],
) -> None:
    """Draw Fig. 1(a) of enthalpies.nc and Fig. 1(b) of relaxed crystals (extended XYZ) into files.

    Raises
    ------
    UserError
        A file is absent or cannot be read.
    """
    remedy = "run `snakemake enthalpies`"
    figure = fig1a(read(enthalpies, remedy))
    for path in curves:
        save(figure, Path(path))
    try:
        frames = ase.io.read(crystals, index=":", format="extxyz")
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise UserError(f"{crystals}: cannot be read ({error}); {remedy}") from None
    figure = fig1b(frames)
    for path in phases:
        save(figure, Path(path))


@styled
def fig1a(data: xr.Dataset) -> Figure:
    """H above the lowest phase against pressure, a panel a potential, with the points of DFT.

    Lines stop where a crystal relaxes to another phase. Dotted, with hollow markers: with the
    harmonic zero-point energy, above the lowest of the phases that are stable. Black crosses with
    errors: DFT. A tick on the upper axis: where a phase and the cubic crystal cross.
    """
    sources = [str(source) for source in data.source.values if source != DFT]
    figure = Figure(figsize=(3.4, 0.7 + 2.0 * len(sources)))
    panels = figure.subplots(len(sources), 1, sharex=True, squeeze=False)[:, 0]
    phases = [str(phase) for phase in data.phase.values]
    colours = dict(zip(phases, sns.color_palette("colorblind", len(phases)), strict=True))
    drawn = set()
    for axes, source in zip(panels, sources, strict=True):
        here = data.sel(source=source)
        for phase, marker in zip(phases, MARKERS, strict=False):
            row, style = here.sel(phase=phase), {"color": colours[phase], "marker": marker}
            if row.above_lowest.notnull().any():
                drawn.add(phase)
                axes.plot(row.pressure, row.above_lowest, label=phase, **style)
            known = row.above_lowest_quantum.notnull()
            if known.any():
                drawn.add("quantum")
                axes.plot(row.pressure[known.values], row.above_lowest_quantum[known.values],
                          linestyle=":", markerfacecolor="white", label=f"{phase} quantum",
                          **style)  # fmt: skip
            if np.isfinite(row.crossing):
                axes.axvline(float(row.crossing), ymin=0.94, color=colours[phase], linewidth=1.5,
                             label=f"{phase} crossing")  # fmt: skip
        _dft(axes, data, colours, drawn)
        axes.set_ylabel("$H-H_{lowest}$ (meV/atom)")
        axes.set_ylim(bottom=-0.3)
        left_title(axes, source)
    panels[-1].set(xlabel="pressure (GPa)", xlim=(95, 355))
    handles = [
        Line2D([], [], color=colours[phase], marker=marker, label=phase)
        for phase, marker in zip(phases, MARKERS, strict=False)
        if phase in drawn
    ]
    if "quantum" in drawn:
        handles.append(Line2D([], [], color="0.3", marker="o", markerfacecolor="white",
                              linestyle=":", label="with zero-point energy"))  # fmt: skip
    if "dft" in drawn:
        handles.append(Line2D([], [], color="black", marker="x", linestyle="none",
                              label=f"{DFT}, {REFERENCE} and {DFT_PHASE}"))  # fmt: skip
    legend_above(figure, handles, columns=2)
    return figure


def _dft(axes: Axes, data: xr.Dataset, colours: dict, drawn: set) -> None:
    """The upper one of both phases at every point of DFT, above the lower one."""
    for pressure, difference, error in zip(
        data.dft_pressure.values, data.dft_difference.values, data.dft_difference_stderr.values,
        strict=True,
    ):  # fmt: skip
        drawn.add("dft")
        upper = REFERENCE if difference < 0 else DFT_PHASE
        axes.errorbar(pressure, abs(difference), yerr=error if np.isfinite(error) else None,
                      color="black", ecolor=colours.get(upper, "black"), marker="x", zorder=5,
                      linestyle="none", label="dft")  # fmt: skip


@styled
def fig1b(frames: list[Atoms], pressure: float = DRAWN_AT) -> Figure:
    """The hydrogen cage round La in the cubic phase and in the lowest other one, its quadrilaterals
    filled, with the angles between adjacent quadrilaterals.

    Of the crystals at the pressure nearest to `pressure` at which there are both.
    """
    cubic, other = chosen(frames, pressure)
    figure = Figure(figsize=(3.4, 2.2))
    for place, crystal in enumerate([cubic, other]):
        axes = figure.add_subplot(1, 2, place + 1, projection="3d")
        cage = find_cage(crystal).upright()
        draw_cage(axes, cage)
        angles = cage.angles
        spread = f"{angles.min():.1f}° to {angles.max():.1f}°"
        if np.ptp(angles) < 0.05:
            spread = f"{angles.mean():.1f}°"
        axes.set_title(f"{crystal.info['phase']}, {crystal.info['pressure']:g} GPa\nθ: {spread}")
    return figure


def chosen(frames: list[Atoms], pressure: float) -> tuple[Atoms, Atoms]:
    """The cubic crystal and the lowest other one at the nearest pressure that has both.

    Raises
    ------
    UserError
        There is no such pressure.
    """
    itself = [atoms for atoms in frames
              if atoms.info["phase"].partition("#")[0] == atoms.info["space_group"]]  # fmt: skip
    for p in sorted({a.info["pressure"] for a in itself}, key=lambda p: abs(p - pressure)):
        here = [atoms for atoms in itself if atoms.info["pressure"] == p]
        cubic = [atoms for atoms in here if atoms.info["phase"] == REFERENCE]
        others = [atoms for atoms in here if atoms.info["phase"] != REFERENCE]
        if cubic and others:
            return cubic[0], min(others, key=lambda atoms: atoms.info["enthalpy"])
    raise UserError("enthalpies: at no pressure both Fm-3m and another phase came to rest")


def draw_cage(axes, cage: Cage, faint: bool = False) -> None:
    """A cage about the origin on 3D axes: atoms, bonds, quadrilaterals; pale if `faint`."""
    alpha = 0.25 if faint else 1.0
    bonds = cage.positions[cage.edges]
    axes.add_collection3d(Line3DCollection(bonds, colors=HYDROGEN, linewidths=0.7, alpha=alpha))
    axes.add_collection3d(Poly3DCollection(
        cage.positions[cage.quadrilaterals], facecolor=FACE, edgecolor="none",
        alpha=0.12 if faint else 0.45,
    ))
    axes.scatter(*cage.positions.T, s=3 if faint else 9, color=HYDROGEN, depthshade=not faint,
                 alpha=alpha)  # fmt: skip
    axes.scatter(0, 0, 0, s=30, color=LANTHANUM, depthshade=False)
    reach = 0.72 * np.linalg.norm(cage.positions, axis=1).max()
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), zlim=(-reach, reach))
    axes.set_box_aspect((1, 1, 1))
    axes.view_init(**VIEW)
    axes.set_axis_off()
