"""Locks that the operating system frees when their holder dies, however it dies."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lah10.errors import UserError


def _holder(handle) -> str:
    handle.seek(0)
    try:
        held = json.loads(handle.read())
        return f"process {held['pid']} on {held['host']} since {held['since']}"
    except (ValueError, KeyError):
        return "another process"


@contextlib.contextmanager
def lock(
    path: str | os.PathLike, wait: Callable[[str], None] | None = None, every: float = 5.0
) -> Iterator[bool]:
    """Hold an exclusive lock on a file; yields whether it had to be waited for.

    Parameters
    ----------
    path : path
        The lock's file; it stays, empty of meaning, when the lock is free.
    wait : callable, optional
        Told who holds the lock, every `every` seconds, until it is free; without it a held lock is
        an error.

    Raises
    ------
    UserError
        If the lock is held and `wait` is not given; it names the holder.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as handle:
        waited = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if wait is None:
                    raise UserError(
                        f"{path.parent} is in use by {_holder(handle)}; "
                        "wait for it to end, or end it, then try again"
                    ) from None
                wait(_holder(handle))
                waited = True
                time.sleep(every)
        handle.seek(0)
        handle.truncate()
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since}, handle)
        handle.flush()
        yield waited
