"""A crystal whose free energy along the cell's angle has a closed form, for i-PI and for LAMMPS.

Not a test: i-PI loads this file in the runs of test_boundary.py. With F the deformation of the
cell, J its determinant and x = ln(|F n|²/J^(2/3)), n along [111], twice the logarithm of the
stretch along n, the energy of N atoms at r_i = s_i + u_i, s_i moving with the cell, is

    N [½ K (J − 1)² − A x² + B x⁴] + Σ ½ m_i ω_i² exp(−2γx²) |F⁻¹u_i|²:

springs that stretch with the cell, so that along [111] and across it frequencies are
ω exp(−γx²)/(λ J^(1/3)) with the stretches λ and λ^(−1/2) of `lah10.crystal.angle`. Only for γ = 0
is the shear stress all kinetic.
"""

import numpy as np
from ase.io import read
from ipi.pes.dummy import Dummy_driver
from ipi.utils.units import Elements, unit_to_internal

__DRIVER_NAME__ = "sheared"
__DRIVER_CLASS__ = "Sheared"


class Sheared(Dummy_driver):
    """
    Parameters
    ----------
    template : path
        Cubic structure with the column `frequency` (THz).
    axis : text
        n, three numbers with spaces.
    bulk, quadratic, quartic : float
        K, A and B, eV.
    softening : float
        γ.
    """

    def __init__(self, template, axis, bulk, quadratic, quartic, softening, **kwargs):
        self.atoms = read(template)
        n = np.array([float(x) for x in str(axis).split()])
        self.axis = n / np.linalg.norm(n)
        volt = unit_to_internal("energy", "electronvolt", 1.0)
        self.bulk, self.quadratic, self.quartic = (
            float(value) * volt for value in (bulk, quadratic, quartic)
        )
        self.softening = float(softening)
        super().__init__(**kwargs)

    def check_parameters(self):
        bohr = unit_to_internal("length", "angstrom", 1.0)
        self.h0 = self.atoms.cell.array.T * bohr
        self.sites = self.atoms.get_scaled_positions(wrap=False)
        self.mass = np.array([Elements.mass(symbol) for symbol in self.atoms.symbols])
        omega = self.atoms.arrays["frequency"] * unit_to_internal("frequency", "thz", 1.0)
        self.stiffness = (self.mass * omega**2)[:, None]

    def compute_structure(self, cell, pos):
        return self.compute([cell], [pos])[0]

    def compute(self, cell, pos):
        """All beads at once; they share the cell."""
        if not isinstance(cell, list):
            return self.compute_structure(cell, pos)
        n, deformation = len(self.sites), cell[0] @ np.linalg.inv(self.h0)
        jacobian = np.linalg.det(deformation)
        along = deformation @ self.axis
        x = np.log(along @ along) - 2 / 3 * np.log(jacobian)
        along = along / np.linalg.norm(along)
        shear = 2 * np.outer(along, along) - 2 / 3 * np.eye(3)  # dx/dε
        inverse = np.linalg.inv(deformation)
        away = (np.array(pos) - self.sites @ cell[0].T) @ inverse.T
        stiffness = self.stiffness * np.exp(-2 * self.softening * x**2)
        springs = 0.5 * (stiffness * away**2).sum(axis=(1, 2))
        forces = -(stiffness * away) @ inverse
        static = n * (
            0.5 * self.bulk * (jacobian - 1) ** 2 - self.quadratic * x**2 + self.quartic * x**4
        )
        slopes = n * (-2 * self.quadratic * x + 4 * self.quartic * x**3)
        slopes = slopes - 4 * self.softening * x * springs
        virials = -slopes[:, None, None] * shear
        virials = virials - n * self.bulk * (jacobian - 1) * jacobian * np.eye(3)
        return [
            (float(static + spring), force, virial, "")
            for spring, force, virial in zip(springs, forces, virials, strict=True)
        ]
