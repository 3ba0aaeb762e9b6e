"""Start a run as a child process with the libraries that LAMMPS and the potential need."""

import sys
from dataclasses import asdict
from pathlib import Path

from lah10.dynamics.job import Job
from lah10.dynamics.stop import SIGNALS, relay
from lah10.io import child
from lah10.io.json import write_json


def mpiexec() -> str:
    """The launcher that belongs to this environment's MPI library, else the one on the path."""
    own = Path(sys.executable).with_name("mpiexec")
    return str(own) if own.exists() else "mpiexec"


def run_stage(
    job: dict, log_path, runtime_minutes: float | None = None, exit_file=None
) -> None:
    """Run one stage of one point to its end, or from its last checkpoint to its end.

    Progress goes to the terminal (standard error) and to the log.

    runtime_minutes, exit_file : what stops it before its end (`lah10.dynamics.stop`).

    Raises
    ------
    UserError
        The user must mend something.
    Unfinished
        It was asked to stop; given again it goes on.
    RuntimeError
        The child broke down; the message names the log.
    """
    description = Job(**job)
    command = [sys.executable, "-m", "lah10.dynamics.run", str(write_job(description))]
    if description.mpi_ranks > 1:
        command = [mpiexec(), "-n", str(description.mpi_ranks), *command]
    with relay(description.scratch, runtime_minutes, exit_file) as env:
        child.follow(
            command,
            log_path,
            f"the {description.stage} run of {description.bath} P{description.pressure_GPa:g} "
            f"T{description.temperature_K:g}",
            env=env,
            # A rank has one core. Snakemake sets OMP_NUM_THREADS to the cores of the whole job.
            threads=1,
            blocked=SIGNALS,
        )


def write_job(description) -> Path:
    """Write a job (a dataclass with a `scratch` folder) beside its folder; returns the file."""
    scratch = Path(description.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch.with_name(scratch.name + ".job.json")
    write_json(file, asdict(description))
    return file
