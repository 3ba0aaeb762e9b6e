"""Labels: energies, forces and stresses by GPAW, one structure a process.

A label is one extended XYZ file, which any reader of this project's data set reads: the free energy
(eV), which is what the forces derive from, forces (eV/Å) and stress (eV/Å3, ASE's sign), and how
they came about. A calculation that did not converge leaves such a file too, with its reason and
without numbers: it is not tried again unless the settings change or the file is removed.
"""

import io
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator

from lah10.config.training import Gpaw
from lah10.crystal.structures import write_frames
from lah10.errors import UserError
from lah10.io.files import atomic_path
from lah10.potential.data import extended_xyz, from_dpdata, plausibility
from lah10.potential.data.gpaw_calculation import CalculationFailed, run_gpaw, versions
from lah10.potential.data.structures import Structure, checked_structure, one_frame, read_structures

LABELLED, FAILED = "labelled", "failed"
#: Å; coordinates in a label's file are rounded to 1e-8.
SAME = 1e-6
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Label:
    """What became of a structure.

    Attributes
    ----------
    atoms : ase.Atoms
        The structure; with energy (eV), forces (eV/Å) and stress (eV/Å3) if it was labelled.
    origin : str
        Where the structure came from.
    settings : Gpaw
        How it was labelled.
    versions : dict
        Of the packages that labelled it.
    reason : str or None
        Why there is no label, or None if there is one.
    """

    atoms: Atoms
    origin: str
    settings: Gpaw
    versions: dict[str, str]
    reason: str | None


def label(
    structure: Structure,
    settings: Gpaw,
    path: str | os.PathLike,
    text: TextIO | None = None,
    calculate: Callable[..., tuple[float, np.ndarray, np.ndarray]] | None = None,
) -> Label:
    """Label one structure and write the result, or that there is none, to `path`.

    A result that is there is left alone if it is of this structure and these settings; of other
    settings, it is replaced.

    Parameters
    ----------
    text : file, optional
        Where GPAW reports its progress; nowhere by default.
    calculate : callable, optional
        In place of `run_gpaw`.

    Raises
    ------
    UserError
        GPAW is not installed, or `path` holds another structure.
    """
    path = Path(path)
    if path.exists():
        there = read(path)
        if not _same(there.atoms, structure.atoms):
            raise UserError(f"{path}: the label of another structure; remove it, or name another")
        if there.settings == settings:
            return there
        logger.info("%s: labelled with %s; again", path, _difference(there.settings, settings))
    started = time.monotonic()
    reason = labels = None
    try:
        labels = (calculate or run_gpaw)(structure.atoms, settings, text)
        plausibility.check(one_frame(structure.atoms, structure.origin, labels))
    except CalculationFailed as error:
        reason = str(error)
    except UserError as error:
        if labels is None:
            raise
        # The calculation came to an end, but not to LaH10.
        reason = str(error).removeprefix(f"{structure.origin}: ")
    _write(path, structure, settings, labels if reason is None else None, reason, started)
    if reason is not None:
        logger.warning("%s: no label: %s", structure.origin, reason)
    return read(path)


def label_all(
    structures: str | os.PathLike,
    settings: Gpaw,
    folder: str | os.PathLike,
    output: str | os.PathLike,
    text: TextIO | None = None,
) -> None:
    """Label the structures of a file with GPAW, one after the other, into one file of their order.

    Parameters
    ----------
    folder : path
        Keeps each label as it is made; those of these settings are not made again.
    text : file, optional
        Where GPAW reports its progress.

    Raises
    ------
    UserError
        GPAW is not installed, or a structure has no label.
    """
    frames = []
    for name, structure in read_structures(structures).items():
        one = label(structure, settings, Path(folder, f"{name}.xyz"), text)
        if one.reason is not None:
            raise UserError(f"{one.origin}: no label: {one.reason}")
        frames.append(one.atoms)
    write_frames(output, frames)


def _write(path, structure, settings, labels, reason, started) -> None:
    atoms = structure.atoms.copy()
    atoms.info = {
        "status": LABELLED if reason is None else FAILED,
        "origin": structure.origin,
        "settings": settings.model_dump_json(),
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    if reason is None:
        energy, forces, stress = labels
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, stress=stress)
    else:
        atoms.info["reason"] = " ".join(reason.split())
    content = io.StringIO()
    ase.io.write(content, atoms, format="extxyz")
    with atomic_path(path) as aside:
        aside.write_text(content.getvalue(), encoding="utf-8")


