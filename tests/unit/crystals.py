"""Constructed LaH10 crystals with known answers."""

import numpy as np
from ase import Atoms
from ase.spacegroup import crystal

from lah10 import structures

A = 5.1
X = 0.1205


def cubic_lah10(a: float = A, x: float = X) -> Atoms:
    """Conventional Fm-3m cell, 44 atoms, La at (½,½,½)."""
    return crystal(
        ["La", "H", "H"],
        [(0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (x, x, x)],
        spacegroup=225,
        cellpar=[a, a, a, 90, 90, 90],
        pbc=True,
    )


def supercell(cell: str = "primitive", repeat=(2, 2, 2)) -> Atoms:
    """Template supercell in LAMMPS orientation."""
    return structures.build_supercell(cubic_lah10(), cell, repeat)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """A proper rotation matrix."""
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.linalg.det(q))
