"""Compressed models, and whether a model that was rewritten is still the same."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lah10.errors import UserError
from lah10.io.files import atomic_path
from lah10.potential.data.systems import System
from lah10.potential.evaluate import evaluate_all
from lah10.potential.training import dp_child, frozen_graph, multipoles
from lah10.potential.training.dp import run_dp
from lah10.potential.training.inputs import descriptors, without_paths

#: Spacing of a compressed model's tables, in units of the descriptor's scaled 1/r. deepmd-kit's
#: default of 0.01 makes the file twice as large and, in single precision, hardly anything better.
TABLE_STEP = 0.025
#: Largest difference that rewriting a model (compressed, multiplied out) may make, in double and in
#: single precision: see `difference`. Compressing the shipped models makes 6e-4, 2e-6 and 2e-5.
REWRITTEN = {
    "float64": {"force": 1e-5, "energy": 1e-7, "virial": 1e-6},
    "float32": {"force": 2e-3, "energy": 2e-5, "virial": 2e-4},
}


def compress(
    frozen: str | os.PathLike,
    output: str | os.PathLike,
    content: dict,
    closest: str | os.PathLike,
    samples: Sequence[System],
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
        check_unchanged(
            change,
            content,
            f"{output}: compression",
            " Is the training input that of the frozen model?",
        )
    return change


def check_unchanged(change: Mapping[str, float], content: dict, what: str, hint: str = "") -> None:
    """Raise UserError where a rewritten model differs (`difference`) beyond its precision."""
    precision = descriptors(content["model"]["descriptor"])[0].get("precision", "float64")
    limits = REWRITTEN.get(precision, REWRITTEN["float64"])
    if not all(change[key] < limit for key, limit in limits.items()):
        found, allowed = (
            f"forces by {d['force']:.2g} eV/Å, energy by {d['energy']:.2g} eV/atom and virial by "
            f"{d['virial']:.2g} eV/atom"
            for d in (change, limits)
        )
        raise UserError(f"{what} changed {found}; expected at most {allowed}.{hint}")


def difference(
    one: str | os.PathLike, other: str | os.PathLike, systems: Sequence[System]
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
