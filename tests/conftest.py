"""Fixtures for tests that run whole campaigns, and what a session of tests shares."""

import contextlib
import fcntl
import os
import shutil
from collections import Counter

import pytest
from hypothesis import Phase, settings

from campaigns import PAIR, Campaign, checkout, copied
from forkserver import ForkServer

# The same examples in every run, and no record of them on disk. No shrinking of an example that
# fails: with readers of files that takes many minutes.
settings.register_profile(
    "project",
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("project")

#: Files by the time they take. They go first: at the end, one core would wait for another.
LONG = [
    # of the slow tests
    "workflow/test_boundary.py",
    "workflow/test_starts.py",
    "workflow/test_learn.py",
    "data/test_labels.py",
    "workflow/test_training.py",
    "training/test_multipoles.py",
    "cluster/test_slurm.py",
    "training/test_preconditioning.py",
    "physics/test_openmm.py",
    # of all others
    "workflow/test_campaign.py",
    "workflow/test_dry_run.py",
    "physics/test_pimd.py",
    "physics/test_dynamics.py",
    "physics/test_potential.py",
    "training/test_toy_model.py",
    "physics/test_model_systems.py",
    "physics/test_harmonic_crystal.py",
]


def pytest_collection_modifyitems(items):
    names = {item: "/".join(item.path.parts[-2:]) for item in items}
    items.sort(key=lambda item: LONG.index(names[item]) if names[item] in LONG else len(LONG))


# ------------------------------------------------------------------------------ what was left out

LEFT_OUT = pytest.StashKey[Counter]()


def pytest_configure(config):
    config.stash[LEFT_OUT] = Counter()


def pytest_deselected(items):
    for item in items:
        if item.get_closest_marker("slow"):
            item.config.stash[LEFT_OUT][item.nodeid.partition("::")[0]] += 1


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(session.config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Every worker collects, and so leaves out, the same."""
    if not error:
        node.config.stash[LEFT_OUT].update(
            Counter(node.workeroutput["left_out"]) - node.config.stash[LEFT_OUT]
        )


def pytest_terminal_summary(terminalreporter, config):
    left_out = config.stash[LEFT_OUT]
    if left_out and config.option.markexpr == "not slow":
        terminalreporter.section(f"{left_out.total()} slow tests left out: make test-slow")
        for name, number in sorted(left_out.items()):
            terminalreporter.write_line(f"{number:4d} {name}")


# -------------------------------------------------------------------------------------- campaigns


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """A function `once(name, make)` that calls `make(folder)` in one process of a session alone.

    The others wait for its end, and get the same folder: not to be changed.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def call(name: str, make):
        folder, done = root / name, root / f"{name}.made"
        with open(root / f"{name}.lock", "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                make(folder)
                done.touch()
        return folder

    return call


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The process that answers what Snakemake would do."""
    with contextlib.closing(ForkServer(tmp_path_factory.mktemp("server"))) as started:
        yield started


@pytest.fixture
def campaign(tmp_path, server):
    """A function that makes a tiny campaign by its name; keywords change its configuration."""

    def make(name: str, **changes) -> Campaign:
        made = Campaign(checkout(tmp_path / name), name, server=server)
        made.configure(**changes)
        return made

    return make


@pytest.fixture(scope="session")
def finished(once, server) -> Campaign:
    """A tiny campaign that was run to its end on a pair potential; not to be changed, see
    `copy_of`."""

    def run(folder):
        made = tiny(folder)
        made.configure()
        made.give_phonons()
        done = made.snakemake("--cores", "2", timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr

    def tiny(folder):
        return Campaign(checkout(folder), "tiny", {"PYTHONPATH": str(PAIR)}, server)

    return tiny(once("finished", run))


@pytest.fixture
def copy_of(tmp_path):
    """A function that copies a campaign, dates and Snakemake's records included."""
    return lambda original: copied(original, tmp_path / "copy")
