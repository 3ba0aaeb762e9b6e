"""What the main process settles before the first job of a run starts."""

import contextlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from lah10.io.child import FORCED
from lah10.io.locks import lock

#: Rules that read results and write nothing that a run needs: one file or figures, each at once.
READING = {"all", "figures", "merge", "plan"}
#: Forcing a stage forces those that go on from its state.
FOLLOWERS = {
    "equilibrate": {"produce"},
    "boundary_equilibrate": {"boundary_produce"},
}


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
        Another run holds the campaign, or the potential's stage; it is named.
    """
    with contextlib.ExitStack() as held:
        for folder, names in needed.items():
            if not set(names) <= READING:
                held.enter_context(lock(Path(folder, ".lock")))
        held = held.pop_all()
    rules = set(forced)
    for rule in forced:
        rules |= FOLLOWERS.get(rule, set())
    os.environ[FORCED] = json.dumps({"rules": sorted(rules), "token": uuid.uuid4().hex})
    return held
