"""Solvable crystals as i-PI's potential-energy surface, in place of the deep potential.

Not a test: i-PI loads this file in the runs of test_pimd.py. Each atom i is bound to a site that
moves with the cell, by the energy, in every direction x,

    ½ m ω(V)² x² + ¼ q x⁴,   ω(V) = ω (V₀/V)^γ,

and the empty lattice has the energy V₀ [½ K (tr G)² + μ dev G : dev G] of its Green strain G.
"""

import numpy as np
from ase.io import read
from ipi.pes.dummy import Dummy_driver
from ipi.utils.units import Elements, unit_to_internal

__DRIVER_NAME__ = "toy"
__DRIVER_CLASS__ = "Toy"


class Toy(Dummy_driver):
    """
    Parameters
    ----------
    template : path
        Structure with the columns `frequency` (THz) and `quartic` (q, eV/Å⁴).
    gruneisen : float
        γ.
    bulk, shear : float
        K and μ, GPa.
    """

    def __init__(self, template, gruneisen=0.0, bulk=0.0, shear=0.0, **kwargs):
        self.atoms = read(template)
        self.gruneisen = float(gruneisen)
        pascal = unit_to_internal("pressure", "pascal", 1.0)
        self.bulk, self.shear = float(bulk) * 1e9 * pascal, float(shear) * 1e9 * pascal
        super().__init__(**kwargs)

    def check_parameters(self):
        bohr = unit_to_internal("length", "angstrom", 1.0)
        atoms = self.atoms
        self.h0 = atoms.cell.array.T * bohr
        self.sites = atoms.get_scaled_positions(wrap=False)
        self.mass = np.array([Elements.mass(symbol) for symbol in atoms.symbols])
        self.omega = atoms.arrays["frequency"] * unit_to_internal("frequency", "thz", 1.0)
        self.quartic = atoms.arrays["quartic"] * unit_to_internal("energy", "electronvolt", 1.0)
        self.quartic = self.quartic / bohr**4

    def compute_structure(self, cell, pos):
        return self.compute([cell], [pos])[0]

    def compute(self, cell, pos):
        """All beads at once; they share the cell."""
        if not isinstance(cell, list):
            return self.compute_structure(cell, pos)
        cell = cell[0]
        v0, v = np.linalg.det(self.h0), np.linalg.det(cell)
        away = np.array(pos) - self.sites @ cell.T
        k = (self.mass * self.omega**2 * (v0 / v) ** (2 * self.gruneisen))[:, None]
        q = self.quartic[:, None]
        harmonic = 0.5 * (k * away**2).sum(axis=(1, 2))
        energies = harmonic + 0.25 * (q * away**4).sum(axis=(1, 2))
        forces = -k * away - q * away**3
        virials = forces.swapaxes(1, 2) @ away
        virials += 2 * self.gruneisen * harmonic[:, None, None] * np.eye(3)

        deformation = cell @ np.linalg.inv(self.h0)
        strain = 0.5 * (deformation.T @ deformation - np.eye(3))
        deviator = strain - np.trace(strain) / 3 * np.eye(3)
        energies += v0 * (
            0.5 * self.bulk * np.trace(strain) ** 2 + self.shear * (deviator**2).sum()
        )
        stress = v0 * (self.bulk * np.trace(strain) * np.eye(3) + 2 * self.shear * deviator)
        virials -= deformation @ stress @ deformation.T
        return [
            (float(energy), force, virial, "")
            for energy, force, virial in zip(energies, forces, virials, strict=True)
        ]
