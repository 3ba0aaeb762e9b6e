"""R-3m by six numbers: the crystal, its path to Fm-3m, derivatives along it."""

import numpy as np
import pytest
import spglib
from ase.calculators.lj import LennardJones

from lah10.crystal.rhombohedral import Rhombohedral

CUBIC = Rhombohedral.cubic(33.2, 0.1208)
R3M = Rhombohedral(33.2, 62.08, 0.2575, 0.1046, -0.1101, 0.3790)


def space_group(crystal: Rhombohedral) -> str:
    atoms = crystal.atoms()
    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    return spglib.get_symmetry_dataset(cell, symprec=1e-5).international


def test_it_is_the_crystal_that_it_is_called():
    assert space_group(CUBIC) == "Fm-3m"
    assert space_group(R3M) == "R-3m"
    assert CUBIC.atoms().get_volume() == pytest.approx(33.2)
    assert R3M.atoms().cell.angles() == pytest.approx(3 * [62.08])


@pytest.mark.parametrize("angle, internal", [(0.5, 0.25), (-0.25, -0.25), (1.4, 1.25), (0.0, 1.0)])
def test_every_crystal_of_the_path_has_the_operations_of_r3m(angle, internal):
    between = CUBIC.towards(R3M, angle, internal)
    assert space_group(between) == "R-3m"
    assert between.atoms().get_volume() == pytest.approx(33.2)
    assert between.angle == pytest.approx(60 + angle * 2.08)
    assert between.u == pytest.approx(0.25 + internal * 0.0075)


def test_the_path_ends_at_its_ends():
    assert CUBIC.towards(R3M, 0.0, 0.0) == CUBIC
    np.testing.assert_allclose(CUBIC.towards(R3M, 1.0, 1.0).free, R3M.free)


def test_the_gradient_is_the_slope_of_the_energy():
    calculator = LennardJones(sigma=1.2, epsilon=0.1, rc=4.0, smooth=True)

    def energy(crystal):
        atoms = crystal.atoms()
        atoms.calc = calculator
        return atoms.get_potential_energy(), atoms.get_forces(), atoms.get_stress(voigt=False)

    _, forces, stress = energy(R3M)
    found = R3M.gradient(forces, stress)
    for i, step in enumerate([1e-3, 1e-5, 1e-5, 1e-5, 1e-5]):
        move = np.zeros(5)
        move[i] = step
        ahead, behind = energy(R3M.at(R3M.free + move))[0], energy(R3M.at(R3M.free - move))[0]
        assert found[i] == pytest.approx((ahead - behind) / (2 * step), rel=1e-4, abs=1e-4)


def test_a_pressure_alone_has_no_gradient():
    """The Pulay stress does not enter."""
    found = R3M.gradient(np.zeros((11, 3)), -0.9 * np.eye(3))
    np.testing.assert_allclose(found, 0.0, atol=1e-5)
