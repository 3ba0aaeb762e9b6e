"""The quasi-harmonic crystal of pes_toy.py, whose quantum volume is known: for path integrals and,
in LAMMPS, in the project's bath and barostat.

Not a test: called by the tests, `volumes` in a process that can load LAMMPS.
"""

from pathlib import Path

import numpy as np
from ase import Atoms
from scipy.optimize import brentq

from lah10 import ELEMENTS
from lah10.bath.spectra import bath_energy
from lah10.units import EV_PER_A3_IN_GPA

#: GPa.
PRESSURE, BULK, SHEAR = 50.0, 400.0, 200.0
GRUNEISEN = 1.5
#: THz, of La and of every other H, in the volume at rest without pressure.
FREQUENCIES = (6.0, 25.0, 45.0)
#: What pes_toy.py is told.
OPTIONS = {"gruneisen": GRUNEISEN, "bulk": BULK, "shear": SHEAR}

#: The crystal, a row of 4 La and 20 H so many times side by side (384 atoms): the smaller, the more
#: its cell fluctuates, which is not in the exact volume.
ROW, REPEAT = (4, 20), (1, 4, 4)
TIMESTEP, CUTOFF = 0.0005, 200.0  # ps, THz
#: Steps between values of the volume and between samples of the velocities; ps of a spectrum.
EVERY, SAMPLE, SEGMENT = 10, 4, 1.0


def row(la: int, h: int, frequencies, quartic: float = 0.0, spacing: float = 2.2) -> Atoms:
    """La and H atoms in a row, the frequencies after the first given to the H in turn."""
    n = la + h
    atoms = Atoms(
        ["La"] * la + ["H"] * h,
        positions=[[spacing * (i + 0.5), spacing / 2, spacing / 2] for i in range(n)],
        cell=[spacing * n, spacing, spacing],
        pbc=True,
    )
    of_h = np.resize(frequencies[1:], h)
    atoms.set_array("frequency", np.concatenate([np.full(la, frequencies[0]), of_h]))
    atoms.set_array("quartic", np.full(n, float(quartic)))
    return atoms


def exact_volume(
    atoms: Atoms, temperature: float, bath: str = "qtb", pressure: float = PRESSURE
) -> float:
    """Volume, Å³, where P = −dE/dV + γ E_vib/V.

    bath : {"qtb", "classical", "none"}
        Whose energy the vibrations hold; "none" is the crystal at rest.
    """
    v0 = atoms.get_volume()

    def excess(scale):
        """Pressure over the one wanted, GPa, at the linear scale."""
        static = -BULK * 1.5 * (scale**2 - 1) / scale
        if bath == "none":
            return static - pressure
        frequency = atoms.arrays["frequency"] * scale ** (-3 * GRUNEISEN)
        vibrations = 3 * bath_energy(bath, frequency, temperature).sum()
        return static + GRUNEISEN * vibrations / (v0 * scale**3) * EV_PER_A3_IN_GPA - pressure

    return v0 * brentq(excess, 0.8, 1.2) ** 3


def bare(data: Path) -> list[str]:
    """Commands for the crystal of a data file without any potential of LAMMPS."""
    from lah10.dynamics import lammps_input as script

    return [
        *script.header(),
        *script.crystal(data),
        "pair_style zero 1.0",
        "pair_coeff * *",
        "neighbor 0.3 bin",
    ]


class InLammps:
    """An energy surface that path integrals run on, as an external force of LAMMPS.

    LAMMPS adds external forces in the order of their fixes: this one stands before the barostat and
    the bath, which need its virial and its forces.
    """

    FIX = "toy"

    def __init__(self, engine, surface):
        from ipi.utils.units import unit_to_internal

        self.engine, self.surface = engine, surface
        self.bohr = unit_to_internal("length", "angstrom", 1.0)
        self.hartree = unit_to_internal("energy", "electronvolt", 1.0)
        self.masses = self.surface.mass / unit_to_internal("mass", "dalton", 1.0)
        engine.execute([f"fix {self.FIX} all external pf/callback 1 1"])
        engine.lmp.set_fix_external_callback(self.FIX, self._push)

    def _push(self, _, step, n, tags, positions, out) -> None:
        out[:] = np.nan  # for an error on the way, of which LAMMPS hears nothing else
        low, high, xy, yz, xz = self.engine.lmp.extract_box()[:5]
        (lx, ly, lz), index = np.subtract(high, low), tags - 1
        cell = np.array([[lx, xy, xz], [0, ly, yz], [0, 0, lz]])
        at = np.empty((n, 3))
        at[index] = positions - low
        at = self._unwrapped(cell, at)
        _, force, virial, _ = self.surface.compute_structure(cell * self.bohr, at * self.bohr)
        out[:] = force[index] * (self.bohr / self.hartree)
        virial = virial / self.hartree
        self.engine.lmp.fix_external_set_virial_global(
            self.FIX, virial[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
        )

    def _unwrapped(self, cell: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Positions (Å) as the surface takes them; this one's atoms never cross a face."""
        return at


def volumes(folder: str, cases: list[dict]) -> list[dict[str, float]]:
    """`volume` of several cases, one after another in one process."""
    return [volume(Path(folder), **case) for case in cases]


def volume(
    folder: Path,
    bath: str,
    temperature: float,
    friction: float,
    time: float,
    correction: str = "potential",
    shift: bool = True,
    seed: int = 1,
) -> dict[str, float]:
    """`constant_pressure.mean_volume` of the crystal, from its cell at rest; and the exact answers.

    Parameters
    ----------
    temperature, friction, time : float
        K, 1/ps and ps of production.
    """
    # Here, since path integrals' tests read this file where LAMMPS cannot be loaded.
    from constant_pressure import mean_volume
    from pes_toy import Toy

    from lah10.bath.bath import Bath, expected_temperature
    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    atoms = row(*ROW, FREQUENCIES).repeat(REPEAT)
    atoms.write(folder / "crystal.xyz", format="extxyz")
    start = atoms.copy()
    scale = (exact_volume(atoms, temperature, "none") / atoms.get_volume()) ** (1 / 3)
    start.set_cell(scale * start.cell.array, scale_atoms=True)
    script.write_data(start, folder / "crystal.data")
    engine = Engine("none")
    engine.execute(bare(folder / "crystal.data"))
    crystal = InLammps(engine, Toy(template=folder / "crystal.xyz", **OPTIONS))
    types = np.array([ELEMENTS.index(symbol) for symbol in atoms.symbols])
    for kind in range(len(ELEMENTS)):
        engine.execute([f"mass {kind + 1} {crystal.masses[types == kind][0]:.12g}"])
    expected = expected_temperature(bath, temperature)
    engine.execute(script.velocities(expected, seed))
    heat = Bath(bath, temperature, friction, CUTOFF, crystal.masses, types, TIMESTEP, seed,
                correction=correction)  # fmt: skip
    found = mean_volume(engine, heat, PRESSURE, shift, time, EVERY, SAMPLE, SEGMENT)
    exact = {f"exact_{of}": exact_volume(atoms, temperature, of) / len(atoms)
             for of in ("qtb", "classical", "none")}  # fmt: skip
    return found | exact
