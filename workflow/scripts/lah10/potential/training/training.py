"""Train, freeze and compress a model with deepmd-kit's own commands (TensorFlow backend).

Every command runs as a child process in the training's folder and writes its output to the job's
log. A training goes on from its last checkpoint when its input and data are the same, and starts
anew when they are not. It holds a lock that its child inherits, so two never write the same
checkpoints, even after the parent was killed.
"""

import copy
import fcntl
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io.files import atomic_path, sha256
from lah10.io.json import write_json
from lah10.potential.data import dataset
from lah10.potential.data.preparation import read_entry, read_index, read_part, samples
from lah10.potential.evaluate import evaluate_all, tensorflow_environment
from lah10.potential.training import dp_child, frozen_graph, multipoles, preconditioning

#: Networks as deepmd-kit has them.
NO_CHANGES = dp_child.Changes()

CHECKPOINT = "model.ckpt"
CURVE = "lcurve.out"
FINGERPRINT = "fingerprint.json"
#: In the folder of a conditioned stage: the graph it starts from, its coordinates, its result.
START, COORDINATES, FROZEN = "start.pb", "transformation.npz", "frozen.pb"

#: Name of the text in a frozen graph that holds the input of its training.
SCRIPT = "train_attr/training_script"
#: Spacing of a compressed model's tables, in units of the descriptor's scaled 1/r. deepmd-kit's
#: default of 0.01 makes the file twice as large and, in single precision, hardly anything better.
TABLE_STEP = 0.025
#: Largest difference that rewriting a model (compressed, multiplied out) may make, in double and in
#: single precision: see `difference`. Compressing the shipped models makes 6e-4, 2e-6 and 2e-5.
REWRITTEN = {
    "float64": {"force": 1e-5, "energy": 1e-7, "virial": 1e-6},
    "float32": {"force": 2e-3, "energy": 2e-5, "virial": 2e-4},
}


def training_input(
    template: dict,
    index_path: str | os.PathLike,
    steps: int,
    seed: int,
    checkpoint_steps: int,
    shares: Mapping[str, float] | None = None,
) -> dict:
    """deepmd-kit's input for one run: the template with data, steps and seeds filled in.

    Parameters
    ----------
    shares
        Share of the steps that a source ("lah10-gpaw-pbe") or a set ("ly-ceperley/r3m") takes;
        what is left goes to the others. Within a share, sets take steps by their size.

    Raises
    ------
    UserError
        The template has another type map, too few neighbours for the data (`sel`), a share names
        nothing that is trained on, or the steps are no multiple of those between checkpoints.
    """
    content = copy.deepcopy(template)
    preconditioning.asked_for(content)
    more = multipoles.asked_for(content)
    model = content.get("model", {})
    if model.get("type_map") != list(ELEMENTS):
        raise UserError(
            f"training input: model.type_map: {model.get('type_map')} is not allowed; "
            f"{list(ELEMENTS)} is"
        )
    if steps % checkpoint_steps:
        raise UserError(
            f"training: {steps} steps with a checkpoint every {checkpoint_steps} is not allowed; a "
            "multiple is, or the last steps would be lost"
        )
    index_path = Path(index_path).resolve()
    index = read_index(index_path)
    entries, probability = _shared(index["train"], shares or {})
    systems = [read_entry(index_path, entry) for entry in entries]
    for descriptor in _descriptors(model.get("descriptor", {})):
        _check_neighbours(descriptor["rcut"], descriptor.get("sel"), systems)
        descriptor["seed"] = 10 * seed + 1
    if more:
        _check_neighbours(more.cutoff, more.sel, systems, f"{multipoles.KEY}.sel")
    model.setdefault("fitting_net", {})["seed"] = 10 * seed + 2
    training = content.setdefault("training", {})
    data = training.setdefault("training_data", {})
    data |= {
        "systems": [str(index_path.parent / entry["folder"]) for entry in entries],
        "batch_size": data.get("batch_size", 1),
        "auto_prob": probability,
    }
    if index["test"]:
        data = training.setdefault("validation_data", {"batch_size": 1, "numb_btch": 4})
        data["systems"] = [str(index_path.parent / entry["folder"]) for entry in index["test"]]
    training |= {
        "numb_steps": steps,
        "seed": 10 * seed + 3,
        "save_freq": checkpoint_steps,
        # deepmd-kit looks for a checkpoint to write only where it writes to the curve.
        "disp_freq": math.gcd(checkpoint_steps, training.get("disp_freq", checkpoint_steps)),
        "save_ckpt": CHECKPOINT,
        "disp_file": CURVE,
    }
    return content


