"""A model with known errors, and a law of pairs for walks out of the data."""

import ase
import numpy as np

from lah10.potential.evaluate import Prediction
from lah10.units import EV_PER_A3_IN_GPA


def wrong(system, energy=0.0, force=0.0, pressure=0.0, seed=0):
    """The labels with errors added: eV/atom (a constant), eV/Å (random), GPa (a constant)."""
    rng = np.random.default_rng(seed)
    virial = np.eye(3) * pressure / EV_PER_A3_IN_GPA * system.volumes[:, None, None]
    return Prediction(
        system.energies + energy * system.n_atoms,
        system.forces + rng.normal(size=system.forces.shape) * force,
        system.virials + virial,
    )


def pair_law(system):
    """A made-up model: 1/d repulsion of the nearest pair, pressure 4000/V per formula unit."""
    energies, virials = [], []
    for i in range(len(system)):
        atoms = ase.Atoms(numbers=[1] * system.n_atoms, positions=system.coordinates[i])
        atoms.cell, atoms.pbc = system.boxes[i], True
        distances = atoms.get_all_distances(mic=True)
        energies.append(1 / distances[distances > 0].min())
        virials.append(np.eye(3) * 4000 / EV_PER_A3_IN_GPA * system.n_atoms / 11)
    return Prediction(np.array(energies), np.zeros_like(system.coordinates), np.array(virials))
