"""Figures of a campaign after the source paper's figures 2(a), 2(b), 3(a), 3(b), 4, 5 and 6.

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
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.figures import verdict
from lah10.figures.points import fig5, fig6
from lah10.figures.style import (
    COLOURS,
    FORMATS,
    NAMES,
    NO_DATA,
    cell_edges,
    crystal_title,
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
from lah10.figures.trajectories import fig4, write_xyz
from lah10.schema import HYSTERESIS, PHASE, STATUS

#: Smallest full scale of θ's colour bar, and distance of its ticks, degree.
SMALLEST_SCALE, COLOUR_STEP = 1.5, 0.5


#: The atoms of Fig. 4, beside the figures.
XYZ = "fig4.xyz"


def figure_names(baths: Iterable[str]) -> list[str]:
    """Names (without suffix) of the figures that `draw_all` writes for these baths."""
    return [f"fig2a_{bath}" for bath in baths] + [
        "fig2b", "fig3a", "fig3b", "fig4", "fig5", "fig6",
    ]


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
        The files written, figure by figure, and `XYZ`.

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
    drawn["fig4"] = fig4(dataset, points)
    drawn["fig5"] = fig5(dataset, points)
    drawn["fig6"] = fig6(dataset, points, pressure)
    written = [save(figure, Path(output) / f"{name}.{suffix}")
               for name, figure in drawn.items() for suffix in formats]
    write_xyz(dataset, points, Path(output) / XYZ)
    return [*written, Path(output) / XYZ]


@styled
def fig2a(dataset: xr.Dataset, bath: str, pressure: float | None = None) -> Figure:
    """Phase diagram of one bath: max|θ − 90°| of distorted points over temperature and pressure.

    A cubic point has the colour of zero: its θ is within its noise, and would be the darker the
    shorter the run. Where there is no verdict the cell is grey and a mark gives the reason. Circles
    mark points that are distorted in domains which average out. Hatching marks what the quantum
    bath does not bear out. The heavy line runs between distorted and cubic cells, the dashed one at
    the pressure of figures 2(b) and 3(a). All baths share one colour scale.
    """
    figure, axes = one_panel(3.4, 3.1)
    panel = dataset.sel(bath=bath).transpose("pressure", "temperature", ...)
    temperature, pressures = dataset.temperature.values, dataset.pressure.values
    edges_t = cell_edges(temperature, lone=50.0, floor=0.0)
    edges_p = cell_edges(pressures, lone=20.0, floor=0.0)

    axes.set_facecolor(NO_DATA)
    mesh = axes.pcolormesh(
        edges_t, edges_p, colour_values(panel).values, vmin=0.0, vmax=colour_scale(dataset),
        cmap=sns.color_palette("rocket_r", as_cmap=True), rasterized=True,
    )
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, aspect=30)
    bar.set_ticks(np.arange(0.0, colour_scale(dataset) + 0.1, COLOUR_STEP))
    bar.set_label("max|θ − 90°| (degree); cubic: 0")

    handles = []
    boundary = _boundary(panel.phase.values, edges_t, edges_p)
    if boundary:
        axes.add_collection(LineCollection(boundary, colors="black", linewidths=1.8,
                                           capstyle="projecting", label="boundary"))
        handles.append(Line2D([], [], color="black", linewidth=1.8, label="distorted | cubic"))
    _hatch(axes, panel, edges_t, edges_p, mesh)
    handles += verdict.handles(panel, area=True)

    size = float(np.clip(60.0 / max(len(temperature), len(pressures)), 2.5, 7.0))
    for label, marker, mask in _marks(panel):
        if not mask.any():
            continue
        rows, columns = np.nonzero(mask.values)
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
    left_title(axes, crystal_title(dataset, NAMES[bath]))
    legend_above(figure, handles, columns=2)
    return figure


def colour_scale(dataset: xr.Dataset) -> float:
    """End of Fig. 2(a)'s colour bar (degree), one of its ticks, the same for all baths."""
    largest = colour_values(dataset).max(skipna=True).item()
    least = max(SMALLEST_SCALE, largest if np.isfinite(largest) else 0.0)
    return COLOUR_STEP * float(np.ceil(round(least / COLOUR_STEP, 6)))


