"""Fm-3m LaH10 relaxed by a potential without symmetry: does it come back, and how well?

The crystal starts sheared, every atom moved off its site, so its angles and lengths are found, not
assumed. A crystal whose soft modes the potential has wrong ends elsewhere, in another symmetry.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ase
import numpy as np
import spglib
from ase.neighborlist import neighbor_list

from lah10.errors import UserError
from lah10.io import child
from lah10.phonons.relaxation import FORCE, minimise

#: Shear and stretch of the start; angles leave 90° by up to 0.7°.
STRAIN = np.array([[0.004, 0.006, -0.004], [0.006, -0.004, 0.005], [-0.004, 0.005, 0.002]])
#: Å, standard deviation of the start's displacements along each axis.
DISPLACEMENT = 0.03
#: Å, within which the relaxed atoms have the symmetry that is reported.
TOLERANCE = 0.02
#: Neighbours in Fm-3m: elements, lower and upper distance in units of a, for x of 32f near 0.12.
SHELLS = {
    "La-H(32f)": ("La", "H", 0.400, 0.425),
    "La-H(8c)": ("La", "H", 0.425, 0.450),
    "H(32f)-H(32f)": ("H", "H", 0.232, 0.260),
    "H(8c)-H(32f)": ("H", "H", 0.200, 0.232),
    "La-La": ("La", "La", 0.690, 0.720),
}


@dataclass(frozen=True)
class Relaxed:
    """A crystal that came to rest, or did not.

    Attributes
    ----------
    atoms : ase.Atoms
        Atoms in the order of the start, not wrapped.
    force : float
        Largest force on an atom or (per atom) on the cell, eV/Å.
    energy : float
        eV.
    """

    atoms: ase.Atoms
    force: float
    energy: float

    @property
    def converged(self) -> bool:
        return self.force <= FORCE


def relax(model: str | os.PathLike, atoms: ase.Atoms, pressure: float, threads: int = 1) -> Relaxed:
    """Relax atoms, lengths and angles at a pressure (GPa).

    Raises
    ------
    UserError
        The model cannot be run, or the crystal fell apart on the way.
    """
    (found,) = relax_all(model, [(atoms, pressure)], threads)
    if found is None:
        raise UserError(f"{model}: the crystal fell apart when relaxed at {pressure:g} GPa")
    return found


def relax_all(
    model: str | os.PathLike, starts: Sequence[tuple[ase.Atoms, float]], threads: int = 1
) -> list[Relaxed | None]:
    """Relax crystals, each at its pressure (GPa), one after the other in one child process.

    Returns
    -------
    list
        None for a crystal that fell apart on the way.

    Raises
    ------
    UserError
        The model cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="lah10-relax-") as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        arrays = {"pressures": np.array([pressure for _, pressure in starts], float)}
        for i, (atoms, _) in enumerate(starts):
            arrays[f"numbers{i}"] = atoms.numbers
            arrays[f"cell{i}"] = atoms.cell.array
            arrays[f"positions{i}"] = atoms.positions
        np.savez(question, **arrays)
        complaint = f"{model}: crystals cannot be relaxed"
        child.run_module(__name__, [question, answer, model], complaint, threads)
        result: list[Relaxed | None] = []
        with np.load(answer) as data:
            for i, (atoms, _) in enumerate(starts):
                cell, positions = data[f"cell{i}"], data[f"positions{i}"]
                force, energy = data["forces"][i], data["energies"][i]
                whole = np.isfinite(cell).all() and np.isfinite(positions).all()
                if whole and np.isfinite([force, energy]).all():
                    found = ase.Atoms(atoms.numbers, positions, cell=cell, pbc=True)
                    result.append(Relaxed(found, float(force), float(energy)))
                else:
                    result.append(None)
    return result


def disturbed(atoms: ase.Atoms, seed: int = 1) -> ase.Atoms:
    """The crystal sheared by `STRAIN`, its atoms moved by `DISPLACEMENT`."""
    result = atoms.copy()
    result.set_cell(atoms.cell.array @ (np.eye(3) + STRAIN), scale_atoms=True)
    moves = np.random.default_rng(seed).normal(scale=DISPLACEMENT, size=(len(atoms), 3))
    result.positions += moves - moves.mean(axis=0)
    return result


def describe(perfect: ase.Atoms, relaxed: Relaxed) -> dict:
    """What became of the conventional cell of Fm-3m, in plain numbers.

    Parameters
    ----------
    perfect : ase.Atoms
        It in full symmetry, in the order of the atoms, any lattice constant.

    Returns
    -------
    dict
        `space_group`, of what was found, within `tolerance` (Å); `angles`, α, β, γ in degree;
        `lengths`, by name: `mean`, `least` and `largest` (Å) over the pairs that are neighbours in
        `perfect`, and of "a" over the three edges; `force` (eV/Å) and `converged`.
    """
    atoms = relaxed.atoms
    lengths = {"a": atoms.cell.lengths()}
    a = perfect.cell.lengths()[0]
    i, j, image, distance = neighbor_list("ijSd", perfect, 0.75 * a)
    vectors = atoms.positions[j] + image @ atoms.cell.array - atoms.positions[i]
    now = np.linalg.norm(vectors, axis=1)
    symbols = np.array(perfect.get_chemical_symbols())
    for name, (one, other, low, high) in SHELLS.items():
        pair = (symbols[i] == one) & (symbols[j] == other)
        lengths[name] = now[pair & (distance > low * a) & (distance < high * a)]
    return {
        "space_group": space_group(atoms, TOLERANCE),
        "tolerance": TOLERANCE,
        "angles": atoms.cell.angles().tolist(),
        "lengths": {
            name: {
                "mean": float(np.mean(values)),
                "least": float(np.min(values)),
                "largest": float(np.max(values)),
            }
            for name, values in lengths.items()
        },
        "force": relaxed.force,
        "converged": relaxed.converged,
    }


def space_group(atoms: ase.Atoms, tolerance: float) -> str:
    """International symbol at a tolerance (Å); "unknown" of a crystal that spglib cannot read."""
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=tolerance)
    return found.international if found else "unknown"


def main(arguments: Sequence[str]) -> None:
    """The child: relax the structures in `question` and write `answer` (both .npz)."""
    from deepmd.calculator import DP

    question, answer, model = arguments
    calculator = DP(model)
    result, forces, energies = {}, [], []
    with np.load(question) as data:
        for i, pressure in enumerate(data["pressures"]):
            atoms = ase.Atoms(
                data[f"numbers{i}"], data[f"positions{i}"], cell=data[f"cell{i}"], pbc=True
            )
            atoms.calc = calculator
            try:
                forces.append(minimise(atoms, float(pressure)))
                energies.append(float(atoms.get_potential_energy()))
            except (ValueError, ArithmeticError, np.linalg.LinAlgError):
                # What ASE's algebra makes of a crystal without a volume.
                forces = [*forces[:i], np.nan]
                energies.append(np.nan)
            result[f"cell{i}"], result[f"positions{i}"] = atoms.cell.array, atoms.positions
    np.savez(answer, forces=forces, energies=energies, **result)


if __name__ == "__main__":
    main(sys.argv[1:])
