"""Curves of single points after the source paper's figures 5 and 6: displacements and g(r)."""

import json
import os
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lah10.campaign.grid import point_folder
from lah10.campaign.table import diffusion
from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.figures import verdict
from lah10.figures.style import (
    COLOURS,
    NAMES,
    band_line,
    crystal_title,
    left_title,
    legend_above,
    mark_empty,
    nearest,
    of_crystal,
    one_panel,
    read,
    styled,
)
from lah10.schema import STATUS

#: Baths with quantum nuclei and a dynamics, the preferred one first.
QUANTUM = ("adqtb", "qtb")
#: The source paper's points: GPa and K of Fig. 5, K of Fig. 6, whose pressure it does not give.
FIG5, FIG6 = (200.0, 5.0), 1.0
#: What is drawn in a bath's colour, and its dashes.
MOTIONS = {"H": "-", "H reordered (MSD′)": (0, (4, 1.5)), "La": (0, (1, 1))}


@styled
def fig5(dataset: xr.Dataset, points: str | os.PathLike) -> Figure:
    """Mean square displacements against time, of H, of H reordered (MSD′) and of La.

    Of the finished quantum point nearest to the source paper's 5 K and 200 GPa, in temperature
    first, and of the classical one at the same place. Bands are ± one standard error, hatched where
    the quantum bath is not within its limits. D of H stands below as the campaign's table has it,
    with a limit where too few exchanges were seen.
    """
    figure, axes = one_panel(3.4, 3.5)
    axes.set(xlabel="time (ps)", ylabel="mean square displacement (Å$^2$)")
    pressure, temperature = FIG5
    choice = nearest_finished(dataset, [*QUANTUM, "classical"], temperature, pressure)
    if choice is None:
        mark_empty(axes)
        return figure
    baths = [choice[0]]
    here = dataset.sel(pressure=choice[1], temperature=choice[2])
    if choice[0] != "classical" and "classical" in dataset.bath.values:
        baths += ["classical"] * (here.status.sel(bath="classical").item() == STATUS["ok"])
    handles, found, ends = [], [], []
    for bath in baths:
        point = here.sel(bath=bath)
        handles.append(Patch(facecolor=COLOURS[bath], label=NAMES[bath]))
        ends.append(_motions(axes, points, (bath, *choice[1:]), point))
        if diffusion(point):
            found.append(f"{NAMES[bath]} {diffusion(point)}")
    lines = [place(choice, FIG5)]
    if found:
        dynamics = "" if baths == ["classical"] else ", approximate dynamics"
        unit = of_crystal(dataset, f"$D_H$ in $10^{{-6}}$ cm$^2$/s{dynamics}:")
        lines += [unit, *found]
    handles += [
        Line2D([], [], color="black", linestyle=dashes, label=of_crystal(dataset, text))
        for text, dashes in MOTIONS.items()
    ]
    axes.set_xlim(0.0, max(time for time, _ in ends))
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.08)
    if any(reordered < 0.99 * time for time, reordered in ends):
        lines.append(_why_shorter(here, baths))
    lines += [f"{NAMES[bath]}: {', '.join(words)}" for bath in baths
              if (words := verdict.words(here.sel(bath=bath)))]  # fmt: skip
    left_title(axes, crystal_title(dataset, "\n".join(lines)))
    legend_above(figure, handles, columns=2)
    return figure


def _motions(axes: Axes, points, choice: tuple[str, float, float], point: xr.Dataset) -> tuple:
    """Draw the curves of one point; the last times (ps) of the MSD and of MSD′."""
    data = point_file(points, choice, "diffusion.nc",
                       ("msd", "msd_stderr", "reordered_msd", "reordered_msd_stderr"))  # fmt: skip
    curves = (
        (data.msd.sel(element="H"), data.msd_stderr.sel(element="H")),
        (data.reordered_msd, data.reordered_msd_stderr),
        (data.msd.sel(element="La"), data.msd_stderr.sel(element="La")),
    )
    for (text, dashes), (mean, error) in zip(MOTIONS.items(), curves, strict=True):
        band_line(axes, data.time.values, mean, error, COLOURS[choice[0]], dashes,
                  f"{choice[0]} {text}", verdict.look(point).hatch)  # fmt: skip
    known = data.time.values[data.reordered_msd.notnull().values]
    return data.time.values[-1], known[-1] if len(known) else 0.0


def _why_shorter(here: xr.Dataset, baths: Sequence[str]) -> str:
    """Why a curve of MSD′ ends before the others do."""
    begins = [f"{NAMES[bath]} {here.equilibration_time.sel(bath=bath).item():.2g} ps"
              for bath in baths]  # fmt: skip
    return f"MSD′ is of frames after equilibration: {', '.join(begins)}"


