"""Every way to stop a run before its end, in one place.

| what | when the run stops |
|---|---|
| SIGTERM, SIGINT, SIGUSR1 | at its next checkpoint if it arrives in the grace time, else at once |
| the wall time of its job | at the last checkpoint that the time allows |
| a file EXIT in the campaign's folder | at its next checkpoint |

A run that stops loses at most the segment it is in, and goes on from its last checkpoint to the
same bits. It ends as *unfinished* (`lah10.errors.Unfinished`), which is no failure: Snakemake's
retry, or the same command given again, goes on.

Batch systems send signals to some processes of a job, or to all, or to none. So the process that
starts a run (`relay`) turns a signal into a file which the run reads (`Stop`); the run takes
signals as well. Snakemake's Slurm plugin forwards none, so that a job minds its own clock.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

#: What asks a run to stop.
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
#: Name of the file that stops a campaign, in its folder.
EXIT = "EXIT"
#: Variables of a run's environment: its last moment (Unix time), the campaign's file EXIT, and the
#: seconds between a signal and the end that follows it.
DEADLINE, EXIT_FILE, GRACE = "LAH10_DEADLINE", "LAH10_EXIT_FILE", "LAH10_GRACE_SECONDS"
#: Seconds between SIGTERM and SIGKILL in Slurm (KillWait), less what it takes to end.
DEFAULT_GRACE = 25.0
#: Seconds between two looks at the files.
LATENCY = 0.5


def reserve(seconds: float) -> float:
    """How long before the end of its wall time a job of so many seconds has stopped, s.

    It covers what passes before the run starts, and what Snakemake does after it.
    """
    return min(300.0, max(60.0, 0.05 * seconds), 0.5 * seconds)


def exit_file(campaign: str) -> Path:
    """The file that stops a whole campaign; its name alone counts."""
    return Path("results", campaign, EXIT)


def request_file(scratch: str | os.PathLike) -> Path:
    """The file by which a run with this scratch folder is asked to stop."""
    scratch = Path(scratch)
    return scratch.with_name(f"{scratch.name}.stop")


@contextlib.contextmanager
def relay(
    scratch: str | os.PathLike,
    runtime_minutes: float | None = None,
    exit_file: str | os.PathLike | None = None,
) -> Iterator[dict[str, str]]:
    """Around a run: signals to this process become the run's request to stop.

    Parameters
    ----------
    scratch : path
        The run's scratch folder.
    runtime_minutes : float, optional
        Wall time of the job; it has begun about now.
    exit_file : path, optional
        The campaign's EXIT.

    Yields
    ------
    dict
        Variables for the environment of the run.
    """
    file = request_file(scratch)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)

    def request(number, frame):
        file.write_text(signal.Signals(number).name)

    env = {}
    if runtime_minutes:
        seconds = 60.0 * float(runtime_minutes)
        env[DEADLINE] = repr(time.time() + seconds - reserve(seconds))
    if exit_file:
        env[EXIT_FILE] = str(Path(exit_file).absolute())
    before = {}
    with contextlib.suppress(ValueError):  # not the main thread: signals go elsewhere
        before = {number: signal.signal(number, request) for number in SIGNALS}
    try:
        yield env
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        file.unlink(missing_ok=True)


class Stop:
    """What a run asks, again and again: whether to stop, and why.

    Parameters
    ----------
    scratch : path
        The run's scratch folder.
    environment : mapping, optional
        With `DEADLINE`, `EXIT_FILE` and `GRACE`; default: this process's.
    """

    def __init__(self, scratch: str | os.PathLike, environment=os.environ):
        self._request = request_file(scratch)
        exit_file = environment.get(EXIT_FILE)
        self._exit = Path(exit_file) if exit_file else None
        self._grace = float(environment.get(GRACE, DEFAULT_GRACE))
        deadline = environment.get(DEADLINE)
        # From here on by a clock that nobody sets.
        self._end = time.monotonic() + float(deadline) - time.time() if deadline else None
        self._by_clock = self._end is not None
        self._reason = "its wall time ends" if self._by_clock else ""
        self._soft = False
        self._looked = -LATENCY

    def watch(self) -> "Stop":
        """Take signals from now on, also where this process was started with them blocked."""
        for number in SIGNALS:
            signal.signal(number, self.receive)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return self

    def receive(self, number, frame=None) -> None:
        """A handler of signals."""
        self._ask(signal.Signals(number).name)

    def _ask(self, name: str) -> None:
        end = time.monotonic() + self._grace
        if self._end is None or end < self._end:
            self._end, self._by_clock, self._reason = end, False, f"received {name}"

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < LATENCY:
            return
        self._looked = now
        if self._by_clock or self._end is None:
            with contextlib.suppress(OSError):
                self._ask(self._request.read_text() or signal.SIGTERM.name)
        self._soft = self._exit is not None and self._exit.exists()

    def now(self, left: float) -> str | None:
        """Within a segment that takes `left` seconds more: the reason to leave it, or None."""
        self._look()
        if self._end is None:
            return None
        now = time.monotonic()
        # By its own clock a run goes on to the end: the estimate may be wrong, and it may arrive.
        last = self._end if self._by_clock else self._end - left
        return self._reason if now >= last or now >= self._end else None

    def before_segment(self, seconds: float | None) -> str | None:
        """Before a segment of about `seconds` (None: unknown): the reason not to begin it."""
        self._look()
        if self._soft:
            return f"{self._exit} is there"
        if self._end is None:
            return None
        if not self._by_clock or time.monotonic() + (seconds or 0.0) > self._end:
            return self._reason
        return None


def unfinished(name: str, done_ps: float, total_ps: float, reason: str, began_ps: float) -> str:
    """The line with which a run stops.

    began_ps : where this attempt began. If that is where it stops, more attempts get no further.
    """
    remedy = "a retry, or the same command again, goes on from there"
    if reason.startswith("its wall time") and done_ps <= began_ps:
        remedy = (
            "it reached no checkpoint in that time: raise its runtime "
            "(--set-resources RULE:runtime=MINUTES), or shorten dynamics.checkpoint_interval"
        )
    return f"{name}: UNFINISHED at {done_ps:.3g} of {total_ps:.3g} ps: {reason}; {remedy}"
