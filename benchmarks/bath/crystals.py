"""Two crystals under the project's bath in LAMMPS and under OpenMM's QTBIntegrator.

Einstein crystal: independent atoms on springs, whose quantum energies are known. Solid neon: a
Lennard-Jones crystal. OpenMM's integrator is an independent implementation (adaptation rate 0 makes
it a plain quantum thermal bath); its noise carries the correction of the potential energy, so it is
compared with `correction: potential` of ours. Each function runs one case and returns numbers.
"""

from unittest import mock

import numpy as np

from lah10.bath import spectra as baths
from lah10.bath.deconvolution import BathParameters, Deconvolution
from lah10.bath.spectrum_recorder import SpectrumRecorder
from lah10.units import BOLTZMANN, MVV2E

#: Einstein crystal: THz, g/mol.
FREQUENCIES = (15.0, 40.0, 60.0)
MASS = 1.008
#: Neon: Lennard-Jones parameters of Cuccoli, Macchi, Tognetti and Vaia, Phys. Rev. B 47, 7859
#: (1993), K and Å; lattice constant of the solid at low temperature, Å.
NEON = {"epsilon": 36.68, "sigma": 2.787, "lattice": 4.464, "mass": 20.180}
NEON_REPEAT = 4  # 256 atoms
#: K: kinetic energy of solid neon at 0 K by diffusion Monte Carlo with the Aziz HFD-B potential,
#: 41.51(6) K (Cazorla and Boronat, J. Phys.: Condens. Matter 20, 015223 (2008)); neutron scattering
#: says 41(2) K (Timms et al., J. Low Temp. Phys. 139, 727 (2005)).
NEON_KINETIC = 41.51
CUTOFF = 200.0  # THz, of the Einstein crystal's noise
NEON_CUTOFF = 20.0
#: THz, below which neon has no modes worth mention.
NEON_LOWEST = 0.2


def neon_positions() -> tuple[np.ndarray, float]:
    """FCC sites, Å, and the edge of the cubic box."""
    basis = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    cells = np.stack(np.meshgrid(*[np.arange(NEON_REPEAT)] * 3, indexing="ij"), -1).reshape(-1, 3)
    sites = (cells[:, None] + basis).reshape(-1, 3)
    return sites * NEON["lattice"], NEON_REPEAT * NEON["lattice"]


def _mean(samples) -> tuple[list, list]:
    """Mean and standard error from ten blocks, along the first axis."""
    samples = np.asarray(samples)
    blocks = np.array([part.mean(axis=0) for part in np.array_split(samples, 10)])
    return samples.mean(axis=0).tolist(), (blocks.std(axis=0, ddof=1) / np.sqrt(10)).tolist()


# ------------------------------------------------------------------------------- ours, LAMMPS


def _engine(lines, masses, types, timestep, bath_options, segment, every, seed=7):
    from lah10.bath.bath import Bath
    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    engine = Engine("none")
    engine.execute([*script.header(), *lines, f"timestep {timestep}", "fix move all nve",
                    f"fix {script.BATH} all external pf/callback 1 1",
                    "compute ke all ke", "thermo 10", "thermo_modify norm no"])  # fmt: skip
    bath = Bath("qtb", masses=masses, types=types, timestep=timestep, seed=seed, **bath_options)
    recorder = SpectrumRecorder(types, every * timestep, round(segment / timestep / every), 1000)
    engine.attach(bath, recorder, every)
    return engine, recorder


def _deconvolved(recorder, masses, parameters: BathParameters):
    """Ratio of deconvolved to raw kinetic energy by kind of atom, and the inversion with the
    density of modes that it found."""
    power = np.mean([block[0] for block in recorder.blocks], axis=0)
    spectra = power * np.asarray(masses)[:, None] * MVV2E
    inversion = Deconvolution(recorder.frequency, parameters)
    raw, sharp = inversion.energies(spectra)
    return sharp / raw, inversion.modes, inversion.modes_of(spectra)


def explained(modes, density, bath: BathParameters) -> dict[str, float]:
    """By how much our energies should differ from OpenMM's, as shares of the latter.

    Our correction begins at 3 THz (`spectra.FIRST_NODE`), where LaH10 has its modes; OpenMM's is
    that of Mauger et al. at all frequencies, here the same one begun below the lowest mode. And our
    velocities on the step miss some of the fast motion that friction adds (`spectra.response` with
    a time step; the deconvolution takes it into account), where OpenMM's half a step off, with its
    noise, have it as in continuous time.

    Parameters
    ----------
    modes, density : ndarray
        THz, and the share of the modes at each.
    """
    with mock.patch.object(baths, "FIRST_NODE", NEON_LOWEST):  # past the cache, which has no key
        nodes, factor = baths.potential_correction.__wrapped__(
            bath.temperature, bath.friction, bath.cutoff
        )
    present = (modes >= NEON_LOWEST) & (density > 1e-3 * density.max())
    spacing = 0.02 * bath.friction / (2 * np.pi)  # of the width of a line
    fine = np.arange(0.5, 1.2 * bath.cutoff / spacing) * spacing
    noise = BathParameters(bath.name, bath.temperature, bath.friction, bath.cutoff, 0.0)
    noise = noise.noise(fine) * np.interp(fine, nodes, factor)
    ours, everywhere = np.zeros(2), np.zeros(2)
    for mode, share in zip(modes[present], density[present], strict=True):
        ours += share * np.array(baths.oscillator_energies(
            bath.name, mode, bath.temperature, bath.friction, bath.cutoff,
            correction=bath.correction, timestep=bath.timestep,
        ))  # fmt: skip
        responses = baths.response(fine, mode, bath.friction)
        everywhere += share * np.array([(r * noise).sum() * spacing for r in responses])
    kinetic, potential = ours / everywhere - 1
    return {"kinetic": float(kinetic), "potential": float(potential)}


