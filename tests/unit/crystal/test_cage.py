"""Cages of hydrogen in any phase: counts by topology, angles by hand."""

from itertools import permutations, product

import numpy as np
import pytest
from ase import Atoms

from campaigns import REPOSITORY
from lah10.crystal.cage import connect, find_cage
from lah10.crystal.structures import read_crystal
from lah10.errors import UserError

STRUCTURES = REPOSITORY / "resources/structures"


@pytest.mark.parametrize("name", ["Fm-3m", "R-3m", "C2c"])
def test_a_cage_has_six_quadrilaterals_and_twelve_hexagons_in_every_phase(name):
    cage = find_cage(read_crystal(STRUCTURES / f"{name}.cif"))
    assert len(cage.positions) == len(set(map(tuple, cage.positions.round(6)))) == 32
    assert len(cage.quadrilaterals) == 6
    assert cage.hexagons == 12
    assert len(cage.angles) == 12
    # Every corner of a quadrilateral is a neighbour of the next.
    edges = {frozenset(pair) for pair in cage.edges.tolist()}
    for ring in cage.quadrilaterals.tolist():
        assert all(frozenset((ring[i], ring[i - 1])) in edges for i in range(4))


def test_angles_are_right_in_the_cubic_phase_and_those_of_theta_in_the_rhombohedral():
    cubic = find_cage(read_crystal(STRUCTURES / "Fm-3m.cif"))
    np.testing.assert_allclose(cubic.angles, 90.0, atol=1e-6)
    # tests/unit/analysis/test_distortion.py: 88.29 and 91.71 degree.
    rhombohedral = find_cage(read_crystal(STRUCTURES / "R-3m.cif")).angles
    np.testing.assert_allclose(np.unique(rhombohedral.round(2)), [88.29, 91.71])


@pytest.mark.parametrize("share", [1.0, 1.4])
def test_a_cage_that_is_distorted_more_has_the_same_faces(share):
    """R-3m drawn out beyond its shape at 150 GPa, as at lower pressures."""
    cubic, other = (find_cage(read_crystal(STRUCTURES / f"{name}.cif")).upright().positions
                    for name in ("Fm-3m", "R-3m"))  # fmt: skip
    # The corner of R-3m that each corner of Fm-3m becomes, in one of the orientations of a cube.
    best = None
    for order in permutations(range(3)):
        for signs in product((1, -1), repeat=3):
            moved = other[:, order] * signs
            pairs = np.linalg.norm(cubic[:, None] - moved, axis=2).argmin(axis=1)
            size = np.linalg.norm(cubic - moved[pairs], axis=1).sum()
            if len(set(pairs)) == 32 and (best is None or size < best[0]):
                best = size, moved[pairs]
    cage = connect(cubic + share * (best[1] - cubic))
    assert len(cage.edges) == 48 and len(cage.quadrilaterals) == 6 and cage.hexagons == 12


@pytest.mark.parametrize("name", ["Fm-3m", "R-3m", "C2c"])
def test_upright_turns_the_quadrilaterals_to_the_axes(name):
    cage = find_cage(read_crystal(STRUCTURES / f"{name}.cif"))
    turned = cage.upright()
    centres = turned.positions[turned.quadrilaterals].mean(axis=1)
    centres /= np.linalg.norm(centres, axis=1)[:, None]
    np.testing.assert_allclose(np.abs(centres).max(axis=1), 1.0, atol=0.01)
    np.testing.assert_allclose(turned.angles, cage.angles, atol=1e-9)  # it is a rotation
    if name == "Fm-3m":
        np.testing.assert_allclose(np.sort(np.abs(centres), axis=1)[:, :2], 0.0, atol=1e-9)


def test_another_la_has_a_cage_of_its_own():
    crystal = read_crystal(STRUCTURES / "C2c.cif")
    others = np.flatnonzero(crystal.numbers == 57)
    angles = [np.sort(find_cage(crystal, la).angles) for la in others]
    np.testing.assert_allclose(angles[0], angles[-1], atol=1e-3)  # all La are equivalent


def test_a_crystal_without_a_cage_is_refused():
    alone = Atoms("LaH", [(0, 0, 0), (0, 0, 5.5)], cell=[11, 11, 11], pbc=True)
    with pytest.raises(UserError, match="no hydrogen within"):
        find_cage(alone)
    with pytest.raises(UserError, match="no neighbours of one another"):
        connect(np.array([[0, 0, 2.0], [0, 0, -2.0]]))