@styled
def fig6(dataset: xr.Dataset, points: str | os.PathLike, pressure: float | None = None) -> Figure:
    """Partial radial distribution function La–H, classical beside quantum, up to half the cell.

    All baths at the one pressure nearest to `pressure` and the finished temperature nearest to the
    source paper's 1 K. Bands are ± one standard error, hatched where the quantum bath is not
    within its limits. Beyond half the cell an atom meets the periodic images of its neighbours.
    """
    figure, axes = one_panel(3.4, 3.2)
    axes.set(xlabel="$r$ (Å)", ylabel=of_crystal(dataset, "$g_{LaH}(r)$"))
    pressure = nearest(dataset.pressure, pressure)
    handles, ends, shown, words = [], [FARTHEST], set(), []
    dashes = {"classical": "-", "qtb": "--", "adqtb": "-.", "pimd": ":"}
    for bath in dataset.bath.values:
        choice = nearest_finished(dataset.sel(pressure=[pressure]), [bath], FIG6, pressure)
        if choice is None:
            continue
        point = dataset.sel(bath=bath, pressure=pressure, temperature=choice[2])
        data = point_file(points, choice, "correlations.nc", ("g", "g_stderr"))
        handles.append(
            band_line(
                axes,
                data.r.values,
                data.g.sel(pair="La-H"),
                data.g_stderr.sel(pair="La-H"),
                COLOURS[bath],
                dashes[bath],
                f"{NAMES[bath]}, {canonical(choice[2])} K",
                verdict.look(point).hatch,
            )
        )
        ends += [data.r.values[-1], half_cell(data, point)]
        shown.add(choice[2])
        if verdict.words(point):
            words.append(f"{NAMES[bath]}: {', '.join(verdict.words(point))}")
    if not handles:
        left_title(axes, crystal_title(dataset, f"{canonical(pressure)} GPa"))
        mark_empty(axes)
        return figure
    end = min(end for end in ends if np.isfinite(end))
    lines = [f"{canonical(pressure)} GPa"]
    if shown != {FIG6}:
        lines[0] += f", nearest to the source paper's {FIG6:g} K"
    if end < FARTHEST:
        lines.append(f"up to half the cell, {end:.2f} Å")
    left_title(axes, crystal_title(dataset, "\n".join(lines + words)))
    axes.set_xlim(1.5, end)
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.08)
    legend_above(figure, handles, columns=2)
    return figure


#: Å; where Fig. 6 ends in a large cell.
FARTHEST = 5.0


def half_cell(data: xr.Dataset, point: xr.Dataset) -> float:
    """Half the least thickness (Å) of a point's cell; infinite where the file lacks its config.

    Of a cubic crystal with the point's volume: the distortion changes it by less than 2 %.
    """
    structure = json.loads(data.attrs.get("config", "{}")).get("structure")
    if structure is None:
        return np.inf
    edge = (4 * point.volume_per_formula.item()) ** (1 / 3)
    # Planes {111} bound the primitive cell.
    thickness = edge / np.sqrt(3) if structure["cell"] == "primitive" else edge
    return 0.5 * min(structure["repeat"]) * thickness


def place(choice: tuple[str, float, float], paper: tuple[float, float]) -> str:
    """Which point is shown, and whether it is the source paper's."""
    _, pressure, temperature = choice
    text = f"{canonical(pressure)} GPa, {canonical(temperature)} K"
    if (pressure, temperature) != paper:
        text += f"\nnearest to the source paper's {paper[0]:g} GPa, {paper[1]:g} K"
    return text


def nearest_finished(
    dataset: xr.Dataset, baths: Sequence[str], temperature: float, pressure: float
) -> tuple[str, float, float] | None:
    """The finished point of the first bath that has any: nearest in temperature, then pressure."""
    for bath in baths:
        if bath not in dataset.bath.values:
            continue
        ok = (dataset.status.sel(bath=bath) == STATUS["ok"]).transpose("pressure", "temperature")
        found = [
            (float(dataset.pressure[row]), float(dataset.temperature[column]))
            for row, column in zip(*np.nonzero(ok.values), strict=True)
        ]
        if found:
            p, t = min(found, key=lambda at: (abs(at[1] - temperature), abs(at[0] - pressure)))
            return bath, p, t
    return None


def point_file(
    points, choice: tuple[str, float, float], name: str, variables: Sequence[str]
) -> xr.Dataset:
    path = point_folder(points, *choice) / name
    remedy = f"run `snakemake -- {path.parent / 'summary.nc'}`"
    data = read(path, remedy)
    lacking = [variable for variable in variables if variable not in data]
    if lacking:
        raise UserError(f"{path}: has no variable {lacking[0]}; {remedy}")
    return data
