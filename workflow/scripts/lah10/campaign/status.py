"""How far a campaign is: a line a running point, totals, what failed and why.

It reads small files that runs leave beside their scratch folders, and the status of finished
points. It takes no lock, and no job takes notice.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lah10.dynamics import progress
from lah10.dynamics.stop import EXIT
from lah10.io.text import aligned, duration

#: Seconds after which a run that has not written is taken for one that ended by force. A run writes
#: every ten seconds, or with every sample where steps take long.
SILENT = 300.0
HEAD = ("running", "ps", "of", "ps/h", "T (K)", "P (GPa)", "V (Å³)", "left", "seen")


def report(results: str | Path, points: Iterable[tuple[str, str, str]], now: float | None = None):
    """The state of a campaign as text.

    Parameters
    ----------
    results
        Its folder, results/<campaign>.
    points
        Bath, pressure and temperature of every point; before the bath may stand a folder.
    now
        Unix time; default: now.
    """
    results, points = Path(results), list(points)
    runs = list(_runs(results / "scratch"))
    running = [run for run in runs if run["state"] == progress.RUNNING and run["age"] < SILENT]
    stopped = [run for run in runs if run not in running]
    finished = {point: _status(_folder(results, point) / "summary.nc") for point in points}
    produced = sum((_folder(results, p) / "thermo.nc").exists() for p in points)
    equilibrated = sum((_folder(results, p) / "equilibration.nc").exists() for p in points)
    failed = {p: status for p, status in finished.items() if status and status[0] != "ok"}
    well = sum(1 for status in finished.values() if status) - len(failed)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    lines = [
        f"Campaign {results.name}, {when}: {len(points)} points; {equilibrated} equilibrated, "
        f"{produced} produced, {well} analysed, {len(failed)} broke down; {len(running)} running, "
        f"{len(stopped)} stopped before their end",
    ]
    if (results / EXIT).exists():
        lines.append(f"{results / EXIT} is there: runs stop at their next checkpoint")
    if running:
        rows = [HEAD, *(_row(run) for run in sorted(running, key=lambda run: run["name"]))]
        lines += ["", *aligned(rows)]
        rate = sum(run.get("ps_per_hour", 0.0) for run in running)
        left = sum(run["total_ps"] - run.get("done_ps", 0.0) for run in running)
        lines.append(f"all: {rate:.3g} ps/h, {left:.3g} ps left in these")
    if stopped:
        lines += ["", "Stopped before their end (the same command goes on):"]
        lines += [f"  {_why(run)}" for run in sorted(stopped, key=lambda run: run["name"])]
    if failed:
        lines += ["", "Broke down (their status is in the dataset):"]
        lines += [
            f"  {bath} P{pressure} T{temperature}: {status}: {message}"
            for (bath, pressure, temperature), (status, message) in failed.items()
        ]
    return "\n".join(lines)


def _folder(results: Path, point: tuple[str, str, str]) -> Path:
    bath, pressure, temperature = point
    return results / "points" / bath / f"P{pressure}_T{temperature}"


def _runs(scratch: Path) -> Iterator[Mapping]:
    for path in scratch.rglob(f"*{progress.SUFFIX}"):
        run = progress.read(path)
        if run is not None:
            yield run


def _status(path: Path) -> tuple[str, str] | None:
    """Status of a finished point and what was said; None where it is not finished."""
    from netCDF4 import Dataset

    try:
        with Dataset(path) as file:
            return str(file.getncattr("status")), str(file.getncattr("status_message"))
    except FileNotFoundError:
        return None
    except (OSError, AttributeError) as error:
        return "unreadable", str(error)


def _row(run: Mapping) -> tuple[str, ...]:
    def number(name, form):
        return format(run[name], form) if name in run else ""

    return (
        run["name"],
        number("done_ps", ".3g"),
        f"{run['total_ps']:.3g}",
        number("ps_per_hour", ".3g"),
        number("temperature_K", ".0f"),
        number("pressure_GPa", ".1f"),
        number("volume_A3", ".1f"),
        duration(run["left_seconds"]) if "left_seconds" in run else "starting",
        f"{run['age']:.0f} s ago",
    )


def _why(run: Mapping) -> str:
    if run["state"] == progress.RUNNING:
        return (
            f"{run['name']}: no sign of it for {duration(run['age'])} "
            f"(process {run['pid']} on {run['host']})"
        )
    return run["message"] or f"{run['name']}: {run['state']}"
