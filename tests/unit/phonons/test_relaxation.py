"""Relaxation reaches its pressure, or says that it does not."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.lj import LennardJones

from lah10.errors import UserError
from lah10.phonons import relaxation
from lah10.units import EV_PER_A3_IN_GPA


def test_relaxation_reaches_the_pressure():
    crystal = bulk("La", "fcc", a=5.0)
    calculator = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    for pressure in (0.0, 5.0):
        relaxed = relaxation.relax(crystal, calculator, pressure, force_tolerance=1e-4)
        stress = relaxed.get_stress() * EV_PER_A3_IN_GPA
        np.testing.assert_allclose(stress, [-pressure] * 3 + [0.0] * 3, atol=0.01)
        angles = relaxed.cell.angles()
        np.testing.assert_allclose(angles, 60.0, atol=1e-6)
    assert crystal.get_volume() == pytest.approx(5.0**3 / 4)
    volume, energy = relaxed.get_volume(), relaxed.get_potential_energy()
    assert relaxation.enthalpy(relaxed, 5.0) == pytest.approx(
        energy + 5.0 * volume / EV_PER_A3_IN_GPA
    )


def test_a_crystal_that_does_not_relax_is_an_error():
    calculator = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    with pytest.raises(UserError, match="not relaxed after 1 steps"):
        relaxation.relax(bulk("La", "fcc", a=3.5), calculator, 0.0, steps=1)


def test_the_force_that_is_left_is_returned():
    atoms = bulk("La", "fcc", a=5.0)
    atoms.calc = LennardJones(sigma=3.0, epsilon=0.2, rc=9.0, smooth=True)
    assert relaxation.minimise(atoms, 5.0, force_tolerance=1e-4, steps=1) > 1e-4
    assert relaxation.minimise(atoms, 5.0, force_tolerance=1e-4) < 1e-4
    np.testing.assert_allclose(atoms.get_stress()[:3] * EV_PER_A3_IN_GPA, -5.0, atol=0.01)
