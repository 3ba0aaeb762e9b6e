"""Campaigns that are interrupted, in every way that a job can end before its time, and go on.

Each case starts a production, interrupts it, gives the same command again where Snakemake has
ended, and compares every array with an undisturbed run's, to the bit. `test_campaign.py` has the
case in which Snakemake and its job are killed together, `tests/cluster` those that need a Slurm.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from campaigns import Campaign
from interruptions import (
    check_same,
    checkpoint,
    kill,
    log,
    progress,
    start,
    target,
    unproduced,
    wait_until,
)


def end(process: subprocess.Popen, seconds: float = 120) -> int:
    try:
        return process.wait(seconds)
    finally:
        with contextlib.suppress(ProcessLookupError):
            kill(process)


def printed(made: Campaign) -> str:
    return (made.folder / "printed").read_text()


def begun(made: Campaign, pause: float = 0.1, *arguments: str) -> subprocess.Popen:
    """A Snakemake whose production has its first checkpoint."""
    process = start(made, *arguments, pause=pause)
    wait_until(checkpoint(made).exists, "a checkpoint", process)
    return process


def go_on(made: Campaign) -> None:
    run = made.snakemake("--cores", "1", "--", target(made))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "goes on from" in log(made).read_text()


# ------------------------------------------------------------------------------------- the cases


def job_killed(made: Campaign) -> None:
    """kill -9 of the run: Snakemake's retry goes on."""
    process = begun(made)
    os.kill(progress(made)["pid"], signal.SIGKILL)
    assert end(process) == 0, printed(made)
    assert "Trying to restart job" in printed(made)
    assert "goes on from" in log(made).read_text()


def terminated(made: Campaign, number=signal.SIGTERM) -> None:
    """A signal to every process, as a batch system or Ctrl-C sends it."""
    process = begun(made, 0.3)
    os.killpg(process.pid, number)
    assert end(process) != 0
    assert f"UNFINISHED at 0.1 of 0.3 ps: received {number.name}" in printed(made)
    assert progress(made)["state"] == "unfinished"
    assert "Traceback" not in printed(made)
    go_on(made)


def interrupted(made: Campaign) -> None:
    terminated(made, signal.SIGINT)


def exit_file(made: Campaign) -> None:
    """A file EXIT stops the campaign at a checkpoint, and is refused until it is removed."""
    process = begun(made, 0.3)
    file = made.results / "EXIT"
    file.touch()
    assert end(process) != 0
    assert re.search(r"UNFINISHED at 0\.\d+ of 0\.3 ps: \S*EXIT is there", printed(made))
    refused = made.snakemake("--cores", "1", "--", target(made))
    assert refused.returncode != 0
    name = f"results/{made.name}/EXIT"
    assert f"{name} stops this campaign; to go on, remove it: rm {name}" in refused.stderr
    assert "1 stopped before their end" in made.snakemake("--cores", "1", "status").stdout
    file.unlink()
    go_on(made)


def orphan_finished(made: Campaign) -> None:
    """Snakemake is killed and its job ends well: the work is not done again."""
    process = begun(made)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 60
    thermo = made.folder / target(made)
    while not thermo.exists() or progress(made):
        assert time.monotonic() < deadline, "the job did not go on alone"
        time.sleep(0.05)
    written = thermo.stat().st_mtime_ns
    run = made.snakemake("--cores", "1", "--", target(made))
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 stages ended after their Snakemake was killed" in run.stdout + run.stderr
    assert thermo.stat().st_mtime_ns == written


def damaged(made: Campaign) -> None:
    """Killed, and the newest restart file is damaged by whatever killed it."""
    process = begun(made)
    folder = checkpoint(made).parent
    wait_until((folder / "state-00003.restart").exists, "a third checkpoint", process)
    kill(process)
    completed = json.loads(checkpoint(made).read_text())["completed"]
    newest = folder / f"state-{completed:05d}.restart"
    newest.write_bytes(newest.read_bytes()[:-7] + b"damaged")
    run = made.snakemake("--cores", "1", "--", target(made))
    assert run.returncode == 0, run.stdout + run.stderr
    said = log(made).read_text()
    assert f"goes back from checkpoint {completed} to {completed - 1}" in said
    assert "goes on from" in said
    assert (folder / f"damaged/{newest.name}.1").is_file()


