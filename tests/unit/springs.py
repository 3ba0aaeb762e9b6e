"""Crystals of springs, whose frequencies are known in closed form."""

import numpy as np
import xarray as xr
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.neighborlist import neighbor_list

from lah10.phonons import phonons
from lah10.units import MVV2E

A = 4.0  # Å, rock salt; nearest neighbours at A/2
SPRING = 25.0  # eV/Å²


class Springs(Calculator):
    """½K(r − r0)² between La and H at r0 = A/2; and K' between H neighbours at A/√2."""

    implemented_properties = ("energy", "forces")

    def __init__(self, hydrogen: float = 0.0):
        super().__init__()
        self.hydrogen = hydrogen

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        i, j, d, vector = neighbor_list("ijdD", atoms, 1.2 * A / np.sqrt(2))
        both = np.array(atoms.get_chemical_symbols())[np.stack([i, j])]
        nearest = (both[0] != both[1]) & (d < 0.6 * A)
        hydrogen = (both[0] == "H") & (both[1] == "H")
        constant = SPRING * nearest + self.hydrogen * hydrogen
        stretch = d - np.where(nearest, A / 2, A / np.sqrt(2))
        forces = np.zeros((len(atoms), 3))
        np.add.at(forces, i, (constant * stretch / d)[:, None] * vector)
        self.results = {"energy": 0.25 * np.sum(constant * stretch**2), "forces": forces}


def crystal_of_modes(*frequencies: float) -> xr.Dataset:
    """A crystal of one wave vector with the given frequencies."""
    n = len(frequencies)
    return phonons.with_stability(xr.Dataset(
        {"frequency": (("q", "branch"), [frequencies]), "weight": ("q", [1.0]),
         "counted": (("q", "branch"), np.ones((1, n), np.int8)),
         "element_weight": (("q", "branch", "element"), np.full((1, n, 2), 0.5))},
        {"element": ["La", "H"], "pressure": 150.0}))


def chain_frequencies(mesh: int, hydrogen: float | None = None) -> np.ndarray:
    """All 6·mesh³ frequencies (THz) of the rock salt of springs, in closed form.

    The springs to the six neighbours lie along x, y and z, so every direction is a diatomic chain:
    ω² = K(1/m + 1/M) ± K sqrt((1/m + 1/M)² − 4 sin²(k A/2)/mM), k the wave vector's component.

    hydrogen : mass of H, g/mol; natural by default.
    """
    heavy, light = bulk("LaH", "rocksalt", a=A).get_masses()
    heavy, light = heavy * MVV2E, (hydrogen or light) * MVV2E
    cell = bulk("LaH", "rocksalt", a=A).cell.array
    grid = np.stack(np.meshgrid(*[np.arange(mesh) / mesh] * 3), -1).reshape(-1, 3)
    k = 2 * np.pi * grid @ np.linalg.inv(cell).T
    total = 1 / heavy + 1 / light
    root = np.sqrt(total**2 - 4 * np.sin(k * A / 2) ** 2 / (heavy * light))
    squares = np.concatenate([SPRING * (total + root), SPRING * (total - root)], axis=1)
    return np.sqrt(np.maximum(squares, 0.0)) / (2 * np.pi)
