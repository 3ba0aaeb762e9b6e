"""Do protons diffuse at a point? Campaigns of several frictions and baths in a table and a figure.

    python benchmarks/bath/diffusion.py results/five-kelvin-* --figure docs/figures/five_kelvin.png

Each folder is a finished campaign of a single point (config/five-kelvin.yaml says how to run
them). The tables are Markdown, a line a run and a line a bath, of which several runs differ in
their seeds; docs/results/five-kelvin.md says what they mean.
"""

import argparse
import json
import sys
from pathlib import Path

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from lah10 import units
from lah10.campaign.grid import point_folder
from lah10.campaign.table import DIFFUSION_UNIT, diffusion
from lah10.errors import UserError
from lah10.figures.style import read, save, styled
from lah10.io.text import markdown, plus_minus
from lah10.schema import FLAGS

COLUMNS = (
    "bath",
    "D of H (10⁻⁶ cm²/s)",
    "sites of H with another proton at the end",
    "bare slope (Å²/ps)",
    "MSD′ (Å²)",
    "Lindemann ratio of H",
    "T_H, γ-deconvolved (harmonic), K",
    "T_La, same, K",
    "kinetic energy ratio of La",
    "bath ok",
)
#: Okabe and Ito's colours, told apart by all.
TOGETHER = (
    "bath",
    "runs",
    "D of H, mean (10⁻⁶ cm²/s)",
    "D by the exchanges, at least",
    "runs with an exchange",
    "sites of H with another proton at the end",
    "kinetic energy ratio of La",
    "kinetic energy ratio of H",
)
COLOURS = ("#D55E00", "#CC79A7", "#0072B2", "#009E73", "#E69F00", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("campaigns", nargs="+", type=Path, help="results/<campaign>")
    parser.add_argument("--figure", type=Path, help=".png, .pdf or .svg to draw")
    arguments = parser.parse_args()
    try:
        found = sorted((point(folder) for folder in arguments.campaigns), key=order)
    except UserError as error:
        sys.exit(str(error))
    print(markdown(COLUMNS, (row(*run) for run in found)), "\n")
    print(markdown(TOGETHER, map(together, by_bath(found).values())))
    harmonic = found[0][0].harmonic_temperature_element
    crystal = ", ".join(f"{float(harmonic.sel(element=e)):.0f} K {e}" for e in ("H", "La"))
    print(f"\nKinetic temperatures of the harmonic crystal: {crystal}.")
    if arguments.figure:
        save(draw(found), arguments.figure)


def point(folder: Path) -> tuple[xr.Dataset, xr.Dataset]:
    """The one point of a campaign, and its displacements."""
    remedy = "config/five-kelvin.yaml says how to run such campaigns"
    dataset = read(folder / "phase_diagram.nc", remedy)
    if dataset.theta_large.size != 1:
        raise UserError(f"{folder}: expected a campaign of one point, got several")
    at = (str(dataset.bath.item()), dataset.pressure.item(), dataset.temperature.item())
    motion = read(point_folder(folder / "points", *at) / "diffusion.nc", remedy)
    return dataset.squeeze(), motion


def friction(data: xr.Dataset) -> float:
    """γ, 1/ps."""
    return float(json.loads(data.attrs["config"])["bath"]["friction"].split()[0])


def order(run: tuple[xr.Dataset, xr.Dataset]) -> tuple:
    """Plain baths first, from weak to strong friction, seed by seed."""
    data, _ = run
    return data.bath.item() == "adqtb", friction(data), int(data.attrs["seed"])


def bath(data: xr.Dataset) -> str:
    """The bath and its friction."""
    word = {"qtb": "QTB", "adqtb": "adaptive", "classical": "classical"}[data.bath.item()]
    return f"{word}, {friction(data):g} ps⁻¹"


def name(data: xr.Dataset) -> str:
    """The same, and the seed if it is not the first."""
    seed = int(data.attrs["seed"])
    return bath(data) + (f", seed {seed}" if seed > 1 else "")


def by_bath(found: list[tuple[xr.Dataset, xr.Dataset]]) -> dict[str, list]:
    """The runs of each bath and friction."""
    groups: dict[str, list] = {}
    for run in found:
        groups.setdefault(bath(run[0]), []).append(run)
    return groups


def row(data: xr.Dataset, motion: xr.Dataset) -> list[str]:
    """The cells of a line of the table of runs."""
    proton, lanthanum = data.sel(element="H"), data.sel(element="La")
    ok = {value: text for text, value in FLAGS["quantum_bath_ok"].items()}
    return [
        name(data),
        diffusion(data),
        f"{float(motion.exchanged_share[-1]):.0%}",
        number(proton, "msd_slope"),
        number(proton, "reordered_msd"),
        number(proton, "lindemann"),
        *(
            f"{number(one, 'kinetic_temperature_deconvolved')} "
            f"({number(one, 'kinetic_temperature_expected')})"
            for one in (proton, lanthanum)
        ),
        number(lanthanum, "kinetic_energy_ratio"),
        ok[int(data.quantum_bath_ok)].replace("_", " "),
    ]


def together(runs: list[tuple[xr.Dataset, xr.Dataset]]) -> list[str]:
    """The cells of a line of the table of baths.

    The error of a mean over seeds is that of their scatter, or what the runs' own errors make of it
    if they are larger; runs with too few events for a value are left out of it. Where no run has an
    event, their limits bound the rate of exchanges together: a limit falls as one over the time in
    which none was seen. The same is not true of limits from a few events, which are not pooled.
    """
    exchanged = np.array([float(motion.exchanged_share[-1]) for _, motion in runs])
    hopped = [events(data) > 0 for data, _ in runs]
    known = [run for run in runs if np.isfinite(run[0].sel(element="H").diffusion)]
    cells = [bath(runs[0][0]), str(len(runs)), mean(known, "H", "diffusion", 1 / DIFFUSION_UNIT)]
    if known and len(known) < len(runs):
        cells[-1] += f" (of {len(known)} runs)"
    limits = np.array([float(data.sel(element="H").diffusion_limit) for data, _ in runs])
    if not any(hopped):
        limit = 1 / np.sum(1 / limits) / DIFFUSION_UNIT
        cells[-1] += f"< {limit:.2g} (no hop, 95 %)"
    elif not known:
        seen = f"{sum(events(data) for data, _ in runs):.0f} events"
        least = limits.min() / DIFFUSION_UNIT
        cells[-1] += f"< {least:.2g} (the least of {len(runs)} runs, {seen}, 95 %)"
    span = f"{exchanged.min():.0%} to {exchanged.max():.0%}" if len(runs) > 1 else ""
    return [
        *cells,
        plus_minus(*by_exchanges(runs)),
        f"{sum(hopped)}",
        f"{exchanged.mean():.0%}" + (f" ({span})" if span else ""),
        mean(runs, "La", "kinetic_energy_ratio"),
        mean(runs, "H", "kinetic_energy_ratio"),
    ]


def by_exchanges(runs: list[tuple[xr.Dataset, xr.Dataset]]) -> tuple[float, float]:
    """D of H (10⁻⁶ cm²/s) by the sites that have another proton at the end, and its error.

    The share of such sites times the square of the distance of neighbouring sites, over six times
    the length of the run: at least that much, as a proton may have moved on or come back. A burst
    counts whenever it comes, where a slope hardly sees one near an end. The error is that of the
    scatter over runs; of one run there is none.
    """
    found = []
    for data, motion in runs:
        share = motion.exchanged_share.values[-1]
        time = float(motion.frame_time[-1] - motion.frame_time[0])
        hop = float((motion.rms_displacement / data.lindemann).sel(element="H"))
        found.append(share * hop**2 / (6 * time) * units.A2_PER_PS_IN_CM2_PER_S / DIFFUSION_UNIT)
    error = np.std(found, ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
    return float(np.mean(found)), float(error)


def events(data: xr.Dataset) -> float:
    """Exchanges of protons, and hops that do not close to one, that a run saw.

    Raises
    ------
    UserError
        The run is older than their count.
    """
    if "exchange_events" not in data:
        raise UserError(
            f"{data.attrs.get('campaign', 'campaign')}: has no exchange_events; analyse its point "
            "again"
        )
    return float(data.exchange_events.sel(element="H"))


def mean(runs: list, element: str, variable: str, scale: float = 1.0) -> str:
    """Mean over runs ± standard error; nothing of none."""
    if not runs:
        return ""
    of_element = [data.sel(element=element) for data, _ in runs]
    values, errors = (
        scale * np.array([float(data[f"{variable}{end}"]) for data in of_element])
        for end in ("", "_stderr")
    )
    count = len(values)
    error = np.sqrt((errors**2).sum()) / count
    if count > 1:
        error = max(error, values.std(ddof=1) / np.sqrt(count))
    return plus_minus(values.mean(), error)


def number(data: xr.Dataset, variable: str, scale: float = 1.0) -> str:
    """Value ± standard error."""
    return plus_minus(*(scale * float(data[f"{variable}{end}"]) for end in ("", "_stderr")))


@styled
def draw(found: list[tuple[xr.Dataset, xr.Dataset]]) -> Figure:
    """Mean square displacement of H, all (left) and with protons reordered (right)."""
    figure = Figure(figsize=(5.6, 2.9))
    panels = figure.subplots(1, 2, sharex=True)
    curves = (("msd", "mean square displacement of H (Å$^2$)"), ("reordered_msd", "MSD′ (Å$^2$)"))
    last = max(float(motion.time[-1]) for _, motion in found)
    for axes, (variable, label) in zip(panels, curves, strict=True):
        for (label_of, runs), colour, dashes in zip(
            by_bath(found).items(), COLOURS, DASHES, strict=False
        ):
            for i, (_, motion) in enumerate(runs):
                motion = motion.sel(element="H")
                curve, error = motion[variable], motion[f"{variable}_stderr"]
                axes.plot(motion.time, curve, color=colour, linestyle=dashes,
                          linewidth=1.0, label=None if i else label_of)  # fmt: skip
                axes.fill_between(motion.time, curve - error, curve + error, color=colour,
                                  alpha=0.2, linewidth=0)  # fmt: skip
        axes.set(xlabel="time (ps)", ylabel=label, xlim=(0.0, last))
        axes.set_ylim(bottom=0.0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


if __name__ == "__main__":
    main()
