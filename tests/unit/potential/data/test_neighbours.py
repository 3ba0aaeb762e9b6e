"""Distances and neighbours agree with ASE's."""

import ase
import ase.io
import numpy as np
import pytest
from ase.neighborlist import neighbor_list

import labelled
from lah10 import ELEMENTS
from lah10.potential.data import neighbours


def test_distances_and_neighbours_agree_with_ase():
    # ASE's neighbour lists are the independent count; a small skew cell makes images matter.
    system = labelled.system(frames=2)
    cutoff = 4.0
    shortest, most = np.inf, np.zeros(2, int)
    for i in range(len(system)):
        atoms = ase.Atoms(
            [ELEMENTS[t] for t in system.types],
            system.coordinates[i],
            cell=system.boxes[i],
            pbc=True,
        )
        centre, other, distance = neighbor_list("ijd", atoms, cutoff)
        shortest = min(shortest, distance.min())
        for element in range(2):
            of_kind = centre[system.types[other] == element]
            most[element] = max(most[element], np.bincount(of_kind).max())
    assert neighbours.shortest_distances(system, 2.0).min() == pytest.approx(shortest)
    np.testing.assert_array_equal(neighbours.most_neighbours(system, cutoff), most)
