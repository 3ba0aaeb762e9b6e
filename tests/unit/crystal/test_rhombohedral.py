"""R-3m by six numbers: the crystal, its path to Fm-3m, derivatives along it."""

from pathlib import Path

import numpy as np
import pytest
import spglib
from ase.calculators.lj import LennardJones

from crystals import supercell
from lah10.analysis.distortion import CageAngles
from lah10.crystal.rhombohedral import Rhombohedral, distorted, numbers
from lah10.crystal.sites import SiteMap, find_cages
from lah10.crystal.structures import read_crystal

RESOURCES = Path(__file__).parents[3] / "resources/structures"

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


def test_a_crystal_has_its_numbers_back():
    atoms = R3M.atoms()
    atoms.positions += 0.3
    found = numbers(atoms)
    np.testing.assert_allclose([found.volume, *found.free], [R3M.volume, *R3M.free], atol=1e-9)
    atoms.positions[4] += 1e-3
    with pytest.raises(ValueError, match="expected R-3m in rhombohedral axes"):
        numbers(atoms)
    turned = R3M.atoms()
    turned.rotate(10, "z", rotate_cell=True)
    with pytest.raises(ValueError, match="expected R-3m in rhombohedral axes"):
        numbers(turned)
    with pytest.raises(ValueError, match="La first"):
        numbers(R3M.atoms()[::-1])


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


@pytest.mark.parametrize(
    ("cell", "repeat"), [("primitive", (2, 2, 1)), ("conventional", (1, 1, 2))]
)
def test_supercell_distorted_as_r3m(cell, repeat):
    """Every cage has the θ of the crystal, whatever its order and origin; atoms keep their
    sites."""
    template = supercell(cell, repeat)
    crystal = read_crystal(RESOURCES / "R-3m.cif")
    mixed = crystal[np.random.default_rng(1).permutation(len(crystal))]
    mixed.set_scaled_positions(mixed.get_scaled_positions() + 0.21)
    start = distorted(template, mixed)
    assert (start.numbers == template.numbers).all()
    assert start.get_volume() == pytest.approx(template.get_volume())
    assert start.cell.array[[0, 0, 1], [1, 2, 2]] == pytest.approx([0, 0, 0], abs=1e-12)
    angles = CageAngles(find_cages(template), template, 1)
    sites = SiteMap(template)
    cell = start.cell.array
    angles.add(sites.displacements(start.get_scaled_positions(), cell), cell)
    assert (sites.atom_of_site == np.arange(len(template))).all()
    assert abs(angles.theta[0] - 90) == pytest.approx(np.full(6, 1.71), abs=0.01)
    assert angles.cell_angles[0] == pytest.approx(np.full(3, 91.76), abs=0.01)
    assert abs(angles.shears[0] - angles.shears[0][0]).max() < 1e-4


def test_another_crystal_is_no_distorted_start():
    with pytest.raises(ValueError, match="expected R-3m LaH10 of 11 atoms"):
        distorted(supercell(), read_crystal(RESOURCES / "C2c.cif"))
