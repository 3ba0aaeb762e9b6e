"""Space on disk: looked at before something is written, and named where it was too little."""

import errno
import os
from pathlib import Path

from lah10.errors import UserError

#: Errors of a file system, or of a quota, that is full.
FULL = {errno.ENOSPC, errno.EDQUOT}
#: Less than this is free on a file system that is full: libraries hide the error itself.
NOTHING = 64 * 1024


def free_bytes(folder: str | os.PathLike) -> int:
    """What a user may still write into a folder, or where it will be."""
    folder = Path(folder).absolute()
    while not folder.exists():
        folder = folder.parent
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize


def size(number: float) -> str:
    """Bytes for a person: "3.2 GB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def check(folder: str | os.PathLike, needed: float, what: str) -> None:
    """Raise UserError where less than `needed` bytes are free for `what`."""
    free = free_bytes(folder)
    if free < needed:
        raise UserError(
            f"{folder}: {size(needed)} are needed for {what}, and {size(free)} are free; make room "
            "there, then give the same command again: it goes on from what is finished"
        )


def is_full(error: BaseException, folder: str | os.PathLike) -> bool:
    """Whether an error is that of a full disk, or of a full quota."""
    if getattr(error, "errno", None) in FULL:
        return True
    # netCDF and LAMMPS have errors of their own.
    return isinstance(error, (OSError, RuntimeError)) and free_bytes(folder) < NOTHING


def full(path: str | os.PathLike, written: int) -> UserError:
    """The error for a file that found no more room after so many bytes."""
    folder = Path(path).parent
    return UserError(
        f"{folder}: no space left on the disk or in its quota: {Path(path).name} needs more than "
        f"{size(written)}, and {size(free_bytes(folder))} are free; make room there, then give the "
        "same command again: it goes on from what is finished"
    )
