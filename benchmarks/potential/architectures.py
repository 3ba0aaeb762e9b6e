"""Accuracy against speed of several architectures, each trained alike for a short while.

    snakemake prepare_dataset
    python benchmarks/potential/architectures.py

Every architecture gets the same data and steps, with the schedules and losses of the first two
stages of the shipped model's training (stage1.json and stage2.json in resources/potentials/lah10),
then it is frozen, compressed, validated on every few frames of the held-out published sets, and
timed in turns with all others on one core. So short a training ranks architectures by what they
learn in the time, not by what they would reach in the end: the shipped model's card tells that of
one. Finished models are kept in --folder; the same command goes on.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import compare
import matplotlib.style
import seaborn as sns
from matplotlib.figure import Figure

from lah10.config import training as settings
from lah10.errors import UserError
from lah10.figures.style import STYLE
from lah10.io.files import atomic_path
from lah10.io.json import write_json
from lah10.io.text import markdown
from lah10.potential.data import preparation
from lah10.potential.evaluate import evaluate
from lah10.potential.training import compression, inputs, multipoles, training
from lah10.potential.validation import held_out

TEMPLATES = [compare.SHIPPED / f"stage{stage}.json" for stage in (1, 2)]
#: Changes of the templates: descriptor, fitting net, multipoles (None: without any).
ARCHITECTURES = {
    "3.5 Å, 16-32-32/12, 128³; l ≤ 3 of 16/8 to 2.6 Å": ({}, {}, {}),
    "3.5 Å, 16-32-32/12, 128³; l ≤ 3 of 8/8 to 2.6 Å": ({}, {}, {"neurons": 8}),
    "3.5 Å, 16-32-32/12, 128³; l ≤ 2 of 16/8 to 2.6 Å": ({}, {}, {"l_max": 2}),
    "3.5 Å, 16-32-32/12, 128³; l ≤ 3 of 16/8 to 3.5 Å": ({}, {}, {"cutoff": 3.5, "sel": [12, 100]}),
    "3.5 Å, 16-32-32/12, 128³; l ≤ 2 of 8/6 to 2.2 Å": (
        {},
        {},
        {"l_max": 2, "neurons": 8, "axis_neurons": 6, "cutoff": 2.2, "sel": [4, 32]},
    ),
    "3.0 Å, 16-32-32/12, 64³; l ≤ 3 of 16/8 to 2.6 Å": (
        {"rcut": 3.0, "sel": [10, 70]},
        {"neuron": [64, 64, 64]},
        {},
    ),
    "3.0 Å, 8-16-16/8, 64³": (
        {"rcut": 3.0, "sel": [10, 70], "neuron": [8, 16, 16], "axis_neuron": 8},
        {"neuron": [64, 64, 64]},
        None,
    ),
    "3.5 Å, 16-32-32/12, 128³": ({}, {}, None),
    "3.5 Å, 25-50-100/16, 240³": (
        {"neuron": [25, 50, 100], "axis_neuron": 16},
        {"neuron": [240, 240, 240]},
        None,
    ),
}

#: Of them, the one of the shipped model.
SHIPPED = next(iter(ARCHITECTURES))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--steps", type=int, nargs=2, default=(1000, 2000), help="of each training's two stages"
    )
    parser.add_argument("--index", default=compare.PREPARED, help="prepared data")
    parser.add_argument("--every", type=int, default=6, help="validate on every … frame")
    parser.add_argument("--folder", default="results/potential/architectures")
    parser.add_argument("--threads", type=int, default=1, help="of each training")
    parser.add_argument(
        "--published",
        default=os.environ.get("LAH10_PUBLISHED_MODEL"),
        help="graph.pb of the published model (or LAH10_PUBLISHED_MODEL); fetched if not given",
    )
    arguments = parser.parse_args()
    folder = Path(arguments.folder)
    systems = [
        system.select(list(range(0, len(system), arguments.every)))
        for system in preparation.read_part(arguments.index, "test")
        if system.name.startswith("ly-ceperley/ensemble")
    ]
    models = {}
    with tempfile.TemporaryDirectory(prefix="lah10-architectures-") as scratch:
        source = settings.load_split(compare.SHIPPED / "split.yaml").sources[compare.SOURCE]
        if published := compare.published_model(source, arguments.published):
            models["published"] = compare.compressed(published, Path(scratch))
        for k, name in enumerate(ARCHITECTURES):
            models[name] = trained(name, folder / f"{k}", arguments)
        errors = {}
        for name, model in models.items():
            data = held_out.compare(systems, evaluate(model, systems))
            errors[name] = held_out.tabulate(data)["sources"]["ly-ceperley"]
            print(f"{name}: {errors[name]['force_rmse']:.4f} eV/Å", file=sys.stderr, flush=True)
        speed = compare.measure_speed(models, 40, 6)
    rows = [
        {
            "architecture": entry["name"],
            "katom_steps_per_second": entry["katom_steps_per_second"],
            "ratio": entry["ratio"],
            **{key: errors[entry["name"]][key] for key in ("force_rmse", "energy_rmse", "frames")},
        }
        for entry in speed["models"]
    ]
    print(table(rows, arguments.steps, speed["processor"]))
    write_json(folder / "architectures.json", {"steps": arguments.steps, "rows": rows})
    draw(rows, folder / "architectures.png")


def trained(name: str, folder: Path, arguments: argparse.Namespace) -> Path:
    """The compressed model of an architecture, trained if it is not there yet."""
    descriptor, fitting, more = ARCHITECTURES[name]
    stages = []
    for path, steps in zip(TEMPLATES, arguments.steps, strict=True):
        template = json.loads(path.read_text(encoding="utf-8"))
        template["model"]["descriptor"] |= descriptor
        template["model"]["fitting_net"] |= fitting
        if multipoles.KEY in template["model"]["descriptor"]:
            if more is None:
                del template["model"]["descriptor"][multipoles.KEY]
            else:
                template["model"]["descriptor"][multipoles.KEY] |= more
        stages.append(inputs.training_input(template, arguments.index, steps, 1, 500))
    content = stages[-1]
    log = (folder / "log").resolve()
    training.train(stages, arguments.index, folder, log, threads=arguments.threads)
    # Beside the checkpoints, which a training of another input sweeps away.
    stage = training.stage_folder(folder, len(stages) - 1)
    frozen, model = stage / "frozen.pb", stage / "model.pb"
    if not model.is_file():
        training.freeze(stage, frozen, log)
        samples = preparation.samples(arguments.index)
        closest = preparation.closest_folder(arguments.index)
        compression.compress(frozen, model, content, closest, samples, log)
    return model


def table(rows: list[dict], steps: list[int], processor: str) -> str:
    """Speed and errors of the models in Markdown, the fastest first."""
    title = (
        f"\n{' + '.join(map(str, steps))} training steps each (the published model: as published);"
        f" held-out published frames; 352 atoms on one core ({processor})\n"
    )
    header = ("architecture", "katom-step/s", "ratio", "force (eV/Å)", "energy (meV/atom)")
    lines = [
        (
            row["architecture"],
            f"{row['katom_steps_per_second']:.2f}",
            f"{row['ratio']:.2f}",
            f"{row['force_rmse']:.4f}",
            f"{row['energy_rmse']:.2f}",
        )
        for row in sorted(rows, key=lambda row: -row["katom_steps_per_second"])
    ]
    return f"{title}\n{markdown(header, lines)}"


def draw(rows: list[dict], path: Path) -> None:
    """Error against speed, with a line through those that no other beats in both.

    The published model stands beside the line: it was not trained alike.
    """
    rows = sorted(rows, key=lambda row: -row["katom_steps_per_second"])
    alike = [row for row in rows if row["architecture"] != "published"]
    best = [
        row
        for i, row in enumerate(alike)
        if all(row["force_rmse"] < other["force_rmse"] for other in alike[:i])
    ]
    with matplotlib.style.context(STYLE):
        figure = Figure(figsize=(6.8, 3.0))
        axes = figure.subplots()
        axes.plot(
            [row["katom_steps_per_second"] for row in best],
            [row["force_rmse"] for row in best],
            color="0.6",
            zorder=0,
        )
        for row, colour in zip(rows, sns.color_palette("husl", len(rows)), strict=True):
            published = row["architecture"] == "published"
            axes.plot(
                row["katom_steps_per_second"],
                row["force_rmse"],
                "s" if published else "*" if row["architecture"] == SHIPPED else "o",
                markersize=9 if row["architecture"] == SHIPPED else 5,
                linestyle="none",
                color="black" if published else colour,
                label=row["architecture"],
            )
        axes.set(
            xlabel="katom-step/s, 352 atoms, one core",
            ylabel="held-out force error (eV/Å)",
        )
        figure.legend(loc="outside right upper", fontsize=6)
        with atomic_path(path) as aside:
            figure.savefig(aside, format="png")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
