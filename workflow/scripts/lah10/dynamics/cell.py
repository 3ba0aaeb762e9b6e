"""The motion of a flexible cell at the temperature of the bath: its mass, friction and noise.

LAMMPS moves the six elements of the cell with the mass W and the friction λ (the keyword `drag` of
`fix nph`). The random part is a stress, added to that of the atoms: a white noise whose strength
belongs to the friction, so that each element has the kinetic energy ½ k_B T whatever the atoms do
(S. E. Feller, Y. Zhang, R. W. Pastor, B. R. Brooks, J. Chem. Phys. 103, 4613 (1995)). It is a pure
function of (seed, step): runs resume to the same bits, on any number of ranks.

A Nosé–Hoover chain does not serve: LAMMPS gives it the barostat's own frequency, so that a slow
cell has a slower thermostat, and a quantum bath, which heats the cell all the time, holds a chain
away from its temperature (171 K where 100 K was set).
"""

from dataclasses import dataclass

import numpy as np

from lah10.dynamics import lammps_input as script
from lah10.units import BOLTZMANN

#: Kelvin that the mass is reckoned with where the bath has none: W is k_B T τ² in LAMMPS.
LEAST_TEMPERATURE = 1.0
#: Friction over the volume's angular frequency: 2, the fastest decay, while the crystal finds its
#: volume; then little enough for the volume to swing and for soft shears to move freely.
SETTLING, FREE = 2.0, 0.3


@dataclass(frozen=True)
class CellMotion:
    """A flexible cell and its thermostat.

    Attributes
    ----------
    period : float
        ps, of the volume's oscillation, about (`lammps_input.volume_damping`).
    temperature : float
        K, of the cell.
    atoms : int
    timestep : float
        ps.
    seed : int
        Of the random stress.
    settling : bool
        Whether the crystal still looks for its volume: more friction, and more noise with it.
    """

    period: float
    temperature: float
    atoms: int
    timestep: float
    seed: int
    settling: bool = False

    @property
    def reference(self) -> float:
        """Temperature that LAMMPS makes the mass of, K; no number depends on it."""
        return max(self.temperature, LEAST_TEMPERATURE)

    @property
    def damping(self) -> float:
        """LAMMPS' τ, ps: the mass of each element is W = (N + 1) k_B T τ²."""
        return script.volume_damping(self.period, self.atoms, self.reference)

    @property
    def mass(self) -> float:
        """W, eV ps²."""
        return (self.atoms + 1) * BOLTZMANN * self.reference * self.damping**2

    @property
    def friction(self) -> float:
        """λ, 1/ps: a free cell's motion decays as exp(−λt)."""
        return (SETTLING if self.settling else FREE) * 2 * np.pi / self.period

    @property
    def drag(self) -> float:
        """LAMMPS' keyword: twice a step it takes the share Δt · drag/τ from the motion."""
        return 0.5 * self.friction * self.damping

    @property
    def amplitude(self) -> float:
        """Standard deviation of an element of the random stress times the volume, eV.

        With a the kick of half a step and c the factor of half a step's friction, LAMMPS takes the
        half-step velocity v to c²v + c(1 + c)a; a follows from ⟨v²⟩ = k_B T/W. An oscillating
        element then has the variance (1 + c²)/(c + c²), or 1 + λΔt/4, times the right one.
        """
        kept = 1 - 0.5 * self.timestep * self.friction
        kick = np.sqrt(BOLTZMANN * self.temperature / self.mass * (1 - kept**4))
        return float(2 * self.mass / self.timestep * kick / (kept * (1 + kept)))

    def random_virial(self, step: int) -> np.ndarray:
        """Random stress times volume at a step, eV, shape (6,): xx, yy, zz, xy, xz, yz, as LAMMPS
        has virials."""
        draw = np.random.Generator(np.random.Philox(key=[self.seed, int(step)]))
        return self.amplitude * draw.standard_normal(6)

    def commands(self, pressure: float) -> list[str]:
        """The fixes that move the cell under a pressure (GPa), in the order of their work."""
        return [
            "# the cell's thermostat: a random stress, computed outside LAMMPS (dynamics/cell.py),",
            "# and the friction that belongs to it, `drag` of the barostat",
            f"fix {script.CELL} all external pf/callback 1 1",
            script.flexible_barostat(pressure, self.damping, self.reference, self.drag),
        ]
