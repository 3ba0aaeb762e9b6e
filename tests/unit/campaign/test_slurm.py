"""Jobs of an earlier Snakemake take the place of those that this one would submit."""

import logging
from types import SimpleNamespace

import pytest

from lah10.campaign import slurm


class Executor:
    """What the plugin's executor is to `adopt_jobs`."""

    def __post_init__(self):
        self.run_uuid, self.logger, self.submitted, self.reported = "new", logging, [], []

    def run_job(self, job):
        self.submitted.append(job)

    def _report_job_submission_threadsafe(self, info):
        self.reported.append(info)


@pytest.fixture
def plugin(tmp_path):
    executor = type("Executor", (Executor,), dict(vars(Executor)))
    executor.slurm_logdir = tmp_path / "logs"
    return SimpleNamespace(
        Executor=executor,
        get_job_wildcards=lambda job: "_".join(job.wildcards),
        SubmittedJobInfo=lambda job, external_jobid, aux: (job, external_jobid, aux),
    )


def job(name, *wildcards):
    return SimpleNamespace(jobid=1, name=name, wildcards=wildcards)


@pytest.fixture
def queue(monkeypatch):
    """What squeue prints, and the commands that were given."""
    answer = SimpleNamespace(text="", commands=[])

    def run(command, **options):
        answer.commands.append(command)
        return SimpleNamespace(stdout=answer.text)

    monkeypatch.setattr(slurm.subprocess, "run", run)
    return answer


def started(plugin, folder) -> Executor:
    slurm.adopt_jobs(folder, plugin)
    executor = plugin.Executor()
    executor.__post_init__()
    return executor


def test_a_living_job_is_adopted_once(plugin, queue, tmp_path):
    queue.text = "17|rule_produce_wildcards_qtb_150_100\n18|rule_harmonic\n"
    executor = started(plugin, tmp_path)
    known, other = job("produce", "qtb", "150", "100"), job("produce", "qtb", "150", "300")
    for each in (known, other, job("harmonic")):
        executor.run_job(each)
    assert [number for _, number, _ in executor.reported] == ["17", "18"]
    assert executor.submitted == [other]
    # Its retry is a job of this run.
    executor.run_job(known)
    assert executor.submitted == [other, known]


def test_all_runs_of_a_campaign_have_one_name(plugin, queue, tmp_path):
    assert started(plugin, tmp_path).run_uuid == "new"
    assert slurm.common_name(tmp_path, "another") == "new"
    assert "--name=new" in queue.commands[-1]


def test_nothing_happens_twice_or_without_slurm(plugin, queue, tmp_path, monkeypatch):
    slurm.adopt_jobs(tmp_path, plugin)
    wrapped = plugin.Executor.run_job
    slurm.adopt_jobs(tmp_path, plugin)
    assert plugin.Executor.run_job is wrapped
    monkeypatch.delitem(slurm.sys.modules, slurm.PLUGIN, raising=False)
    slurm.adopt_jobs(tmp_path)


def test_without_squeue_no_job_is_found(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert slurm.living("new") == {}
