"""Files and folders that appear whole or not at all."""

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lah10.io import space


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a path to write to; it takes the name `path` when the block ends without an error.

    The temporary file stands in the same folder (a rename is atomic only within one file system)
    and keeps the suffix, by which some writers choose their format. It is removed after an error.

    Raises
    ------
    UserError
        The disk is full, or the user's share of it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield aside
        rename_whole(aside, path)
    except Exception as error:
        if space.is_full(error, path.parent):
            written = aside.stat().st_size if aside.exists() else 0
            raise space.full(path, written) from error
        raise
    finally:
        aside.unlink(missing_ok=True)


def rename_whole(aside: str | os.PathLike, path: str | os.PathLike) -> Path:
    """Give a written file its name, so that after a power cut it is whole or not there.

    The content reaches the disk before the name does, and the name before this returns.
    """
    _sync(aside)
    os.replace(aside, path)
    _sync(Path(path).parent)
    return Path(path)


def _sync(path: str | os.PathLike) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        # Some file systems cannot sync a folder; they write its names in order.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not os.path.isdir(path):
            raise
    finally:
        os.close(number)


@contextlib.contextmanager
def atomic_folder(path: str | os.PathLike) -> Iterator[Path]:
    """Yield an empty folder to write into; it takes the name `path` when the block ends well.

    A folder that stands there already is replaced then; after an error it is left as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        yield aside
        aside.chmod(0o755)  # mkdtemp lets only the owner in
        if path.exists():
            shutil.rmtree(path)
        os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def sha256(path: str | os.PathLike) -> str:
    """SHA-256 of a file's content, hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
