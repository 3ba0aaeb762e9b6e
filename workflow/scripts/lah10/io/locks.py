"""Locks that end with their holder, however it dies.

The operating system's lock (flock) is freed with the process. File systems that refuse it (some
mounts of NFS and Lustre) get a lease instead: a file that its holder renews (`lah10.io.leases`).
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lah10.errors import UserError
from lah10.io.leases import Lease

#: Errors of a file system that has no flock.
REFUSED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}


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
        The lock's file; it stays, empty of meaning, when the lock is free. Where the file system
        refuses flock a lease stands beside it, `path` with ".lease".
    wait : callable, optional
        Told who holds the lock, every `every` seconds, until it is free; without it a held lock is
        an error.

    Raises
    ------
    UserError
        The lock is held and `wait` is not given; it names the holder. Or the folder cannot be
        written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = open(path, "a+")
    except OSError as error:
        raise _unwritable(path, error) from None
    lease = Lease(path.with_name(f"{path.name}.lease"))
    with handle, contextlib.ExitStack() as held:
        waited = False
        while (holder := _take(handle, lease, held)) is not None:
            if wait is None:
                raise UserError(
                    f"{path.parent} is in use by {holder}; "
                    "wait for it to end, or end it, then try again"
                )
            wait(holder)
            waited = True
            time.sleep(every)
        handle.seek(0)
        handle.truncate()
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since": since}, handle)
        handle.flush()
        yield waited


def is_held(path: str | os.PathLike) -> bool:
    """Whether somebody holds a lock now; the lock itself is left as it is."""
    path = Path(path)
    if Lease(path.with_name(f"{path.name}.lease")).holder() is not None:
        return True
    try:
        with open(path) as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no such file, or no flock
        pass
    return False


def _take(handle, lease: Lease, held: contextlib.ExitStack) -> str | None:
    """Take the lock, which `held` frees; or the holder's name."""
    path = Path(handle.name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another machine may mount the same folder without flock, and hold a lease.
        if (holder := lease.holder()) is not None:
            fcntl.flock(handle, fcntl.LOCK_UN)
        return holder
    except BlockingIOError:
        return _holder(handle)
    except OSError as error:
        if error.errno not in REFUSED:
            raise _unwritable(path, error) from None
        reason = error.strerror
    try:
        holder = lease.take()
    except OSError as error:
        raise _unwritable(path, error) from None
    if holder is None:
        held.callback(lease.free)
        logging.getLogger(__name__).warning(
            "%s: this file system refuses flock (%s); locked by the lease %s instead",
            path.parent, reason, lease.path.name,
        )  # fmt: skip
    return holder


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"{path.parent}: cannot be locked ({error.strerror}); make the folder writable, or make it "
        "a link to a file system that is"
    )
