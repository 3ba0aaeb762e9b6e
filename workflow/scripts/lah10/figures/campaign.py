"""Figures of a campaign after the source paper's figures 2(a), 2(b), 3(a), 3(b), 5 and 6.

Each figure has one function that takes data and returns a matplotlib figure; `draw_all` reads the
phase diagram and the small per-point files and writes all of them. Everything drawn is in those
files: nothing is smoothed or fitted here. Failed and missing points are shown as such.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.figures.points import fig5, fig6
from lah10.figures.style import (
    COLOURS,
    FORMATS,
    NAMES,
    NO_DATA,
    cell_edges,
    errorbar,
    grid_ticks,
    halo,
    left_title,
    legend_above,
    mark_empty,
    nearest,
    one_panel,
    read,
    save,
    styled,
)
from lah10.schema import PHASE, STATUS, significance

#: Standard errors above the cubic null at which a deviation counts.
SIGNIFICANT = 3.0
#: Smallest full scale of θ's colour bar, degree, so that noise never fills it.
SMALLEST_SCALE = 1.5


def figure_names(baths: Iterable[str]) -> list[str]:
    """Names (without suffix) of the figures that `draw_all` writes for these baths."""
    return [f"fig2a_{bath}" for bath in baths] + ["fig2b", "fig3a", "fig3b", "fig5", "fig6"]


def draw_all(
    phase_diagram: str | os.PathLike,
    points: str | os.PathLike,
    output: str | os.PathLike,
    formats: Sequence[str] = FORMATS,
    pressure: float | None = None,
) -> list[Path]:
    """Draw every figure of a campaign.

    Parameters
    ----------
    phase_diagram : path
        The campaign's phase_diagram.nc.
    points : path
        Folder with <bath>/P<GPa>_T<K>/{diffusion,correlations}.nc.
    output : path
        Folder for <name>.<format>, see `figure_names`.
    formats : sequence of "png", "pdf", "svg"
    pressure : float, optional
        GPa, of figures 2(b), 3(a) and 6; the grid's nearest value is taken. Default 150.

    Returns
    -------
    list of Path
        The files written, figure by figure.

    Raises
    ------
    UserError
        A file is missing or lacks a variable; an unknown format.
    """
    unknown = sorted(set(formats) - {"png", "pdf", "svg"})
    if unknown or not formats:
        raise UserError(
            f"figures: format {unknown[0] if unknown else '(none)'} is not known; "
            "use png, pdf or svg"
        )
    dataset = read(phase_diagram, "run `snakemake` to the campaign's phase_diagram.nc first")
    drawn = {f"fig2a_{bath}": fig2a(dataset, bath, pressure) for bath in dataset.bath.values}
    drawn["fig2b"] = fig2b(dataset, pressure)
    drawn["fig3a"] = fig3a(dataset, pressure)
    drawn["fig3b"] = fig3b(dataset)
    drawn["fig5"] = fig5(dataset, points)
    drawn["fig6"] = fig6(dataset, points, pressure)
    return [save(figure, Path(output) / f"{name}.{suffix}")
            for name, figure in drawn.items() for suffix in formats]


@styled
def fig2a(dataset: xr.Dataset, bath: str, pressure: float | None = None) -> Figure:
    """Phase diagram of one bath: max|θ − 90°| over temperature and pressure.

    The heavy line runs between cells called distorted and cubic. Open circles mark points whose
    deviation is within `SIGNIFICANT` spreads of what a cubic crystal with the same noise shows,
    question marks undetermined, crosses failed and dashes missing points. The dashed line is the
    pressure of figures 2(b) and 3(a). All baths share one colour scale.
    """
    figure, axes = one_panel(3.4, 3.1)
    panel = dataset.sel(bath=bath)
    temperature, pressures = dataset.temperature.values, dataset.pressure.values
    edges_t = cell_edges(temperature, lone=50.0, floor=0.0)
    edges_p = cell_edges(pressures, lone=20.0, floor=0.0)

    axes.set_facecolor(NO_DATA)
    largest = dataset.theta_deviation.max(skipna=True).item()
    scale = max(SMALLEST_SCALE, largest) if np.isfinite(largest) else SMALLEST_SCALE
    mesh = axes.pcolormesh(
        edges_t, edges_p, panel.theta_deviation.transpose("pressure", "temperature").values,
        vmin=0.0, vmax=scale, cmap=sns.color_palette("rocket_r", as_cmap=True), rasterized=True,
    )
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=30)
    bar.set_label("max|θ − 90°| (degree)")

    handles = []
    boundary = _boundary(panel.phase.transpose("pressure", "temperature").values, edges_t, edges_p)
    if boundary:
        axes.add_collection(LineCollection(boundary, colors="black", linewidths=1.8,
                                           capstyle="projecting", label="boundary"))
        handles.append(Line2D([], [], color="black", linewidth=1.8, label="distorted | cubic"))

    size = float(np.clip(60.0 / max(len(temperature), len(pressures)), 2.5, 7.0))
    for label, marker, mask in _marks(panel):
        mask = mask.transpose("pressure", "temperature").values
        if not mask.any():
            continue
        rows, columns = np.nonzero(mask)
        style = {"marker": marker, "linestyle": "none", "color": "black",
                 "markerfacecolor": "none" if marker == "o" else "black"}
        axes.plot(temperature[columns], pressures[rows], markeredgewidth=0.8,
                  markersize=size * (1.5 if marker == "$?$" else 1.0),
                  label=label, path_effects=[halo()], **style)
        handles.append(Line2D([], [], markersize=4.5, markeredgewidth=0.8, label=label, **style))

    if len(pressures) > 1:
        axes.axhline(nearest(dataset.pressure, pressure), color="black", linewidth=0.6,
                     linestyle=(0, (5, 4)), path_effects=[halo()])
    axes.set(xlabel="temperature (K)", ylabel="pressure (GPa)",
             xlim=edges_t[[0, -1]], ylim=edges_p[[0, -1]])
    grid_ticks(axes.xaxis, temperature)
    grid_ticks(axes.yaxis, pressures)
    axes.tick_params(direction="out", top=False, right=False)
    left_title(axes, NAMES[bath])
    legend_above(figure, handles, columns=2)
    return figure


@styled
def fig2b(dataset: xr.Dataset, pressure: float | None = None) -> Figure:
    """Largest and smallest class mean of θ against temperature at one pressure, every bath.

    Shaded: 90° ± the deviation that a cubic crystal with the same noise shows.
    """
    figure, axes = one_panel(3.4, 3.0)
    pressure = nearest(dataset.pressure, pressure)
    cut = dataset.sel(pressure=pressure)
    edges = cell_edges(cut.temperature.values, lone=50.0, floor=0.0)
    handles = []
    axes.axhline(90.0, color="0.5", linewidth=0.6)
    for bath in cut.bath.values:
        row, colour = cut.sel(bath=bath), COLOURS[bath]
        null = row.theta_null.values
        axes.stairs(90.0 + null, edges, baseline=90.0 - null, fill=True, color=colour, alpha=0.15,
                    linewidth=0, label=f"{bath} null")
        for name, marker in (("theta_large", "^"), ("theta_small", "v")):
            errorbar(axes, row, name, "temperature", colour, marker, label=f"{bath} {name}")
        handles += [Line2D([], [], color=colour, marker="^", label=f"{NAMES[bath]}, largest"),
                    Line2D([], [], color=colour, marker="v", label="smallest"),
                    Patch(facecolor=colour, alpha=0.15, label="cubic null")]
    # At least the paper's 88° to 92°, and room for every error bar and null that is drawn.
    reach = [2.0]
    for name in ("theta_large", "theta_small"):
        error = cut[f"{name}_stderr"].fillna(0.0)
        reach.append(float((abs(cut[name] - 90.0) + error).max(skipna=True)))
    reach.append(float(cut.theta_null.max(skipna=True)))
    half = 1.08 * np.nanmax(reach)
    axes.set(xlabel="temperature (K)", ylabel="distortion angle θ (degree)",
             xlim=edges[[0, -1]], ylim=(90.0 - half, 90.0 + half))
    grid_ticks(axes.xaxis, cut.temperature.values)
    left_title(axes, f"{canonical(pressure)} GPa")
    mark_empty(axes, cut.theta_large)
    # Row by row a bath: matplotlib fills columns first.
    rows = [handles[i:i + 3] for i in range(0, len(handles), 3)]
    legend_above(figure, [row[i] for i in range(3) for row in rows], columns=3)
    return figure


@styled
def fig3a(dataset: xr.Dataset, pressure: float | None = None) -> Figure:
    """Energy per mode and kinetic temperature against temperature at one pressure, every bath.

    The line is k_B T, the equipartition of classical nuclei. Of quantum baths the kinetic
    temperature deconvolved from the friction is shown too and, with phonons in the dataset,
    the harmonic crystal (dotted) and what a bath of finite friction gives it (dash-dotted).
    """
    figure, axes = one_panel(3.4, 3.2)
    pressure = nearest(dataset.pressure, pressure)
    cut = dataset.sel(pressure=pressure)
    edges = cell_edges(cut.temperature.values, lone=50.0, floor=0.0)
    axes.plot(edges[[0, -1]], edges[[0, -1]], color="0.5", linewidth=0.8, label="equipartition")
    handles = [Line2D([], [], color="0.5", linewidth=0.8, label="$k_BT$ (equipartition)")]
    top = [edges[-1]]
    for bath in cut.bath.values:
        row, colour = cut.sel(bath=bath), COLOURS[bath]
        handles.append(Patch(facecolor=colour, label=NAMES[bath]))
        errorbar(axes, row, "energy_per_mode", "temperature", colour, "o",
                  label=f"{bath} energy_per_mode")
        errorbar(axes, row, "kinetic_temperature_mean", "temperature", colour, "s",
                  label=f"{bath} kinetic_temperature_mean", linestyle="--",
                  markerfacecolor="white")
        top += [row.energy_per_mode.max().item(), row.kinetic_temperature_mean.max().item()]
        if bath == "classical":
            continue  # k_B T is its harmonic expectation
        name = "kinetic_temperature_mean_deconvolved"
        if name in row and row[name].notnull().any():
            errorbar(axes, row, name, "temperature", colour, "D", label=f"{bath} {name}",
                      linestyle="none", markerfacecolor="white")
            top.append(row[name].max().item())
        for name, dashes in (("harmonic_temperature", ":"), ("harmonic_temperature_raw", "-.")):
            if name in row and row[name].notnull().any():
                axes.plot(row.temperature, row[name], color=colour, linestyle=dashes,
                          marker="_" if row.sizes["temperature"] == 1 else None, markersize=16,
                          linewidth=1.0,
                          label=f"{bath} {name}")
                top.append(row[name].max().item())
    handles += [
        Line2D([], [], color="black", marker="o", label="energy per mode"),
        Line2D([], [], color="black", marker="s", markerfacecolor="white", linestyle="--",
               label="kinetic temperature"),
    ]
    if any("deconvolved" in container.get_label() for container in axes.containers):
        handles.append(Line2D([], [], color="black", marker="D", markerfacecolor="white",
                              linestyle="none", label="same, deconvolved"))
    drawn = {line.get_label().split(" ", 1)[-1] for line in axes.lines}
    for name, dashes, label in (("harmonic_temperature", ":", "harmonic crystal"),
                                ("harmonic_temperature_raw", "-.", "harmonic, finite γ, kinetic")):
        if name in drawn:
            handles.append(Line2D([], [], color="black", linestyle=dashes, linewidth=1.0,
                                  label=label))
    axes.set(xlabel="temperature (K)", ylabel="energy per mode / $k_B$ (K)",
             xlim=edges[[0, -1]], ylim=(0.0, 1.08 * np.nanmax(top)))
    grid_ticks(axes.xaxis, cut.temperature.values)
    left_title(axes, f"{canonical(pressure)} GPa")
    mark_empty(axes, cut.energy_per_mode, cut.kinetic_temperature_mean)
    legend_above(figure, handles, columns=2)
    return figure


@styled
def fig3b(dataset: xr.Dataset) -> Figure:
    """Zero-point energy per mode (as a temperature) against pressure.

    Each bath at its lowest temperature that has values: ½ħω averaged over the vibrational density
    of states seen there, of quantum baths also deconvolved from their friction.
    """
    figure, axes = one_panel(3.4, 2.9)
    edges = cell_edges(dataset.pressure.values, lone=20.0, floor=0.0)
    handles = []
    for bath in dataset.bath.values:
        values = dataset.zero_point_temperature.sel(bath=bath)
        finite = values.notnull().any("pressure")
        if not finite.any():
            continue
        temperature = dataset.temperature.values[finite.values][0]
        row = dataset.sel(bath=bath, temperature=temperature)
        errorbar(axes, row, "zero_point_temperature", "pressure", COLOURS[bath], "o",
                  label=f"{bath} zero_point_temperature")
        handles.append(Line2D([], [], color=COLOURS[bath], marker="o",
                              label=f"{NAMES[bath]}, {canonical(temperature)} K"))
        name = "zero_point_temperature_deconvolved"
        if bath != "classical" and name in row and row[name].notnull().any():
            errorbar(axes, row, name, "pressure", COLOURS[bath], "D", label=f"{bath} {name}",
                      linestyle="--", markerfacecolor="white")
            handles.append(Line2D([], [], color=COLOURS[bath], marker="D", linestyle="--",
                                  markerfacecolor="white", label="same, deconvolved"))
    name = "harmonic_zero_point_temperature"
    if name in dataset and dataset[name].notnull().any():
        axes.plot(dataset.pressure, dataset[name], color="0.35", linestyle=":", marker="d",
                  label=name)
        handles.append(Line2D([], [], color="0.35", linestyle=":", marker="d",
                              label="harmonic crystal"))
    axes.set(xlabel="pressure (GPa)", ylabel="zero-point temperature (K)", xlim=edges[[0, -1]])
    axes.margins(y=0.12)
    grid_ticks(axes.xaxis, dataset.pressure.values)
    mark_empty(axes, dataset.zero_point_temperature)
    legend_above(figure, handles, columns=2)
    return figure


def _boundary(phase: np.ndarray, edges_x: np.ndarray, edges_y: np.ndarray) -> list[np.ndarray]:
    """Cell edges between a distorted and a cubic cell; `phase` has shape (y, x)."""
    segments = []
    for (row, column), here in np.ndenumerate(phase):
        for d_row, d_column in ((0, 1), (1, 0)):
            i, j = row + d_row, column + d_column
            if i >= phase.shape[0] or j >= phase.shape[1]:
                continue
            if {here, phase[i, j]} != {PHASE["distorted"], PHASE["cubic"]}:
                continue
            if d_column:
                x = edges_x[j]
                segments.append(np.array([[x, edges_y[row]], [x, edges_y[row + 1]]]))
            else:
                y = edges_y[i]
                segments.append(np.array([[edges_x[column], y], [edges_x[column + 1], y]]))
    return segments


def _marks(panel: xr.Dataset) -> list[tuple[str, str, xr.DataArray]]:
    """(label, marker, mask) of what is shown on top of figure 2(a)'s colours."""
    ok = panel.status == STATUS["ok"]
    missing = panel.status == STATUS["missing"]
    undetermined = ok & (panel.phase == PHASE["undetermined"])
    # Whatever its phase: a crystal distorted in domains that average out gets the circle, too.
    # Comparison with NaN is false: a point without a null is not called significant.
    as_null = ok & ~undetermined & ~(significance(panel) > SIGNIFICANT)
    return [
        ("θ within 3σ of the cubic null", "o", as_null),
        ("undetermined", "$?$", undetermined),
        ("failed", "x", ~ok & ~missing),
        ("not run", "_", missing),
    ]
