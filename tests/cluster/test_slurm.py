"""Campaigns through `snakemake --profile slurm`, on a real Slurm that this module runs: one from
its beginning to its end, and productions that are interrupted in the ways of a cluster."""

import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from campaigns import Campaign
from interruptions import (
    check_same,
    checkpoint,
    kill,
    log,
    progress,
    start,
    unproduced,
    wait_until,
)

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


def run_daemon(state: Path, daemon: str, *arguments: str, **options) -> subprocess.Popen:
    with open(state / f"{daemon}.log", "w") as log:
        command = [shutil.which(daemon), *arguments]
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, **options)


@dataclass
class Cluster:
    """The Slurm of this module.

    daemons : processes, slurmd the last.
    """

    state: Path
    node: str
    daemons: list

    def jobs(self) -> list[tuple[str, str]]:
        """Number and state of every job that the controller remembers, in their order."""
        answer = subprocess.run(
            ["squeue", "--states=all", "--noheader", "--sort=i", "--format=%i %T"],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        return [tuple(line.split()) for line in answer.splitlines()]

    def new(self, known: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those jobs that were not yet `known`; the controller soon forgets old ones."""
        numbers = {number for number, _ in known}
        return [job for job in self.jobs() if job[0] not in numbers]

    def control(self, *command: str) -> None:
        subprocess.run(["scontrol", *command], check=True, capture_output=True, timeout=30)

    def restart_slurmd(self) -> None:
        self.daemons[-1] = run_daemon(self.state, "slurmd", "-D")


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
            daemons.append(run_daemon(state, "munged", "--foreground", user="munge", group="munge"))
            wait_for("munged", "munge", "-n")
        for daemon in ("slurmctld", "slurmd"):
            daemons.append(run_daemon(state, daemon, "-D"))
        wait_for("slurmd", "sinfo", "--noheader", "--format=%T", wanted="idle")
        yield Cluster(state, socket.gethostname().split(".")[0], daemons)
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


#: The profile, with less patience than a real cluster needs.
OPTIONS = (
    "--profile", "slurm",
    "--slurm-init-seconds-before-status-checks", "2",
    "--seconds-between-status-checks", "2",
    "--latency-wait", "5",
)  # fmt: skip


@pytest.mark.cluster
@pytest.mark.slow
def test_tiny_campaign_through_slurm(slurm, campaign):
    tiny = campaign("cluster")
    tiny.give_phonons()
    ranks = min(2, len(os.sched_getaffinity(0)))  # as Snakemake counts
    before = slurm.jobs()
    run = tiny.snakemake("--set-threads", f"equilibrate={ranks}", *OPTIONS, timeout=420)
    assert run.returncode == 0, run.stdout + run.stderr
    job = json.loads((tiny.results / "scratch/qtb/P150_T100/equilibrate.job.json").read_text())
    assert job["mpi_ranks"] == ranks
    assert tiny.dataset().status.values.tolist() == [[[0]]]
    # Through Slurm, not beside it: the controller saw equilibrate and produce. The analysis of a
    # small cell is too short for a submission.
    states = [state for _, state in slurm.new(before)]
    assert states == ["COMPLETED"] * 2, states


# ----------------------------------------------------------------------------- interruptions


def printed(made: Campaign) -> str:
    return (made.folder / "printed").read_text()


@dataclass
class Submitted:
    """A production of a campaign, submitted and at its first checkpoint."""

    slurm: Cluster
    made: Campaign
    snakemake: subprocess.Popen
    job: str

    def start_now(self) -> None:
        """Start a requeued job, for which Slurm would wait two minutes."""
        state = ["squeue", "--noheader", f"--job={self.job}", "--format=%T"]
        wait_for("Slurm", *state, wanted="PENDING", seconds=60)
        self.slurm.control("update", f"JobId={self.job}", "StartTime=now")

    def again(self) -> None:
        """Snakemake once more, in the place of one that was killed."""
        self.snakemake = start(self.made, *OPTIONS, pause=0.3)


@pytest.fixture
def submitted(slurm, finished, copy_of):
    """The production of a finished campaign, which is to be run again; slow enough to be met."""
    made = unproduced(copy_of(finished))
    before = slurm.jobs()
    process = start(made, *OPTIONS, pause=0.3)
    case = Submitted(slurm, made, process, "")
    try:
        wait_until(checkpoint(made).exists, "a checkpoint", process)
        (case.job, _), *others = slurm.new(before)
        assert others == []
        yield case
        assert case.snakemake.wait(240) == 0, printed(made)
    finally:
        if case.snakemake.poll() is None:
            kill(case.snakemake)
        subprocess.run(["scancel", "--user", "root"], timeout=20)
        wait_for("Slurm", "sh", "-c", 'test -z "$(squeue --noheader)"', seconds=60)
    assert "goes on from" in log(made).read_text()
    check_same(made, finished)


def since(case: Submitted) -> list[tuple[str, str]]:
    """Jobs from the first one of a case on."""
    jobs = case.slurm.jobs()
    return jobs[[number for number, _ in jobs].index(case.job) :]


@pytest.mark.cluster
@pytest.mark.slow
def test_scancel(submitted):
    """The retry is another job."""
    subprocess.run(["scancel", submitted.job], check=True)
    assert submitted.snakemake.wait(240) == 0, printed(submitted.made)
    assert [state for _, state in since(submitted)] == ["CANCELLED", "COMPLETED"]


@pytest.mark.cluster
@pytest.mark.slow
def test_a_job_that_outlives_its_snakemake_is_not_submitted_twice(submitted):
    kill(submitted.snakemake)
    log(submitted.made).write_text("goes on from where it was\n")  # of the job that is adopted
    submitted.again()
    assert submitted.snakemake.wait(240) == 0, printed(submitted.made)
    assert f"is SLURM job {submitted.job} of an earlier run" in printed(submitted.made)
    assert since(submitted) == [(submitted.job, "COMPLETED")]


@pytest.mark.cluster
@pytest.mark.slow
def test_snakemake_and_its_job_are_killed(submitted):
    kill(submitted.snakemake)
    subprocess.run(["scancel", "--signal=KILL", "--full", submitted.job], check=True)
    state = f"squeue --states=all --noheader --job={submitted.job} --format=%T"
    wait_for("Slurm", "sh", "-c", f'case $({state}) in RUNNING|COMPLETING) false;; esac')
    submitted.again()
    assert submitted.snakemake.wait(240) == 0, printed(submitted.made)
    assert len(since(submitted)) == 2


@pytest.mark.cluster
@pytest.mark.slow
def test_requeue(submitted):
    """Slurm starts the same job again."""
    submitted.slurm.control("requeue", submitted.job)
    submitted.start_now()
    assert submitted.snakemake.wait(300) == 0, printed(submitted.made)
    assert since(submitted) == [(submitted.job, "COMPLETED")]


@pytest.mark.cluster
@pytest.mark.slow
def test_a_node_goes_away_and_comes_back(submitted):
    """slurmd dies, the controller gives the node up, and somebody brings both back."""
    slurm = submitted.slurm
    run = progress(submitted.made)["pid"]
    slurm.daemons[-1].kill()
    slurm.daemons[-1].wait()
    slurm.control("update", f"NodeName={slurm.node}", "State=DOWN", "Reason=test")
    time.sleep(2)
    slurm.restart_slurmd()
    slurm.control("update", f"NodeName={slurm.node}", "State=RESUME")
    # slurmd ends what it finds of the job; a start before that would fail, and Slurm hold the job.
    wait_for("slurmd", "sh", "-c", f"! kill -0 {run}", seconds=120)
    time.sleep(5)
    submitted.start_now()
    wait_for("slurmd", "sinfo", "--noheader", "--format=%T", wanted="idle", seconds=60)
    assert submitted.snakemake.wait(300) == 0, printed(submitted.made)
    assert [state for _, state in since(submitted)][-1] == "COMPLETED"


@pytest.mark.cluster
@pytest.mark.slow
def test_a_job_stops_by_its_own_clock(slurm, finished, copy_of):
    """Before Slurm ends it: the first job fails as unfinished, and the retry goes on."""
    made = unproduced(copy_of(finished))
    before = slurm.jobs()
    process = start(made, *OPTIONS, "--set-resources", "produce:runtime=1", pause=0.6)
    try:
        assert process.wait(300) == 0, printed(made)
    finally:
        if process.poll() is None:
            kill(process)
    states = [state for _, state in slurm.new(before)]
    assert states[-1] == "COMPLETED" and set(states[:-1]) == {"FAILED"}, states
    assert "goes on from" in log(made).read_text()
    check_same(made, finished)
