"""The LAMMPS commands of a run, as text: what is written beside it and compared in tests."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import ase
import numpy as np
from ase.io import write

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io.files import atomic_path
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA, GPA_IN_BAR

#: Paths that LAMMPS takes for one word without quotes; golden files and old records have them so.
PLAIN = re.compile(r"[^\s\"'#$&*?]*")
#: Names of the fixes, for the engine that reads their values.
BAROSTAT = "barostat"
BATH = "bath"
CELL = "cell"
#: How LAMMPS' restart files begin and end.
RESTART_MARK = b"LammpS RestartT\0"

#: First line of the file of commands that a stage leaves.
RECORD = (
    "# Record of the commands that LAMMPS was given, in their order. It is no input for lmp: the "
    "bath's force comes from outside (fix external), and files of the job are gone."
)


def write_data(atoms: ase.Atoms, path) -> None:
    """Write the supercell as a LAMMPS data file (La type 1, H type 2, tag = index + 1).

    The cell must already stand in LAMMPS' orientation (a along x, b in xy).
    """
    with atomic_path(path) as aside:
        write(
            aside,
            atoms,
            format="lammps-data",
            masses=True,
            atom_style="atomic",
            specorder=list(ELEMENTS),
            units="metal",
        )


def header() -> list[str]:
    """Units and the box style: what must come before the atoms are read."""
    return [
        "units metal",
        "atom_style atomic",
        "atom_modify map array sort 0 0.0",
        "boundary p p p",
        "box tilt large",
    ]


def quoted(path: str | Path) -> str:
    """A path as one word of a command, whatever characters it has.

    Raises
    ------
    UserError
        It has quotes of both kinds, which LAMMPS cannot read.
    """
    text = str(path)
    if PLAIN.fullmatch(text):
        return text
    for quote in ('"', "'"):
        if quote not in text:
            return f"{quote}{text}{quote}"
    raise UserError(f"{text}: a path with both \" and ' is not allowed; rename the file or folder")


def crystal(data: str | Path) -> list[str]:
    """Read the perfect supercell in a box that may shear."""
    return [f"read_data {quoted(data)}", "change_box all triclinic"]


def keep(path: str | Path) -> list[str]:
    """Write a restart file."""
    return [f"write_restart {quoted(path)}"]


def restart_is_whole(path: str | Path) -> bool:
    """Whether LAMMPS' restart file reaches its end, which has the mark of its beginning."""
    try:
        with open(path, "rb") as file:
            start = file.read(len(RESTART_MARK))
            file.seek(-len(RESTART_MARK), os.SEEK_END)
            return start == file.read() == RESTART_MARK
    except OSError:
        return False


def restart(path: str | Path) -> list[str]:
    """Read a restart file in place of the crystal."""
    return [f"read_restart {quoted(path)}"]


def interaction(
    model: str | Path, committee: Sequence = (), deviation: str | Path = "", every: int = 0
) -> list[str]:
    """The deep potential; a committee's deviation is written to a file every `every` steps."""
    style = f"pair_style deepmd {quoted(model)}"
    if committee:
        style += " " + " ".join(map(quoted, committee))
        style += f" out_file {quoted(deviation)} out_freq {every}"
    return [
        style,
        "pair_coeff * * " + " ".join(ELEMENTS),
        "neighbor 1.0 bin",
        "neigh_modify every 1 delay 0 check yes",
    ]


def read_deviation(path: str | Path, steps: np.ndarray) -> np.ndarray:
    """Largest force deviation within the committee at the given steps, eV/Å; NaN where unknown.

    Column 5 of deepmd-kit's `out_file`: the maximum over atoms of the standard deviation of the
    force among the models.
    """
    rows = np.loadtxt(path, ndmin=2)
    known = dict(zip(rows[:, 0].astype(int), rows[:, 4], strict=True))
    return np.array([known.get(int(step), np.nan) for step in steps])


def relaxation(pressure: float) -> list[str]:
    """Relax atoms and volume of the perfect crystal at a pressure (GPa), its shape kept."""
    return [
        f"fix relax all box/relax iso {pressure * GPA_IN_BAR:.10g} vmax 0.002",
        "min_style cg",
        "minimize 1e-12 1e-4 200 2000",
        "unfix relax",
    ]


def velocities(temperature: float, seed: int) -> list[str]:
    """Gaussian velocities of twice the temperature: half of it goes into the potential energy."""
    return [
        f"velocity all create {2 * temperature:.10g} {seed} mom yes rot no dist gaussian loop all",
        "reset_timestep 0",
    ]


