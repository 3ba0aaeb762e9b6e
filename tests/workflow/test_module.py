"""Another workflow imports this one as a module, from a folder or from a git repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from campaigns import REPOSITORY, TINY

IMPORT = """
configfile: "own.yaml"


module lah10:
    snakefile:
        {snakefile!r}
    {declared}


use rule * from lah10 as {names}


rule mine:
    default_target: True
    input:
        "results/theirs/phase_diagram.md",
    output:
        "mine.txt",
    params:
        own=config["own"],
"""
#: Tiny, with the shipped models by their default path.
GIVEN = {"campaign": "theirs"} | {key: TINY[key] for key in TINY if key != "potential"}


class Importer:
    """A folder with a Snakefile of its own and nothing of this repository."""

    def __init__(self, folder: Path):
        self.folder = folder

    def write(
        self,
        declared: str = 'config: config["lah10"]',
        names: str = "lah10_*",
        snakefile: str = str(REPOSITORY / "Snakefile"),
        **changes,
    ) -> None:
        text = IMPORT.format(snakefile=snakefile, declared=declared, names=names)
        (self.folder / "Snakefile").write_text(text)
        content = {"own": "kept", "lah10": GIVEN | changes}
        (self.folder / "own.yaml").write_text(yaml.safe_dump(content))

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-m", "snakemake", "--cores", "1", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture
def importer(tmp_path):
    return Importer(tmp_path)


@pytest.mark.parametrize(
    ("names", "main"), [("lah10_*", "Snakefile"), ("*", "Snakefile"), ("*", "workflow/Snakefile")]
)
def test_a_module_has_the_configuration_that_it_is_given(importer, names, main):
    importer.write(names=names, snakefile=str(REPOSITORY / main))
    run = importer.snakemake("--dry-run", "--printshellcmds")
    assert run.returncode == 0, run.stdout + run.stderr
    for message in (
        "Build the supercell of 44 atoms",
        "Equilibrate qtb at 150 GPa, 100 K",
        "Phonons of the relaxed crystal at 150 GPa",
        "Merge the points of campaign theirs",
        "The numbers of campaign theirs, to read",
    ):
        assert message in run.stdout
    assert "rule mine:" in run.stdout  # whose own=config["own"] was there still
    assert "train" not in importer.snakemake("--list-rules").stdout.split()


def test_a_stage_of_dynamics_runs_under_another_name(importer):
    importer.write()
    target = "results/theirs/points/qtb/P150_T100/equilibration.nc"
    run = importer.snakemake("--", target)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "lah10_equilibrate" in run.stdout + run.stderr
    assert (importer.folder / target).is_file()


@pytest.fixture
def commit() -> str:
    command = ["git", "-C", str(REPOSITORY), "rev-parse", "HEAD"]
    found = subprocess.run(command, capture_output=True, text=True)
    if found.returncode:
        pytest.skip("not a git repository")
    return found.stdout.strip()


@pytest.mark.parametrize("main", ["Snakefile", "workflow/Snakefile"])
def test_a_module_from_a_git_repository(importer, commit, main):
    """The commit's files are unpacked, and its resources are found."""
    importer.write(snakefile=f"git+file://{REPOSITORY}/{main}@{commit}")
    target = "results/theirs/structures/supercell.xyz"
    run = importer.snakemake("--", target)
    assert run.returncode == 0, run.stdout + run.stderr
    assert (importer.folder / target).is_file()
    unpacked = importer.folder / ".snakemake/lah10" / commit
    assert (unpacked / "workflow/scripts/lah10/units.py").is_file()
    run = importer.snakemake("--dry-run")
    assert run.returncode == 0, run.stdout + run.stderr


#: What snakedeploy 0.16 writes into workflow/Snakefile, its comments left out.
DEPLOYED = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


module lah10:
    snakefile:
        github("somebody/lah10", path="Snakefile", commit="{commit}")
    config:
        config


use rule * from lah10
"""


def test_a_project_that_snakedeploy_made(importer, commit, monkeypatch):
    """It copies config/ and profiles/. No network: Snakemake finds a clone in its cache."""
    for name in ("config", "profiles"):
        shutil.copytree(REPOSITORY / name, importer.folder / name)
    (importer.folder / "workflow").mkdir()
    (importer.folder / "workflow/Snakefile").write_text(DEPLOYED.format(commit=commit))
    cache = importer.folder / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    clone = cache / "snakemake/snakemake/source-cache/snakemake-git-cache"
    clone /= "github.com/somebody/lah10"
    git = ["git", "clone", "--quiet", "--bare", "--shared", str(REPOSITORY), str(clone)]
    subprocess.run(git, check=True)
    run = importer.snakemake("--dry-run", "--quiet", "rules", "--forceall")
    assert run.returncode == 0, run.stdout + run.stderr
    assert (importer.folder / ".snakemake/lah10" / commit / "resources/potentials").is_dir()
    jobs = dict(line.split() for line in run.stdout.splitlines() if len(line.split()) == 2)
    assert (jobs["produce"], jobs["harmonic"], jobs["table"]) == ("18", "3", "1")


@pytest.mark.parametrize(
    ("declared", "changes", "expected"),
    [
        ("", {}, "module lah10: no configuration given, expected `config: config`"),
        ('config: config["lah10"]', {"sed": 1}, "module lah10: sed: unknown key; did you mean"),
        (
            'config: config["lah10"]\n    prefix: "theirs"',
            {},
            "module lah10: prefix and replace_prefix are not supported",
        ),
        (
            'config: config["lah10"]',
            {"potential": {"model": "none.pb"}},
            "module lah10: potential.model: expected the path of a frozen graph (.pb), got none.pb",
        ),
    ],
    ids=["none", "key", "prefix", "model"],
)
def test_what_cannot_be_honoured_is_one_line(importer, declared, changes, expected):
    importer.write(declared, **changes)
    run = importer.snakemake("--dry-run")
    assert run.returncode == 1
    lines = [line for line in run.stderr.splitlines() if not line.startswith("Using ")]
    assert len(lines) == 1, run.stderr
    assert lines[0].startswith(expected)


def test_outside_the_workflows_folder_the_way_there_is_named(importer):
    run = importer.snakemake("--dry-run", "--snakefile", str(REPOSITORY / "Snakefile"))
    assert run.returncode == 1
    (line,) = [line for line in run.stderr.splitlines() if not line.startswith("Using ")]
    assert line.startswith(f"{importer.folder}: not the folder of the workflow")
    assert f"run Snakemake there (cd {REPOSITORY})" in line


def test_the_main_file_where_the_catalogue_looks_for_it():
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--snakefile", "workflow/Snakefile"]
    run = subprocess.run(
        [*command, "--forceall", "--quiet", "rules"],
        cwd=REPOSITORY, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Using workflow specific profile profiles/default" in run.stderr
    assert "produce" in run.stdout