def _shared(entries: Sequence[dict], shares: Mapping[str, float]) -> tuple[list[dict], str]:
    """Entries of an index in the order of their shares, and deepmd-kit's text for these."""
    groups: dict[str | None, list[dict]] = {None: [], **{name: [] for name in shares}}
    for entry in entries:
        names = [n for n in shares if entry["name"] == n or entry["name"].startswith(f"{n}/")]
        groups[max(names, key=len, default=None)].append(entry)
    if unused := [name for name in shares if not groups[name]]:
        raise UserError(
            f"shares: nothing that is trained on belongs to {', '.join(unused)}; there are "
            f"{', '.join(entry['name'] for entry in entries)}"
        )
    text, at = "prob_sys_size", 0
    rest = 1 - sum(shares.values())
    ordered = []
    for name, members in groups.items():
        share = rest if name is None else shares[name]
        if members and shares:
            if share <= 0:
                raise UserError(
                    f"shares: nothing is left for {', '.join(e['name'] for e in members)}"
                )
            text += f";{at}:{at + len(members)}:{share:.6g}"
        at += len(members)
        ordered += members
    return ordered, text


def _descriptors(descriptor: dict) -> list[dict]:
    """The descriptor, or those that a hybrid one consists of."""
    return descriptor["list"] if descriptor.get("type") == "hybrid" else [descriptor]


def _check_neighbours(
    cutoff: float,
    sel: Sequence[int] | str | None,
    systems: Sequence[dataset.System],
    where: str = "sel",
) -> None:
    """Refuse a `sel` that cannot hold the neighbours in the data: surplus ones are left out."""
    if not isinstance(sel, Sequence) or isinstance(sel, str):
        return
    most = np.max([dataset.most_neighbours(s, cutoff) for s in systems], axis=0)
    if any(has > room for has, room in zip(most, sel, strict=True)):
        raise UserError(
            f"training input: descriptor.{where}: {list(sel)} is not allowed; the data have up to "
            f"{most.tolist()} neighbours ({', '.join(ELEMENTS)}) within {cutoff:g} Å"
        )


def train(
    stages: Sequence[dict],
    index_path: str | os.PathLike,
    folder: str | os.PathLike,
    log: str | os.PathLike,
    threads: int = 1,
    device: str = "cpu",
    start: str | os.PathLike | None = None,
) -> None:
    """Train all stages to their last steps, each from where the one before ended.

    A stage that stopped half-way goes on from its last checkpoint, if it is of the same input and
    data.

    Parameters
    ----------
    stages : sequence of dict
        Inputs of deepmd-kit (`training_input`).
    folder : path
        For the checkpoints, in stage1, stage2, …
    start : path, optional
        Frozen graph of the same shape, not compressed, that the first stage goes on from; without
        it the first stage starts from random weights.
    device : {"auto", "cpu", "gpu"}
        "auto" leaves it to TensorFlow, which takes a GPU where it sees one.

    Raises
    ------
    UserError
        Another training runs in the folder, deepmd-kit ended with an error, a stage adds features
        to a model that it cannot extend, or `device` is gpu where there is none.
    """
    _check_features(stages)
    if device == "gpu":
        _check_gpu()
    folder = Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / ".lock", "a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{folder}: another training runs there; wait for it to end, or end it"
            ) from None
        for i, content in enumerate(stages):
            _train_stage(
                content,
                fingerprint(stages[: i + 1], index_path, start),
                stage_folder(folder, i),
                stage_folder(folder, i - 1) if i else start,
                index_path,
                lambda arguments, where, changes=NO_CHANGES: run_dp(
                    arguments, where, log, threads, device, (handle.fileno(),), changes
                ),
            )


