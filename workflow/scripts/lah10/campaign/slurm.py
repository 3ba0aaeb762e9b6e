"""Slurm jobs that outlive their Snakemake: found again, and not submitted twice.

Snakemake's Slurm plugin gives the jobs of each run a name of that run's own, by which it asks for
their states. Here all runs of a campaign have one name. A job of the campaign that has not ended
when Snakemake starts takes the place of the one that Snakemake would submit.

The plugin has no setting for it, so two of its methods are wrapped; a test on a real Slurm holds
that to the plugin's pinned version.
"""

import functools
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from lah10.io.files import atomic_path

PLUGIN = "snakemake_executor_plugin_slurm"
#: File with the name of the campaign's jobs, in the campaign's folder.
NAME = ".slurm-jobs"
#: States of jobs that have not ended.
ALIVE = "PENDING,CONFIGURING,RUNNING,SUSPENDED,STOPPED,REQUEUED,REQUEUE_HOLD,RESIZING,SIGNALING"


def adopt_jobs(folder: str, plugin: ModuleType | None = None) -> None:
    """Let the Slurm plugin find the jobs of a campaign's earlier runs.

    Parameters
    ----------
    folder
        The campaign's.
    plugin
        Default: the one that Snakemake has loaded; nothing happens where there is none.
    """
    plugin = plugin or sys.modules.get(PLUGIN)
    if plugin is None or hasattr(plugin.Executor, "campaign_jobs"):
        return
    executor = plugin.Executor
    initialise, submit = executor.__post_init__, executor.run_job
    executor.campaign_jobs = {}

    @functools.wraps(initialise)
    def initialise_with_name(self, *args, **kwargs):
        initialise(self, *args, **kwargs)
        self.run_uuid = common_name(folder, self.run_uuid)
        self.campaign_jobs = living(self.run_uuid)
        if self.campaign_jobs:
            self.logger.info(
                f"{len(self.campaign_jobs)} Slurm jobs of an earlier run of this campaign have not "
                "ended; they are waited for, not submitted again."
            )

    @functools.wraps(submit)
    def submit_or_adopt(self, job):
        found = self.campaign_jobs.pop(comment(job, plugin.get_job_wildcards), None)
        if found is None:
            return submit(self, job)
        self.logger.info(f"Job {job.jobid} is SLURM job {found} of an earlier run.")
        log = self.slurm_logdir / f"rule_{job.name}" / plugin.get_job_wildcards(job)
        self._report_job_submission_threadsafe(
            plugin.SubmittedJobInfo(
                job, external_jobid=found, aux={"slurm_logfile": log / f"{found}.log"}
            )
        )

    executor.__post_init__, executor.run_job = initialise_with_name, submit_or_adopt


def common_name(folder: str, own: str) -> str:
    """The name of the campaign's jobs: that of its first run."""
    path = Path(folder, NAME)
    try:
        if name := path.read_text().strip():
            return name
    except FileNotFoundError:
        pass
    with atomic_path(path) as aside:
        aside.write_text(own)
    return own


def comment(job, wildcards) -> str:
    """The comment that the plugin gives a job, by which it is known."""
    text = wildcards(job)
    return f"rule_{job.name}_wildcards_{text}" if text else f"rule_{job.name}"


def living(name: str) -> dict[str, str]:
    """Numbers of the user's jobs with a name that have not ended, by their comment."""
    command = ["squeue", "--me", "--noheader", f"--name={name}", f"--states={ALIVE}"]
    try:
        answer = subprocess.run(
            [*command, "--format=%i|%k"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    jobs = (line.strip().partition("|") for line in answer.splitlines() if "|" in line)
    return {text: number for number, _, text in jobs}
