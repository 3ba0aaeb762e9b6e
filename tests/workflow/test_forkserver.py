"""A fork of the process that has imported Snakemake answers as Snakemake does."""

import subprocess
from dataclasses import replace

import pytest


def test_it_answers_as_a_process_of_its_own(campaign):
    """What is planned; a complaint and its exit status."""
    forked = campaign("one")
    alone = replace(forked, server=None)
    assert forked.planned() == alone.planned() != []
    forked.configure(seed="none")
    one, other = (made.snakemake("--dry-run") for made in (forked, alone))
    assert one.returncode == other.returncode == 1
    assert (one.stdout, one.stderr) == (other.stdout, other.stderr)


def test_nothing_is_left_for_the_next_command(campaign):
    """Of the configuration or the folder."""
    first, second = campaign("one"), campaign("two", pressure={"values": [120]})
    found = [made.planned() for made in (first, second, first)]
    assert found[0] == found[2] and any(" 120 GPa" in message for message in found[1])
    assert not any(" 120 GPa" in message for message in found[0])


def test_what_takes_too_long_is_killed(campaign):
    made = campaign("one")
    with pytest.raises(subprocess.TimeoutExpired):
        made.snakemake("--dry-run", timeout=0.05)
    assert made.planned()