def _check_gpu() -> None:
    """Refuse to train on a GPU that is not there, where deepmd-kit would take the CPU instead."""
    code = "import sys, tensorflow; sys.exit(not tensorflow.config.list_physical_devices('GPU'))"
    run = subprocess.run(
        [sys.executable, "-c", code], env=tensorflow_environment(), capture_output=True, check=False
    )
    if run.returncode:
        raise UserError(
            "training: device: gpu is not allowed, TensorFlow sees no GPU here; cpu and auto are "
            "allowed (the pinned packages are those for CPUs: for a GPU install "
            "deepmd-kit[gpu,cu12])"
        )


def _check_features(stages: Sequence[dict]) -> None:
    """Refuse a stage with other features than the one before: only a conditioned one adds them."""
    for before, content in itertools.pairwise(stages):
        more = multipoles.asked_for(content)
        anew = more and preconditioning.asked_for(content)
        if more != multipoles.asked_for(before) and not anew:
            raise UserError(
                f"training input: {multipoles.KEY} has to be that of the stage before, unless it "
                f"is added by a stage that has {preconditioning.KEY}"
            )


def stage_folder(folder: str | os.PathLike, stage: int) -> Path:
    """Where the checkpoints of a training's stage (counted from 0) are."""
    return Path(folder, f"stage{stage + 1}")


def _train_stage(
    content: dict,
    mark: dict,
    folder: Path,
    before: str | os.PathLike | None,
    index_path: str | os.PathLike,
    run: Callable,
) -> None:
    """`before` is the folder of the stage before, or a frozen graph, or None."""
    done = checkpoint_step(folder) if _read(folder / FINGERPRINT) == mark else None
    steps = content["training"]["numb_steps"]
    if done is None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, value in (("input.json", content), (FINGERPRINT, mark)):
            write_json(folder / name, value)
    if before is not None and Path(before, FROZEN).is_file():
        before = Path(before, FROZEN)
    conditioned = preconditioning.asked_for(content)
    if done is None or done < steps:
        arguments = ["train", "--skip-neighbor-stat", "input.json"]
        if conditioned and done is None:
            _condition(content, folder, before, index_path, run)
            before = folder / START
        if done is not None:
            arguments[1:1] = ["--restart", f"{CHECKPOINT}-{done}"]
        elif before is not None and Path(before).is_file():
            arguments[1:1] = ["--init-frz-model", str(Path(before).resolve())]
        elif before is not None:
            start = before / f"{CHECKPOINT}-{checkpoint_step(before)}"
            arguments[1:1] = ["--init-model", os.path.relpath(start, folder)]
        run(
            arguments,
            folder,
            dp_child.Changes(
                multipoles.asked_for(content),
                folder / COORDINATES if conditioned else None,
                conditioned == "new",
            ),
        )
        if (done := checkpoint_step(folder)) is None or done < steps:
            raise UserError(f"{folder}: the training ended at step {done} of {steps}")
    if conditioned and not (folder / FROZEN).is_file():
        _fold(content, folder, index_path, run)


def _condition(
    content: dict,
    folder: Path,
    before: str | os.PathLike | None,
    index_path: str | os.PathLike,
    run: Callable,
) -> None:
    """Write the graph that a conditioned stage starts from, and its coordinates."""
    if before is None:
        raise UserError(
            f"training input: {preconditioning.KEY} is not allowed in the first stage; it takes a "
            "model to go on from"
        )
    if Path(before).is_dir():
        run(["freeze", "-c", ".", "-o", str(folder / START)], Path(before))
    else:
        shutil.copyfile(before, folder / START)
    if (more := multipoles.asked_for(content)) and not multipoles.present(folder / START, content):
        changes = dp_child.Changes(more, new_fitting=True)
        with tempfile.TemporaryDirectory(prefix="lah10-extend-") as scratch:
            multipoles.extend(
                folder / START,
                folder / START,
                content,
                scratch,
                lambda arguments, where: run(arguments, where, changes),
            )
    coordinates = preconditioning.transformation(
        folder / START, read_part(index_path, "train"), multipoles.blocks(content)
    )
    with atomic_path(folder / COORDINATES) as aside:
        np.savez(aside, **coordinates)


