"""Phase diagrams of LaH10 with classical and quantum nuclei: see README.md and config/README.md.

Other workflows import it as a module: docs/module.md.
"""

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")


def own_folder(base):
    """The folder of this file. Where Snakemake reads it from a git repository (`github(...)`, or
    git+file:) that commit's files are unpacked below .snakemake: scripts need them on disk.
    """
    reference = getattr(base, "ref", None)
    if reference is None:
        return Path(base)
    repository = getattr(base, "repo_path", None) or base.hosted_repo.repo.git_dir
    git = ["git", "-C", repository]
    named = [*git, "rev-parse", "--verify", f"{reference}^{{commit}}"]
    commit = subprocess.run(
        named, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    folder = Path(".snakemake", "lah10", commit).absolute()
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
            archive = Path(aside, "archive.tar")
            subprocess.run([*git, "archive", "--output", archive, commit], check=True)
            with tarfile.open(archive) as files:
                files.extractall(Path(aside, "files"), filter="data")
            try:
                os.replace(Path(aside, "files"), folder)
            except OSError:  # another process was faster
                if not folder.is_dir():
                    raise
    return folder


def first_on_path(folder):
    """Import the package from `folder`, whatever PYTHONPATH names or a profile has loaded."""
    sys.path.insert(0, str(folder))
    loaded = getattr(sys.modules.get("lah10"), "__file__", None)
    if loaded and not Path(loaded).resolve().is_relative_to(folder):
        for name in [name for name in sys.modules if name.partition(".")[0] == "lah10"]:
            del sys.modules[name]


BASE = own_folder(workflow.current_basedir)
first_on_path(Path(BASE, "workflow", "scripts").resolve())

import lah10.campaign.checks
import lah10.campaign.copies
import lah10.campaign.slurm
import lah10.io.locks
import lah10.config.reading
from lah10.config import importing
from lah10.errors import UserError

#: Name that another workflow has imported this one by, or None.
MODULE = workflow.modifier.namespace
try:
    if MODULE is None:
        importing.check_working_folder(BASE)
        # No `configfile:` directive: it would merge the demo's values into every other campaign's.
        GIVEN = (
            workflow.overwrite_configfiles or ["config/demo.yaml"],
            workflow.config_settings.config,
        )
        source = lah10.config.reading.origin(*GIVEN)
        CONFIG = lah10.config.reading.load(*GIVEN)
    else:
        source = f"module {MODULE}"
        importing.check_module(source, workflow.modifier)
        CONFIG = importing.load(config, source, BASE)
    if workflow.is_main_process:  # it takes a second, which jobs need not pay again
        for warning in lah10.campaign.checks.check(CONFIG, source):
            logger.warning(f"Warning: {source}: {warning}")
except UserError as error:
    sys.exit(str(error))

if MODULE is None:
    config.clear()
    config.update(lah10.config.reading.to_dict(CONFIG))
else:  # the given one is the importing workflow's own
    config = lah10.config.reading.to_dict(CONFIG)


report: str(BASE / "workflow/report/workflow.rst")


include: str(BASE / "workflow/rules/common.smk")
include: str(BASE / "workflow/rules/structures.smk")
include: str(BASE / "workflow/rules/dynamics.smk")
include: str(BASE / "workflow/rules/phonons.smk")
include: str(BASE / "workflow/rules/analysis.smk")
include: str(BASE / "workflow/rules/starts.smk")
include: str(BASE / "workflow/rules/figures.smk")
include: str(BASE / "workflow/rules/pimd.smk")
include: str(BASE / "workflow/rules/boundary.smk")
include: str(BASE / "workflow/rules/campaign.smk")


# They add to this checkout's resources, which an importing workflow should leave alone.
if MODULE is None:

    include: str(BASE / "workflow/rules/potential/settings.smk")
    include: str(BASE / "workflow/rules/potential/data.smk")
    include: str(BASE / "workflow/rules/potential/training.smk")
    include: str(BASE / "workflow/rules/potential/validation.smk")
    include: str(BASE / "workflow/rules/potential/ship.smk")
    include: str(BASE / "workflow/rules/enthalpies.smk")
    include: str(BASE / "workflow/rules/learning/learning.smk")


def results_to_report():
    """With --report: what commands of their own have made, too. It is never made for `all`."""
    if not any(word.startswith("--report") for word in sys.argv):
        return []
    names = ["boundary.html", "figures/boundary.png"]
    if MODULE is None:
        names += ["enthalpies.html", "figures/fig1a.png"]
    found = [f"{RESULTS}/{name}" for name in names]
    if Path(f"{RESULTS}/pimd/comparison.html").is_file():
        found += pimd_results(None)
    return [path for path in found if Path(path).is_file()]


# Before Snakemake looks at dates; not while another one works here.
if workflow.is_main_process:
    if not lah10.io.locks.is_held(f"{RESULTS}/.lock"):
        published = PUBLISHED_MODEL if MODULE is None else None
        copied = (CONFIG, RESULTS, PLAN.ranks, published, CRYSTALS[1])
        kept = lah10.campaign.copies.keep(*copied)
        if kept:
            logger.info(f"{RESULTS}: {kept} stages are finished by content; new dates")
        finished = lah10.campaign.copies.finish(*copied)
        if finished:
            logger.info(
                f"{RESULTS}: {finished} stages ended after their Snakemake was killed"
            )
    if MODULE is None:
        lah10.campaign.slurm.adopt_jobs(RESULTS)


rule all:
    default_target: True
    input:
        f"{RESULTS}/phase_diagram.nc",
        f"{RESULTS}/phase_diagram.md",
        multiext(f"{RESULTS}/paper", ".md", ".html"),
        multiext(f"{RESULTS}/potential", ".md", ".html"),
        FIGURES,
        results_to_report(),
