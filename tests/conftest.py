"""Fixtures for tests that run whole campaigns."""

import pytest

from campaigns import Campaign, checkout, copied


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
