"""Figures of a campaign after the source paper's figures 2(a), 2(b), 3(a), 3(b), 5 and 6.

Each figure has one function that takes data and returns a matplotlib figure; `draw_all` reads the
phase diagram and the small per-point files and writes all of them. Everything drawn is in those
files: nothing is smoothed or fitted here. Failed and missing points are shown as such.
"""

import functools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib
import matplotlib.patheffects
import matplotlib.ticker
import numpy as np
import seaborn as sns
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lah10.analysis import dataset as datasets
from lah10.campaign.grid import point_folder
from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.io.files import atomic_path
from lah10.schema import PHASE, STATUS, significance

STYLE = Path(__file__).with_name("publication.mplstyle")

#: Okabe and Ito's colours (Wong, Nature Methods 8, 441 (2011)), told apart by all kinds of sight.
COLOURS = {"classical": "#0072B2", "qtb": "#D55E00", "adqtb": "#009E73", "pimd": "#CC79A7"}
NAMES = {"classical": "classical", "qtb": "quantum (QTB)", "adqtb": "quantum (adQTB)",
         "pimd": "quantum (PIMD)"}
#: Baths with quantum nuclei, the preferred one first.
QUANTUM = ("pimd", "adqtb", "qtb")

#: Standard errors above the cubic null at which a deviation counts.
SIGNIFICANT = 3.0
#: Pressure (GPa) of the paper's figures 2(b), the nearest one of the grid is drawn.
PRESSURE = 150.0
#: Smallest full scale of θ's colour bar, degree, so that noise never fills it.
SMALLEST_SCALE = 1.5
NO_DATA = "0.85"

FORMATS = ("png", "pdf")


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


# ------------------------------------------------------------------------------- the figures


@styled
def fig2a(dataset: xr.Dataset, bath: str, pressure: float | None = None) -> Figure:
    """Phase diagram of one bath: max|θ − 90°| over temperature and pressure.

    The heavy line runs between cells called distorted and cubic. Open circles mark points whose
    deviation is within `SIGNIFICANT` spreads of what a cubic crystal with the same noise shows,
    question marks undetermined, crosses failed and dashes missing points. The dashed line is the
    pressure of figures 2(b) and 3(a). All baths share one colour scale.
    """
    figure, axes = _axes(3.4, 3.1)
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
                  label=label, path_effects=[_halo()], **style)
        handles.append(Line2D([], [], markersize=4.5, markeredgewidth=0.8, label=label, **style))

    if len(pressures) > 1:
        axes.axhline(_nearest(dataset.pressure, pressure), color="black", linewidth=0.6,
                     linestyle=(0, (5, 4)), path_effects=[_halo()])
    axes.set(xlabel="temperature (K)", ylabel="pressure (GPa)",
             xlim=edges_t[[0, -1]], ylim=edges_p[[0, -1]])
    _grid_ticks(axes.xaxis, temperature)
    _grid_ticks(axes.yaxis, pressures)
    axes.tick_params(direction="out", top=False, right=False)
    _title(axes, NAMES[bath])
    _legend(figure, handles, columns=2)
    return figure


@styled
def fig2b(dataset: xr.Dataset, pressure: float | None = None) -> Figure:
    """Largest and smallest class mean of θ against temperature at one pressure, every bath.

    Shaded: 90° ± the deviation that a cubic crystal with the same noise shows.
    """
    figure, axes = _axes(3.4, 3.0)
    pressure = _nearest(dataset.pressure, pressure)
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
            _errorbar(axes, row, name, "temperature", colour, marker, label=f"{bath} {name}")
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
    _grid_ticks(axes.xaxis, cut.temperature.values)
    _title(axes, f"{canonical(pressure)} GPa")
    _say_if_empty(axes, cut.theta_large)
    # Row by row a bath: matplotlib fills columns first.
    rows = [handles[i:i + 3] for i in range(0, len(handles), 3)]
    _legend(figure, [row[i] for i in range(3) for row in rows], columns=3)
    return figure


