"""Crystals and supercells of LaH10: read, check, repeat, turn into LAMMPS' orientation.

The perfect Fm-3m supercell written here is the template of crystal sites for the whole workflow:
atom i of a run starts on site i, and LAMMPS tag i + 1 is atom i.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import ase.io
import numpy as np
import spglib
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.geometry import cellpar_to_cell

from lah10 import ELEMENTS
from lah10.crystal import isotopes
from lah10.crystal.isotopes import with_isotopes
from lah10.errors import UserError
from lah10.io.files import atomic_path

#: Å; tolerance of every symmetry search (spglib's symprec).
SYMMETRY_TOLERANCE = 0.01

#: Wyckoff site by (element, sites per conventional cell), La at (½,½,½).
#: spglib may put the origin on La and call its site 4a; that is the same crystal.
_WYCKOFF = {("La", 4): "4b", ("H", 8): "8c", ("H", 32): "32f"}

#: Occupancies are rounded in files; a site is full within this.
OCCUPANCY_TOLERANCE = 1e-3


def read_crystal(path: str | Path) -> Atoms:
    """Read a LaH10 crystal (CIF, or any other format with a cell that ASE knows).

    Isotopes, by the symbols D and T or by their masses, keep their masses.

    Raises
    ------
    UserError
        The file is missing or unreadable, has no cell, two kinds of one element or partly occupied
        sites, or is not La:H = 1:10.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such structure file")
    atoms = read_frames(path)[-1]
    check_occupancy(atoms, str(path))
    if not atoms.cell.volume > 0:
        raise UserError(f"{path}: the structure has no three-dimensional cell")
    atoms = make_right_handed(atoms)
    symbols = atoms.get_chemical_symbols()
    n_la, n_h = symbols.count("La"), symbols.count("H")
    if n_la + n_h != len(atoms) or n_h != 10 * n_la:
        raise UserError(
            f"{path}: expected La and H in the ratio 1:10, got {atoms.get_chemical_formula()}"
        )
    return with_isotopes(atoms, isotopes.of_atoms(atoms, str(path)))


def read_frames(path: str | Path) -> list[Atoms]:
    """All frames of a file, in any format that ASE reads, as they stand there.

    Raises
    ------
    UserError
        ASE cannot read the file, it has no frame, or it has two kinds of hydrogen.
    """
    path = Path(path)
    try:
        frames = isotopes.read(path) or ase.io.read(path, index=":")
    except UserError:
        raise
    except Exception as error:  # ASE's parsers raise whatever they stumble on
        refuse_isotope(error, str(path))
        reason = " ".join(str(error).split())
        raise UserError(f"{path}: ASE cannot read this structure ({reason})") from error
    if not frames:
        raise UserError(f"{path}: empty; a file with a structure is needed")
    return frames


def refuse_isotope(error: Exception, where: str) -> None:
    """Raise UserError if a parser of ASE's stumbled on the symbol D or T: a KeyError, bare."""
    if isinstance(error, KeyError) and error.args and error.args[0] in isotopes.SYMBOLS:
        symbol = error.args[0]
        raise UserError(
            f"{where}: got the isotope {symbol}, which is read in CIF, POSCAR and extended XYZ of "
            "a campaign's crystal alone; write H in its place, and for a campaign give "
            f"structure.isotopes: {{H: {symbol}}}"
        ) from None


def check_sites(atoms: Atoms, where: str) -> None:
    """Refuse isotopes in data that do not depend on masses, and sites that are not occupied by one
    atom each.

    Parameters
    ----------
    where : str
        File and frame, the beginning of the message.

    Raises
    ------
    UserError
        A mass is not the element's, or an occupancy is not 1.
    """
    for element, name in isotopes.of_atoms(atoms, where).items():
        raise UserError(
            f"{where}: expected {' and '.join(ELEMENTS)} with their natural masses, got the "
            f"isotope {name}; labels do not depend on masses: write {element} in its place"
        )
    check_occupancy(atoms, where)