def einstein_ours(
    temperature: float, friction: float, time: float, atoms: int, correction: str = "potential",
    timestep: float = 0.0005, bath: str = "qtb",
) -> dict:  # fmt: skip
    """Kinetic (raw, deconvolved) and potential energy a mode, K, of every frequency."""
    kinds = np.repeat(np.arange(len(FREQUENCIES)), atoms)
    total = len(kinds)
    lines = [
        f"region box block 0 {4 * total} 0 4 0 4",
        f"create_box {len(FREQUENCIES)} box",
        *(f"create_atoms {kind + 1} single {4 * i + 2} 2 2" for i, kind in enumerate(kinds)),
        f"mass * {MASS}",
        "pair_style zero 1.0",
        "pair_coeff * *",
    ]
    for kind, frequency in enumerate(FREQUENCIES, 1):
        spring = MASS * MVV2E * (2 * np.pi * frequency) ** 2
        lines += [f"group part{kind} type {kind}", f"compute ke{kind} part{kind} ke",
                  f"fix spring{kind} part{kind} spring/self {spring:.12g}"]  # fmt: skip
    columns = " ".join(f"c_ke{k} f_spring{k}" for k in range(1, len(FREQUENCIES) + 1))
    lines += [f"thermo_style custom step {columns}"]
    options = {"temperature": temperature, "friction": friction, "cutoff": CUTOFF,
               "conserve_momentum": False, "correction": correction}  # fmt: skip
    engine, recorder = _engine(lines, np.full(total, MASS), kinds, timestep, options, 1.0, 4)
    samples = [
        [[row[f"c_ke{k}"], row[f"f_spring{k}"]] for k in range(1, len(FREQUENCIES) + 1)]
        for row in _rows(engine, recorder, friction, timestep, time)
    ]
    mean, error = _mean(np.array(samples) * 2 / (3 * atoms * BOLTZMANN))
    mean, error = np.array(mean), np.array(error)
    parameters = BathParameters(bath, temperature, friction, CUTOFF, timestep, correction)
    ratio, _, _ = _deconvolved(recorder, [MASS] * len(FREQUENCIES), parameters)
    return {
        "kinetic": mean[:, 0].tolist(),
        "kinetic_stderr": error[:, 0].tolist(),
        "deconvolved": (mean[:, 0] * ratio).tolist(),
        "potential": mean[:, 1].tolist(),
        "potential_stderr": error[:, 1].tolist(),
    }


def _rows(engine, recorder, friction: float, timestep: float, time: float):
    """LAMMPS's thermo at every tenth step of a run, after ten relaxation times of the bath."""
    engine.start_segment()
    engine.advance(round(10 / friction / timestep / 10) * 10)
    recorder.blocks.clear()
    for _ in range(round(time / timestep / 10)):
        engine.advance(10)
        yield engine.lmp.last_thermo()


def neon_ours(
    temperature: float, friction: float, time: float, correction: str = "potential",
    timestep: float = 0.004, seed: int = 7,
) -> dict:  # fmt: skip
    """Kinetic (raw, deconvolved) and potential energy an atom, K, of solid neon; and which
    differences from OpenMM's are explained (`explained`)."""
    positions, edge = neon_positions()
    lines = [
        f"region box block 0 {edge:.12g} 0 {edge:.12g} 0 {edge:.12g}",
        "create_box 1 box",
        *(f"create_atoms 1 single {x:.12g} {y:.12g} {z:.12g}" for x, y, z in positions),
        f"mass 1 {NEON['mass']}",
        f"pair_style lj/cut {0.499 * edge:.12g}",
        f"pair_coeff 1 1 {NEON['epsilon'] * BOLTZMANN:.12g} {NEON['sigma']}",
        "compute kin all ke",
        "thermo_style custom step pe c_kin",
    ]
    atoms = len(positions)
    types, masses = np.zeros(atoms, int), np.full(atoms, NEON["mass"])
    options = {"temperature": temperature, "friction": friction, "cutoff": NEON_CUTOFF,
               "correction": correction}  # fmt: skip
    engine, recorder = _engine(lines, masses, types, timestep, options, 8.0, 5, seed)
    samples = [
        [row["c_kin"] / (atoms - 1), row["PotEng"] / atoms]  # the centre of mass stands still
        for row in _rows(engine, recorder, friction, timestep, time)
    ]
    mean, error = _mean(np.array(samples) / BOLTZMANN)
    parameters = BathParameters("qtb", temperature, friction, NEON_CUTOFF, timestep, correction)
    ratio, modes, density = _deconvolved(recorder, [NEON["mass"]], parameters)
    return {"kinetic": mean[0], "kinetic_stderr": error[0],
            "deconvolved": float(mean[0] * ratio[0]),
            "potential": mean[1], "potential_stderr": error[1],
            "explained": explained(modes, density[0], parameters)}  # fmt: skip


