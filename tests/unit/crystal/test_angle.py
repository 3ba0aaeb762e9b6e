"""The path along the cell's angle: its shape, its exact rate of strain, the work of pressure."""

from pathlib import Path

import numpy as np
import pytest

from lah10.crystal import angle as along
from lah10.crystal.structures import build_supercell, read_crystal
from lah10.units import EV_PER_A3_IN_GPA

FM3M = Path(__file__).parents[3] / "resources/structures/Fm-3m.cif"


@pytest.fixture(scope="module", params=[("conventional", (1, 1, 1)), ("primitive", (2, 2, 2))],
                ids=["conventional", "primitive"])  # fmt: skip
def template(request):
    return build_supercell(read_crystal(FM3M), *request.param)


@pytest.mark.parametrize("angle", [-3.0, 0.0, 0.4, 2.4, 8.0])
def test_conventional_axes_make_the_angle_at_the_same_volume(template, angle):
    crystal = along.sheared(template, angle)
    np.testing.assert_allclose(along.angle_of(template, crystal.cell.array), angle, atol=1e-10)
    assert crystal.get_volume() == pytest.approx(template.get_volume(), rel=1e-12)
    # As LAMMPS and i-PI have it, and the atoms carried along.
    assert np.allclose(crystal.cell.array[np.triu_indices(3, 1)], 0.0, atol=1e-9)
    moved = crystal.get_scaled_positions() - template.get_scaled_positions()
    assert abs(moved - np.round(moved)).max() < 1e-9


@pytest.mark.parametrize("angle", [0.0, 1.2, 6.0])
def test_rate_of_strain_is_that_of_the_shape(angle):
    """(3/2) d ln λ/dδ (n nᵀ − 1/3) beside differences of the symmetric stretch."""
    n = np.ones(3) / np.sqrt(3)

    def shape(at):
        s = along.stretch(at)
        return s**-0.5 * np.eye(3) + (s - s**-0.5) * np.outer(n, n)

    step = 1e-4
    rate = (shape(angle + step) - shape(angle - step)) / np.radians(2 * step)
    rate = rate @ np.linalg.inv(shape(angle))
    expected = 1.5 * along.stretch_rate(angle) * (np.outer(n, n) - np.eye(3) / 3)
    np.testing.assert_allclose(rate, expected, atol=1e-7)
    assert np.trace(expected) == pytest.approx(0.0, abs=1e-12)
    if angle == 0:
        assert expected[0, 1] == pytest.approx(-0.5)


@pytest.mark.parametrize("angle", [0.5, 2.0, 7.0])
def test_gradient_is_the_derivative_of_an_elastic_energy(template, angle):
    """An elastic crystal whose stress is known at any strain: the work of its pressure along the
    path is the slope of its energy, not only to first order."""
    h0 = template.cell.array.T
    moduli = 200.0 / EV_PER_A3_IN_GPA, 90.0 / EV_PER_A3_IN_GPA
    v0 = template.get_volume()

    def strain(cell):
        deformation = cell.T @ np.linalg.inv(h0)
        return deformation, 0.5 * (deformation.T @ deformation - np.eye(3))

    def energy(at):
        _, green = strain(along.sheared(template, at).cell.array)
        off = green - np.trace(green) / 3 * np.eye(3)
        return v0 * (0.5 * moduli[0] * np.trace(green) ** 2 + moduli[1] * (off**2).sum())

    cell = along.sheared(template, angle).cell.array
    deformation, green = strain(cell)
    second = moduli[0] * np.trace(green) * np.eye(3) + 2 * moduli[1] * (
        green - np.trace(green) / 3 * np.eye(3)
    )
    stress = deformation @ second @ deformation.T / np.linalg.det(deformation)
    pressure = -stress[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]] * EV_PER_A3_IN_GPA
    axis = along.direction(along.threefold_axis(template), cell)
    found = along.gradient(angle, pressure, v0, axis)
    step = 1e-3
    assert found == pytest.approx((energy(angle + step) - energy(angle - step)) / (2 * step),
                                  rel=1e-6)  # fmt: skip


def test_first_order_is_the_sum_of_the_three_shears():
    """V(P_xy + P_yz + P_zx) per radian at δ = 0, in cubic axes; a pressure has no part in it."""
    n = np.ones(3) / np.sqrt(3)
    pressure = np.array([[150.0, 150.0, 150.0, 1.0, 2.0, 3.0], [150.0, 150.0, 150.0, 0, 0, 0]])
    found = along.gradient(0.0, pressure, np.array([130.0, 130.0]), n)
    expected = 130.0 * 6.0 / EV_PER_A3_IN_GPA * np.pi / 180
    np.testing.assert_allclose(found, [expected, 0.0], atol=1e-12)


@pytest.mark.parametrize("angle", [30.0, 45.0, -90.0])
def test_a_flat_cell_is_refused(template, angle):
    with pytest.raises(ValueError, match="expected one above -90 and below 30"):
        along.sheared(template, angle)
