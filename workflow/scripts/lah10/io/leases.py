"""A lock as a file that its holder renews, for file systems without locks.

A lease is stale when nobody renewed it for `STALE` seconds, or when its holder was a process of
this host that has ended. Whoever finds it stale takes it. Its age is the difference of two dates
that the file system gives: of the lease, and of a file written now. Where the file system takes
dates from the hosts (Lustre), their clocks may differ by `STALE` - `RENEWED` seconds, no more.

A holder that was stopped for longer than that (a suspended machine) may find that another process
has taken its lease. It then ends itself by SIGTERM.
"""

import atexit
import contextlib
import json
import logging
import os
import signal
import socket
import threading
import time
import uuid
from pathlib import Path

#: Seconds between renewals, and the age at which a lease is stale.
RENEWED, STALE = 20.0, 300.0


class Lease:
    """A lease on `path`, which is free while the file does not exist."""

    def __init__(self, path: str | os.PathLike, renewed: float = RENEWED, stale: float = STALE):
        self.path = Path(path)
        self.renewed, self.stale = renewed, stale
        self._ends = threading.Event()
        self._content: dict | None = None

    def take(self) -> str | None:
        """Take the lease and renew it from now on; or the name of its holder.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        content = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
            "token": uuid.uuid4().hex,
        }
        if (holder := self.holder()) is not None:
            return holder
        if not self._create(content):
            return self.holder() or "another process"
        self._content = content
        self._ends.clear()
        threading.Thread(target=self._renew, daemon=True, name="lease").start()
        atexit.register(self.free)
        return None

    def free(self) -> None:
        """Remove the lease, where this process still holds it."""
        self._ends.set()
        held, self._content = self._content, None
        if held and held["pid"] == os.getpid() and self._token() == held["token"]:
            self.path.unlink(missing_ok=True)
        if atexit is not None:  # it is gone where a lock ends with the interpreter
            atexit.unregister(self.free)

    def holder(self) -> str | None:
        """Name of the process that holds the lease; a stale lease is removed and has none."""
        try:
            found = self._read()
        except FileNotFoundError:
            return None
        who = (
            f"process {found.get('pid', '?')} on {found.get('host', '?')} since "
            f"{found.get('since', '?')} (lease {self.path}, free {self.stale:g} s after its last "
            "renewal)"
        )
        if not self._ended(found) and self._age() < self.stale:
            return who
        # Renamed first, then looked at: another process may have taken the lease meanwhile.
        aside = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        try:
            os.rename(self.path, aside)
        except FileNotFoundError:
            return None
        try:
            if self._read(aside).get("token") == found.get("token"):
                return None
            with contextlib.suppress(FileExistsError):
                os.link(aside, self.path)
            return who
        finally:
            aside.unlink(missing_ok=True)

    def _create(self, content: dict) -> bool:
        """Write the lease unless it exists; it appears whole."""
        aside = self.path.with_name(f".{self.path.name}.{content['token']}")
        try:
            aside.write_text(json.dumps(content), encoding="utf-8")
            try:
                os.link(aside, self.path)
            except FileExistsError:
                return False
            except OSError:  # no hard links here either
                try:
                    with open(self.path, "x", encoding="utf-8") as file:
                        json.dump(content, file)
                except FileExistsError:
                    return False
            return True
        finally:
            aside.unlink(missing_ok=True)

    def _renew(self) -> None:
        content = self._content
        while content and not self._ends.wait(self.renewed):
            try:
                if self._token() == content["token"] or self._create(content):
                    os.utime(self.path)
                    continue
            except OSError as error:  # a server that is away comes back, or the lease gets stale
                logging.getLogger(__name__).warning("%s: not renewed (%s)", self.path, error)
                continue
            if not self._ends.is_set():
                logging.getLogger(__name__).error(
                    "%s: another process holds the lease now; this one ends", self.path
                )
                os.kill(os.getpid(), signal.SIGTERM)
            return

    def _token(self) -> str | None:
        try:
            return self._read().get("token")
        except FileNotFoundError:
            return None

    def _read(self, path: Path | None = None) -> dict:
        try:
            found = json.loads((path or self.path).read_text(encoding="utf-8"))
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _age(self) -> float:
        """Seconds since the last renewal, by the file system's dates."""
        now = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        try:
            now.write_text("now", encoding="utf-8")
            return now.stat().st_mtime - self.path.stat().st_mtime
        except FileNotFoundError:
            return float("inf")
        finally:
            now.unlink(missing_ok=True)

    @staticmethod
    def _ended(found: dict) -> bool:
        """Whether the holder was a process of this host that is no more."""
        if found.get("host") != socket.gethostname() or not isinstance(found.get("pid"), int):
            return False
        try:
            os.kill(found["pid"], 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
