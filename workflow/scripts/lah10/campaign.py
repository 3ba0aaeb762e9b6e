"""What the main process settles before the first job of a run starts."""

import contextlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path

from lah10.dynamics.locks import lock

#: Rules that read results and write nothing that another run could be writing.
READING = {"all", "figures", "plan"}
#: Jobs learn from this variable of the environment which rules are forced, and since when.
FORCED = "LAH10_FORCED"
#: Forcing a stage forces those that go on from its state.
FOLLOWERS = {"equilibrate": {"produce"}}


def start(folder: str | os.PathLike, needed: Iterable[str], forced: Iterable[str]):
    """Take the campaign's lock and export which rules run by force.

    A forced job discards the checkpoints that are older than this moment, so a second attempt
    within the same run goes on from the first one's.

    Parameters
    ----------
    folder
        results/<campaign>.
    needed, forced
        Names of the rules with jobs to run, and of those that run by force.

    Returns
    -------
    contextlib.ExitStack
        Holds the lock; closing it, or the end of the process, frees it.

    Raises
    ------
    UserError
        Another run holds the campaign; it is named.
    """
    held = contextlib.ExitStack()
    if not set(needed) <= READING:
        held.enter_context(lock(Path(folder, ".lock")))
    rules = set(forced)
    for rule in forced:
        rules |= FOLLOWERS.get(rule, set())
    os.environ[FORCED] = json.dumps({"rules": sorted(rules), "since": time.time()})
    return held