def colour_values(points: xr.Dataset) -> xr.DataArray:
    """What Fig. 2(a) colours: the θ deviation of distorted points, 0 of cubic ones, else NaN."""
    found = points.theta_deviation.where(points.phase == PHASE["distorted"])
    return found.where(points.phase != PHASE["cubic"], 0.0)


def _hatch(
    axes: Axes, panel: xr.Dataset, edges_x: np.ndarray, edges_y: np.ndarray, mesh: QuadMesh
) -> None:
    ran = panel.status.values == STATUS["ok"]
    colours = mesh.to_rgba(np.ma.filled(colour_values(panel).values, np.nan))[..., :3]
    for (row, column), flag in np.ndenumerate(verdict.of(panel)):
        look = verdict.LOOKS[int(flag)]
        if look.hatch and ran[row, column]:
            dark = np.isfinite(mesh.get_array()[row, column]) and colours[row, column].mean() < 0.55
            axes.add_patch(Rectangle(
                (edges_x[column], edges_y[row]), edges_x[column + 1] - edges_x[column],
                edges_y[row + 1] - edges_y[row], facecolor="none",
                edgecolor=verdict.HATCH_ON_DARK if dark else verdict.HATCH,
                hatch=look.hatch, linewidth=0.0, label=look.text,
            ))


@styled
def fig2b(dataset: xr.Dataset, pressure: float | None = None) -> Figure:
    """Largest and smallest class mean of θ against temperature at one pressure, every bath.

    Shaded, with a line at its edge: 90° ± the deviation above which a point counts as distorted.
    """
    figure, axes = one_panel(3.4, 3.2)
    pressure = nearest(dataset.pressure, pressure)
    cut = dataset.sel(pressure=pressure)
    edges = cell_edges(cut.temperature.values, lone=50.0, floor=0.0)
    handles = []
    axes.axhline(90.0, color="0.5", linewidth=0.6)
    for bath in cut.bath.values:
        row, colour = cut.sel(bath=bath), COLOURS[bath]
        limit = row.theta_threshold.values
        axes.stairs(90.0 + limit, edges, baseline=90.0 - limit, fill=True, color=colour, alpha=0.12,
                    linewidth=0, label=f"{bath} limit")
        for side in (-1, 1):
            axes.stairs(90.0 + side * limit, edges, baseline=None, color=colour, linewidth=0.7,
                        linestyle=":", label=f"{bath} limit edge")
        for name, marker in (("theta_large", "^"), ("theta_small", "v")):
            errorbar(axes, row, name, "temperature", colour, marker, label=f"{bath} {name}")
        handles.append(Patch(facecolor=colour, label=NAMES[bath]))
    handles += [Line2D([], [], color="0.3", marker="^", label="largest"),
                Line2D([], [], color="0.3", marker="v", label="smallest"),
                Patch(facecolor=(*to_rgb("0.3"), 0.12), edgecolor="0.3", linestyle=":",
                      label="not distorted within")]
    # At least the paper's 88° to 92°, and room for every error bar and limit that is drawn.
    reach = [2.0]
    for name in ("theta_large", "theta_small"):
        error = cut[f"{name}_stderr"].fillna(0.0)
        reach.append(float((abs(cut[name] - 90.0) + error).max(skipna=True)))
    reach.append(float(cut.theta_threshold.max(skipna=True)))
    half = 1.08 * np.nanmax(reach)
    axes.set(xlabel="temperature (K)", ylabel="distortion angle θ (degree)",
             xlim=edges[[0, -1]], ylim=(90.0 - half, 90.0 + half))
    grid_ticks(axes.xaxis, cut.temperature.values)
    left_title(axes, crystal_title(dataset, f"{canonical(pressure)} GPa"))
    mark_empty(axes, cut.theta_large)
    legend_above(figure, handles + verdict.handles(cut), columns=2)
    return figure


