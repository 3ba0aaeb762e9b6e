"""Labelled frames of LaH10 from a toy law, plausible enough for the checks of real ones."""

from pathlib import Path

import ase
import ase.io
import numpy as np
from ase.calculators.singlepoint import SinglePointCalculator

from crystals import supercell
from lah10 import ELEMENTS
from lah10.potential.data.plausibility import STATIC_PRESSURE
from lah10.potential.data.systems import System
from lah10.units import EV_PER_A3_IN_GPA

REPOSITORY = Path(__file__).resolve().parents[2]
#: eV/Å2, every atom on a spring to its site.
SPRING = 8.0


def system(
    name: str = "toy/a",
    frames: int = 5,
    seed: int = 1,
    volume: float = 33.2,
    sigma: float = 0.08,
    offset: float = 0.0,
) -> System:
    """Primitive cells whose atoms are displaced by `sigma` Å from the sites of Fm-3m.

    Springs give energies and forces, the equation of state the virial; `offset` (eV/atom) lies on
    top of the energies.
    """
    rng = np.random.default_rng(seed)
    atoms = supercell("primitive", (1, 1, 1))
    atoms.set_cell(atoms.cell * (volume / atoms.get_volume()) ** (1 / 3), scale_atoms=True)
    shift = rng.normal(size=(frames, len(atoms), 3)) * sigma
    shift -= shift.mean(axis=1, keepdims=True)
    a, b = STATIC_PRESSURE
    pressure = np.exp(a + b * volume) / EV_PER_A3_IN_GPA
    order = np.argsort([ELEMENTS.index(s) for s in atoms.symbols], kind="stable")
    energies = 0.5 * SPRING * (shift**2).sum(axis=(1, 2)) + (offset - 2.5) * len(atoms)
    return System(
        name=name,
        types=np.array([ELEMENTS.index(s) for s in atoms.symbols])[order],
        boxes=np.repeat(atoms.cell.array[None], frames, axis=0),
        coordinates=(atoms.positions + shift)[:, order],
        energies=energies,
        forces=(-SPRING * shift)[:, order],
        virials=np.repeat(np.eye(3)[None] * pressure * volume, frames, axis=0),
        frames=tuple(f"{name} frame {i}" for i in range(frames)),
    )


def write_xyz(path, system, labels=("energy", "forces", "stress")):
    """Write a system as extended XYZ with these labels; hydrogen first in every frame."""
    frames = []
    for i in range(len(system)):
        # Hydrogen first, so that reading has to sort.
        symbols = [ELEMENTS[t] for t in system.types][::-1]
        atoms = ase.Atoms(symbols, system.coordinates[i][::-1], cell=system.boxes[i], pbc=True)
        results = {
            "energy": system.energies[i],
            "forces": system.forces[i][::-1],
            "stress": -system.virials[i] / atoms.get_volume(),
        }
        atoms.calc = SinglePointCalculator(atoms, **{key: results[key] for key in labels})
        frames.append(atoms)
    ase.io.write(path, frames, format="extxyz")
    return path
