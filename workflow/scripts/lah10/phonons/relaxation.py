"""Crystals relaxed at a pressure: one minimiser for cells and atoms, and enthalpies."""

import numpy as np
import spglib
from ase import Atoms
from ase.calculators.calculator import Calculator

from lah10 import ELEMENTS
from lah10.crystal.isotopes import of_atoms, with_isotopes
from lah10.crystal.structures import SYMMETRY_TOLERANCE
from lah10.errors import UserError
from lah10.units import EV_PER_A3_IN_GPA

#: eV/Å, largest force at which a crystal is at rest; and steps after which a relaxation ends.
FORCE, STEPS = 2e-3, 500


def minimise(
    atoms: Atoms,
    pressure: float,
    force_tolerance: float = FORCE,
    steps: int = STEPS,
    longest_step: float = 0.05,
) -> float:
    """Relax cell and positions at a pressure, in place, within the constraints of the atoms.

    BFGS in the positions and in the logarithm of the deformation (ASE's `FrechetCellFilter`).

    Parameters
    ----------
    atoms : Atoms
        With a calculator that has forces and stress.
    pressure : float
        GPa.
    force_tolerance : float
        eV/Å, see the result; the relaxation ends below it.
    steps : int
        Optimisation steps, at most.
    longest_step : float
        Å, by which an atom moves in one step, at most.

    Returns
    -------
    float
        The largest force that is left, on an atom or, divided by the number of atoms, on the
        deformation (eV/Å); `force_tolerance` or more where the relaxation did not converge.
    """
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    free = FrechetCellFilter(atoms, scalar_pressure=pressure / EV_PER_A3_IN_GPA)
    BFGS(free, logfile=None, maxstep=longest_step).run(fmax=force_tolerance, steps=steps)
    return float(np.linalg.norm(free.get_forces(), axis=1).max())


def relax(
    atoms: Atoms,
    calculator: Calculator,
    pressure: float,
    force_tolerance: float = FORCE,
    steps: int = STEPS,
) -> Atoms:
    """Relax positions and cell at a pressure, keeping the space group.

    Parameters
    ----------
    atoms : Atoms
        Starting crystal; not changed.
    calculator : ASE calculator with forces and stress.
    pressure : float
        GPa.
    force_tolerance, steps
        See `minimise`.

    Returns
    -------
    Atoms
        The relaxed crystal with the calculator attached; its symmetry may be higher than before.

    Raises
    ------
    UserError
        The relaxation did not converge.
    """
    from ase.constraints import FixSymmetry

    relaxed = atoms.copy()
    relaxed.calc = calculator
    relaxed.set_constraint(FixSymmetry(relaxed, symprec=SYMMETRY_TOLERANCE))
    largest = minimise(relaxed, pressure, force_tolerance, steps, longest_step=0.1)
    if not largest < force_tolerance:
        raise UserError(
            f"harmonic crystal at {pressure:g} GPa: not relaxed after {steps} steps (expected a "
            f"largest force below {force_tolerance:g} eV/Å, got {largest:.3g}); is the potential "
            "valid at this pressure?"
        )
    relaxed.set_constraint()
    return relaxed


def primitive(atoms: Atoms, idealise: bool = False) -> Atoms:
    """The primitive cell of a crystal that spglib finds.

    Parameters
    ----------
    idealise : bool
        Put the cell into the standard orientation and every atom onto its site exactly; without,
        the crystal stays as it is.

    Isotopes keep their masses; other data of the atoms are dropped.
    """
    lattice, scaled, numbers = spglib.standardize_cell(
        (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers),
        to_primitive=True, no_idealize=not idealise, symprec=SYMMETRY_TOLERANCE,
    )
    cell = Atoms(numbers=numbers, scaled_positions=scaled, cell=lattice, pbc=True)
    return with_isotopes(cell, of_atoms(atoms, "crystal"))


def enthalpy(atoms: Atoms, pressure: float) -> float:
    """E + PV in eV per formula unit (per La atom), of atoms with a calculator; P in GPa."""
    total = atoms.get_potential_energy() + pressure / EV_PER_A3_IN_GPA * atoms.get_volume()
    return float(total) / formula_units(atoms)


def formula_units(atoms: Atoms) -> int:
    """Number of La atoms, at least 1."""
    return max(atoms.get_chemical_symbols().count(ELEMENTS[0]), 1)
