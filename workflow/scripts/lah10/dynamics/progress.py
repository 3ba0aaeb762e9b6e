"""How far a run is, in a small file beside its scratch folder, for whoever watches a campaign.

Readers take no lock and disturb no run. The file goes when the run has ended well.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

SUFFIX = ".progress.json"
#: States of a run that has a file.
RUNNING, UNFINISHED, FAILED = "running", "unfinished", "failed"


class Progress:
    """The file of one run.

    Parameters
    ----------
    scratch : path
        The run's scratch folder.
    name : str
        For people.
    total_ps : float
    """

    def __init__(self, scratch: str | os.PathLike, name: str, total_ps: float):
        scratch = Path(scratch).absolute()
        self.path = scratch.with_name(scratch.name + SUFFIX)
        self._content = {
            "name": name,
            "total_ps": total_ps,
            "host": socket.gethostname(),
            "pid": os.getpid(),
        }

    def write(self, state: str = RUNNING, message: str = "", **numbers: float) -> None:
        """Write where the run is.

        Parameters
        ----------
        state : one of `RUNNING`, `UNFINISHED`, `FAILED`
        message : str
            Why it stopped.
        numbers
            done_ps, ps_per_hour, left_seconds, temperature_K, pressure_GPa, volume_A3; those that
            are not given stay.
        """
        self._content |= {"state": state, "message": message, "time": time.time(), **numbers}
        aside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        # Nothing depends on it: a full disk stops the run elsewhere, with a message.
        with contextlib.suppress(OSError):
            aside.write_text(json.dumps(self._content))
            os.replace(aside, self.path)

    def end(self) -> None:
        """The run has written its outputs."""
        self.path.unlink(missing_ok=True)


def read(path: str | os.PathLike) -> Mapping | None:
    """What a run wrote last, or None; "age" in seconds is added.

    The age is the difference of two times of one clock, the file system's or a host's.
    """
    try:
        content = json.loads(Path(path).read_text())
        return content | {"age": max(0.0, time.time() - os.stat(path).st_mtime)}
    except (OSError, ValueError):
        return None
