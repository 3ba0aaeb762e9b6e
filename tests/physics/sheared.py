"""The crystal of pes_sheared.py: its exact free energy, and its windows in LAMMPS.

Not a test: called by the tests, `windows` in a process that can load LAMMPS.
"""

from pathlib import Path

import numpy as np
import quasiharmonic
from ase import Atoms
from ase.io import read
from scipy.optimize import minimize_scalar

from lah10 import ELEMENTS
from lah10.crystal import angle as along
from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA, PLANCK

ROOT = Path(__file__).parents[2]
#: GPa; THz, of La and of every other H.
PRESSURE, FREQUENCIES = 20.0, (8.0, 25.0, 45.0)
#: What pes_sheared.py is told: a minimum near 2 degree, some 10 meV/atom deep.
OPTIONS = {"bulk": 20.0, "quadratic": 2.0, "quartic": 300.0, "softening": 8.0}
ANGLES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
TIMESTEP = 0.0005  # ps
#: Conventional cells of the windows in LAMMPS: 176 atoms.
REPEAT = (2, 2, 1)


def crystal(folder: Path, angle: float = 0.0, repeat=(1, 1, 1)) -> tuple[Atoms, Path]:
    """The cubic supercell with its frequencies, and the file of the same at an angle."""
    atoms = build_supercell(
        read_crystal(ROOT / "resources/structures/Fm-3m.cif"), "conventional", repeat
    )
    la = atoms.numbers == 57
    frequency = np.where(la, FREQUENCIES[0], np.resize(FREQUENCIES[1:], len(atoms)))
    atoms.set_array("frequency", frequency)
    write_supercell(folder / "supercell.xyz", atoms)
    file = folder / f"angle{angle:g}.xyz"
    write_supercell(file, along.sheared(atoms, angle))
    return atoms, file


def options(atoms: Atoms, folder: Path, **changes) -> dict:
    """Parameters of the driver."""
    axis = along.direction(along.threefold_axis(atoms), atoms.cell.array)
    return {
        "template": str(folder / "supercell.xyz"),
        "axis": " ".join(f"{x:.15g}" for x in axis),
    } | (OPTIONS | changes)


def free_energy(
    atoms: Atoms, angle: float, temperature: float, quantum: bool, pinned: bool = False, **changes
) -> float:
    """G at an angle, meV/atom, least over the volume; of classical nuclei but for a constant.

    pinned : whether the centre of mass stands still, as in i-PI's runs: three classical degrees of
        freedom less, which matters as atoms are bound to sites here.
    """
    of = OPTIONS | changes
    stretch = along.stretch(angle)
    x = 2 * np.log(stretch)
    frequency = atoms.arrays["frequency"][:, None] * np.exp(-of["softening"] * x**2)
    frequency = frequency / np.array([stretch, stretch**-0.5, stretch**-0.5])
    beta = 1 / (BOLTZMANN * temperature)

    def energy(jacobian):
        quanta = beta * PLANCK * frequency / np.cbrt(jacobian)
        vibrations = np.log(2 * np.sinh(quanta / 2)) if quantum else np.log(quanta)
        static = 0.5 * of["bulk"] * (jacobian - 1) ** 2 - of["quadratic"] * x**2
        static += of["quartic"] * x**4
        pressure = PRESSURE / EV_PER_A3_IN_GPA * jacobian * atoms.get_volume() / len(atoms)
        motion = vibrations.sum() / beta
        if pinned:  # of their free energy, what depends on the angle
            motion += 3 * of["softening"] * x**2 / beta
        return static + pressure + motion / len(atoms)

    return 1e3 * minimize_scalar(energy, bounds=(0.7, 1.3), options={"xatol": 1e-9}).fun


def slope(atoms: Atoms, angle: float, *args, **changes) -> float:
    """dG/dδ by differences, meV/atom/degree."""
    step = 0.01
    ahead, behind = (free_energy(atoms, angle + s, *args, **changes) for s in (step, -step))
    return (ahead - behind) / (2 * step)


class InLammps(quasiharmonic.InLammps):
    """This surface, whose atoms may cross the faces of the cell."""

    def _unwrapped(self, cell: np.ndarray, at: np.ndarray) -> np.ndarray:
        scaled = np.linalg.solve(cell, at.T).T
        # Images: the atom nearest to its site.
        scaled -= np.round(scaled - self.surface.sites)
        return scaled @ cell.T


def windows(folder: str, temperature: float, time: float, seed: int = 1) -> list[dict]:
    """dG/dδ (meV/atom/degree) with its error, volume and temperatures at every angle.

    time : ps, of production; equilibration takes a quarter of it.
    """
    from pes_sheared import Sheared

    from lah10.analysis.statistics import mean_error
    from lah10.bath.bath import Bath
    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    folder, found = Path(folder), []
    engine = Engine("none")
    engine.cell_kinetic = (script.VOLUME_KINETIC, 1)
    for number, angle in enumerate(ANGLES):
        atoms, file = crystal(folder, angle, REPEAT)
        script.write_data(read(file), folder / "crystal.data")
        engine.clear()
        engine.execute(quasiharmonic.bare(folder / "crystal.data"))
        surface = InLammps(engine, Sheared(**options(atoms, folder)))
        types = np.array([ELEMENTS.index(symbol) for symbol in atoms.symbols])
        for kind in range(len(ELEMENTS)):
            engine.execute([f"mass {kind + 1} {surface.masses[types == kind][0]:.12g}"])
        engine.execute(script.velocities(temperature, seed + number))
        damping = script.volume_damping(0.1, len(atoms), temperature)
        barostat = script.volume_barostat(PRESSURE, damping, temperature, 2.0)
        engine.execute(script.integrator([barostat], TIMESTEP, 10))
        bath = Bath("classical", temperature, 10.0, 200.0, surface.masses, types, TIMESTEP,
                    seed + number)  # fmt: skip
        engine.attach(bath, None, 0)
        first = engine.cell()
        rows = []
        for length, drag in ((0.25 * time, 2.0), (time, 0.0)):
            if not drag:
                engine.execute(
                    [
                        f"unfix {script.BAROSTAT}",
                        script.volume_barostat(PRESSURE, damping, temperature, drag),
                    ]
                )
            engine.start_segment()
            rows.clear()
            for _ in range(round(length / TIMESTEP / 10)):
                engine.advance(10)
                rows.append(engine.sample())
        pressure = np.array([row["pressure"] for row in rows])
        volume = np.array([row["volume"] for row in rows])
        axis = along.direction(along.threefold_axis(atoms), first)
        mean, error = mean_error(along.gradient(angle, pressure, volume, axis) / len(atoms) * 1e3)
        kinetic = np.sum([row["kinetic_energy"] for row in rows], axis=1).mean()
        found.append(
            {
                "gradient": mean,
                "error": error,
                "volume": float(volume.mean()),
                "temperature": float(kinetic / (1.5 * (len(atoms) - 1) * BOLTZMANN)),
                "cell_temperature": float(
                    2 * np.mean([row["cell_kinetic_energy"] for row in rows]) / BOLTZMANN
                ),
                "angles": along.angle_of(atoms, engine.cell()).tolist(),
            }
        )
    return found