def read(path: str | os.PathLike) -> Label:
    """The label in the file that `label` wrote.

    Raises
    ------
    UserError
        The file is absent, cut short, or none that `label` wrote.
    """
    frames = extended_xyz.whole_frames(Path(path))
    info = frames[0].info
    try:
        if len(frames) != 1 or info["status"] not in (LABELLED, FAILED):
            raise ValueError
        return Label(
            atoms=frames[0],
            origin=str(info["origin"]),
            settings=Gpaw.model_validate_json(info["settings"]),
            versions=dict(info["versions"]),
            reason=str(info["reason"]) if info["status"] == FAILED else None,
        )
    except (KeyError, TypeError, ValueError):  # pydantic's errors are ValueErrors
        raise UserError(
            f"{path}: not a label of this version of the workflow; remove it, and it is made again"
        ) from None


def _same(one: Atoms, other: Atoms) -> bool:
    return (
        one.get_chemical_symbols() == other.get_chemical_symbols()
        and np.allclose(one.cell.array, other.cell.array, rtol=0, atol=SAME)
        and np.allclose(one.positions, other.positions, rtol=0, atol=SAME)
    )


def _difference(old: Gpaw, new: Gpaw) -> str:
    before, after = old.model_dump(), new.model_dump()
    return ", ".join(
        f"{key} {before[key]} (now {after[key]})" for key in after if before[key] != after[key]
    )


def gather(
    files: Sequence[str | os.PathLike], settings: Gpaw, destination: str | os.PathLike
) -> dict[str, int]:
    """DeePMD systems, one a composition, from the files that `label` wrote.

    What failed is left out, and listed in `from_dpdata.LEFT_OUT`.

    Returns
    -------
    dict
        Number of frames of each system by its name.

    Raises
    ------
    UserError
        A file cannot be read or is of other settings, or all calculations failed.
    """
    import dpdata

    labelled, left_out, seen = [], [], set()
    for file in files:
        one = read(file)
        if one.settings != settings:
            raise UserError(
                f"{file}: labelled with {_difference(one.settings, settings)}; remove the file, "
                "and it is labelled again"
            )
        where = f"{file} ({one.origin})"
        if one.reason is not None:
            left_out.append(f"{where}: {one.reason}")
            continue
        try:
            frame = dpdata.LabeledSystem(one.atoms, fmt="ase/structure")
        except (PropertyNotImplementedError, RuntimeError):
            raise UserError(f"{file}: no numbers there; remove it, and it is made again") from None
        labelled.append((frame, [where]))
        seen.add(one.versions.get("gpaw"))
    if len(seen) > 1:
        logger.warning("labels of several versions of GPAW: %s", ", ".join(map(str, seen)))
    if not labelled:
        raise UserError(
            f"all {len(left_out)} calculations failed, so there is nothing to train on; the first: "
            f"{left_out[0]}"
            if left_out
            else "no labels to gather; label some structures first"
        )
    return from_dpdata.publish(labelled, destination, left_out)


def collect(
    structures: str | os.PathLike,
    folder: str | os.PathLike,
    path: str | os.PathLike,
    about: dict[str, str | int | float] | None = None,
) -> int:
    """Add the labelled ones of the structures of a file to an extended XYZ file of a data set.

    Frames that stand there already stay, and the same structure is not added twice; what failed is
    left out. What the structures' own file holds beside (`info`) is kept.

    Parameters
    ----------
    structures : path
        Extended XYZ, as it was labelled.
    folder : path
        With the labels (`label`) of all of them, each named after its structure.
    path : path
        Extended XYZ file that is added to, or made; not touched where nothing is to be added.
    about : dict, optional
        Said of each new frame beside.

    Returns
    -------
    int
        Number of frames added.

    Raises
    ------
    UserError
        A file cannot be read or a label is missing.
    """
    path = Path(path)
    frames = extended_xyz.whole_frames(path) if path.exists() else []
    there = {checked_structure(atoms, f"{path} frame {i}").name for i, atoms in enumerate(frames)}
    before = len(frames)
    for i, atoms in enumerate(extended_xyz.whole_frames(Path(structures))):
        structure = checked_structure(atoms, f"{structures} frame {i}")
        found = read(Path(folder, f"{structure.name}.xyz"))
        if found.reason is not None or structure.name in there:
            continue
        there.add(structure.name)
        frame = found.atoms
        frame.info = atoms.info | (about or {})
        frames.append(frame)
    added = len(frames) - before
    if added:
        write_frames(path, frames)
    return added
