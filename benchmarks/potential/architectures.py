"""Accuracy against speed of several architectures, each trained alike for a short while.

    snakemake prepare_dataset
    PYTHONPATH=workflow/scripts python benchmarks/potential/architectures.py --steps 2500

Every architecture gets the same data, steps, schedule and losses (resources/potentials/lah10/
stage1.json), then it is frozen, compressed, validated on every few frames of the held-out
published sets, and timed in turns with all others on one core. So short a training ranks
architectures by what they learn in the time, not by what they would reach in the end: the shipped
model's card tells that of one. Finished models are kept in --folder; the same command goes on.
"""

import argparse
import json
import sys
from pathlib import Path

import compare
import matplotlib.style
import seaborn as sns
from matplotlib.figure import Figure

from lah10.errors import UserError
from lah10.figures import STYLE
from lah10.files import atomic_path
from lah10.potential import preparation, training, validation
from lah10.potential.evaluate import evaluate

TEMPLATE = compare.SHIPPED / "stage1.json"
#: Changes of the template: descriptor, fitting net.
ARCHITECTURES = {
    "3.5 Å, 16-32-64/12, 128³": ({}, {}),
    "3.0 Å, 16-32-64/12, 128³": ({"rcut": 3.0}, {}),
    "4.0 Å, 16-32-64/12, 128³": ({"rcut": 4.0, "sel": [15, 150]}, {}),
    "3.5 Å, 8-16-32/12, 128³": ({"neuron": [8, 16, 32]}, {}),
    "3.5 Å, 25-50-100/12, 128³": ({"neuron": [25, 50, 100]}, {}),
    "3.5 Å, 16-32-64/4, 128³": ({"axis_neuron": 4}, {}),
    "3.5 Å, 16-32-64/12, 240³": ({}, {"neuron": [240, 240, 240]}),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2500, help="of each training")
    parser.add_argument("--index", default=compare.PREPARED, help="prepared data")
    parser.add_argument("--every", type=int, default=6, help="validate on every … frame")
    parser.add_argument("--folder", default="results/potential/architectures")
    parser.add_argument("--threads", type=int, default=1, help="of each training")
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    systems = [
        system.select(list(range(0, len(system), arguments.every)))
        for system in preparation.read_part(arguments.index, "test")
        if system.name.startswith("ly-ceperley/ensemble")
    ]
    models, errors = {}, {}
    for k, name in enumerate(ARCHITECTURES):
        models[name] = trained(name, folder / f"{k}", arguments)
        data = validation.compare(systems, evaluate(models[name], systems))
        errors[name] = validation.tabulate(data)["sources"]["ly-ceperley"]
        print(f"{name}: {errors[name]['force_rmse']:.4f} eV/Å", file=sys.stderr, flush=True)
    speed = compare.measure_speed(models, 40, 6)
    rows = [
        {
            "architecture": entry["name"],
            "katom_steps_per_second": entry["katom_steps_per_second"],
            **{key: errors[entry["name"]][key] for key in ("force_rmse", "energy_rmse", "frames")},
        }
        for entry in speed["models"]
    ]
    print(table(rows, arguments.steps, speed["processor"]))
    with atomic_path(folder / "architectures.json") as aside:
        aside.write_text(json.dumps({"steps": arguments.steps, "rows": rows}, indent=1) + "\n")
    draw(rows, folder / "architectures.png")


def trained(name: str, folder: Path, arguments: argparse.Namespace) -> Path:
    """The compressed model of an architecture, trained if it is not there yet."""
    template = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    descriptor, fitting = ARCHITECTURES[name]
    template["model"]["descriptor"] |= descriptor
    template["model"]["fitting_net"] |= fitting
    log = (folder / "log").resolve()
    content = training.training_input(template, arguments.index, arguments.steps, 1, 500)
    training.train([content], arguments.index, folder, log, threads=arguments.threads)
    # Beside the checkpoints, which a training of another input sweeps away.
    stage = training.stage_folder(folder, 0)
    frozen, model = stage / "frozen.pb", stage / "model.pb"
    if not model.is_file():
        training.freeze(stage, frozen, log)
        samples = preparation.samples(arguments.index)
        closest = preparation.closest_folder(arguments.index)
        training.compress(frozen, model, content, closest, samples, log)
    return model


def table(rows: list[dict], steps: int, processor: str) -> str:
    lines = [
        f"\n{steps} training steps each; held-out published frames; 352 atoms on one core "
        f"({processor})\n",
        "| architecture | katom-step/s | force (eV/Å) | energy (meV/atom) |",
        "|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: -row["katom_steps_per_second"]):
        lines.append(
            f"| {row['architecture']} | {row['katom_steps_per_second']:.2f} "
            f"| {row['force_rmse']:.4f} | {row['energy_rmse']:.2f} |"
        )
    return "\n".join(lines)


def draw(rows: list[dict], path: Path) -> None:
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(4.2, 3.0))
        axes = figure.subplots()
        for row, colour in zip(rows, sns.color_palette("colorblind", len(rows)), strict=True):
            axes.plot(
                row["katom_steps_per_second"],
                row["force_rmse"],
                "o",
                color=colour,
                label=row["architecture"],
            )
        axes.set(xlabel="katom-step/s", ylabel="held-out force error (eV/Å)")
        axes.legend(fontsize=6)
        with atomic_path(path) as aside:
            figure.savefig(aside, format="png")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
