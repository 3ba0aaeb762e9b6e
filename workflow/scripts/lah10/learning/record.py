"""The record of a round, and the summary of all rounds."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lah10.config.training import LEARNT
from lah10.io.files import atomic_path, sha256
from lah10.io.json import read_json, write_json
from lah10.io.text import markdown
from lah10.potential.data import labels, preparation
from lah10.potential.data.systems import System
from lah10.potential.evaluate import evaluate_all
from lah10.potential.validation import held_out

#: For the record of a round that cannot be read.
REMEDY = "remove it, and it is made anew"


def record(
    selection: str | os.PathLike,
    files: Sequence[str | os.PathLike],
    before: Sequence[str | os.PathLike],
    after: Sequence[str | os.PathLike],
    index: str | os.PathLike | None,
    path: str | os.PathLike,
    threads: int = 1,
) -> dict:
    """Write what a round found and did (JSON).

    Parameters
    ----------
    selection : path
        What `select` wrote.
    files : sequence of path
        The labels of what was selected, or why there are none; empty once the models agree.
    before, after : sequence of path
        The committee before and after the round's training.
    index : path or None
        The data that were trained on (`prepare`).

    Returns
    -------
    dict
        What `select` returned, and labelled (names); failed (reason by name); trained (paths and
        SHA-256); errors, `before` and `after`, of each model on the round's labels ("new_labels",
        of which the models before the training knew nothing) and on what the split holds out
        ("held_out"): frames, energy_rmse (meV/atom, after one constant a set), force_rmse (eV/Å),
        pressure_rmse (GPa).

    Raises
    ------
    UserError
        A file is absent or was cut short, or a model cannot be run.
    """
    result = read_json(selection, REMEDY)
    found = {Path(file).stem: labels.read(file) for file in files}
    result["labelled"] = [name for name, label in found.items() if label.reason is None]
    result["failed"] = {n: label.reason for n, label in found.items() if label.reason is not None}
    result["trained"] = [{"path": str(model), "sha256": sha256(model)} for model in after]
    result["errors"] = {}
    if index is not None:
        mine = f"{LEARNT}/round{result['round']}"
        parts = {
            "new_labels": [
                system
                for system in preparation.read_part(index, "train")
                if system.name == mine or system.name.startswith(f"{mine}/")
            ],
            "held_out": preparation.read_part(index, "test"),
        }
        for name, systems in parts.items():
            if systems:
                result["errors"][name] = {
                    "before": errors(before, systems, threads),
                    "after": errors(after, systems, threads),
                }
    write_json(path, result)
    return result


def errors(
    models: Sequence[str | os.PathLike], systems: Sequence[System], threads: int = 1
) -> list[dict]:
    """Of each model on labelled frames: frames, energy_rmse, force_rmse, pressure_rmse.

    Units as those of `held_out.errors`: meV/atom, eV/Å, GPa.
    """
    kept = ("frames", "energy_rmse", "force_rmse", "pressure_rmse")
    result = []
    for predictions in evaluate_all(models, systems, threads):
        everything = held_out.errors(held_out.compare(systems, predictions))
        result.append({key: everything[key] for key in kept})
    return result


def summarise(
    records: Sequence[str | os.PathLike],
    compressed: Sequence[str | os.PathLike],
    table: str | os.PathLike,
    text: str | os.PathLike,
) -> dict:
    """All rounds in one file (JSON) and as a table to read (Markdown).

    Parameters
    ----------
    records : sequence of path
        What `record` wrote, in the order of rounds.
    compressed : sequence of path
        The committee that came out, to be named in a campaign.
    """
    rounds = [read_json(path, REMEDY) for path in records]
    last = rounds[-1]
    result = {
        "converged": last["converged"],
        "rounds": rounds,
        "committee": [{"path": str(model), "sha256": sha256(model)} for model in compressed],
    }
    ended = (
        f"The models agree: in round {last['round']} {last['above']:.2%} of the frames have a "
        f"deviation of {last['lower']:g} eV/Å or more, below the limit of {last['limit']:.2%}."
        if last["converged"]
        else f"Not yet agreed: {last['above']:.2%} of the frames of round {last['round']} have a "
        f"deviation of {last['lower']:g} eV/Å or more, the limit is {last['limit']:.2%}, and no "
        "further round follows. What the last training brought shows in a further round "
        "(`learn.rounds`)."
    )
    lines = [
        "# Active learning",
        "",
        ended,
        "",
        "Force RMSE (eV/Å) and energy RMSE (meV/atom, after one constant a set) are means over "
        "the committee, before → after the round's training. Before it the round's labels were "
        "unknown to the models: that column is a test, the other is not. Held-out sets are never "
        "trained on.",
        "",
    ]
    header = ("round", "frames", "above", "beyond", "broken points", "selected", "labelled",
              "failed", "force, new labels", "energy, new labels", "force, held out")  # fmt: skip
    rows = []
    for one in rounds:
        broken = sum(point["status"] != "ok" for point in one["points"].values())
        cells = [
            one["round"],
            one["frames"],
            f"{one['above']:.2%}",
            f"{one['beyond']:.2%}",
            f"{broken} of {len(one['points'])}",
            len(one["selected"]),
            len(one["labelled"]),
            len(one["failed"]),
            _change(one, "new_labels", "force_rmse", ".3f"),
            _change(one, "new_labels", "energy_rmse", ".1f"),
            _change(one, "held_out", "force_rmse", ".3f"),
        ]
        rows.append(cells)
    lines += [markdown(header, rows), ""]
    lines += ["The committee, for `potential.model` and `potential.committee`:", ""]
    lines += [f"- `{model}`" for model in compressed] or ["- the one that started"]
    with atomic_path(text) as aside:
        aside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(table, result)
    return result


def _change(one: dict, part: str, key: str, form: str) -> str:
    if part not in one["errors"]:
        return "–"
    means = (np.mean([m[key] for m in one["errors"][part][when]]) for when in ("before", "after"))
    return " → ".join(format(mean, form) for mean in means)
