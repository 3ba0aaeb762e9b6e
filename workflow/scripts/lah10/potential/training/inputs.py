"""deepmd-kit's input for a training: a template with data, steps and seeds filled in."""

import copy
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.potential.data import neighbours
from lah10.potential.data.preparation import read_entry, read_index
from lah10.potential.data.systems import System
from lah10.potential.training import multipoles, preconditioning

CHECKPOINT = "model.ckpt"
CURVE = "lcurve.out"


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
            f"training input: model.type_map: expected {list(ELEMENTS)}, got "
            f"{model.get('type_map')}"
        )
    if steps % checkpoint_steps:
        raise UserError(
            f"training: expected steps that are a multiple of those between checkpoints, "
            f"{checkpoint_steps}, or the last would be lost, got {steps}"
        )
    index_path = Path(index_path).resolve()
    index = read_index(index_path)
    entries, probability = _shared(index["train"], shares or {})
    systems = [read_entry(index_path, entry) for entry in entries]
    for descriptor in descriptors(model.get("descriptor", {})):
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


def descriptors(descriptor: dict) -> list[dict]:
    """The descriptor, or those that a hybrid one consists of."""
    return descriptor["list"] if descriptor.get("type") == "hybrid" else [descriptor]


def _check_neighbours(
    cutoff: float,
    sel: Sequence[int] | str | None,
    systems: Sequence[System],
    where: str = "sel",
) -> None:
    """Refuse a `sel` that cannot hold the neighbours in the data: surplus ones are left out."""
    if not isinstance(sel, Sequence) or isinstance(sel, str):
        return
    most = np.max([neighbours.most_neighbours(s, cutoff) for s in systems], axis=0)
    if any(has > room for has, room in zip(most, sel, strict=True)):
        raise UserError(
            f"training input: descriptor.{where}: expected {most.tolist()} or more, the neighbours "
            f"({', '.join(ELEMENTS)}) in the data within {cutoff:g} Å, got {list(sel)}"
        )


def without_paths(content: dict) -> dict:
    """A training's input without the data's places: what makes it this training, anywhere."""
    known = copy.deepcopy(content)
    for part in ("training_data", "validation_data"):
        known["training"].get(part, {}).pop("systems", None)
    return known
