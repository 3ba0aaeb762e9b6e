"""Where no data reach: does a potential push back when atoms come too close?

A potential is only as good as its data, but a run must not fall into a hole that lies beyond them.
Two kinds of walk lead out of the data: the crystal is squeezed, and one pair of atoms is pushed
together in a crystal at rest. On both, energy and pressure must rise. The crystal is squeezed as it
is, strained as R-3m is, and with its atoms off their sites, as they are in any run: a hole may lie
beside the way of the perfect one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import ase
import numpy as np
from ase.neighborlist import neighbor_list

from lah10.potential.data.systems import System, pressures, unlabelled
from lah10.potential.evaluate import evaluate

#: Å3 per formula unit of LaH10, from 75 to far above 500 GPa.
VOLUMES = np.concatenate([np.arange(42.0, 20.0, -1.0), np.arange(20.0, 8.0, -2.0)])
#: Å, for pairs; at rest they are 1.1, 2.05 and 3.6 apart.
APPROACHES = {
    ("H", "H"): np.arange(1.1, 0.29, -0.05),
    ("La", "H"): np.arange(2.0, 0.69, -0.1),
    ("La", "La"): np.arange(3.5, 1.49, -0.1),
}
#: Å, within which a crystal under pressure has such pairs.
NEAREST = 4.0
#: Shear of R-3m LaH10: the primitive cell of Fm-3m, 60°, gets R-3m's angle of 62.1°.
RHOMBOHEDRAL = np.eye(3) - 0.0155 * (np.ones((3, 3)) - np.eye(3))
#: Å, by which every atom of the displaced crystal is moved, at every volume the same way.
DISPLACEMENT, SEED = 0.1, 1
#: The walks that squeeze, and what they squeeze, in words.
SQUEEZES = {
    "volume": "Fm-3m",
    "volume, R-3m": "the same strained to R-3m",
    "volume, displaced": f"Fm-3m with every atom {DISPLACEMENT:g} Å off its site",
}


@dataclass(frozen=True)
class Walk:
    """Energy along a path out of the data.

    Attributes
    ----------
    coordinate : (f,) float
        Distance (Å) or volume per formula unit (Å3), falling.
    energy : (f,) float
        eV relative to the first: of the pair's approach, or per formula unit.
    pressure : (f,) float
        GPa.
    """

    coordinate: np.ndarray
    energy: np.ndarray
    pressure: np.ndarray

    @property
    def energy_rises_to(self) -> float:
        """The coordinate down to which the energy rises without a break."""
        return self._rises_to(self.energy)

    @property
    def pressure_rises_to(self) -> float:
        """The pressure (GPa) up to which it rises without a break."""
        return float(self.pressure[self.coordinate == self._rises_to(self.pressure)][0])

    def _rises_to(self, values: np.ndarray) -> float:
        falls = np.flatnonzero(np.diff(values) <= 0)
        return float(self.coordinate[falls[0] if len(falls) else len(values) - 1])


def walks(model: str | os.PathLike, crystal: ase.Atoms, threads: int = 1) -> dict[str, Walk]:
    """Squeeze a crystal (keys of `SQUEEZES`), and push its nearest pairs together ("La-H", ...).

    Parameters
    ----------
    crystal : ase.Atoms
        LaH10 at rest, 44 atoms or more so that a pair does not meet its image.
    """
    formula_units = crystal.get_chemical_symbols().count("La")
    strained = crystal.copy()
    strained.set_cell(crystal.cell.array @ RHOMBOHEDRAL, scale_atoms=True)
    moves = np.random.default_rng(SEED).normal(size=(len(crystal), 3))
    moves *= DISPLACEMENT / np.linalg.norm(moves, axis=1, keepdims=True)
    systems = {
        "volume": _squeezed(crystal, VOLUMES * formula_units),
        "volume, R-3m": _squeezed(strained, VOLUMES * formula_units),
        "volume, displaced": _squeezed(crystal, VOLUMES * formula_units, moves),
    }
    coordinates = dict.fromkeys(SQUEEZES, VOLUMES)
    for pair, distances in APPROACHES.items():
        systems["-".join(pair)] = _pushed(crystal, pair, distances)
        coordinates["-".join(pair)] = distances
    result = {}
    for (name, system), found in zip(
        systems.items(), evaluate(model, list(systems.values()), threads), strict=True
    ):
        energy = found.energies - found.energies[0]
        result[name] = Walk(
            coordinates[name],
            energy / formula_units if name in SQUEEZES else energy,
            pressures(found.virials, system.volumes),
        )
    return result


def _squeezed(
    crystal: ase.Atoms, volumes: Sequence[float], moves: np.ndarray | float = 0.0
) -> System:
    """The crystal at given volumes (Å3), its atoms then moved by `moves`, (n, 3) in Å."""
    scaled = crystal.get_scaled_positions()
    boxes = np.array([crystal.cell.array * (v / crystal.get_volume()) ** (1 / 3) for v in volumes])
    return unlabelled(crystal, boxes, scaled @ boxes + moves)


def _pushed(crystal: ase.Atoms, pair: tuple[str, str], distances: Sequence[float]) -> System:
    """The nearest such pair of the crystal at given distances, its middle held."""
    i, j, distance, vector = neighbor_list("ijdD", crystal, {pair: NEAREST})
    nearest = np.argmin(distance)
    i, j, direction = i[nearest], j[nearest], vector[nearest] / distance[nearest]
    coordinates = np.repeat(crystal.positions[None], len(distances), axis=0)
    shift = (distance[nearest] - np.asarray(distances))[:, None] / 2 * direction
    coordinates[:, i] += shift
    coordinates[:, j] -= shift
    return unlabelled(
        crystal, np.repeat(crystal.cell.array[None], len(distances), axis=0), coordinates
    )
