"""The command line is checked before Snakemake reads it."""

import pytest

from lah10.config import command_line


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--cores", "2", "plan"),
        ("--config", "seed=2", "bath={friction: 5 /ps}", "--cores", "1"),
        ("-C", "campaign=a", "--", "plan"),
        ("--dry-run", "--config", "training=x.yaml", "--quiet"),
    ],
)
def test_what_snakemake_takes(arguments):
    command_line.check(arguments)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("bath.friction=5", "a key within a section is given as 'bath={friction: 5}'"),
        ("learn.explore.seed=2", "a key within a section is given as 'learn={explore: {seed: 2}}'"),
        ("=5", "expected the name of a key before =, got none"),
        ("2nd=5", "expected the name of a key before =, got 2nd"),
        ("bath..friction=5", "expected the name of a key before =, got bath..friction"),
    ],
)
def test_keys_that_snakemake_does_not_take(entry, line):
    with pytest.raises(SystemExit) as error:
        command_line.check(["--cores", "1", "--config", "seed=1", entry, "--dry-run"])
    assert error.value.code == f"--config: {entry}: {line}"


def test_a_target_behind_config():
    with pytest.raises(SystemExit) as error:
        command_line.check(["--config", "seed=1", "plan"])
    assert error.value.code == "--config: expected key=value, got plan; a target stands before it"


def test_a_file_that_is_absent():
    with pytest.raises(SystemExit, match=r"^none.yaml: cannot be read"):
        command_line.check(["--configfile", "none.yaml"])


def test_a_target_behind_configfile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("campaign: mine")
    with pytest.raises(SystemExit) as ended:
        command_line.check(["--configfile", "mine.yaml", "plan"])
    assert ended.value.code.startswith(
        "--configfile: plan: no such file; if it is a target, write it first (snakemake plan "
    )
    (tmp_path / "plan").write_text("campaign: mine")
    command_line.check(["--configfile", "plan"])