#: Fig. 3(a): variables, markers, line styles, words.
ENERGIES = (
    ("energy_per_mode", "o", "-", "energy per mode"),
    ("kinetic_temperature_mean", "s", "--", "kinetic temperature"),
    ("kinetic_temperature_mean_deconvolved", "D", "none", "kinetic, γ-deconvolved"),
)


@styled
def fig3a(dataset: xr.Dataset, pressure: float | None = None) -> Figure:
    """Energy per mode and kinetic temperature against temperature at one pressure, every bath.

    The line is k_B T, the equipartition of classical nuclei. Below: the same less k_B T for
    classical nuclei, less the harmonic crystal for quantum ones (less the energy per mode where
    there is none), and what friction adds to the kinetic temperature of the harmonic crystal
    (dash-dotted).
    """
    figure = Figure(figsize=(3.4, 4.4))
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 1))
    pressure = nearest(dataset.pressure, pressure)
    cut = dataset.sel(pressure=pressure)
    edges = cell_edges(cut.temperature.values, lone=50.0, floor=0.0)
    axes.plot(edges[[0, -1]], edges[[0, -1]], color="0.5", linewidth=0.8, label="equipartition")
    below.axhline(0.0, color="0.5", linewidth=0.8)
    handles = [Patch(facecolor=COLOURS[bath], label=NAMES[bath]) for bath in cut.bath.values]
    handles.append(Line2D([], [], color="0.5", linewidth=0.8, label="$k_BT$ (equipartition)"))
    handles += [
        Line2D([], [], color="black", marker=marker, linestyle=dashes, label=text)
        for name, marker, dashes, text in ENERGIES
        if name in cut and cut[name].notnull().any()
    ]
    top, references = [edges[-1]], set()
    for place, bath in enumerate(cut.bath.values):
        row, colour = cut.sel(bath=bath), COLOURS[bath]
        reference, text = _reference(row, bath)
        if row.energy_per_mode.notnull().any():
            references.add(text)
        for i, (name, marker, dashes, _) in enumerate(ENERGIES):
            if name not in row or not row[name].notnull().any():
                continue
            label = f"{bath} {name}"
            if dashes != "none":
                errorbar(axes, row, name, "temperature", colour, marker, label, linestyle=dashes)
                top.append(row[name].max().item())
            shift = 0.012 * np.ptp(edges) * (i - 1 + 0.4 * place)
            errorbar(below, row, name, "temperature", colour, marker, label, less=reference,
                     shift=shift, linestyle=dashes)
        if bath == "classical":
            continue  # k_B T is its harmonic expectation
        if _known(row, "harmonic_temperature"):
            top.append(row.harmonic_temperature.max().item())
            _curve(axes, row, row.harmonic_temperature, colour, ":", f"{bath} harmonic_temperature")
            if _known(row, "harmonic_temperature_raw"):
                _curve(below, row, row.harmonic_temperature_raw - reference, colour, "-.",
                       f"{bath} harmonic_temperature_raw")
    drawn = {line.get_label().split(" ", 1)[-1] for line in [*axes.lines, *below.lines]}
    for name, dashes, label in (("harmonic_temperature", ":", "harmonic crystal"),
                                ("harmonic_temperature_raw", "-.", "harmonic, kinetic, finite γ")):
        if name in drawn:
            handles.append(Line2D([], [], color="black", linestyle=dashes, linewidth=1.0,
                                  label=label))
    axes.set(ylabel="energy per mode / $k_B$ (K)", ylim=(0.0, 1.08 * np.nanmax(top)))
    below.set(xlabel="temperature (K)", ylabel="difference (K)", xlim=edges[[0, -1]])
    below.margins(y=0.12)
    left_title(below, "\n".join(sorted(references)))
    grid_ticks(axes.xaxis, cut.temperature.values)
    left_title(axes, crystal_title(dataset, f"{canonical(pressure)} GPa"))
    mark_empty(axes, cut.energy_per_mode, cut.kinetic_temperature_mean)
    legend_above(figure, handles + verdict.handles(cut), columns=2)
    return figure


def _known(row: xr.Dataset, name: str) -> bool:
    return name in row and bool(row[name].notnull().any())