def integrator(barostat: Sequence[str], timestep: float, thermo_every: int) -> list[str]:
    """Dynamics at constant pressure with the bath's force, and the values recorded.

    Parameters
    ----------
    barostat : sequence of str
        Commands that move the cell (`cell.CellMotion.commands`, `volume_barostat`).
    timestep : float
        ps.
    thermo_every : int
        Steps between records.
    """
    groups = [f"group {e} type {i}" for i, e in enumerate(ELEMENTS, start=1)]
    energies = [f"compute ke{e} {e} ke" for e in ELEMENTS]
    return [
        f"timestep {timestep:.10g}",
        *groups,
        *energies,
        *barostat,
        "# the bath: friction and coloured noise, computed outside LAMMPS (dynamics/bath.py)",
        f"fix {BATH} all external pf/callback 1 1",
        # It adds nothing to energy and virial, and LAMMPS is told so: the barostat, set up before
        # the bath, would otherwise add a virial that nobody has written yet.
        f"fix_modify {BATH} energy no virial no",
        f"thermo {thermo_every}",
        "thermo_style custom step pe "
        + " ".join(f"c_ke{e}" for e in ELEMENTS)
        + " pxx pyy pzz pyz pxz pxy vol",
        "thermo_modify lost error norm no",
    ]


def flexible_barostat(pressure: float, damping: float, temperature: float, drag: float) -> str:
    """NPH dynamics of all six elements of the cell, without a thermostat of LAMMPS.

    Parameters
    ----------
    pressure : float
        GPa, the same on all faces, no shear stress.
    damping, temperature : float
        τ, ps, and T, K, of the mass of each element, (N + 1) k_B T τ².
    drag : float
        Friction of the cell's motion: twice a step it loses the share Δt · drag/τ.
    """
    bar = f"{pressure * GPA_IN_BAR:.10g}"
    sides = " ".join(f"{side} {bar} {bar} {damping:.10g}" for side in ("x", "y", "z"))
    shears = " ".join(f"{tilt} 0.0 0.0 {damping:.10g}" for tilt in ("xy", "xz", "yz"))
    return (
        f"fix {BAROSTAT} all nph {sides} {shears} couple none ptemp {temperature:.10g} "
        f"pchain 0 drag {drag:.10g} flip no"
    )


#: Thermostats in the chain that gives a cell of fixed shape its temperature, and where the kinetic
#: energy of its volume then stands in the fix's vector: after ω, ω̇, two values a thermostat and
#: the potential energy.
VOLUME_CHAIN = 3
VOLUME_KINETIC = 2 + 2 * VOLUME_CHAIN + 1


#: GPa and Å³ an atom: typical of LaH10 under pressure. They set the mass of the volume, on which no
#: mean depends, and nothing else.
BULK_MODULUS, ATOMIC_VOLUME = 550.0, 3.0


def volume_damping(period: float, atoms: int, temperature: float) -> float:
    """Damping τ, ps, with which the volume of a cell of fixed shape oscillates with a period (ps).

    The volume oscillates at ω = √(3BV/W), W = (N + 1) k_B T τ², in LAMMPS, and in i-PI with N in
    place of N + 1; B and V are typical ones.
    """
    stiffness = 3 * BULK_MODULUS / EV_PER_A3_IN_GPA * ATOMIC_VOLUME * atoms
    mass = stiffness * (period / (2 * np.pi)) ** 2
    return float(np.sqrt(mass / ((atoms + 1) * BOLTZMANN * temperature)))


def held_shape(angle: str, period: float, atoms: int, temperature: str) -> dict[str, float]:
    """What a job has of a cell of fixed shape: its angle, degree, and the damping of its volume.

    The other parameters are those of `volume_damping`; texts are as in the rules' wildcards.
    """
    damping = volume_damping(period, atoms, float(temperature))
    return {"angle_degree": float(angle), "volume_damping_ps": damping}


def volume_barostat(pressure: float, damping: float, temperature: float, drag: float = 0.0) -> str:
    """NPH dynamics of the volume alone: all cell vectors are scaled by one factor, so that the
    shape stays to rounding. The volume has the temperature of the bath, by a Nosé–Hoover chain.

    Parameters
    ----------
    pressure : float
        GPa.
    damping : float
        ps; the mass of the volume is (N + 1) k_B T damping².
    temperature : float
        K.
    drag : float
        Damping of the volume's motion in units of 1/`damping`.
    """
    bar = f"{pressure * GPA_IN_BAR:.10g}"
    return (
        f"fix {BAROSTAT} all nph iso {bar} {bar} {damping:.10g} ptemp {temperature:.10g} "
        f"pchain {VOLUME_CHAIN} drag {drag:.10g}"
    )


def minimise() -> list[str]:
    """Relax the atoms in a fixed cell."""
    return ["min_style cg", "minimize 1e-12 1e-5 500 5000"]
