"""What tests that interrupt a campaign share: start it, wait for a sign, kill it, compare."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import xarray as xr

from campaigns import Campaign


def arrays(point: Path) -> dict[str, np.ndarray]:
    """Every array of a point's dynamics, by file and name."""
    found = {}
    for name in ("equilibration.nc", "thermo.nc", "spectra.nc", "trajectory.nc"):
        with xr.open_dataset(point / name, decode_times=False) as data:
            found |= {f"{name}:{key}": data[key].values for key in data.variables}
    return found


def start(made: Campaign, *arguments: str, pause: float = 0.05) -> subprocess.Popen:
    """Snakemake in the background, in a process group of its own; on a pair potential it is slow
    enough to be interrupted. What it prints is in `printed`."""
    with open(made.folder / "printed", "w") as printed:
        return subprocess.Popen(
            made.command("--cores", "1", *arguments, "--", target(made)),
            cwd=made.folder,
            env=os.environ | {"STANDIN_PAUSE": str(pause)} | made.environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A shell ignores SIGINT for what it runs in the background, tests included.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )


def unproduced(made: Campaign) -> Campaign:
    """A copied campaign without its production, which then alone is to run."""
    for name in ("thermo.nc", "spectra.nc", "trajectory.nc", "produce.lmp"):
        (made.folder / made.point() / name).unlink()
    return made


def progress(made: Campaign) -> dict:
    """What the production wrote last of how far it is; empty before and after it runs."""
    file = made.results / "scratch/qtb/P150_T100/produce.progress.json"
    try:
        return json.loads(file.read_text())
    except FileNotFoundError:
        return {}


def kill(process: subprocess.Popen) -> None:
    """kill -9 of Snakemake and of what it started, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(condition, what: str, process: subprocess.Popen, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"Snakemake ended before {what}"
        assert time.monotonic() < end, f"no sign of {what} within {seconds} s"
        time.sleep(0.02)


def target(made: Campaign) -> str:
    return str(made.point() / "thermo.nc")


def checkpoint(made: Campaign) -> Path:
    return made.results / "scratch/qtb/P150_T100/produce/checkpoint.json"


def log(made: Campaign) -> Path:
    """Of the production; Snakemake begins a new one with every run."""
    return made.folder / f"logs/{made.name}/qtb/P150_T100/produce.log"


def check_same(made: Campaign, finished: Campaign) -> None:
    """The point's dynamics are equal to the bit."""
    ours = arrays(made.folder / made.point())
    theirs = arrays(finished.folder / finished.point())
    assert ours.keys() == theirs.keys()
    for name, values in theirs.items():
        np.testing.assert_array_equal(ours[name], values, err_msg=name)
