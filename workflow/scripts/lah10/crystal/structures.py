"""Crystals and supercells of LaH10: read, check, repeat, turn into LAMMPS' orientation.

The perfect Fm-3m supercell written here is the template of crystal sites for the whole workflow:
atom i of a run starts on site i, and LAMMPS tag i + 1 is atom i.
"""

from pathlib import Path

import ase.io
import numpy as np
import spglib
from ase import Atoms
from ase.geometry import cellpar_to_cell

from lah10.errors import UserError
from lah10.io.files import atomic_path

#: Å; tolerance of every symmetry search (spglib's symprec).
SYMMETRY_TOLERANCE = 0.01

#: Wyckoff site by (element, sites per conventional cell), La at (½,½,½).
#: spglib may put the origin on La and call its site 4a; that is the same crystal.
_WYCKOFF = {("La", 4): "4b", ("H", 8): "8c", ("H", 32): "32f"}


def read_crystal(path: str | Path) -> Atoms:
    """Read a LaH10 crystal (CIF, or any other format with a cell that ASE knows).

    Raises
    ------
    UserError
        The file is missing or unreadable, has no cell, or is not La:H = 1:10.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such structure file")
    try:
        atoms = ase.io.read(path)
    except Exception as error:  # ASE's parsers raise whatever they stumble on
        raise UserError(f"{path}: ASE cannot read this structure ({error})") from error
    if not atoms.cell.volume > 0:
        raise UserError(f"{path}: the structure has no three-dimensional cell")
    symbols = atoms.get_chemical_symbols()
    n_la, n_h = symbols.count("La"), symbols.count("H")
    if n_la + n_h != len(atoms) or n_h != 10 * n_la:
        raise UserError(
            f"{path}: expected La and H in the ratio 1:10, got {atoms.get_chemical_formula()}"
        )
    return atoms


def space_group(atoms: Atoms, tolerance: float = SYMMETRY_TOLERANCE) -> str:
    """International symbol of the space group by spglib, at a tolerance in Å."""
    return _symmetry(atoms, tolerance).international


def build_supercell(crystal: Atoms, cell: str, repeat: tuple[int, int, int]) -> Atoms:
    """Repeat the Fm-3m crystal and turn the result into LAMMPS' restricted triclinic orientation.

    Parameters
    ----------
    crystal : Atoms
        LaH10 in Fm-3m, as its primitive (11 atoms) or conventional (44 atoms) cell.
    cell : {"primitive", "conventional"}
        The cell that is repeated.
    repeat : three ints
        Number of cells along each of its vectors.

    Returns
    -------
    Atoms
        The supercell with a along x and b in the xy plane, fractional coordinates in [0, 1), and
        an array `site` with the Wyckoff site of every atom ("4b", "8c", "32f").

    Raises
    ------
    UserError
        The crystal is not Fm-3m LaH10 on 4b, 8c and 32f, or `cell` or `repeat` is another.
    """
    if cell not in ("primitive", "conventional"):
        raise UserError(f"structure.cell: expected primitive or conventional, got {cell!r}")
    if len(repeat) != 3 or any(int(n) != n or n < 1 for n in repeat):
        raise UserError(
            f"structure.repeat: expected three whole numbers >= 1, got {list(repeat)}"
        )
    unit = _label_sites(_standard_cell(crystal, cell))
    supercell = unit.repeat([int(n) for n in repeat])
    supercell.set_cell(cellpar_to_cell(supercell.cell.cellpar()), scale_atoms=True)
    # Rounding first: a coordinate of -1e-17 would otherwise wrap to 1.0.
    scaled = np.round(supercell.get_scaled_positions(wrap=False), 12) % 1.0
    supercell.set_scaled_positions(scaled)
    return supercell


def _symmetry(atoms: Atoms, tolerance: float = SYMMETRY_TOLERANCE):
    spglib_cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    dataset = spglib.get_symmetry_dataset(spglib_cell, symprec=tolerance)
    if dataset is None:
        raise UserError(f"spglib finds no symmetry at {tolerance} Å: do atoms overlap?")
    return dataset


def _standard_cell(crystal: Atoms, cell: str) -> Atoms:
    """The standardised primitive or conventional cell of the crystal, checked to be Fm-3m."""
    group = _symmetry(crystal)
    if group.number != 225:
        raise UserError(
            "structure.file: expected the space group Fm-3m, whose sites are the reference sites "
            f"of the analysis, got {group.international} (tolerance {SYMMETRY_TOLERANCE} Å)"
        )
    lattice, scaled, numbers = spglib.standardize_cell(
        (crystal.cell.array, crystal.get_scaled_positions(), crystal.numbers),
        to_primitive=cell == "primitive",
        symprec=SYMMETRY_TOLERANCE,
    )
    order = np.argsort(-np.asarray(numbers), kind="stable")  # La first
    return Atoms(numbers=numbers[order], scaled_positions=scaled[order], cell=lattice, pbc=True)


def _label_sites(unit: Atoms) -> Atoms:
    """Add the array `site`, from the orbits that spglib finds."""
    orbits = _symmetry(unit).crystallographic_orbits
    symbols = np.array(unit.get_chemical_symbols())
    per_conventional = 4 // int((symbols == "La").sum() or 1)
    sites = np.empty(len(unit), dtype="<U3")
    for orbit in np.unique(orbits):
        members = orbits == orbit
        key = (symbols[members][0], int(members.sum()) * per_conventional)
        if key not in _WYCKOFF:
            raise UserError(
                f"structure.file: {key[1]} symmetry-equivalent {key[0]} per conventional cell; "
                "Fm-3m LaH10 has La on 4b and H on 8c and 32f"
            )
        sites[members] = _WYCKOFF[key]
    if set(sites) != set(_WYCKOFF.values()):
        raise UserError("structure.file: Fm-3m LaH10 has La on 4b and H on 8c and 32f")
    unit.set_array("site", sites)
    return unit


def write_supercell(path: str | Path, supercell: Atoms) -> None:
    """Write a supercell as extended XYZ with full precision; the file appears whole."""
    with atomic_path(path) as aside:
        ase.io.write(aside, supercell, format="extxyz")


def read_supercell(path: str | Path) -> Atoms:
    """Read a supercell written by `write_supercell`.

    Raises
    ------
    UserError
        The file is missing or has no array `site`.
    """
    if not Path(path).is_file():
        raise UserError(f"{path}: no such supercell; the rule `structures` writes it")
    supercell = ase.io.read(path, format="extxyz")
    if "site" not in supercell.arrays:
        raise UserError(f"{path}: no column `site`; let the rule `structures` write this file")
    return supercell


def thicknesses(cell: np.ndarray) -> np.ndarray:
    """Distances in Å between opposite faces of a cell whose rows are its vectors, shape (3,).

    A pair potential of cut-off rc sees an atom at most once per neighbour only while the smallest
    thickness is at least 2 rc.
    """
    return 1.0 / np.linalg.norm(np.linalg.inv(np.asarray(cell)), axis=0)
