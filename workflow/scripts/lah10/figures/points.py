"""Curves of single points after the source paper's figures 5 and 6: displacements and g(r)."""

import os
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from lah10.campaign.grid import point_folder
from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.figures.style import (
    COLOURS,
    NAMES,
    band_line,
    left_title,
    legend_above,
    mark_empty,
    nearest,
    one_panel,
    read,
    styled,
)
from lah10.schema import STATUS

#: Baths with quantum nuclei, the preferred one first.
QUANTUM = ("pimd", "adqtb", "qtb")


@styled
def fig5(dataset: xr.Dataset, points: str | os.PathLike) -> Figure:
    """Mean square displacements against time, of H, of H reordered (MSD′) and of La.

    Of the quantum point with the lowest temperature and, at that, the highest pressure; of the
    classical one if no quantum point finished. Bands are ± one standard error. The diffusion
    coefficient of a quantum bath is called approximate, as its dynamics is.
    """
    figure, axes = one_panel(3.4, 3.0)
    choice = _first_finished(dataset, [*QUANTUM, "classical"])
    axes.set(xlabel="time (ps)", ylabel="mean square displacement (Å$^2$)")
    if choice is None:
        mark_empty(axes)
        return figure
    bath, pressure, temperature = choice
    data = _point_file(
        points,
        choice,
        "diffusion.nc",
        ("msd", "msd_stderr", "reordered_msd", "reordered_msd_stderr"),
    )
    time = data.time.values
    curves = (
        ("H", data.msd.sel(element="H"), data.msd_stderr.sel(element="H"), "#0072B2", "-"),
        ("H reordered (MSD′)", data.reordered_msd, data.reordered_msd_stderr, "#D55E00", "--"),
        ("La", data.msd.sel(element="La"), data.msd_stderr.sel(element="La"), "#009E73", "-."),
    )
    handles = [
        band_line(axes, time, mean, error, colour, dashes, label)
        for label, mean, error, colour, dashes in curves
    ]
    axes.set_xlim(0.0, time[-1])
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.08)
    title = f"{NAMES[bath]}, {canonical(pressure)} GPa, {canonical(temperature)} K"
    point = dataset.sel(bath=bath, pressure=pressure, temperature=temperature, element="H")
    if np.isfinite(point.diffusion):
        number = _scientific(point.diffusion.item(), point.diffusion_stderr.item())
        title += f"\n$D_H$ = {number} cm$^2$/s"
        if bath != "classical":
            title += " (approximate)"
    left_title(axes, title)
    legend_above(figure, handles, columns=3)
    return figure


@styled
def fig6(dataset: xr.Dataset, points: str | os.PathLike, pressure: float | None = None) -> Figure:
    """Partial radial distribution function La–H, classical beside quantum, lowest temperature.

    All baths at the one pressure nearest to `pressure` and the lowest temperature at which the
    bath has a finished point.
    """
    figure, axes = one_panel(3.4, 3.0)
    axes.set(xlabel="$r$ (Å)", ylabel="$g_{LaH}(r)$")
    pressure = nearest(dataset.pressure, pressure)
    handles, ends = [], []
    dashes = {"classical": "-", "qtb": "--", "adqtb": "-.", "pimd": ":"}
    for bath in dataset.bath.values:
        choice = _first_finished(dataset.sel(pressure=[pressure]), [bath])
        if choice is None:
            continue
        data = _point_file(points, choice, "correlations.nc", ("g", "g_stderr"))
        label = f"{NAMES[bath]}, {canonical(choice[2])} K"
        handles.append(
            band_line(
                axes,
                data.r.values,
                data.g.sel(pair="La-H"),
                data.g_stderr.sel(pair="La-H"),
                COLOURS[bath],
                dashes[bath],
                label,
            )
        )
        ends.append(data.r.values[-1])
    left_title(axes, f"{canonical(pressure)} GPa")
    if not handles:
        mark_empty(axes)
        return figure
    axes.set_xlim(1.5, min([5.0, *ends]))
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.08)
    legend_above(figure, handles, columns=2)
    return figure


def _first_finished(dataset: xr.Dataset, baths: Sequence[str]) -> tuple[str, float, float] | None:
    """The finished point of the first bath that has any: lowest T, then highest P."""
    for bath in baths:
        if bath not in dataset.bath.values:
            continue
        ok = (dataset.status.sel(bath=bath) == STATUS["ok"]).transpose("temperature", "pressure")
        for row, temperature in enumerate(dataset.temperature.values):
            columns = np.flatnonzero(ok.values[row])
            if len(columns):
                return bath, float(dataset.pressure.values[columns[-1]]), float(temperature)
    return None


def _point_file(
    points, choice: tuple[str, float, float], name: str, variables: Sequence[str]
) -> xr.Dataset:
    path = point_folder(points, *choice) / name
    remedy = f"run `snakemake -- {path.parent / 'summary.nc'}`"
    data = read(path, remedy)
    lacking = [variable for variable in variables if variable not in data]
    if lacking:
        raise UserError(f"{path}: has no variable {lacking[0]}; {remedy}")
    return data


def _scientific(value: float, error: float) -> str:
    """ "(1.2 ± 0.3)·10⁻⁶", both with the decimals that the error's two leading digits have."""
    largest = np.nanmax(np.abs([value, error]))
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    scaled = np.array([value, error]) / 10.0**power
    decimals = 2
    if np.isfinite(error) and error > 0:
        decimals = max(0, 1 - int(np.floor(np.log10(scaled[1]))))
    decimals = min(decimals, 4)
    return f"({scaled[0]:.{decimals}f} ± {scaled[1]:.{decimals}f})·$10^{{{power}}}$"
