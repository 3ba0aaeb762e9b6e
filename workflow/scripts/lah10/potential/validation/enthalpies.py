"""Static enthalpies H(P) of the phases by a potential, and their harmonic zero-point energies.

Known crystals are relaxed at every pressure. Phases that are not known are looked for: the cubic
crystal, in cells of one and of two formula units, is sheared and its atoms are moved at random, so
that no symmetry is left, and relaxed at some pressures. What comes to rest in a space group of its
own is a phase, named after it, and is relaxed at all pressures like the others.

A crystal that changes its space group on the way is another phase there: its enthalpy does not
count for the one that it started as. The zero-point energy is that of the harmonic crystal, where
no mode is imaginary.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import ase.io
import numpy as np
import spglib
import xarray as xr
from ase import Atoms
from ase.build import make_supercell
from ase.calculators.calculator import Calculator

from lah10.crystal.structures import SYMMETRY_TOLERANCE, read_crystal
from lah10.errors import UserError
from lah10.io import child, netcdf
from lah10.io.files import atomic_path, sha256
from lah10.phonons.phonons import phonons
from lah10.phonons.relaxation import FORCE, formula_units, minimise, primitive
from lah10.potential.validation.phases import PRESSURES, REFERENCE
from lah10.potential.validation.relaxation import space_group
from lah10.units import EV_PER_A3_IN_GPA, PLANCK

#: GPa at which zero-point energies are computed; they are smooth in between.
ZERO_POINT_PRESSURES = (100, 150, 200, 250, 300, 350)
#: GPa at which unknown phases are looked for.
SEARCH_PRESSURES = (100, 150, 250)
#: Cells of the search in primitive ones of Fm-3m, and random starts of each at each pressure.
SEARCH_CELLS = (np.diag([1, 1, 1]), np.diag([2, 1, 1]))
SEARCH_STARTS = (2, 4)
#: Standard deviations of the starts: strain, and Å along each axis.
STRAIN, DISPLACEMENT = 0.02, 0.08
#: eV per formula unit: a phase this far above the cubic crystal is left out, and two crystals this
#: near are one.
FARTHEST, SAME = 0.5, 1e-3
#: Å, thickness of the supercells for phonons; some 2 meV/atom of the zero-point energy below 8.5 Å,
#: which cancel between phases.
SUPERCELL = 7.0
#: Å: the energy that the force left after relaxation may still yield is this times the force.
LEFT = 0.01

#: Atoms in a formula unit.
ATOMS = 11

DIMS = ("phase", "pressure")
VARIABLES = {
    "enthalpy": ("eV", "enthalpy per formula unit, on the potential's own zero"),
    "enthalpy_stderr": ("eV", "energy that relaxation may have left"),
    "volume_per_formula": ("angstrom3", "volume per formula unit"),
    "zero_point_energy": ("eV", "harmonic zero-point energy per formula unit; none where a mode is "
                          "imaginary"),
    "imaginary_share": ("1", "share of the modes with an imaginary frequency"),
}  # fmt: skip


def measure(
    crystals: Mapping[str, Atoms],
    calculator: Calculator,
    pressures: Sequence[float] = PRESSURES,
    zero_point: Sequence[float] = ZERO_POINT_PRESSURES,
    search: Sequence[float] = SEARCH_PRESSURES,
    seed: int = 1,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[xr.Dataset, list[Atoms]]:
    """Enthalpies of all phases at all pressures.

    Parameters
    ----------
    crystals : mapping
        Known phases by their names, with `REFERENCE` among them.
    calculator : ASE calculator
        With forces and stress.
    pressures, zero_point, search : sequences of float
        GPa: of enthalpies, of zero-point energies among them, of the search.
    seed : int
        Of the search.
    report : callable
        Takes a line on what was done, as soon as it was.

    Returns
    -------
    Dataset
        `VARIABLES` by phase and pressure, NaN where the crystal is another phase or fell apart, and
        `space_group`, what it relaxed to.
    list of Atoms
        Every relaxed crystal; `info` has phase, pressure, enthalpy, space_group.
    """
    known = {name: primitive(crystal, idealise=True) for name, crystal in crystals.items()}
    starts = {name: [crystal] * len(pressures) for name, crystal in known.items()}
    found: dict[str, list[Atoms | None]] = {}
    for name, row in starts.items():
        found[name] = [_rest(c, calculator, p) for c, p in zip(row, pressures, strict=True)]
        report(f"{name}: relaxed at {len(pressures)} pressures")
    new = _search(known, calculator, search, seed)
    report(f"random starts: {', '.join(new) or 'nothing'} beside the known phases")
    for name, start in new.items():
        found[name] = [_rest(start, calculator, p) for p in pressures]
        report(f"{name}: relaxed at {len(pressures)} pressures")
    names = list(found)
    shape = (len(names), len(pressures))
    values = {name: np.full(shape, np.nan) for name in VARIABLES}
    groups = np.full(shape, "none", dtype=object)
    atoms = []
    for i, name in enumerate(names):
        for j, pressure in enumerate(pressures):
            crystal = found[name][j]
            if crystal is None:
                continue
            groups[i, j] = crystal.info["space_group"]
            crystal.info |= {"phase": name, "pressure": float(pressure)}
            atoms.append(crystal)
            if groups[i, j] != name.partition("#")[0]:
                continue
            values["enthalpy"][i, j] = crystal.info["enthalpy"]
            values["enthalpy_stderr"][i, j] = crystal.info["enthalpy_left"]
            values["volume_per_formula"][i, j] = crystal.get_volume() / formula_units(crystal)
            if pressure in zero_point:
                share, energy = _zero_point(crystal, calculator)
                values["imaginary_share"][i, j], values["zero_point_energy"][i, j] = share, energy
                report(f"{name}: phonons at {pressure:g} GPa")
    data = xr.Dataset(
        {name: (DIMS, values[name], {"units": unit, "long_name": text})
         for name, (unit, text) in VARIABLES.items()},
        {"phase": names, "pressure": ("pressure", np.asarray(pressures, float),
                                      {"units": "GPa", "long_name": "pressure"})},
    )  # fmt: skip
    data["space_group"] = (DIMS, groups, {
        "long_name": f"space group after relaxation, tolerance {SYMMETRY_TOLERANCE} angstrom"})
    data.attrs |= {"search_pressures_GPa": list(map(float, search)), "seed": seed}
    return data, atoms


def _rest(start: Atoms, calculator: Calculator, pressure: float) -> Atoms | None:
    """The crystal at rest with its enthalpy (eV per formula unit) and space group in `info`; None
    if it fell apart or came not to rest."""
    atoms = start.copy()
    atoms.info, atoms.calc = {}, calculator
    try:
        force = minimise(atoms, float(pressure))
        energy = float(atoms.get_potential_energy())
    except (ValueError, ArithmeticError, np.linalg.LinAlgError):
        return None  # what ASE's algebra makes of a crystal without a volume
    if not (np.isfinite(energy) and force <= 5 * FORCE):
        return None
    units = formula_units(atoms)
    atoms.info = {
        "enthalpy": (energy + pressure / EV_PER_A3_IN_GPA * atoms.get_volume()) / units,
        "enthalpy_left": force * LEFT * len(atoms) ** 0.5 / units,
        "space_group": space_group(atoms, SYMMETRY_TOLERANCE),
        "order": _order(atoms),
    }
    atoms.calc = None
    return atoms


def _order(atoms: Atoms) -> int:
    """Number of the crystal's point operations: how symmetric it is."""
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=SYMMETRY_TOLERANCE)
    return len(np.unique(found.rotations, axis=0)) if found else 0