def _fold(content: dict, folder: Path, index_path: str | os.PathLike, run: Callable) -> None:
    """Write the model of a conditioned stage as an ordinary frozen graph."""
    with (
        tempfile.TemporaryDirectory(prefix="lah10-fold-") as scratch,
        atomic_path(folder / FROZEN) as aside,
    ):
        trained = Path(scratch, "trained.pb")
        run(["freeze", "-c", ".", "-o", str(trained)], folder)
        with np.load(folder / COORDINATES) as coordinates:
            preconditioning.fold(trained, folder / START, dict(coordinates), aside)
        change = difference(trained, aside, samples(index_path))
        _check_unchanged(change, content, f"{folder}: multiplying the coordinates out")


def checkpoint_step(folder: str | os.PathLike) -> int | None:
    """Steps done at the last complete checkpoint in a training's folder; None without one.

    TensorFlow writes the parts of a checkpoint one after the other, each whole, and deepmd-kit
    then renews its links to them one by one: the links may be gone after a kill, older parts not.
    """
    parts: dict[int, set[str]] = {}
    for file in Path(folder).glob(f"{CHECKPOINT}-*"):
        if match := re.fullmatch(
            rf"{re.escape(CHECKPOINT)}-(\d+)\.(index|meta|data-.*)", file.name
        ):
            parts.setdefault(int(match[1]), set()).add(match[2].split("-")[0])
    complete = [step for step, found in parts.items() if found == {"index", "meta", "data"}]
    return max(complete, default=None)


def without_paths(content: dict) -> dict:
    """A training's input without the data's places: what makes it this training, anywhere."""
    known = copy.deepcopy(content)
    for part in ("training_data", "validation_data"):
        known["training"].get(part, {}).pop("systems", None)
    return known


def fingerprint(
    stages: Sequence[dict],
    index_path: str | os.PathLike,
    start: str | os.PathLike | None = None,
) -> dict:
    """What makes a training this one: the inputs up to its stage, the data, and its start."""
    mark = {"inputs": [without_paths(content) for content in stages], "data": sha256(index_path)}
    return mark if start is None else mark | {"start": sha256(start)}


def publish(
    folder: str | os.PathLike,
    stages: Sequence[dict],
    content: str | os.PathLike,
    curve: str | os.PathLike,
) -> None:
    """Write what a training was asked (`content`, JSON) and its last stage's curve (`curve`)."""
    write_json(content, {"stages": [without_paths(stage) for stage in stages]})
    with atomic_path(curve) as aside:
        shutil.copyfile(stage_folder(folder, len(stages) - 1) / CURVE, aside)


def freeze(folder: str | os.PathLike, output: str | os.PathLike, log: str | os.PathLike) -> None:
    """Freeze the last checkpoint in a stage's folder into one graph (.pb).

    The model remembers its input (`SCRIPT`); no paths of this machine in it.
    """
    with atomic_path(Path(output).resolve()) as aside:
        if Path(folder, FROZEN).is_file():
            shutil.copyfile(Path(folder, FROZEN), aside)
        else:
            run_dp(["freeze", "-c", ".", "-o", str(aside)], Path(folder), log)
        content = json.loads(Path(folder, "input.json").read_text(encoding="utf-8"))
        frozen_graph.replace_text(aside, SCRIPT, json.dumps(without_paths(content)))


def compress(
    frozen: str | os.PathLike,
    output: str | os.PathLike,
    content: dict,
    closest: str | os.PathLike,
    samples: Sequence[dataset.System],
    log: str | os.PathLike,
    step: float = TABLE_STEP,
) -> dict[str, float]:
    """Tabulate the embedding networks of a frozen graph, and check that nothing changed.

    The sums of the result have a fixed order, so that every process finds the same bits.

    The tables reach five times closer than the shortest distance in the data (deepmd-kit's
    default), beyond which they are extrapolated.

    Parameters
    ----------
    content : dict
        The training's input. Of another shape than the model's it would give a wrong model
        without a word, which is why the result is checked.
    closest : path
        DeePMD folder with the shortest distance in the data; deepmd-kit looks for it slowly, so
        one frame is best.
    samples : sequence of System
        Frames on which both models are compared.
    step : float
        Spacing of the tables; the file's size goes with its inverse.

    Returns
    -------
    dict
        The largest changes, as `difference` has them.

    Raises
    ------
    UserError
        The compressed model differs from the frozen one.
    """
    frozen, output, closest = (Path(p).resolve() for p in (frozen, output, closest))
    content = without_paths(content)
    # The model remembers its input: no paths of this machine in it.
    content["training"]["training_data"] = {"systems": ["closest"], "batch_size": 1}
    content["training"].pop("validation_data", None)
    with (
        tempfile.TemporaryDirectory(prefix="lah10-compress-") as scratch,
        atomic_path(output) as aside,
    ):
        Path(scratch, "input.json").write_text(json.dumps(content), encoding="utf-8")
        Path(scratch, "closest").symlink_to(closest)
        Path(scratch, "frozen.pb").symlink_to(frozen)
        run_dp(
            ["compress", "-i", "frozen.pb", "-o", str(aside), "-t", "input.json", "-s", f"{step}"],
            scratch,
            log,
            changes=dp_child.Changes(multipoles.asked_for(content)),
        )
        frozen_graph.order_sums(aside)
        change = difference(frozen, aside, samples)
        _check_unchanged(
            change,
            content,
            f"{output}: compression",
            " Is the training input that of the frozen model?",
        )
    return change


