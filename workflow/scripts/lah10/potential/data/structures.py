"""Structures to label, known by their content.

A structure's name is a digest of its content (`Structure.name`), so that a label stays with its
structure when files are renamed, sorted or added to.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms

from lah10 import ELEMENTS
from lah10.crystal.structures import check_sites, make_right_handed, read_frames
from lah10.errors import UserError
from lah10.potential.data import extended_xyz, plausibility
from lah10.potential.data.systems import System

#: Files that are taken from a folder of structures; others may lie there.
SUFFIXES = (".xyz", ".extxyz", ".cif", ".vasp", ".traj")
PREFIXES = ("POSCAR", "CONTCAR")
#: Decimal places, in Å, to which structures are told apart; formats that round may still differ.
PLACES = 6


@dataclass(frozen=True)
class Structure:
    """A structure to label.

    Attributes
    ----------
    name : str
        Formula and digest of the content, such as "La1H10-0f3a5c7e9b1d".
    atoms : ase.Atoms
        Sorted by element, in the order of `lah10.ELEMENTS`; Å.
    origin : str
        "<file> frame <i>", counted from 0.
    """

    name: str
    atoms: Atoms
    origin: str


def read_structures(path: str | os.PathLike) -> dict[str, Structure]:
    """Structures in a file (any format of ASE's), or in the files of a folder, by their names.

    The same structure twice is one. In a folder, files named *.xyz, *.extxyz, *.cif, *.vasp,
    *.traj, POSCAR* and CONTCAR* are read. Labels that they may have are not looked at.

    Raises
    ------
    UserError
        A file cannot be read, or a frame is no periodic crystal of La and H; both are named.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.is_file() and (file.suffix in SUFFIXES or file.name.startswith(PREFIXES))
        )
        if not files:
            raise UserError(
                f"{path}: expected files named {', '.join(f'*{s}' for s in SUFFIXES)}, POSCAR* or "
                "CONTCAR*, got no structures there"
            )
    elif path.is_file():
        files = [path]
    else:
        raise UserError(f"{path}: no such file or folder; give a file or a folder of structures")
    found: dict[str, Structure] = {}
    for file in files:
        for i, atoms in enumerate(_frames(file)):
            structure = checked_structure(atoms, f"{file} frame {i}")
            found.setdefault(structure.name, structure)
    return found


def _frames(file: Path) -> list[Atoms]:
    if file.suffix in (".xyz", ".extxyz"):
        return extended_xyz.whole_frames(file)
    return read_frames(file)


def checked_structure(atoms: Atoms, where: str) -> Structure:
    """One checked structure."""
    symbols = atoms.get_chemical_symbols()
    if unknown := sorted(set(symbols) - set(ELEMENTS)):
        raise UserError(
            f"{where}: expected elements {', '.join(ELEMENTS)}, got {', '.join(unknown)}"
        )
    if not symbols:
        raise UserError(f"{where}: no atoms; remove the frame")
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise UserError(f"{where}: coordinates with NaN or infinite numbers; remove the frame")
    if not atoms.pbc.all() or not atoms.cell.volume > 0:
        raise UserError(f"{where}: not periodic in all directions; a cell is needed")
    check_sites(atoms, where)
    atoms = make_right_handed(atoms)
    order = np.argsort([ELEMENTS.index(s) for s in symbols], kind="stable")
    plain = Atoms(
        [symbols[i] for i in order], atoms.positions[order], cell=atoms.cell.array, pbc=True
    )
    plausibility.check_geometry(one_frame(plain, where))
    return Structure(_name(plain), plain, where)


def one_frame(atoms: Atoms, where: str, labels: tuple | None = None) -> System:
    """One frame; without labels they are NaN."""
    n = len(atoms)
    energy, forces, stress = labels or (np.nan, np.full((n, 3), np.nan), np.full((3, 3), np.nan))
    return System(
        name=where,
        types=np.array([ELEMENTS.index(s) for s in atoms.symbols]),
        boxes=atoms.cell.array[None],
        coordinates=atoms.positions[None],
        energies=np.array([energy], float),
        forces=np.asarray(forces, float)[None],
        virials=-np.asarray(stress, float)[None] * atoms.get_volume(),
        frames=(where,),
    )


def _name(atoms: Atoms) -> str:
    symbols = atoms.get_chemical_symbols()
    formula = "".join(f"{e}{symbols.count(e)}" for e in ELEMENTS if e in symbols)
    numbers = np.concatenate([atoms.cell.array.ravel(), atoms.positions.ravel()])
    rounded = np.round(numbers, PLACES) + 0.0  # + 0 turns -0 into 0
    return f"{formula}-{hashlib.sha256(rounded.tobytes()).hexdigest()[:12]}"
