"""Fixtures for tests that run whole campaigns."""

import pytest
from hypothesis import Phase, settings

from campaigns import Campaign, checkout, copied

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

#: Files that take minutes. They go first: at the end, one core would wait for another.
LONG = [
    "workflow/test_learn.py",
    "data/test_labels.py",
    "workflow/test_training.py",
    "training/test_multipoles.py",
    "cluster/test_slurm.py",
    "training/test_preconditioning.py",
    "physics/test_openmm.py",
]


def pytest_collection_modifyitems(items):
    names = {item: "/".join(item.path.parts[-2:]) for item in items}
    items.sort(key=lambda item: LONG.index(names[item]) if names[item] in LONG else len(LONG))


@pytest.fixture
def campaign(tmp_path):
    """A function that makes a tiny campaign by its name; keywords change its configuration."""

    def make(name: str, **changes) -> Campaign:
        made = Campaign(checkout(tmp_path / name), name)
        made.configure(**changes)
        return made

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Campaign:
    """A tiny campaign that was run to its end; not to be changed, see `copy_of`."""
    made = Campaign(checkout(tmp_path_factory.mktemp("finished")), "tiny")
    made.configure()
    run = made.snakemake("--cores", "2", timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    return made


@pytest.fixture
def copy_of(tmp_path):
    """A function that copies a campaign, dates and Snakemake's records included."""
    return lambda original: copied(original, tmp_path / "copy")