def _reference(row: xr.Dataset, bath: str) -> tuple[np.ndarray, str]:
    """What Fig. 3(a)'s lower panel takes from a bath's curves, and words for it."""
    if bath == "classical":
        return row.temperature.values.astype(float), "classical: less $k_BT$"
    if _known(row, "harmonic_temperature"):
        return row.harmonic_temperature.values, "quantum: less the harmonic crystal"
    return row.energy_per_mode.values, "quantum: less the energy per mode (no phonons)"


def _curve(axes: Axes, row: xr.Dataset, values, colour: str, dashes: str, label: str) -> None:
    axes.plot(row.temperature, values, color=colour, linestyle=dashes, linewidth=1.0, markersize=16,
              marker="_" if row.sizes["temperature"] == 1 else None, label=label)


@styled
def fig3b(dataset: xr.Dataset) -> Figure:
    """Zero-point energy per mode (as a temperature) against pressure.

    Each bath at its lowest temperature that has values. Heavy: ½ħω averaged over the density of
    states by the response to the random force, which counts every mode once whatever energy it
    holds; of classical nuclei, where nothing leaks, by the velocities. Thin and pale: of quantum
    baths by the velocities, biased where energy leaks from stiff to soft modes.
    """
    figure, axes = one_panel(3.4, 2.9)
    edges = cell_edges(dataset.pressure.values, lone=20.0, floor=0.0)
    handles, rows = [], []
    response, velocities = "zero_point_temperature_deconvolved", "zero_point_temperature"
    for bath in dataset.bath.values:
        values = dataset[velocities].sel(bath=bath)
        finite = values.notnull().any("pressure")
        if not finite.any():
            continue
        temperature = dataset.temperature.values[finite.values][0]
        row, colour = dataset.sel(bath=bath, temperature=temperature), COLOURS[bath]
        rows.append(row)
        where = f"{NAMES[bath]}, {canonical(temperature)} K"
        sound = response if bath != "classical" and _known(row, response) else velocities
        errorbar(axes, row, sound, "pressure", colour, "o", f"{bath} {sound}", linewidth=1.8,
                 zorder=5)
        handles.append(Line2D([], [], color=colour, marker="o", linewidth=1.8, label=where))
        if bath == "classical":
            continue
        if sound == response:
            errorbar(axes, row, velocities, "pressure", colour, "s", f"{bath} {velocities}",
                     linewidth=0.6, linestyle=":", alpha=0.5)
        label = "by velocities (biased)"
        if sound == velocities:
            handles[-1].set_label(f"{where}, {label}")
        else:
            handles.append(Line2D([], [], color=colour, marker="s", linewidth=0.6, linestyle=":",
                                  alpha=0.5, label=label))
    name = "harmonic_zero_point_temperature"
    if _known(dataset, name):
        axes.plot(dataset.pressure, dataset[name], color="0.35", linestyle="--", marker="x",
                  linewidth=1.0, label=name)
        handles.append(Line2D([], [], color="0.35", linestyle="--", marker="x", linewidth=1.0,
                              label="harmonic crystal"))
    axes.set(xlabel="pressure (GPa)", ylabel="zero-point temperature (K)", xlim=edges[[0, -1]])
    left_title(axes, crystal_title(dataset, ""))
    axes.margins(y=0.12)
    grid_ticks(axes.xaxis, dataset.pressure.values)
    mark_empty(axes, dataset[velocities])
    handles += verdict.handles(*rows)
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
    # Comparison with NaN is false: a point without a limit is not beyond it.
    averaged = (panel.phase == PHASE["distorted"]) & ~(
        panel.theta_deviation > panel.theta_threshold
    )
    marks = [
        ("distorted in domains", "o", ok & averaged),
        (verdict.UNDETERMINED, "$?$", ok & (panel.phase == PHASE["undetermined"])),
        ("failed", "x", ~ok & ~missing),
        ("not run", "_", missing),
    ]
    if "hysteresis" in panel:
        hysteresis = panel.hysteresis == HYSTERESIS["hysteresis"]
        marks.append(("phase depends on the start", "D", hysteresis))
    return marks
