"""Constructed LaH10 crystals with known answers."""

import itertools

import numpy as np
from ase import Atoms
from ase.spacegroup import crystal

from lah10.crystal import structures

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


def deformation(e: float, variant: int) -> np.ndarray:
    """Rhombohedral deformation r -> r @ F in cubic axes: shears e with the signs of a variant.

    Variants in the order of `lah10.schema.VARIANTS`: 111, -111, 1-11, 11-1.
    """
    axis = np.array([(1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)])[variant]
    shear = e * np.outer(axis, axis)
    return shear - np.diag(np.diag(shear)) + np.eye(3)


def thermal_noise(
    rng: np.random.Generator, n_atoms: int, n_frames: int, sigma: float, rho: float = 0.0
) -> np.ndarray:
    """Displacements (frames, atoms, 3) in Å with standard deviation sigma per component; each an
    AR(1) series with correlation rho between frames."""
    noise = rng.normal(size=(n_frames, n_atoms, 3)) * sigma
    for previous, current in itertools.pairwise(noise):
        current *= np.sqrt(1 - rho**2)
        current += rho * previous
    return noise


#: Fm-3m LaH10 with all that ASE looks at in a CIF's loop over sites.
CIF = """data_LaH10
_cell_length_a 5.1
_cell_length_b 5.1
_cell_length_c 5.1
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_occupancy
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
La1 La 1.0 0.5 0.5 0.5
H1 H 1.0 0.25 0.25 0.25
H2 H 1.0 0.12 0.12 0.12
"""


def plain(text):
    """The CIF without types and occupancies, so that elements come from the labels."""
    lines = text.replace("_atom_site_type_symbol\n", "").replace("_atom_site_occupancy\n", "")
    return "\n".join(
        " ".join([line.split()[0], *line.split()[3:]]) if line[:2] in ("La", "H1", "H2") else line
        for line in lines.splitlines()
    )
