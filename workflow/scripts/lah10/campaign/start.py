"""What the main process settles before the first job of a run starts."""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from lah10.dynamics.stop import EXIT
from lah10.errors import UserError
from lah10.io.child import FORCED
from lah10.io.locks import lock

#: Rules that write nothing that a run needs: one file or figures, each at once, or text.
READING = {"all", "figures", "merge", "plan", "status", "calibrate"}
#: Forcing a stage forces those that go on from its state.
FOLLOWERS = {
    "equilibrate": {"produce"},
    "boundary_equilibrate": {"boundary_produce"},
    "equilibrate_distorted": {"produce_distorted"},
}

#: Seconds between two looks for the file that stops a campaign.
EXIT_LATENCY = 2.0
#: Attempts of a job of dynamics, at least: the first, and those that go on after it stopped.
ATTEMPTS = 4
#: What Snakemake begins its shells with, and what keeps them there until the script has stopped.
SHELL_PREFIX = "set -euo pipefail; trap : TERM USR1; "


def start(needed: Mapping[str | os.PathLike, Iterable[str]], forced: Iterable[str]):
    """Take the locks of what is worked on, and export which rules run by force.

    A forced job discards the checkpoints of other runs, so a second attempt within the same run
    goes on from the first one's. Runs differ by a token and not by time: clocks of nodes differ.

    Parameters
    ----------
    needed
        Names of the rules with jobs to run, by the folder that they work in: results/<campaign>, or
        results/potential.
    forced
        Names of those that run by force.

    Returns
    -------
    contextlib.ExitStack
        Holds the locks; closing it, or the end of the process, frees them.

    Raises
    ------
    UserError
        Another run holds the campaign, or the potential's stage; it is named. Or a file EXIT
        stops it.
    """
    with contextlib.ExitStack() as held:
        for folder, names in needed.items():
            if not set(names) <= READING:
                held.enter_context(lock(Path(folder, ".lock")))
                if Path(folder, EXIT).exists():
                    raise UserError(
                        f"{Path(folder, EXIT)} stops this campaign; to go on, remove it: "
                        f"rm {Path(folder, EXIT)}"
                    )
        held = held.pop_all()
    rules = set(forced)
    for rule in forced:
        rules |= FOLLOWERS.get(rule, set())
    os.environ[FORCED] = json.dumps({"rules": sorted(rules), "token": uuid.uuid4().hex})
    return held


def stop_by_file(folder: str | os.PathLike) -> None:
    """End this Snakemake softly when a file EXIT appears: no job starts, and those that run stop.

    A job of dynamics finds the file itself and stops at its next checkpoint.
    """
    file = Path(folder, EXIT)

    def watch():
        while not file.exists():
            time.sleep(EXIT_LATENCY)
        # Snakemake's own way: it waits for running jobs and starts no other.
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="exit").start()


def retries(workflow) -> int:
    """How often Snakemake starts a job of dynamics again, which goes on from its checkpoint.

    Only the main process does: a job that stops by its own clock leaves no time for another try
    within the same submission.
    """
    if not workflow.is_main_process:
        return 0
    return max(ATTEMPTS - 1, getattr(workflow.execution_settings, "retries", 0) or 0)


def keep_processes(workflow, shell) -> None:
    """Let a signal to all processes of a job end its run first, and Snakemake after it.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    shell : snakemake.shell.shell
        Its shells wait for their script instead of dying at once.
    """
    if shell._process_prefix is None:
        shell.prefix(SHELL_PREFIX)
    if not workflow.is_main_process:
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def given(workflow, resource: str) -> int | None:
    """A number that the command line or a profile gives ("_cores", "_nodes"), or None."""
    try:
        value = workflow.global_resources[resource].value
    except (KeyError, AttributeError):
        return None
    return value if isinstance(value, int) and 0 < value < sys.maxsize else None
