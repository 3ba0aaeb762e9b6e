"""One calculation of Quantum ESPRESSO's pw.x: structure from its input, labels from its output.

The namelists are read as Fortran reads them, by f90nml. The cards behind them are read as pw.x
reads them: https://www.quantum-espresso.org/Doc/INPUT_PW.html. Where the output repeats the number
of atoms, the volume or the crystal axes, they must be those of the input.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.io.espresso import infix_float

from lah10.errors import UserError
from lah10.units import BOHR, EV_PER_A3_IN_KBAR, RYDBERG

CARDS = (
    "ATOMIC_SPECIES",
    "ATOMIC_POSITIONS",
    "K_POINTS",
    "ADDITIONAL_K_POINTS",
    "CELL_PARAMETERS",
    "CONSTRAINTS",
    "OCCUPATIONS",
    "ATOMIC_VELOCITIES",
    "ATOMIC_FORCES",
    "SOLVENTS",
    "HUBBARD",
)
CARD = re.compile(rf"^\s*({'|'.join(CARDS)})\b(.*)$", flags=re.IGNORECASE | re.MULTILINE)
#: Shares by which volume and axes of the input may differ from those of the output, which prints
#: the axes with six decimals, and the lattice parameter with four where it is large.
SAME = 1e-4
NUMBER = r"([-+]?\d+\.?\d*(?:[eEdD][-+]?\d+)?)"


@dataclass(frozen=True)
class Frame:
    """One labelled structure.

    Attributes
    ----------
    symbols : list of str
        Element of each of the n atoms.
    cell : (3, 3) float
        Vectors as rows, Å.
    positions : (n, 3) float
        Å.
    energy : float
        eV, with the smearing's -TS: what forces and stress are the slopes of.
    forces : (n, 3) float
        eV/Å.
    virial : (3, 3) float or None
        eV, positive when compressed; None if no stress was printed.
    converged : bool
        Whether the self-consistent field converged.
    """

    symbols: list[str]
    cell: np.ndarray
    positions: np.ndarray
    energy: float
    forces: np.ndarray
    virial: np.ndarray | None
    converged: bool


def read(output: Path, input_: Path) -> Frame:
    """The structure of `input_` with the labels of `output`.

    Raises
    ------
    UserError
        Input and output do not belong together, or the input is none that pw.x accepts.
    ValueError, IndexError
        A number in the output that is none.
    """
    text = output.read_text(encoding="utf-8", errors="replace")
    symbols, cell, positions = _structure(input_, output, _axes(text))
    n = len(symbols)
    _compare(output, input_, text, n, cell)
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if "Forces acting on atoms" in line)
    rows = [
        line.partition("=")[2] for line in lines[at:] if re.match(r"\s*atom\s+\d+\s+type", line)
    ]
    if len(rows) < n:
        raise UserError(
            f"{output} frame 0: expected {n} forces, as {input_.name} has atoms, got {len(rows)}"
        )
    forces = np.array([[float(x) for x in row.split()[:3]] for row in rows[:n]])
    virial = None
    if stress := [i for i, line in enumerate(lines) if "total   stress" in line]:
        rows = [line.split()[3:6] for line in lines[stress[0] + 1 : stress[0] + 4]]
        virial = np.array([[float(x) for x in row] for row in rows]) / EV_PER_A3_IN_KBAR
        virial *= abs(np.linalg.det(cell))
    energies = [line for line in lines if line.startswith("!") and "total energy" in line]
    if not energies:
        raise UserError(f"{output} frame 0: no total energy; run pw.x again")
    return Frame(
        symbols=symbols,
        cell=cell,
        positions=positions,
        energy=float(energies[-1].partition("=")[2].split()[0]) * RYDBERG,
        forces=forces * RYDBERG / BOHR,
        virial=virial,
        converged="convergence NOT achieved" not in text,
    )


# ------------------------------------------------------------------------------------ the input


def _structure(
    path: Path, output: Path, axes: np.ndarray | None
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Element, cell (3, 3) and positions (n, 3) of an input, Å; `axes` are those of the output."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    system = _namelist(path, text)
    n, ibrav = (_integer(path, system, key) for key in ("nat", "ibrav"))
    # celldm(1) counts where both are given.
    alat = _lattice_parameter(path, system)
    if ibrav == 0:
        cell = _cell(path, text, alat)
        if alat is None:
            alat = float(np.linalg.norm(cell[0]))
    elif axes is not None:
        cell = axes
    else:
        raise UserError(
            f"{path}: expected ibrav = 0 with CELL_PARAMETERS, since {output.name} does not print "
            f"the crystal axes, got ibrav = {ibrav}"
        )
    unit, rows = _card(path, text, "ATOMIC_POSITIONS", n)
    numbers = np.array([_numbers(path, "ATOMIC_POSITIONS", row[1:4]) for row in rows])
    symbols = [re.match(r"[A-Za-z]*", row[0])[0].capitalize() for row in rows]
    if unit == "CRYSTAL":
        return symbols, cell, numbers @ cell
    scale = {"ALAT": alat, "": alat, "BOHR": BOHR, "ANGSTROM": 1.0}.get(unit)
    if scale is None:
        raise UserError(
            f"{path}: expected ATOMIC_POSITIONS in alat, bohr, angstrom or crystal, got "
            f"{unit.lower()}"
        )
    return symbols, cell, numbers * scale


def _namelist(path: Path, text: str) -> dict:
    """The namelist &SYSTEM, its keys in lower case."""
    import f90nml

    cards = CARD.search(text)
    try:
        found = f90nml.Parser().reads(text[: cards.start()] if cards else text)
    except Exception as error:  # f90nml raises whatever it stumbles on
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"{path}: its namelists cannot be read ({reason})") from None
    system = found.get("system")
    if not isinstance(system, dict):
        raise UserError(f"{path}: expected one namelist &SYSTEM, as pw.x reads it")
    return system | {"first_celldm": (system.start_index.get("celldm") or [1])[0]}


def _integer(path: Path, system: dict, key: str) -> int:
    value = system.get(key)
    if not isinstance(value, int):
        shown = "nothing" if value is None else value
        raise UserError(f"{path}: expected a whole number {key} in &SYSTEM, got {shown}")
    return value


def _lattice_parameter(path: Path, system: dict) -> float | None:
    """Å; from celldm(1) in bohr, or else A in Å; None if neither is given."""
    celldm = system.get("celldm")
    first = celldm[0] if isinstance(celldm, list) and celldm else celldm
    if system["first_celldm"] != 1:
        first = None
    for key, value, unit in (("celldm(1)", first, BOHR), ("A", system.get("a"), 1.0)):
        if value is None:
            continue
        if not isinstance(value, int | float) or not value > 0:
            raise UserError(f"{path}: expected a number {key} > 0 in &SYSTEM, got {value}")
        return value * unit
    return None


def _cell(path: Path, text: str, alat: float | None) -> np.ndarray:
    """Vectors as rows, Å."""
    unit, rows = _card(path, text, "CELL_PARAMETERS", 3)
    numbers = np.array([_numbers(path, "CELL_PARAMETERS", row[:3]) for row in rows])
    if unit == "":  # pw.x's own choice, which it calls deprecated
        unit = "BOHR" if alat is None else "ALAT"
    if unit == "ALAT" and alat is None:
        raise UserError(f"{path}: CELL_PARAMETERS in alat; expected celldm(1) or A in &SYSTEM")
    scale = {"ALAT": alat, "BOHR": BOHR, "ANGSTROM": 1.0}.get(unit)
    if scale is None:
        raise UserError(
            f"{path}: expected CELL_PARAMETERS in alat, bohr or angstrom, got {unit.lower()}"
        )
    return numbers * scale


def _card(path: Path, text: str, name: str, count: int) -> tuple[str, list[list[str]]]:
    """Unit (upper case, or empty) and the words of the `count` lines of a card."""
    for card in CARD.finditer(text):
        if card[1].upper() == name:
            break
    else:
        raise UserError(f"{path}: no {name}; the structure is read from there")
    unit = re.match(r"[\s{(]*(\w*)", card[2].partition("!")[0])[1].upper()
    rows = []
    for line in text[card.end() :].splitlines():
        # Blank lines and comments may stand anywhere.
        words = re.split(r"[!#]", line, maxsplit=1)[0].replace(",", " ").split()
        if not words:
            continue
        if CARD.match(line) or len(rows) == count:
            break
        rows.append(words)
    if len(rows) != count:
        raise UserError(f"{path}: expected {count} lines of {name}, got {len(rows)}")
    return unit, rows


def _numbers(path: Path, card: str, words: list[str]) -> list[float]:
    """Three numbers; pw.x also takes expressions, such as 1/3."""
    try:
        x, y, z = words
        return [infix_float(re.sub(r"(?<=[\d.])[dD](?=[-+\d])", "e", word)) for word in (x, y, z)]
    except Exception:  # ASE's parser raises whatever it stumbles on
        raise UserError(
            f"{path}: {card}: expected three numbers, got {' '.join(words)!r}"
        ) from None


# ----------------------------------------------------------------------------------- the output


def _axes(text: str) -> np.ndarray | None:
    """The crystal axes that pw.x printed first, vectors as rows, Å; None if there are none."""
    # celldm(1) has more digits than "lattice parameter (alat)".
    alat = re.search(rf"celldm\(1\)=\s*{NUMBER}", text) or re.search(
        rf"lattice parameter \(alat\)\s*=\s*{NUMBER}", text
    )
    rows = re.findall(rf"^\s*a\([123]\) = \(\s*{NUMBER}\s+{NUMBER}\s+{NUMBER}\s*\)", text, re.M)
    if alat is None or len(rows) < 3 or float(alat[1]) == 0:
        return None
    return np.array(rows[:3], float) * float(alat[1]) * BOHR


def _compare(output: Path, input_: Path, text: str, n: int, cell: np.ndarray) -> None:
    """Refuse an output of another structure than the input's."""
    advice = f"is {input_.name} the input of this run?"
    if (found := re.search(r"number of atoms/cell\s*=\s*(\d+)", text)) and int(found[1]) != n:
        raise UserError(
            f"{output}: expected the {n} atoms of {input_.name}, got {found[1]}; {advice}"
        )
    volume = abs(np.linalg.det(cell))
    if found := re.search(rf"unit-cell volume\s*=\s*{NUMBER}", text):
        printed = float(found[1]) * BOHR**3
        if abs(printed / volume - 1) > SAME:
            raise UserError(
                f"{output}: expected the volume of {input_.name}, {volume:.3f} Å3, got "
                f"{printed:.3f}; {advice}"
            )
    axes = _axes(text)
    if axes is not None and np.abs(axes - cell).max() > SAME * np.linalg.norm(cell, axis=1).max():
        raise UserError(
            f"{output}: expected the crystal axes of {input_.name}, got others; {advice}"
        )
