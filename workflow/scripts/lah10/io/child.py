"""What every process that runs dynamics shares: its voice, its end, and when a run has broken down.

No LAMMPS here: importing it takes seconds.
"""

import ctypes
import json
import os
import signal
import sys

#: A volume beyond these multiples of the first one means that the crystal is lost.
VOLUME_LIMITS = (0.5, 1.5)


def say(message: str) -> None:
    """A line for the log and the terminal (`launch.run_stage` passes it on)."""
    print(f"lah10: {message}", flush=True)


def temperature_limit(expected: float) -> float:
    """Kinetic temperature above which a run has run away, K: far above any start from a crystal."""
    return 4 * expected + 1000


def forced_since(stage: str) -> float | None:
    """Start of a forced rerun of this stage (environment LAH10_FORCED), Unix time, or None."""
    text = os.environ.get("LAH10_FORCED")
    if not text:
        return None
    forced = json.loads(text)
    return float(forced["since"]) if stage in forced["rules"] else None


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