def check_occupancy(atoms: Atoms, where: str) -> None:
    """Refuse sites that are not occupied by one atom each; `where` begins the message."""
    # Where ASE leaves what a CIF has of them.
    occupancy = atoms.info.get("occupancy")
    for site, shares in occupancy.items() if isinstance(occupancy, dict) else ():
        if len(shares) > 1 or not all(_full(share) for share in shares.values()):
            content = " and ".join(f"{symbol} ({share})" for symbol, share in shares.items())
            raise UserError(
                f"{where}: expected sites that one atom occupies fully, got {content} on site "
                f"{int(site) + 1}; write an ordered crystal"
            )


def _full(occupancy: object) -> bool:
    if occupancy == ".":  # CIF's sign for the default, which is 1
        return True
    try:
        return abs(float(occupancy) - 1) <= OCCUPANCY_TOLERANCE
    except (TypeError, ValueError):
        return False


def right_handed(cells: np.ndarray) -> np.ndarray:
    """The same lattices by vectors a, b, c that form a right-handed system.

    Parameters
    ----------
    cells : ndarray, shape (..., 3, 3)
        Cell vectors as rows, Å. Of a left-handed cell all three are reversed, which keeps the
        lattice, the lengths and the angles. Cartesian data stay as they are; fractional
        coordinates change their sign.
    """
    cells = np.asarray(cells)
    return np.where(np.linalg.det(cells)[..., None, None] < 0, -cells, cells)


def make_right_handed(atoms: Atoms) -> Atoms:
    """The same crystal, and the same labels, with a right-handed cell (`right_handed`)."""
    if not np.linalg.det(atoms.cell.array) < 0:
        return atoms
    turned = atoms.copy()
    turned.cell = right_handed(atoms.cell.array)
    if atoms.calc is not None:
        # ASE takes results for stale once the cell differs from the one that they belong to.
        turned.calc = SinglePointCalculator(turned, **atoms.calc.results)
    return turned


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
        an array `site` with the Wyckoff site of every atom ("4b", "8c", "32f"). Of isotopes it has
        the masses, too.

    Raises
    ------
    UserError
        The crystal is not Fm-3m LaH10 on 4b, 8c and 32f, or `cell` or `repeat` is another.
    """
    if cell not in ("primitive", "conventional"):
        raise UserError(f"structure.cell: expected primitive or conventional, got {cell!r}")
    if len(repeat) != 3 or any(int(n) != n or n < 1 for n in repeat):
        raise UserError(f"structure.repeat: expected three whole numbers >= 1, got {list(repeat)}")
    of = isotopes.of_atoms(crystal, "structure.file")
    unit = with_isotopes(_label_sites(_standard_cell(crystal, cell)), of)
    supercell = unit.repeat([int(n) for n in repeat])
    supercell.set_cell(cellpar_to_cell(supercell.cell.cellpar()), scale_atoms=True)
    # Rounding first: a coordinate of -1e-17 would otherwise wrap to 1.0.
    scaled = np.round(supercell.get_scaled_positions(wrap=False), 12) % 1.0
    supercell.set_scaled_positions(scaled)
    return supercell


def campaign_supercell(
    file: str | Path, cell: str, repeat: tuple[int, int, int], wanted: Mapping[str, str]
) -> Atoms:
    """The supercell of a section `structure`: `build_supercell` of its file, with the isotopes of
    the file and of the key `isotopes` (by element).

    Raises
    ------
    UserError
        The file holds no Fm-3m LaH10, or other isotopes than the key names.
    """
    crystal = read_crystal(file)
    of = isotopes.chosen(isotopes.of_atoms(crystal, str(file)), wanted, file)
    return build_supercell(with_isotopes(crystal, of), cell, repeat)


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
    write_frames(path, [supercell])


def write_frames(path: str | Path, frames: Sequence[Atoms]) -> None:
    """Write crystals as extended XYZ, an empty file of none; the file appears whole."""
    with atomic_path(path) as aside:
        if frames:
            ase.io.write(aside, frames, format="extxyz")
        else:
            aside.touch()


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
    return isotopes.exact(make_right_handed(supercell))


def thicknesses(cell: np.ndarray) -> np.ndarray:
    """Distances in Å between opposite faces of a cell whose rows are its vectors, shape (3,).

    A pair potential of cut-off rc sees an atom at most once per neighbour only while the smallest
    thickness is at least 2 rc.
    """
    return 1.0 / np.linalg.norm(np.linalg.inv(np.asarray(cell)), axis=0)