# ------------------------------------------------------------------------------------- OpenMM


def _integrator(temperature, friction, timestep, segment, cutoff, seed=7):
    import openmm

    integrator = openmm.QTBIntegrator(temperature, friction, timestep)
    integrator.setDefaultAdaptationRate(0.0)
    integrator.setSegmentLength(segment)
    integrator.setCutoffFrequency(2 * np.pi * cutoff)
    integrator.setRandomNumberSeed(seed)
    return integrator


def _context(system, integrator, positions):
    import openmm

    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    context.setPositions(positions)
    return context


def _sample(context, integrator, steps, every=10):
    """Positions and velocities, nm and nm/ps; velocities stand half a step off."""
    for _ in range(steps // every):
        integrator.step(every)
        state = context.getState(getPositions=True, getVelocities=True, getEnergy=True)
        yield (
            state.getPositions(asNumpy=True)._value,
            state.getVelocities(asNumpy=True)._value,
            state.getPotentialEnergy()._value,
        )


#: kJ/mol in K.
KJ_PER_MOL = 1e3 / (8.31446261815324)


def einstein_openmm(
    temperature: float, friction: float, time: float, atoms: int, timestep: float = 0.0005,
    segment: float = 0.4,
) -> dict:  # fmt: skip
    """As `einstein_ours`, by OpenMM; no deconvolution there."""
    import openmm

    system = openmm.System()
    springs = openmm.CustomExternalForce("0.5*k*(x*x+y*y+z*z)")
    springs.addPerParticleParameter("k")
    constants = np.repeat(MASS * (2 * np.pi * np.array(FREQUENCIES)) ** 2, atoms)
    for i, k in enumerate(constants):
        system.addParticle(MASS)
        springs.addParticle(i, [k])
    system.addForce(springs)
    integrator = _integrator(temperature, friction, timestep, segment, CUTOFF)
    context = _context(system, integrator, np.zeros((len(constants), 3)))
    integrator.step(round(10 / friction / timestep))
    samples = []
    for x, v, _ in _sample(context, integrator, round(time / timestep)):
        parts = np.stack([MASS * (v**2).sum(axis=1), constants * (x**2).sum(axis=1)])
        samples.append(parts.reshape(2, len(FREQUENCIES), atoms).mean(axis=2).T / 3)
    mean, error = _mean(np.array(samples) * KJ_PER_MOL)
    mean, error = np.array(mean), np.array(error)
    return {"kinetic": mean[:, 0].tolist(), "kinetic_stderr": error[:, 0].tolist(),
            "potential": mean[:, 1].tolist(), "potential_stderr": error[:, 1].tolist()}  # fmt: skip


def neon_openmm(
    temperature: float, friction: float, time: float, timestep: float = 0.004, segment: float = 3.0,
    seed: int = 7,
) -> dict:  # fmt: skip
    """As `neon_ours`, by OpenMM; no deconvolution there."""
    import openmm

    positions, edge = neon_positions()
    system = openmm.System()
    edge *= 0.1
    system.setDefaultPeriodicBoxVectors((edge, 0, 0), (0, edge, 0), (0, 0, edge))
    pairs = openmm.NonbondedForce()
    pairs.setNonbondedMethod(openmm.NonbondedForce.CutoffPeriodic)
    pairs.setCutoffDistance(0.499 * edge)
    pairs.setUseDispersionCorrection(False)
    for _ in positions:
        system.addParticle(NEON["mass"])
        pairs.addParticle(0.0, 0.1 * NEON["sigma"], NEON["epsilon"] / KJ_PER_MOL)
    system.addForce(pairs)
    system.addForce(openmm.CMMotionRemover(1))
    integrator = _integrator(temperature, friction, timestep, segment, NEON_CUTOFF, seed)
    for i in range(len(positions)):
        integrator.setParticleType(i, 0)
    context = _context(system, integrator, 0.1 * positions)
    integrator.step(round(10 / friction / timestep))
    samples, atoms = [], len(positions)
    for _, v, energy in _sample(context, integrator, round(time / timestep)):
        samples.append([0.5 * NEON["mass"] * (v**2).sum() / (atoms - 1), energy / atoms])
    mean, error = _mean(np.array(samples) * KJ_PER_MOL)
    return {"kinetic": mean[0], "kinetic_stderr": error[0],
            "potential": mean[1], "potential_stderr": error[1]}  # fmt: skip
