"""Start a path-integral run as a child process, with the libraries that the potential needs."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from lah10.dynamics.launch import run_child
from lah10.pimd.job import PimdJob

#: Atoms that go through the potential in one call; more gain nothing and take memory.
MOST_ATOMS_A_BATCH = 8192


def run_pimd(job: dict, log_path) -> None:
    """Run one job to its end, or from its last checkpoint to its end.

    Raises
    ------
    UserError
        If something must be mended by the user, or the run was asked to stop.
    RuntimeError
        If the child broke down; the log tells more.
    """
    description = PimdJob(**job)
    scratch = Path(description.scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    file = scratch.with_name(scratch.name + ".job.json")
    file.write_text(json.dumps(asdict(description), indent=1))
    run_child(
        [sys.executable, "-m", "lah10.pimd.run", str(file)],
        log_path,
        f"the path-integral run {description.name}",
        {"DP_INFER_BATCH_SIZE": str(MOST_ATOMS_A_BATCH)},
    )
