"""Labelled frames that dpdata has read, as systems of this project, one a composition."""

import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io.files import atomic_folder
from lah10.potential.data import deepmd_folders, plausibility
from lah10.potential.data.systems import System

if TYPE_CHECKING:
    import dpdata

NOT_CONVERGED = "the self-consistent field did not converge"
#: Beside the systems: a line for every frame that is in none of them, and why.
LEFT_OUT = "left_out.txt"

logger = logging.getLogger(__name__)


def merge(
    labelled: Iterable[tuple["dpdata.LabeledSystem", Sequence[str]]], name: str
) -> list[System]:
    """Checked systems, one a composition, named "<name>/La1H10".

    Parameters
    ----------
    labelled
        What dpdata read, and for each of its frames where it came from.

    Raises
    ------
    UserError
        Another element, no stress, or a frame that cannot be LaH10 (`plausibility.check`).
    """
    import dpdata

    together = dpdata.MultiSystems(type_map=list(ELEMENTS))
    frames: dict[str, list[str]] = {}
    for one, origins in labelled:
        names = [n for n, count in zip(one["atom_names"], one["atom_numbs"], strict=True) if count]
        if unknown := sorted(set(names) - set(ELEMENTS)):
            raise UserError(
                f"{origins[0]}: expected elements {', '.join(ELEMENTS)}, got {', '.join(unknown)}"
            )
        if one.nopbc:
            raise UserError(f"{origins[0]}: expected a periodic crystal, got open boundaries")
        if "virials" not in one.data or len(one["virials"]) != len(one):
            raise no_stress(origins[0])
        together.append(one)
        counts = [sum(np.asarray(one["atom_types"]) == _index(one, e)) for e in ELEMENTS]
        key = "".join(f"{e}{n}" for e, n in zip(ELEMENTS, counts, strict=True))
        frames.setdefault(key, []).extend(origins)
    result = []
    for formula, merged in sorted(together.systems.items()):
        system = System(
            name=f"{name}/{formula}",
            types=np.asarray(merged["atom_types"], int),
            boxes=np.asarray(merged["cells"], float),
            coordinates=np.asarray(merged["coords"], float),
            energies=np.asarray(merged["energies"], float),
            forces=np.asarray(merged["forces"], float),
            virials=np.asarray(merged["virials"], float),
            frames=tuple(frames[formula]),
        )
        plausibility.check(system)
        result.append(system)
    return result


def unreadable(path: Path, title: str, error: Exception, frame: int | None = None) -> UserError:
    """A file, or one frame of it, that is none of the format called `title`."""
    # dpdata's parsers raise whatever they stumble on, also without a message.
    reason = " ".join(str(error).split()) or type(error).__name__
    where = f"{path}" if frame is None else f"{path} frame {frame}"
    return UserError(f"{where}: cannot be read as {title} ({reason})")


def no_stress(where: str) -> UserError:
    """The complaint of a frame without stress."""
    return UserError(
        f"{where}: no stress; have it computed (VASP: ISIF = 2 or 3, Quantum ESPRESSO: tstress = "
        ".true.)"
    )


def _index(one: "dpdata.LabeledSystem", element: str) -> int:
    names = list(one["atom_names"])
    return names.index(element) if element in names else -1


def publish(
    labelled: Iterable[tuple["dpdata.LabeledSystem", Sequence[str]]],
    destination: str | os.PathLike,
    left_out: Sequence[str] = (),
) -> dict[str, int]:
    """Write `merge`'s systems as DeePMD folders into `destination`, whole or not at all.

    Returns
    -------
    dict
        Number of frames of each system by its name.
    """
    systems = merge(labelled, Path(destination).name)
    with atomic_folder(destination) as aside:
        for system in systems:
            deepmd_folders.write_deepmd(system, aside / system.name.rpartition("/")[2])
        if left_out:
            (aside / LEFT_OUT).write_text("\n".join(left_out) + "\n", encoding="utf-8")
    for line in left_out:
        logger.warning("left out: %s", line)
    counts = {system.name: len(system) for system in systems}
    for name, count in counts.items():
        logger.info("%s: %d frames", name, count)
    return counts
