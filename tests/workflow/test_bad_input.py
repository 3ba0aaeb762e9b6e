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
            "bad.yaml: pressure.values[1]: -10 is not allowed; a number >= 0 is allowed",
        ),
        (
            {"dynamics": {"time_step": "0.5 fs"}},
            ("--cores", "1"),
            "bad.yaml: dynamics.time_step: unknown key; did you mean timestep? allowed: ",
        ),
        (
            {"potential": {"model": "none.pb"}},
            ("--dry-run", "--profile", "slurm"),
            "bad.yaml: potential.model: none.pb is not allowed; the path of an existing ",
        ),
        (
            {"potential": {"model": "copper.pb"}},
            ("--dry-run",),
            "bad.yaml: potential.model: copper.pb is not allowed; it knows Cu but not La and H; "
            "a model that knows La and H is allowed",
        ),
        (
            {"structure": {"file": "resources/structures/R-3m.cif"}},
            ("--dry-run",),
            "bad.yaml: structure.file: ",
        ),
        (
            {"seed": 1},
            ("--dry-run", "--config", "seed=none"),
            'bad.yaml + --config: seed: "none" is not allowed; a whole number is allowed',
        ),
    ],
    ids=["value", "key", "model", "elements", "structure", "option"],
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
    assert lines[0].startswith("config/demo.yaml: line 2, column 5: no valid YAML")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("campaign: [demo\n", "bad.yaml: line 2, column 1: no valid YAML: "),
        ("seed: 1\nseed: 2\n", "bad.yaml: line 2, column 1: no valid YAML: the key seed stands"),
        (None, "bad.yaml: cannot be read (No such file or directory)"),
    ],
    ids=["syntax", "twice", "missing"],
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