def _check_unchanged(change: Mapping[str, float], content: dict, what: str, hint: str = "") -> None:
    """Raise UserError where a rewritten model differs (`difference`) beyond its precision."""
    precision = _descriptors(content["model"]["descriptor"])[0].get("precision", "float64")
    limits = REWRITTEN.get(precision, REWRITTEN["float64"])
    if not all(change[key] < limit for key, limit in limits.items()):
        told, allowed = (
            f"forces by {d['force']:.2g} eV/Å, energy by {d['energy']:.2g} eV/atom and virial by "
            f"{d['virial']:.2g} eV/atom"
            for d in (change, limits)
        )
        raise UserError(f"{what} changed {told}; at most {allowed} is allowed.{hint}")


def difference(
    one: str | os.PathLike, other: str | os.PathLike, systems: Sequence[dataset.System]
) -> dict[str, float]:
    """Largest differences of two models.

    Returns
    -------
    dict
        `force`, of a component, eV/Å; `energy`, eV/atom; `virial`, of a component, eV/atom.
    """
    pairs = list(zip(*evaluate_all([one, other], systems), systems, strict=True))
    return {
        "force": max(float(np.abs(a.forces - b.forces).max()) for a, b, _ in pairs),
        "energy": max(
            float(np.abs(a.energies - b.energies).max()) / s.n_atoms for a, b, s in pairs
        ),
        "virial": max(float(np.abs(a.virials - b.virials).max()) / s.n_atoms for a, b, s in pairs),
    }


def run_dp(
    arguments: Sequence[str],
    folder: str | os.PathLike,
    log: str | os.PathLike,
    threads: int = 1,
    device: str = "cpu",
    keep: Sequence[int] = (),
    changes: dp_child.Changes = NO_CHANGES,
) -> None:
    """Run `dp --tf …` in `folder`, its output appended to `log`.

    Parameters
    ----------
    keep
        File descriptors that the child inherits (a lock, held until the child ends).
    changes : Changes
        Networks that deepmd-kit does not have.

    Raises
    ------
    UserError
        deepmd-kit is not installed, or ended with an error; its last word is repeated.
    """
    program = Path(sys.executable).with_name("dp")
    command = [str(program) if program.is_file() else "dp", "--tf", *arguments]
    environment = tensorflow_environment(threads)
    if changes:
        command = dp_child.command(arguments)
        environment |= dp_child.environment(changes)
    if device == "cpu":
        environment["CUDA_VISIBLE_DEVICES"] = ""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a", encoding="utf-8") as handle:
        start = handle.tell()
        try:
            run = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=subprocess.STDOUT,
                pass_fds=keep,
                check=False,
            )
        except FileNotFoundError:
            raise UserError(
                "the program dp of deepmd-kit is not installed; run inside the environment that "
                "`make` sets up, or use envs/training.yaml"
            ) from None
    if run.returncode != 0:
        with open(log, encoding="utf-8", errors="replace") as handle:
            handle.seek(start)
            errors = [
                line.strip() for line in handle if re.match(r"[\w.]*(Error|Exception)\b", line)
            ]
        reason = errors[-1] if errors else f"status {run.returncode}"
        raise UserError(f"dp {arguments[0]} failed in {folder}: {reason}; see {log}")


def _read(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