@styled
def fig3a(dataset: xr.Dataset, pressure: float | None = None) -> Figure:
    """Energy per mode and kinetic temperature against temperature at one pressure, every bath.

    The line is k_B T, the equipartition of classical nuclei. Of quantum baths the kinetic
    temperature freed of the broadening by friction is shown too and, with phonons in the dataset,
    the harmonic crystal (dotted) and what a bath of finite friction gives it (dash-dotted).
    """
    figure, axes = _axes(3.4, 3.2)
    pressure = _nearest(dataset.pressure, pressure)
    cut = dataset.sel(pressure=pressure)
    edges = cell_edges(cut.temperature.values, lone=50.0, floor=0.0)
    axes.plot(edges[[0, -1]], edges[[0, -1]], color="0.5", linewidth=0.8, label="equipartition")
    handles = [Line2D([], [], color="0.5", linewidth=0.8, label="$k_BT$ (equipartition)")]
    top = [edges[-1]]
    for bath in cut.bath.values:
        row, colour = cut.sel(bath=bath), COLOURS[bath]
        handles.append(Patch(facecolor=colour, label=NAMES[bath]))
        _errorbar(axes, row, "energy_per_mode", "temperature", colour, "o",
                  label=f"{bath} energy_per_mode")
        _errorbar(axes, row, "kinetic_temperature_mean", "temperature", colour, "s",
                  label=f"{bath} kinetic_temperature_mean", linestyle="--",
                  markerfacecolor="white")
        top += [row.energy_per_mode.max().item(), row.kinetic_temperature_mean.max().item()]
        if bath == "classical":
            continue  # k_B T is its harmonic expectation
        name = "kinetic_temperature_mean_deconvolved"
        if name in row and row[name].notnull().any():
            _errorbar(axes, row, name, "temperature", colour, "D", label=f"{bath} {name}",
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
    _grid_ticks(axes.xaxis, cut.temperature.values)
    _title(axes, f"{canonical(pressure)} GPa")
    _say_if_empty(axes, cut.energy_per_mode, cut.kinetic_temperature_mean)
    _legend(figure, handles, columns=2)
    return figure


@styled
def fig3b(dataset: xr.Dataset) -> Figure:
    """Zero-point energy per mode (as a temperature) against pressure.

    Each bath at its lowest temperature that has values: ½ħω averaged over the vibrational density
    of states seen there, of quantum baths also freed of the broadening by their friction.
    """
    figure, axes = _axes(3.4, 2.9)
    edges = cell_edges(dataset.pressure.values, lone=20.0, floor=0.0)
    handles = []
    for bath in dataset.bath.values:
        values = dataset.zero_point_temperature.sel(bath=bath)
        finite = values.notnull().any("pressure")
        if not finite.any():
            continue
        temperature = dataset.temperature.values[finite.values][0]
        row = dataset.sel(bath=bath, temperature=temperature)
        _errorbar(axes, row, "zero_point_temperature", "pressure", COLOURS[bath], "o",
                  label=f"{bath} zero_point_temperature")
        handles.append(Line2D([], [], color=COLOURS[bath], marker="o",
                              label=f"{NAMES[bath]}, {canonical(temperature)} K"))
        name = "zero_point_temperature_deconvolved"
        if bath != "classical" and name in row and row[name].notnull().any():
            _errorbar(axes, row, name, "pressure", COLOURS[bath], "D", label=f"{bath} {name}",
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
    _grid_ticks(axes.xaxis, dataset.pressure.values)
    _say_if_empty(axes, dataset.zero_point_temperature)
    _legend(figure, handles, columns=2)
    return figure


@styled
def fig5(dataset: xr.Dataset, points: str | os.PathLike) -> Figure:
    """Mean square displacements against time, of H, of H reordered (MSD′) and of La.

    Of the quantum point with the lowest temperature and, at that, the highest pressure; of the
    classical one if no quantum point finished. Bands are ± one standard error. The diffusion
    coefficient of a quantum bath is called approximate, as its dynamics is.
    """
    figure, axes = _axes(3.4, 3.0)
    choice = _first_finished(dataset, [*QUANTUM, "classical"])
    axes.set(xlabel="time (ps)", ylabel="mean square displacement (Å$^2$)")
    if choice is None:
        _say_if_empty(axes)
        return figure
    bath, pressure, temperature = choice
    data = _point_file(points, choice, "diffusion.nc",
                       ("msd", "msd_stderr", "reordered_msd", "reordered_msd_stderr"))
    time = data.time.values
    curves = (
        ("H", data.msd.sel(element="H"), data.msd_stderr.sel(element="H"), "#0072B2", "-"),
        ("H reordered (MSD′)", data.reordered_msd, data.reordered_msd_stderr, "#D55E00", "--"),
        ("La", data.msd.sel(element="La"), data.msd_stderr.sel(element="La"), "#009E73", "-."),
    )
    handles = [_band_line(axes, time, mean, error, colour, dashes, label)
               for label, mean, error, colour, dashes in curves]
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
    _title(axes, title)
    _legend(figure, handles, columns=3)
    return figure


@styled
def fig6(dataset: xr.Dataset, points: str | os.PathLike, pressure: float | None = None) -> Figure:
    """Partial radial distribution function La–H, classical beside quantum, lowest temperature.

    All baths at the one pressure nearest to `pressure` and the lowest temperature at which the
    bath has a finished point.
    """
    figure, axes = _axes(3.4, 3.0)
    axes.set(xlabel="$r$ (Å)", ylabel="$g_{LaH}(r)$")
    pressure = _nearest(dataset.pressure, pressure)
    handles, ends = [], []
    dashes = {"classical": "-", "qtb": "--", "adqtb": "-.", "pimd": ":"}
    for bath in dataset.bath.values:
        choice = _first_finished(dataset.sel(pressure=[pressure]), [bath])
        if choice is None:
            continue
        data = _point_file(points, choice, "correlations.nc", ("g", "g_stderr"))
        label = f"{NAMES[bath]}, {canonical(choice[2])} K"
        handles.append(_band_line(axes, data.r.values, data.g.sel(pair="La-H"),
                                  data.g_stderr.sel(pair="La-H"), COLOURS[bath], dashes[bath],
                                  label))
        ends.append(data.r.values[-1])
    _title(axes, f"{canonical(pressure)} GPa")
    if not handles:
        _say_if_empty(axes)
        return figure
    axes.set_xlim(1.5, min([5.0, *ends]))
    axes.set_ylim(bottom=0.0)
    axes.margins(y=0.08)
    _legend(figure, handles, columns=2)
    return figure


# ----------------------------------------------------------------------------------- helpers


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


def _errorbar(axes: Axes, row: xr.Dataset, name: str, dim: str, colour: str, marker: str,
              label: str, **style) -> None:
    """Values with their standard errors; lines stop at gaps."""
    error = row[f"{name}_stderr"].values if f"{name}_stderr" in row else None
    axes.errorbar(row[dim].values, row[name].values, yerr=error, color=colour, marker=marker,
                  label=label, elinewidth=0.8, zorder=3, **style)


def _band_line(axes: Axes, x, mean: xr.DataArray, error: xr.DataArray, colour: str, dashes: str,
               label: str) -> Line2D:
    """A curve with a band of ± one standard error; returns its handle for the legend."""
    sns.lineplot(x=x, y=mean.values, ax=axes, color=colour, linestyle=dashes, label=label,
                 errorbar=None, estimator=None, legend=False)
    axes.fill_between(x, (mean - error).values, (mean + error).values, color=colour, alpha=0.25,
                      linewidth=0, label=f"{label} band")
    return Line2D([], [], color=colour, linestyle=dashes, label=label)


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


def _point_file(points, choice: tuple[str, float, float], name: str,
                variables: Sequence[str]) -> xr.Dataset:
    path = point_folder(points, *choice) / name
    remedy = f"run `snakemake -- {path.parent / 'summary.nc'}`"
    data = read(path, remedy)
    lacking = [variable for variable in variables if variable not in data]
    if lacking:
        raise UserError(f"{path}: has no variable {lacking[0]}; {remedy}")
    return data


def _nearest(coordinate: xr.DataArray, value: float | None) -> float:
    value = PRESSURE if value is None else value
    return float(coordinate.sel({coordinate.dims[0]: value}, method="nearest"))


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure outside pyplot's bookkeeping; sizes in inches."""
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots()


def _legend(figure: Figure, handles: list, columns: int) -> None:
    """Above the axes: never on the data."""
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=columns,
                      columnspacing=1.2)


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


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left")


def _say_if_empty(axes: Axes, *arrays: xr.DataArray) -> None:
    if not any(array.notnull().any() for array in arrays):
        axes.text(0.5, 0.5, "no finished point", transform=axes.transAxes, ha="center",
                  va="center", color="0.4", backgroundcolor="white")


def _grid_ticks(axis, values: np.ndarray) -> None:
    """Ticks at the grid values while they are few and far enough apart to be read."""
    spacing = np.diff(values).min(initial=np.inf)
    if len(values) <= 7 and spacing >= 0.08 * np.ptp(values):
        axis.set_major_locator(matplotlib.ticker.FixedLocator(values))
        axis.set_major_formatter(matplotlib.ticker.FuncFormatter(lambda value, _: f"{value:g}"))


def _halo():
    """White rim that keeps black marks readable on dark cells."""
    return matplotlib.patheffects.withStroke(linewidth=1.8, foreground="white")


def save(figure: Figure, path: Path) -> Path:
    """Write without dates, so that the same data give the same file."""
    metadata = {"png": None, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
    suffix = path.suffix[1:]
    with atomic_path(path) as aside, matplotlib.style.context(STYLE):
        figure.savefig(aside, format=suffix, metadata=metadata[suffix])
    return path
