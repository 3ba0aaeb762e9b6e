"""Every mistake in a configuration is answered in one line, with status 1 and no traceback."""

import sys

import pytest

import frozen_graph

#: What Snakemake says of profiles before anything of ours is read.
PREAMBLE = "Using "


@pytest.mark.parametrize(
    ("changes", "options", "expected"),
    [
        (
            {"pressure": {"values": [150, -10]}},
            ("--dry-run",),
            "bad.yaml: pressure.values[1]: expected a number >= 0, got -10",
        ),
        (
            {"dynamics": {"time_step": "0.5 fs"}},
            ("--cores", "1"),
            "bad.yaml: dynamics.time_step: unknown key; did you mean timestep? known keys: ",
        ),
        (
            {"potential": {"model": "none.pb"}},
            ("--dry-run", "--profile", "slurm"),
            "bad.yaml: potential.model: expected the path of a frozen graph (.pb), got none.pb",
        ),
        (
            {"potential": {"model": "copper.pb"}},
            ("--dry-run",),
            "bad.yaml: potential.model: expected a model of La and H, got copper.pb, a model of Cu",
        ),
        (
            {"structure": {"file": "resources/structures/R-3m.cif"}},
            ("--dry-run",),
            "bad.yaml: structure.file: ",
        ),
        (
            {"seed": 1},
            ("--dry-run", "--config", "seed=none"),
            'bad.yaml + --config: seed: expected a whole number, got "none"',
        ),
        (
            {"seed": 1},
            ("--dry-run", "--config", "bath.friction=5 /ps"),
            "--config: bath.friction=5 /ps: a key within a section is given as "
            "'bath={friction: 5 /ps}'",
        ),
    ],
    ids=["value", "key", "model", "elements", "structure", "option", "nested"],
)
def test_one_line(campaign, changes, options, expected):
    made = campaign("bad", **changes)
    frozen_graph.write(made.folder / "copper.pb", "Cu")
    run = made.snakemake(*options)
    assert run.returncode == 1
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if not line.startswith(PREAMBLE)]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith(expected)
    assert not made.results.exists()


def test_a_broken_default_is_one_line_too(campaign):
    made = campaign("default")
    (made.folder / "config").unlink()
    (made.folder / "config").mkdir()
    (made.folder / "config/demo.yaml").write_text("campaign: [demo\nseed: 1\n")
    run = made.run(sys.executable, "-m", "snakemake", "--dry-run")
    assert run.returncode == 1
    lines = [line for line in run.stderr.splitlines() if not line.startswith(PREAMBLE)]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("config/demo.yaml: line 2, column 5: not valid YAML")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("campaign: [demo\n", "bad.yaml: line 2, column 1: not valid YAML: "),
        ("seed: 1\nseed: 2\n", "bad.yaml: line 2, column 1: the key seed occurs twice"),
        ("seed: 010\n", "bad.yaml: line 1, column 7: YAML reads 010 as octal, 8; write it without"),
        (None, "bad.yaml: cannot be read (No such file or directory)"),
    ],
    ids=["syntax", "twice", "octal", "missing"],
)
def test_files_that_snakemake_reads_first(campaign, text, said):
    made = campaign("bad")
    made.configfile.unlink()
    if text:
        made.configfile.write_text(text)
    run = made.snakemake("--dry-run", "--", "all")
    assert run.returncode == 1
    assert run.stdout == ""
    lines = [line for line in run.stderr.splitlines() if not line.startswith(PREAMBLE)]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith(said)


def test_results_on_a_scratch_that_was_purged(campaign):
    made = campaign("purged")
    (made.folder / "results").symlink_to("/gone/scratch")
    run = made.snakemake("--cores", "1")
    assert run.returncode == 1
    lines = [line for line in run.stderr.splitlines() if not line.startswith(PREAMBLE)]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith("results: a link to /gone/scratch, which does not exist")


def test_the_demo_does_not_leak_into_other_campaigns(campaign):
    """A key that only the demo gives stays at its default, or is missed."""
    made = campaign("alone")
    text = made.configfile.read_text()
    made.configfile.write_text(text.replace("keep_trajectories: true\n", ""))
    assert "trajectory.nc" not in made.snakemake("--list-untracked").stderr
    made.configfile.write_text("campaign: alone\n")
    run = made.snakemake("--dry-run")
    assert run.returncode == 1
    assert "structure: missing; it must be given" in run.stderr
