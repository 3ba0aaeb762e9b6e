"""The log of a job: everything it says, and whatever ends it."""

import contextlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from lah10.errors import Unfinished, UserError
from lah10.io.child import UNFINISHED


def start(path: str | os.PathLike, libraries: bool = False) -> None:
    """Append this process's log records, warnings and the error that ends it to `path`.

    For a script's first line, so that a failing import is caught too. A `UserError` is one line in
    the log and on the terminal; any other error is a traceback in the log and, on the terminal,
    one line that names the log. The exit status is 1 either way. `Unfinished` is one line, too, and
    the exit status is `UNFINISHED`.

    In a rule's script inputs from the future are dated now: Snakemake removes outputs that are
    older than an input, as they are where the clocks of nodes differ.

    With `libraries`, standard error goes to the log as well, also where C libraries write to it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = os.fdopen(os.dup(2), "w", buffering=1)
    if libraries:
        with open(path, "a") as log:
            os.dup2(log.fileno(), 2)
    logging.basicConfig(
        filename=path,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.captureWarnings(True)

    def log_and_say(kind, error, trace):
        if issubclass(kind, UserError):
            logging.error("%s", error)
            print(error, file=terminal)
        elif issubclass(kind, Unfinished):
            logging.warning("%s", error)
            print(error, file=terminal)
            logging.shutdown()
            os._exit(UNFINISHED)  # the interpreter would end with 1
        else:
            logging.error("".join(traceback.format_exception(kind, error, trace)))
            print(f"{kind.__name__}: {error} (traceback in {path})", file=terminal)

    sys.excepthook = log_and_say
    if job := getattr(sys.modules["__main__"], "snakemake", None):
        date_inputs(job.input)


def date_inputs(paths: Iterable[str]) -> None:
    """Date files now that another machine's clock has dated later; all others are left."""
    now = time.time()
    for path in paths:
        with contextlib.suppress(OSError):  # not there, or another user's
            if os.stat(path).st_mtime > now:
                os.utime(path, (now, now))
                logging.warning("%s is dated in the future: clocks differ; dated now", path)
