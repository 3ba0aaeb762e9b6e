"""A tiny campaign through `snakemake --profile slurm`, on a real Slurm that this module runs."""

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

CONF = Path("/etc/slurm/slurm.conf")
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MinJobAge=300
StateSaveLocation={state}/ctld
SlurmdSpoolDir={state}/d
SlurmctldPidFile={state}/ctld.pid
SlurmdPidFile={state}/d.pid
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""
DAEMONS = ("munged", "slurmctld", "slurmd")


def answers(*command: str) -> bool:
    """Whether a command ends well within some seconds."""
    try:
        return subprocess.run(command, capture_output=True, timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def wait_for(what: str, *command: str, seconds: float = 30, wanted: str = "") -> None:
    """Run a command until it ends well with `wanted` in its output."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0 and wanted in done.stdout:
            return
        time.sleep(0.5)
    pytest.fail(f"{what} does not answer {' '.join(command)}: {done.stdout}{done.stderr}")


def start(state: Path, daemon: str, *arguments: str, **options) -> subprocess.Popen:
    with open(state / f"{daemon}.log", "w") as log:
        command = [shutil.which(daemon), *arguments]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **options)


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """One node, one partition; stopped, and the configuration put back, at the end."""
    if missing := [daemon for daemon in DAEMONS if not shutil.which(daemon)]:
        pytest.skip(f"no {', '.join(missing)} here: apt install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("Slurm's daemons are started as root, and this is not")
    if answers("scontrol", "ping"):
        pytest.skip("a Slurm is running here already, and it is not this test's to use")

    state = tmp_path_factory.mktemp("slurm")
    for folder in ("ctld", "d"):
        (state / folder).mkdir()
    backup = CONF.read_bytes() if CONF.exists() else None
    CONF.parent.mkdir(parents=True, exist_ok=True)
    CONF.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().split(".")[0],
            state=state,
            cpus=os.cpu_count(),
            memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        )
    )
    daemons = []
    try:
        if not answers("munge", "-n"):
            Path("/run/munge").mkdir(mode=0o755, exist_ok=True)
            shutil.chown("/run/munge", "munge", "munge")
            daemons.append(start(state, "munged", "--foreground", user="munge", group="munge"))
            wait_for("munged", "munge", "-n")
        for daemon in ("slurmctld", "slurmd"):
            daemons.append(start(state, daemon, "-D"))
        wait_for("slurmd", "sinfo", "--noheader", "--format=%T", wanted="idle")
        yield state
        # What a failed test left behind would outlive the daemons.
        subprocess.run(["scancel", "--user", "root"], timeout=20)
        wait_for("Slurm", "sh", "-c", 'test -z "$(squeue --noheader)"')
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        if backup is None:
            CONF.unlink()
        else:
            CONF.write_bytes(backup)


@pytest.mark.cluster
@pytest.mark.slow
def test_tiny_campaign_through_slurm(slurm, campaign):
    tiny = campaign("cluster")
    tiny.give_phonons()
    ranks = min(2, len(os.sched_getaffinity(0)))  # as Snakemake counts
    run = tiny.snakemake(
        "--set-threads",
        f"equilibrate={ranks}",
        "--profile",
        "slurm",
        "--slurm-init-seconds-before-status-checks",
        "5",
        "--seconds-between-status-checks",
        "2",
        "--latency-wait",
        "5",
        timeout=420,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    job = json.loads((tiny.results / "scratch/qtb/P150_T100/equilibrate.job.json").read_text())
    assert job["mpi_ranks"] == ranks
    assert tiny.dataset().status.values.tolist() == [[[0]]]
    # Through Slurm, not beside it: the controller saw equilibrate, produce and analyse.
    jobs = subprocess.run(
        ["squeue", "--states=all", "--noheader", "--format=%T"], capture_output=True, text=True
    ).stdout.split()
    assert jobs == ["COMPLETED"] * 3, jobs
