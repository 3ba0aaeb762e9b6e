"""Start a path-integral run as a child process, with the libraries that the potential needs."""

import sys

from lah10.dynamics.launch import write_job
from lah10.dynamics.stop import SIGNALS, relay
from lah10.io import child
from lah10.pimd.job import PimdJob

#: Atoms that go through the potential in one call; more gain nothing and take memory.
MOST_ATOMS_A_BATCH = 8192


def run_pimd(job: dict, log_path, runtime_minutes: float | None = None, exit_file=None) -> None:
    """Run one job to its end, or from its last checkpoint to its end.

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
    description = PimdJob(**job)
    with relay(description.scratch, runtime_minutes, exit_file) as env:
        child.follow(
            [sys.executable, "-m", "lah10.pimd.run", str(write_job(description))],
            log_path,
            f"the path-integral run {description.name}",
            env={"DP_INFER_BATCH_SIZE": str(MOST_ATOMS_A_BATCH), **env},
            blocked=SIGNALS,
        )
