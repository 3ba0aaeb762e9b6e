"""From sources of labelled structures to the folders that are trained on and tested with.

`prepare` reads and checks every source, adds the Pulay stress that its labels lack, holds out what
the split declares, brings what is trained on to one scale (`alignment`), and writes DeePMD folders
below `train/` and `test/`. Its last act is `index.json`, which lists them; trainings and
validations read that list and nothing else, so a half-written folder is never used. It names the
held-out frames that hardly differ from one that is trained on, too (`near_copies`). What is tested
with keeps its labels as they were published but for the Pulay stress and the pressure by which its
source lies off the common scale, on which models are compared.
"""

import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from lah10.config.training import Source, Split
from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.io.json import read_json, write_json
from lah10.potential.data import dataset, deepmd_folders, label_units, near_duplicates, neighbours
from lah10.potential.data.alignment import Alignment
from lah10.potential.data.systems import System
from lah10.potential.evaluate import evaluate

logger = logging.getLogger(__name__)

INDEX = "index.json"
PARTS = ("train", "test")
#: The one frame with the shortest distance: it sets the range of a compressed model's tables.
CLOSEST = "closest"
#: Å; distances are searched up to here.
SEARCH = 2.0


def read(split: Split, folders: Mapping[str, str | os.PathLike]) -> dict[str, list[System]]:
    """All sources, read, checked and divided: systems to train on ("train") and to test with.

    What is to be trained on without its energies has energies of NaN.

    Parameters
    ----------
    folders
        Where each source's data lie, by the source's name.

    Raises
    ------
    UserError
        Bad data, an entry of the split that matches nothing, or nothing left to train on.
    """
    parts: dict[str, list[System]] = {part: [] for part in PARTS}
    for name, source in split.sources.items():
        divided = divide(dataset.read(folders[name], name), name, source)
        for part in PARTS:
            parts[part] += divided[part]
    if not parts["train"]:
        raise UserError("everything is held out: nothing is left to train on")
    return parts


def divide(systems: Sequence[System], source: str, split: Source) -> dict[str, list[System]]:
    """Systems to train on and to test with, by the split's `held_out` and `without_energies`.

    Virials get what they lack by a source's `pulay_pv_per_atom` (`with_pulay_stress`).

    An entry of `held_out` is the path of a system below its source ("ensemble3/150GPa") or of one
    of its sets ("r3m/set.009"), one of `without_energies` is that of a system. Systems to train on
    without energies have energies of NaN.

    Raises
    ------
    UserError
        An entry matches nothing.
    """
    below = {system.name: system.name.removeprefix(source).lstrip("/") for system in systems}
    sets = {
        system.name: [_set_of(below[system.name], frame) for frame in system.frames]
        for system in systems
    }
    for key, entries, known in (
        ("held_out", split.held_out, set().union(below.values(), *sets.values())),
        ("without_energies", split.without_energies, set(below.values())),
    ):
        if entries != "all" and (unused := sorted(set(entries) - known)):
            raise UserError(
                f"sources.{source}.{key}: {', '.join(unused)} is not among the data; there are "
                f"{', '.join(sorted(filter(None, below.values())) or sorted(filter(None, known)))}"
            )
    parts: dict[str, list[System]] = {part: [] for part in PARTS}
    for system in systems:
        name = below[system.name]
        system = with_pulay_stress(system, split.pulay_pv_per_atom)
        held = np.array(
            [
                split.held_out == "all" or name in split.held_out or one in split.held_out
                for one in sets[system.name]
            ]
        )
        if held.any():
            parts["test"].append(system.select(held))
        if not held.all():
            kept = system.select(~held)
            if split.without_energies == "all" or name in split.without_energies:
                kept = replace(kept, energies=np.full(len(kept), np.nan))
            parts["train"].append(kept)
    return parts


def with_pulay_stress(system: System, pv_per_atom: float) -> System:
    """The system with virials that belong to its energies: W + c N 1, c in eV/atom.

    A stress that is computed at a fixed number of plane waves is not the slope of energies at a
    fixed cut-off E_c, which at another volume admits another number of waves. The pressure lacks
    -(2/3) dE/d(ln E_c) / V (G. P. Francis and M. C. Payne, J. Phys.: Condens. Matter 2, 4395
    (1990)). What a cut-off leaves out sits near the nuclei: so that is, for one composition and
    cut-off, a constant c an atom over the volume an atom, and isotropic. A potential's pressures
    are the slopes of its energies: it cannot learn both as they are.
    """
    return replace(system, virials=system.virials + pv_per_atom * system.n_atoms * np.eye(3))


def _set_of(system: str, frame: str) -> str:
    """Path of a frame's set below its source; the frame's origin is "…/set.003 frame 4"."""
    return f"{system}/{Path(frame.rsplit(' frame ', 1)[0]).name}".lstrip("/")