def _search(
    known: Mapping[str, Atoms], calculator: Calculator, pressures: Sequence[float], seed: int
) -> dict[str, Atoms]:
    """Phases that random starts relax to, beside those known: the lowest crystal of each space
    group by its name."""
    rng = np.random.default_rng(seed)
    best: dict[str, Atoms] = {}
    for pressure in pressures:
        at_rest = [_rest(crystal, calculator, pressure) for crystal in known.values()]
        taken = [crystal.info for crystal in at_rest if crystal is not None]
        ends = [
            _rest(_broken(known[REFERENCE], cell, rng), calculator, pressure)
            for cell, starts in zip(SEARCH_CELLS, SEARCH_STARTS, strict=True)
            for _ in range(starts)
        ]
        found = [crystal for crystal in ends if crystal is not None]
        # Of one crystal that came to rest more or less well, the most symmetric counts.
        found.sort(key=lambda crystal: -crystal.info.get("order", 0))
        for crystal in found:
            group, own = crystal.info["space_group"], crystal.info["enthalpy"]
            lowest = min((info["enthalpy"] for info in taken), default=np.inf)
            same = any(abs(own - info["enthalpy"]) < SAME for info in taken)
            if group in known or same or own > lowest + FARTHEST:
                continue
            taken.append(crystal.info)
            if group not in best or own < best[group].info["enthalpy"]:
                best[group] = crystal
    return best


