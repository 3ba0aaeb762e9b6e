"""Train and freeze a model with deepmd-kit's own commands.

A training goes on from its last checkpoint when its input and data are the same, and starts anew
when they are not. It holds a lock that its child inherits, so two never write the same checkpoints,
even after the parent was killed.
"""

import fcntl
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lah10.errors import UserError
from lah10.io import child
from lah10.io.files import atomic_path, sha256
from lah10.io.json import write_json
from lah10.potential.data.preparation import read_part, samples
from lah10.potential.training import dp_child, frozen_graph, multipoles, preconditioning
from lah10.potential.training.compression import check_unchanged, difference
from lah10.potential.training.dp import NO_CHANGES, run_dp
from lah10.potential.training.inputs import CHECKPOINT, CURVE, without_paths

FINGERPRINT = "fingerprint.json"
#: In the folder of a conditioned stage: the graph it starts from, its coordinates, its result.
START, COORDINATES, FROZEN = "start.pb", "transformation.npz", "frozen.pb"
#: Name of the text in a frozen graph that holds the input of its training.
SCRIPT = "train_attr/training_script"


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
        [sys.executable, "-c", code],
        env=child.quiet_environment(),
        capture_output=True,
        check=False,
    )
    if run.returncode:
        raise UserError(
            "training: device: expected cpu or auto, since TensorFlow finds no GPU here, got gpu "
            "(the pinned packages are those for CPUs: for a GPU install deepmd-kit[gpu,cu12])"
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
            f"training input: {preconditioning.KEY}: expected in a later stage, since it takes a "
            "model to go on from, got in the first"
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
        check_unchanged(change, content, f"{folder}: multiplying the coordinates out")


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
    """Write the inputs of a training (`content`, JSON) and its last stage's curve (`curve`)."""
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


def _read(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
