"""Do protons diffuse at a point? Campaigns of several frictions and baths in a table and a figure.

    export PYTHONPATH=workflow/scripts
    python benchmarks/bath/diffusion.py results/five-kelvin-{1,5,20,adqtb} \
        --figure docs/figures/five_kelvin.png

Each folder is a finished campaign of a single point (config/five-kelvin.yaml says how to run
them). The table is Markdown; docs/methods.md says what it means.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from lah10.errors import UserError
from lah10.figures import read, save, styled
from lah10.phase_diagram import FLAGS, point_folder
from lah10.tables import DIFFUSION_UNIT

COLUMNS = (
    "bath",
    "D of H (10⁻⁶ cm²/s)",
    "from (ps)",
    "sites of H with another proton at the end",
    "bare slope (Å²/ps)",
    "MSD′ (Å²)",
    "Lindemann ratio of H",
    "T_H, freed of γ (harmonic), K",
    "T_La, same, K",
    "energy in La's modes, of what is theirs",
    "bath ok",
)
#: Okabe and Ito's colours, told apart by all.
COLOURS = ("#D55E00", "#CC79A7", "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#000000", "#F0E442")
DASHES = ("-", "--", "-.", (0, (5, 1)), (0, (1, 1)), ":", (0, (1, 3)), (0, (5, 5)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("campaigns", nargs="+", type=Path, help="results/<campaign>")
    parser.add_argument("--figure", type=Path, help=".png, .pdf or .svg to draw")
    arguments = parser.parse_args()
    try:
        found = [point(folder) for folder in arguments.campaigns]
    except UserError as error:
        sys.exit(str(error))
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    for data, motion in found:
        print("| " + " | ".join(row(data, motion)) + " |")
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
        raise UserError(f"{folder}: has several points; a campaign of one is allowed")
    at = (str(dataset.bath.item()), dataset.pressure.item(), dataset.temperature.item())
    motion = read(point_folder(folder / "points", *at) / "diffusion.nc", remedy)
    return dataset.squeeze(), motion


def name(data: xr.Dataset) -> str:
    """The bath and its friction, and the seed if it is not the first."""
    bath = {"qtb": "QTB", "adqtb": "adaptive", "classical": "classical"}[data.bath.item()]
    friction = json.loads(data.attrs["config"])["bath"]["friction"].split()[0]
    seed = int(data.attrs["seed"])
    return f"{bath}, {friction} ps⁻¹" + (f", seed {seed}" if seed > 1 else "")


def row(data: xr.Dataset, motion: xr.Dataset) -> list[str]:
    """The cells of a line of the table.

    D is that of the production after what is left of equilibration in it, whose end stands beside;
    the exchanges are those of the whole production.
    """
    proton, lanthanum = data.sel(element="H"), data.sel(element="La")
    diffusion = number(proton, "diffusion", 1 / DIFFUSION_UNIT)
    limit = float(proton.diffusion_limit) / DIFFUSION_UNIT
    if np.isfinite(limit):
        diffusion += f", no hop: < {limit:.2g} (95 %)"
    ok = {value: text for text, value in FLAGS["quantum_bath_ok"].items()}
    return [
        name(data),
        diffusion,
        f"{float(data.equilibration_time):.1f}",
        f"{float(motion.exchanged_share[-1]):.0%}",
        number(proton, "msd_slope"),
        number(proton, "reordered_msd"),
        number(proton, "lindemann"),
        *(
            f"{number(one, 'kinetic_temperature_deconvolved')} "
            f"({number(one, 'kinetic_temperature_expected')})"
            for one in (proton, lanthanum)
        ),
        number(lanthanum, "mode_occupation"),
        ok[int(data.quantum_bath_ok)].replace("_", " "),
    ]


def number(data: xr.Dataset, variable: str, scale: float = 1.0) -> str:
    """Value ± standard error, both with the decimals of the error's two leading digits."""
    value, error = (scale * float(data[f"{variable}{end}"]) for end in ("", "_stderr"))
    if not error > 0:
        return f"{value:.3g}"
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


@styled
def draw(found: list[tuple[xr.Dataset, xr.Dataset]]) -> Figure:
    """Mean square displacement of H, all (left) and with protons reordered (right)."""
    figure = Figure(figsize=(5.6, 2.9))
    panels = figure.subplots(1, 2, sharex=True)
    curves = (("msd", "mean square displacement of H (Å$^2$)"), ("reordered_msd", "MSD′ (Å$^2$)"))
    last = max(float(motion.time[-1]) for _, motion in found)
    for axes, (variable, label) in zip(panels, curves, strict=True):
        for (data, motion), colour, dashes in zip(found, COLOURS, DASHES, strict=False):
            motion = motion.sel(element="H")
            mean, error = motion[variable], motion[f"{variable}_stderr"]
            axes.plot(motion.time, mean, color=colour, linestyle=dashes, label=name(data))
            axes.fill_between(motion.time, mean - error, mean + error, color=colour, alpha=0.25,
                              linewidth=0)  # fmt: skip
        axes.set(xlabel="time (ps)", ylabel=label, xlim=(0.0, last))
        axes.set_ylim(bottom=0.0)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return figure


if __name__ == "__main__":
    main()
