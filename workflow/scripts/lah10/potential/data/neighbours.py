"""Distances between the atoms of a frame and their periodic images."""

import itertools

import numpy as np
from scipy.spatial import cKDTree

from lah10 import ELEMENTS
from lah10.potential.data.systems import System


def shortest_distances(
    system: System, cutoff: float, pair: tuple[str, str] | None = None
) -> np.ndarray:
    """(f,) shortest distance between two atoms in Å, or between atoms of the two elements `pair`;
    infinite where it exceeds `cutoff`."""
    result = np.full(len(system), np.inf)
    everything = np.ones(system.n_atoms, bool)
    these, others = (
        (system.types == ELEMENTS.index(name) for name in pair) if pair else (everything,) * 2
    )
    if not (these.any() and others.any()):
        return result
    # The nearest of an atom's own kind is the atom itself, the second its neighbour.
    nearest = 2 if pair is None or pair[0] == pair[1] else 1
    for i in range(len(system)):
        inside, padded, origin = with_images(system, i, cutoff)
        tree = cKDTree(padded[others[origin]])
        distances, _ = tree.query(inside[these], k=[nearest], distance_upper_bound=cutoff)
        result[i] = distances.min()
    return result


def most_neighbours(system: System, cutoff: float) -> np.ndarray:
    """(elements,) largest number of neighbours of each element any atom has within `cutoff`."""
    result = np.zeros(len(ELEMENTS), int)
    for i in range(len(system)):
        inside, padded, origin = with_images(system, i, cutoff)
        around = cKDTree(inside)
        for element in np.unique(system.types):
            tree = cKDTree(padded[system.types[origin] == element])
            counts = np.array([len(near) for near in around.query_ball_tree(tree, cutoff)])
            counts -= system.types == element  # itself
            result[element] = max(result[element], counts.max())
    return result


def with_images(
    system: System, frame: int, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atoms wrapped into the cell, the same with their images within `cutoff`, and whose they are.

    Shapes (n, 3), (m, 3), (m,).
    """
    box = system.boxes[frame]
    inverse = np.linalg.inv(box)
    margin = cutoff * np.linalg.norm(inverse, axis=0)  # of each face, in fractions of a vector
    reach = [range(-n, n + 1) for n in np.ceil(margin).astype(int)]
    images = np.array(list(itertools.product(*reach)))
    inside = system.coordinates[frame] @ inverse % 1.0
    padded = (inside + images[:, None]).reshape(-1, 3)
    origin = np.tile(np.arange(system.n_atoms), len(images))
    near = ((padded >= -margin) & (padded <= 1 + margin)).all(axis=1)
    return inside @ box, padded[near] @ box, origin[near]
