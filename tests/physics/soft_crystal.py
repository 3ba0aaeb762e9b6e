"""A light Lennard-Jones crystal under pressure, in the project's bath and barostat.

Not a test: called by the tests in a process that can load LAMMPS. The zero-point energy makes 3 %
of the volume, so that what friction does to energies shows in it.
"""

import numpy as np
from constant_pressure import mean_volume

from lah10.bath.bath import Bath
from lah10.dynamics import lammps_input as script
from lah10.dynamics.engine import Engine

#: eV, Å, g/mol: of helium's mass, with modes round 10 THz at PRESSURE (GPa) and TEMPERATURE (K).
EPSILON, SIGMA, MASS = 0.06, 4.5, 4.0026
PRESSURE, TEMPERATURE = 1.0, 5.0
START_TEMPERATURE = 240.0  # K, near the mean kinetic temperature
REPEAT = 4  # 256 atoms
CUTOFF = 60.0  # THz
TIMESTEP = 0.002  # ps
#: Steps between values of the volume and between samples of the velocities; ps of a spectrum.
EVERY, SAMPLE, SEGMENT = 10, 5, 1.0


def volumes(cases: list[dict]) -> list[dict[str, float]]:
    """`volume` of several cases, one after another in one process."""
    return [volume(**case) for case in cases]


def volume(
    friction: float, correction: str, shift: bool, time: float, seed: int = 1
) -> dict[str, float]:
    """`constant_pressure.mean_volume` of the crystal.

    Parameters
    ----------
    friction : float
        γ, 1/ps.
    correction : {"none", "potential"}
        Of the noise.
    shift : bool
        Whether production makes up for what the friction adds to the pressure.
    time : float
        ps, of production.
    """
    atoms = 4 * REPEAT**3
    types, masses = np.ones(atoms, int), np.full(atoms, MASS)
    engine = Engine("none")
    engine.execute(
        [
            *script.header(),
            f"lattice fcc {1.5 * SIGMA}",
            f"region box block 0 {REPEAT} 0 {REPEAT} 0 {REPEAT}",
            "create_box 2 box",
            "create_atoms 2 box",
            "change_box all triclinic",
            "mass 1 138.905",
            f"mass 2 {MASS}",
            f"pair_style lj/cut {2.2 * SIGMA}",
            f"pair_coeff * * {EPSILON} {SIGMA}",
            "pair_modify shift yes",
            "neighbor 0.6 bin",
            *script.relaxation(PRESSURE),
            *script.velocities(START_TEMPERATURE, seed),
        ]
    )
    bath = Bath(
        "qtb", TEMPERATURE, friction, CUTOFF, masses, types, TIMESTEP, seed, correction=correction
    )
    return mean_volume(
        engine, bath, PRESSURE, shift, time, EVERY, SAMPLE, SEGMENT
    )