def prepare(
    split: Split,
    folders: Mapping[str, str | os.PathLike],
    destination: str | os.PathLike,
    alignment: Alignment | None = None,
    model: str | os.PathLike | None = None,
) -> Path:
    """Read, check, divide, align and write all sources; returns the path of index.json.

    Parameters
    ----------
    folders
        Where each source's data lie, by the source's name.
    alignment : Alignment, optional
        Applied to the training set; only the pressure offsets to the test set. Without it labels
        stay as they are.
    model : path, optional
        Frozen graph that finds labels in other units (`label_units`).

    Raises
    ------
    UserError
        Bad data, a structure on both sides, or a set that the alignment does not know.
    """
    destination = Path(destination)
    parts = read(split, folders)
    if model is not None:
        everything = [*parts["train"], *parts["test"]]
        hint = (
            f". If {model} knows nothing of such structures, name one that does, or none: "
            "label_check in config/training.yaml"
        )
        label_units.check(everything, evaluate(model, everything), split, hint)
    near = near_duplicates.find(parts["train"], parts["test"])
    for one in near:
        logger.warning(
            "%s is held out, and within %.2g Å of %s, which is trained on",
            one.frame,
            one.distance,
            one.of,
        )
    if alignment is not None:
        for name, source in split.sources.items():
            if source.same_reference_as is not None:
                alignment = alignment.sharing(name, source.same_reference_as)
        parts["train"] = [alignment.apply(system) for system in parts["train"]]
        parts["test"] = [alignment.without_pressure(system) for system in parts["test"]]

    (destination / INDEX).unlink(missing_ok=True)
    for stale in (*PARTS, CLOSEST):
        shutil.rmtree(destination / stale, ignore_errors=True)
    index: dict = {part: [] for part in PARTS}
    for part in PARTS:
        for system in parts[part]:
            folder = Path(part, system.name)
            deepmd_folders.write_deepmd(system, destination / folder)
            index[part].append(_entry(system, folder, destination))
    nearest = closest([*parts["train"], *parts["test"]])
    deepmd_folders.write_deepmd(nearest, destination / CLOSEST)
    index[CLOSEST] = _entry(nearest, Path(CLOSEST), destination)
    index["aligned"] = alignment is not None
    index["near_copies"] = [asdict(one) for one in near]
    path = destination / INDEX
    write_json(path, index)
    return path


def _entry(system: System, folder: Path, root: Path) -> dict:
    pressures, volumes = system.pressures, system.volumes / system.n_atoms
    return {
        "name": system.name,
        "folder": str(folder),
        "frames": len(system),
        "atoms": system.n_atoms,
        "energies": bool(np.isfinite(system.energies).all()),
        "pressure_GPa": [round(float(p), 3) for p in (pressures.min(), pressures.max())],
        "volume_per_atom_A3": [round(float(v), 4) for v in (volumes.min(), volumes.max())],
        "sha256": {
            str(file.relative_to(root)): sha256(file)
            for pattern in ("*.raw", "*.npy")
            for file in sorted((root / folder).rglob(pattern))
        },
    }


def closest(systems: Sequence[System]) -> System:
    """The frame with the shortest distance between atoms, as a system of its own."""
    shortest = [neighbours.shortest_distances(system, SEARCH) for system in systems]
    which = int(np.argmin([distances.min() for distances in shortest]))
    return systems[which].select([int(np.argmin(shortest[which]))])


def read_index(path: str | os.PathLike) -> dict:
    """Content of index.json, its data files verified.

    Raises
    ------
    UserError
        A file that it lists is absent or has changed since.
    """
    path = Path(path)
    index = read_json(path, "prepare the data again")
    for entry in [*index["train"], *index["test"], index[CLOSEST]]:
        for name, digest in entry["sha256"].items():
            file = path.parent / name
            if not file.is_file() or sha256(file) != digest:
                raise UserError(f"{file}: missing or changed since it was prepared; prepare again")
    return index


def read_part(path: str | os.PathLike, part: str) -> list[System]:
    """The systems of `part` ("train" or "test") that index.json lists, under their own names."""
    path = Path(path)
    return [read_entry(path, entry) for entry in read_index(path)[part]]


def read_entry(path: str | os.PathLike, entry: dict) -> System:
    """The system of one of the entries of the index at `path`."""
    folder = Path(path).parent / entry["folder"]
    return deepmd_folders.read_deepmd(folder, entry["name"], energies=entry["energies"])


def closest_folder(path: str | os.PathLike) -> Path:
    """DeePMD folder with the one frame that holds the shortest distance of all."""
    return Path(path).parent / read_index(path)[CLOSEST]["folder"]


def samples(path: str | os.PathLike, frames: int = 2) -> list[System]:
    """A few frames of each system to test with, and the one with the shortest distance."""
    systems = read_part(path, "test") or read_part(path, "train")
    systems.append(read_entry(path, read_index(path)[CLOSEST]))
    return [s.select(np.unique(np.linspace(0, len(s) - 1, frames).astype(int))) for s in systems]
