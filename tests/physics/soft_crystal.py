"""A light Lennard-Jones crystal under pressure, in the project's bath and barostat.

Not a test: called by the tests in a process that can load LAMMPS. The zero-point energy makes 3 %
of the volume, so that what friction does to energies shows in it.
"""

import numpy as np

from lah10.analysis.deconvolution import BathParameters, Deconvolution, pressure_shift
from lah10.dynamics import lammps_input as script
from lah10.dynamics.bath import Bath
from lah10.dynamics.engine import Engine
from lah10.dynamics.recorder import SpectrumRecorder
from lah10.units import BOLTZMANN, MVV2E

#: eV, Å, g/mol: of helium's mass, with modes round 10 THz at PRESSURE (GPa) and TEMPERATURE (K).
EPSILON, SIGMA, MASS = 0.06, 4.5, 4.0026
PRESSURE, TEMPERATURE = 1.0, 5.0
START_TEMPERATURE = 240.0  # K, near the mean kinetic temperature
REPEAT = 4  # 256 atoms
CUTOFF = 60.0  # THz
TIMESTEP = 0.002  # ps
#: Steps between samples of the volume, and ps of a spectral segment.
EVERY, SEGMENT = 10, 1.0


def volumes(cases: list[dict]) -> list[dict[str, float]]:
    """`volume` of several cases, one after another in one process."""
    return [volume(**case) for case in cases]


def volume(
    friction: float, correction: str, shift: bool, time: float, seed: int = 1
) -> dict[str, float]:
    """Mean volume an atom with its standard error (Å³), as a point of a campaign has it; the shift
    of the pressure (GPa) and the kinetic temperature (K).

    Equilibration, whose later half says by how much the friction raises the kinetic pressure, then
    production, with `shift` at a pressure higher by that.

    Parameters
    ----------
    friction : float
        γ, 1/ps.
    correction : {"none", "potential"}
        Of the noise.
    time : float
        ps, of production; equilibration takes a quarter of it.
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
    sample = 5
    recorder = SpectrumRecorder(types, sample * TIMESTEP, round(SEGMENT / TIMESTEP / sample), atoms)
    raised, volumes, kinetic = 0.0, [], []
    for stage, length, drag in (("equilibrate", 0.25 * time, 2.0), ("produce", time, 0.0)):
        lines = script.integrator(
            PRESSURE + shift * raised, 0.3, START_TEMPERATURE, TIMESTEP, EVERY, drag
        )
        if stage == "equilibrate":
            engine.execute(lines)
            engine.attach(bath, recorder, sample)
        else:  # the same with another barostat
            barostat = f"fix {script.BAROSTAT} "
            engine.execute(
                [f"unfix {script.BAROSTAT}", *(x for x in lines if x.startswith(barostat))]
            )
        engine.start_segment()
        volumes.clear(), kinetic.clear()
        for _ in range(round(length / TIMESTEP / EVERY)):
            engine.advance(EVERY)
            row = engine.lmp.last_thermo()
            volumes.append(row["Volume"])
            kinetic.append(row["c_keH"])
        if stage == "equilibrate":
            raised = _pressure_shift(recorder, friction, correction, atoms, np.mean(volumes))
    parts = np.array([part.mean() for part in np.array_split(np.array(volumes) / atoms, 10)])
    return {
        "volume": float(parts.mean()),
        "error": float(parts.std(ddof=1) / np.sqrt(len(parts))),
        "shift": float(raised),
        "temperature": float(np.mean(kinetic) / (1.5 * (atoms - 1) * BOLTZMANN)),
    }


def _pressure_shift(recorder, friction, correction, atoms, size) -> float:
    """What the friction adds to the kinetic pressure, GPa, by the later half of the spectra."""
    blocks = recorder.blocks[len(recorder.blocks) // 2 :]
    power = np.mean([power[1:] for power, _ in blocks], axis=0)  # of H; there is no La
    bath = BathParameters("qtb", TEMPERATURE, friction, CUTOFF, TIMESTEP, correction)
    raw, sharp = Deconvolution(recorder.frequency, bath).energies(power * MASS * MVV2E)
    return pressure_shift(raw / BOLTZMANN, sharp / BOLTZMANN, np.array([3 * atoms]), size)