def _broken(cubic: Atoms, cell: np.ndarray, rng: np.random.Generator) -> Atoms:
    """Fm-3m in a cell, sheared and its atoms moved at random: no symmetry is left."""
    atoms = make_supercell(cubic, cell)
    strain = rng.normal(scale=STRAIN, size=(3, 3))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + (strain + strain.T) / 2), scale_atoms=True)
    atoms.positions += rng.normal(scale=DISPLACEMENT, size=(len(atoms), 3))
    return atoms


def _zero_point(crystal: Atoms, calculator: Calculator) -> tuple[float, float]:
    """Share of imaginary modes, and ½ Σ ħω per formula unit (eV); NaN where there are any."""
    data = phonons(crystal, calculator, SUPERCELL)
    share = float(data.imaginary_share)
    if share > 0:
        return share, np.nan
    frequency = data.frequency.where(data.frequency > 0, 0.0)
    weight = data.weight * data.counted
    modes = 3 * len(crystal) / formula_units(crystal)
    mean = float((frequency * weight).sum() / weight.broadcast_like(frequency).sum())
    return share, 0.5 * PLANCK * mean * modes


def launch(
    model: str | os.PathLike,
    crystals: Sequence[tuple[str, str | os.PathLike]],
    highest: float | None,
    output: str | os.PathLike,
    structures: str | os.PathLike,
    log: str | os.PathLike,
    threads: int,
) -> None:
    """`measure` for a deep potential in a child process; writes the dataset and, as extended XYZ,
    the relaxed crystals.

    Parameters
    ----------
    crystals : (name, file) pairs
    highest : float, optional
        GPa, above which the potential is not used.

    Raises
    ------
    UserError
        The user must mend something.
    RuntimeError
        The child broke down; the message names the log.
    """
    command = [sys.executable, "-m", __name__, model, output, structures,
               str(np.inf if highest is None else highest),
               *(word for pair in crystals for word in pair)]  # fmt: skip
    child.follow(command, log, f"the enthalpies by {model}", threads)


def main(arguments: Sequence[str]) -> int:
    """The child; the exit status for the parent."""
    child.end_with_parent()
    model, output, structures, highest, *words = arguments
    try:
        if not Path(model).is_file():
            raise UserError(f"{model}: no such potential")
        crystals = {name: read_crystal(path)
                    for name, path in zip(words[::2], words[1::2], strict=True)}  # fmt: skip
        from deepmd.calculator import DP

        limit = float(highest)
        pressures, zero_point, search = (
            [p for p in values if p <= limit]
            for values in (PRESSURES, ZERO_POINT_PRESSURES, SEARCH_PRESSURES)
        )
        data, atoms = measure(crystals, DP(model=str(model)), pressures, zero_point, search,
                              report=child.say)  # fmt: skip
    except UserError as error:
        child.say(str(error))
        return child.USER_ERROR
    data.attrs |= {"potential": str(model), "potential_sha256": sha256(model)}
    with atomic_path(structures) as aside:
        ase.io.write(aside, atoms, format="extxyz")
    netcdf.write(data, output, "static enthalpies of phases")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
