"""Which energy differences a model learns after its training, and what that changed.

The regression itself is `last_layer`'s. A group is what has one cell and one mesh: the
frames of one volume along a path between two crystals, or a pair of crystals with the same
displacements.
"""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lah10.config.differences import Differences
from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.potential.data.extended_xyz import to_systems, whole_frames
from lah10.potential.data.preparation import read_part
from lah10.potential.data.systems import System
from lah10.potential.training import last_layer

#: Volumes that are written with this many decimals are one.
PLACES = 3

logger = logging.getLogger(__name__)


def groups(files: Sequence[str | os.PathLike]) -> dict[str, System]:
    """Labelled frames by group: "<file>/volume 33.2" or "<file>/pair 4 at 33.2".

    Raises
    ------
    UserError
        A frame has no volume or no labels, or a group has frames of different compositions or
        meshes, or a single one.
    """
    found: dict[str, list] = defaultdict(list)
    for file in files:
        for i, atoms in enumerate(whole_frames(Path(file))):
            if "volume" not in atoms.info:
                raise UserError(
                    f"{file} frame {i}: no volume in its comment line; expected volume=… (Å³ per "
                    "formula unit), as `snakemake phase_structures` writes it"
                )
            volume = f"{round(float(atoms.info['volume']), PLACES):g}"
            name = f"volume {volume}"
            if "pair" in atoms.info:
                name = f"pair {atoms.info['pair']} at {volume}"
            found[f"{Path(file).stem}/{name}"].append((f"{file} frame {i}", atoms))
    result = {}
    for name, members in found.items():
        meshes = {str(atoms.info.get("kpoints")) for _, atoms in members}
        if len(meshes) > 1:
            raise UserError(
                f"{name}: k-points {', '.join(sorted(meshes))}; energies of different meshes have "
                "no difference that could be learnt"
            )
        if len(members) < 2:
            raise UserError(f"{members[0][0]}: the only frame of {name}, expected two or more")
        systems = to_systems(members, name, thermal=False)
        if len(systems) > 1:
            raise UserError(f"{name}: frames of different compositions, expected one")
        result[name] = systems[0]
    return result


def fit(
    model: str | os.PathLike,
    labels: Sequence[str | os.PathLike],
    index: str | os.PathLike,
    settings: Differences,
    output: str | os.PathLike,
    record: str | os.PathLike,
) -> dict:
    """Write the model with a last layer that has learnt the differences, and what that changed.

    Parameters
    ----------
    model : path
        Frozen graph, not compressed.
    labels : sequence of path
        Extended XYZ files (`groups`).
    index : path
        Of the prepared training data, whose forces and stress hold the weights.
    output, record : path
        The new graph, and a JSON file: each group's errors before and after (meV/atom, rms from
        the group's mean), whether it was held out; rms of forces along the directions (eV/Å) on
        the labels and on training and held-out frames, and of the stress (GPa) on the latter two.

    Raises
    ------
    UserError
        As `groups`; a volume of `held_out` without frames; or none is left to learn.
    """
    known = groups(labels)
    volumes = {name: float(name.split()[-1]) for name in known}
    out = {round(volume, PLACES) for volume in settings.held_out}
    if missing := out - set(volumes.values()):
        raise UserError(
            f"differences.held_out: {', '.join(f'{v:g}' for v in sorted(missing))}: no frames of "
            f"this volume; there are {', '.join(f'{v:g}' for v in sorted(set(volumes.values())))}"
        )
    learnt = [name for name in known if volumes[name] not in out]
    if not learnt:
        raise UserError("differences.held_out: no volume is left to learn")
    parts = {
        part: [_some(system, settings.frames) for system in read_part(index, part)]
        for part in ("train", "test")
    }
    systems = [*known.values(), *parts["train"], *parts["test"]]
    logger.info("the response of %d systems to the last layer", len(systems))
    weights, found = last_layer.responses(model, systems, settings.directions)
    pairs = list(zip(systems, found, strict=True))
    grouped = dict(zip(known, pairs, strict=False))
    first = len(known) + len(parts["train"])
    train, test = pairs[len(known) : first], pairs[first:]
    change = last_layer.solve(
        train,
        [grouped[name] for name in learnt],
        weights,
        last_layer.Errors(
            energy=settings.energy_error, group_force=settings.force_error, ridge=settings.ridge
        ),
    )
    last_layer.write(model, output, weights + change)

    def both(measure) -> dict:
        return {"before": measure(weights), "after": measure(weights + change)}

    report = {
        "model_sha256": sha256(model),
        "labels_sha256": {str(file): sha256(file) for file in labels},
        "weights": len(weights),
        "relative_change": float(np.linalg.norm(change) / np.linalg.norm(weights)),
        "groups": {
            name: {
                "frames": len(pair[0]),
                "held_out": name not in learnt,
                **both(lambda w, pair=pair: _rms(last_layer.difference_errors([pair], w)[0])),
            }
            for name, pair in grouped.items()
        },
        "forces_eV_per_A": {
            name: both(lambda w, part=part: _rms(last_layer.force_errors(part, w)))
            for name, part in (
                ("labels", [grouped[name] for name in learnt]),
                ("labels_held_out", [grouped[name] for name in known if name not in learnt]),
                ("train", train),
                ("test", test),
            )
        },
        "stress_GPa": {
            name: both(lambda w, part=part: _rms(last_layer.stress_errors(part, w)))
            for name, part in (("train", train), ("test", test))
        },
    }
    write_json(record, report)
    for name, one in report["groups"].items():
        logger.info(
            "%s: %.2f to %.2f meV/atom%s", name, one["before"], one["after"],
            ", held out" if one["held_out"] else "",
        )  # fmt: skip
    return report


def _some(system: System, frames: int) -> System:
    picked = system.select(np.unique(np.linspace(0, len(system) - 1, frames).astype(int)))
    return replace(picked, energies=np.full(len(picked), np.nan))


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values)))) if len(values) else float("nan")