NO_FLOCK = """
import errno, fcntl

def flock(*arguments):
    raise OSError(errno.ENOLCK, "No locks available")

fcntl.flock = flock
"""


def no_flock(made: Campaign) -> None:
    """On a file system that refuses locks; killed, with all that it started."""
    folder = made.folder / "no flock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(NO_FLOCK)
    path = os.pathsep.join([str(folder), made.environment["PYTHONPATH"]])
    there = replace(made, environment=made.environment | {"PYTHONPATH": path}, server=None)
    process = begun(there)
    os.killpg(process.pid, signal.SIGSTOP)  # or it is done before the other one asks
    assert (checkpoint(made).parent / "lock.lease").exists()
    second = there.snakemake("--cores", "1", "--", target(made))
    assert second.returncode != 0 and "in use by process" in second.stderr
    kill(process)
    go_on(there)


def clocks_apart(made: Campaign) -> None:
    """The node's clock is two hours ahead of the head node's, in all that it has written."""
    process = begun(made)
    kill(process)
    for path in (*checkpoint(made).parent.iterdir(), *(made.folder / made.point()).iterdir()):
        later = time.time() + 7200
        os.utime(path, (later, later))
    go_on(made)


CASES = [
    job_killed,
    pytest.param(terminated, id="SIGTERM"),
    pytest.param(interrupted, id="SIGINT", marks=pytest.mark.slow),
    pytest.param(exit_file, marks=pytest.mark.slow),
    orphan_finished,
    pytest.param(damaged, marks=pytest.mark.slow),
    pytest.param(no_flock, marks=pytest.mark.slow),
    pytest.param(clocks_apart, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("case", CASES)
def test_interrupted_and_resumed_is_as_if_undisturbed(finished, copy_of, case):
    made = unproduced(copy_of(finished))
    case(made)
    check_same(made, finished)


def test_clocks_that_differ_rerun_nothing(finished, copy_of):
    """What one node wrote is dated hours after what another one made of it."""
    made = copy_of(finished)
    for name in ("equilibration.nc", "equilibrated.restart"):
        later = time.time() + 7200
        os.utime(made.folder / made.point() / name, (later, later))
    assert made.planned() == []


@pytest.mark.slow
def test_a_job_stops_by_its_own_clock_and_the_retry_goes_on(finished, copy_of):
    """With a minute of wall time, half of which is reserve, the production needs two attempts."""
    made = unproduced(copy_of(finished))
    process = start(made, "--set-resources", "produce:runtime=1", pause=0.6)
    assert end(process, 240) == 0, printed(made)
    assert "UNFINISHED at" in printed(made) and "its wall time ends" in printed(made)
    assert "Trying to restart job" in printed(made)
    assert "goes on from" in log(made).read_text()
    check_same(made, finished)


@pytest.mark.slow
def test_one_point_blows_up_and_the_others_finish(finished, campaign):
    """Its status is in the dataset and on the terminal."""
    made = replace(campaign("blows"), environment=finished.environment)
    made.configure(temperature={"values": [100, 60000]}, keep_trajectories=False)
    made.give_phonons()
    run = made.snakemake("--cores", "2", timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    data = made.dataset()
    states = dict(zip(data.temperature.values, data.status.values.ravel(), strict=True))
    assert states[100] == 0 and states[60000] > 0
    status = made.snakemake("--cores", "1", "status").stdout
    assert "2 equilibrated, 2 produced, 1 analysed, 1 broke down" in status
    assert re.search(r"  qtb P150 T60000: \w+: ", status)


def test_status_of_a_campaign_that_runs(finished, copy_of):
    """From another shell, and without a word to the job."""
    made = unproduced(copy_of(finished))
    process = start(made, pause=0.3)
    try:
        wait_until(lambda: "left_seconds" in progress(made), "progress", process)
        before = sorted(path.name for path in checkpoint(made).parent.iterdir())
        run = made.snakemake("--cores", "1", "status")
    finally:
        kill(process)
    assert run.returncode == 0, run.stdout + run.stderr
    row = r"qtb P150 T100 produce +\S+ +0\.3 +\S+ +\d+ +\d+\.\d +\d+\.\d +0:\d\d:\d\d"
    assert re.search(row, run.stdout)
    assert "lock" in before
