"""Isotopes of a crystal: read from a structure file, carried as masses, recognised by them.

A crystal has one kind of each element. ASE has no symbols D and T: of a CIF's D it makes H with
another mass, other files with them it cannot read. Here their symbols are read from the text, which
is then given to ASE with H in their place.

The text is read without NumPy and ASE, as rules are parsed with it.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lah10 import ELEMENTS, nuclides
from lah10.errors import UserError

if TYPE_CHECKING:
    from ase import Atoms

#: Symbols that stand for H in files, itself included.
SYMBOLS = ("H", *nuclides.MASSES["H"])
#: Share of its mass by which an atom's may differ from that of its kind; files round.
MASS_TOLERANCE = 0.01

#: A symbol of hydrogen, by itself or with what files add: a number of the site, a charge, or the
#: name of a pseudopotential.
_TOKEN = re.compile(r"""(?<![^\s"'])([HDT])(?=[0-9+-]*["']?(?!\S)|[_/])""")


def in_text(text: str, form: str) -> tuple[str, set[str]]:
    """The text of a structure file with H for D and T, and the symbols of hydrogen that it had.

    Parameters
    ----------
    form : {"cif", "extxyz", "vasp"}
        Its format, as ASE names it.
    """
    lines = text.split("\n")
    where = {"cif": _sites_of_cif, "extxyz": _atoms_of_xyz, "vasp": _species_of_poscar}[form](lines)
    found: set[str] = set()

    def plain(match: re.Match) -> str:
        found.add(match[1])
        return "H"

    for line, column in where:
        words = re.split(r"(\s+)", lines[line])
        first = 0 if words[0] else 2  # a line may begin with blanks
        for at in range(first, len(words), 2):
            if column is None or at == first + 2 * column:
                words[at] = _TOKEN.sub(plain, words[at])
        lines[line] = "".join(words)
    return "\n".join(lines), found


def _sites_of_cif(lines: list[str]):
    """Lines of the loop over sites, and the column with symbols in it."""
    columns: list[str] = []
    for i, line in enumerate(lines):
        word = line.split(maxsplit=1)[0] if line.strip() else ""
        if word.lower() == "loop_":
            columns = []
        elif word.startswith("_"):
            columns = [*columns, word.lower()] if line.split() == [word] else []
        elif word:
            # The type is what ASE takes where there are both.
            for name in ("_atom_site_type_symbol", "_atom_site_label"):
                if name in columns:
                    yield i, columns.index(name)
                    break


def _atoms_of_xyz(lines: list[str]):
    """Lines of atoms, and the column of their species."""
    at = 0
    while at < len(lines) and lines[at].strip().isdigit():
        count = int(lines[at])
        header = lines[at + 1] if at + 1 < len(lines) else ""
        column = 0
        if given := re.search(r'Properties="?([^\s"]+)', header, re.IGNORECASE):
            parts = given[1].split(":")
            for name, number in zip(parts[::3], parts[2::3], strict=False):
                if name.lower() in ("species", "symbols"):
                    break
                column += int(number)
        yield from ((i, column) for i in range(at + 2, min(at + 2 + count, len(lines))))
        at += 2 + count


def _species_of_poscar(lines: list[str]):
    """The line of the species; in files of VASP 4 the comment is one."""
    words = lines[5].split() if len(lines) > 5 else []
    yield (0 if words and all(word.isdigit() for word in words) else 5), None


def format_of(path: Path) -> str | None:
    """The format of a file by its name, of those in which D and T are read, or None."""
    if path.suffix in (".xyz", ".extxyz"):
        return "extxyz"
    if path.suffix in (".vasp", ".poscar") or path.name.startswith(("POSCAR", "CONTCAR")):
        return "vasp"
    return "cif" if path.suffix.lower() == ".cif" else None


def read(path: str | Path) -> "list[Atoms] | None":
    """Frames of a file with D or T in it, every atom with its mass; None where it has neither.

    Raises
    ------
    UserError
        Two kinds of hydrogen in one file.
    """
    import ase.io

    form = format_of(Path(path))
    if form is None:
        return None
    try:
        text, symbols = in_text(Path(path).read_text(encoding="utf-8"), form)
    except (OSError, UnicodeDecodeError):
        return None
    isotopes = one_kind(symbols, str(path))
    if not isotopes:
        return None
    frames = ase.io.read(io.StringIO(text), index=":", format=form)
    return [with_isotopes(atoms, isotopes) for atoms in frames]


def one_kind(symbols: set[str], where: str) -> dict[str, str]:
    """The isotopes of a file with these symbols of hydrogen.

    Raises
    ------
    UserError
        There are two.
    """
    if len(symbols) > 1:
        raise mixed(where, "H", sorted(symbols))
    (name,) = symbols or {"H"}
    return {} if name == "H" else {"H": name}


def mixed(where: str, element: str, kinds: list[str]) -> UserError:
    """The error of a crystal with two kinds of one element."""
    return UserError(
        f"{where}: expected one kind of {element}, got {' and '.join(kinds)}; mixtures of isotopes "
        "are not implemented: write one of them everywhere"
    )


def of_atoms(atoms: "Atoms", where: str) -> dict[str, str]:
    """The isotopes of a crystal by element, recognised by its masses; none where all are natural.

    Parameters
    ----------
    where : str
        File and frame, the beginning of a message.

    Raises
    ------
    UserError
        A mass is that of no known isotope, or there are two kinds of one element.
    """
    from ase.data import atomic_masses, atomic_numbers

    if not atoms.has("masses"):
        return {}
    isotopes = {}
    for element in ELEMENTS:
        masses = atoms.get_masses()[atoms.symbols == element]
        known = {element: atomic_masses[atomic_numbers[element]], **nuclides.MASSES[element]}
        kinds = {min(known, key=lambda name, mass=mass: abs(mass / known[name] - 1))
                 for mass in masses}  # fmt: skip
        for mass in masses:
            if min(abs(mass / other - 1) for other in known.values()) > MASS_TOLERANCE:
                raise UserError(
                    f"{where}: expected the mass of {', '.join(known)}, got {element} of mass "
                    f"{mass:.4g}; remove the masses, and choose an isotope by structure.isotopes"
                )
        if len(kinds) > 1:
            raise mixed(where, element, sorted(kinds))
        if kinds and kinds != {element}:
            (isotopes[element],) = kinds
    return isotopes


def with_isotopes(atoms: "Atoms", isotopes: Mapping[str, str]) -> "Atoms":
    """The crystal with the exact masses of its isotopes; all others natural."""
    if not isotopes and not atoms.has("masses"):
        return atoms
    atoms = atoms.copy()
    atoms.set_masses(None)  # the elements' own, which files need not name
    if isotopes:
        masses = atoms.get_masses()
        for element, name in isotopes.items():
            masses[atoms.symbols == element] = nuclides.MASSES[element][name]
        atoms.set_masses(masses)
    return atoms


def exact(atoms: "Atoms") -> "Atoms":
    """The crystal, read from a file of this project's, with masses to the last digit."""
    return with_isotopes(atoms, of_atoms(atoms, "supercell"))


def heavier(isotopes: Mapping[str, str]) -> float:
    """How many times heavier than natural hydrogen its isotope is; exactly 1 without one."""
    from ase.data import atomic_masses, atomic_numbers

    name = isotopes.get("H")
    return nuclides.MASSES["H"][name] / float(atomic_masses[atomic_numbers["H"]]) if name else 1.0


def chosen(of_file: Mapping[str, str], wanted: Mapping[str, str], file: str | Path) -> dict:
    """The isotopes of a structure file and of `structure.isotopes` together.

    Raises
    ------
    UserError
        They contradict each other.
    """
    for element in of_file.keys() & wanted.keys():
        if of_file[element] != wanted[element]:
            raise UserError(
                f"structure.isotopes: expected {element}: {of_file[element]}, as {file} has, got "
                f"{wanted[element]}; remove the key, or write {element} in the file"
            )
    return {**of_file, **wanted}
