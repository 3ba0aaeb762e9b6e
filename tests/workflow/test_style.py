"""The workflow's code as its tools want it, and lists that must agree with one another."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from campaigns import REPOSITORY

BIN = Path(sys.executable).parent
ENVS = sorted((REPOSITORY / "envs").glob("*.yaml"))
#: What is not on PyPI: no part of the pip locks.
CONDA_ONLY = {"python", "pip", "git"}


def run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


def test_ruff():
    done = run(str(BIN / "ruff"), "check", ".")
    assert done.returncode == 0, done.stdout


def test_snakefmt():
    done = run(str(BIN / "snakefmt"), "--check", "Snakefile", "workflow/rules")
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint():
    done = run(sys.executable, "-m", "snakemake", "--lint")
    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> dict[str, str]:
    """Text of every rule and checkpoint by its name; those that others are made of are as these."""
    text = "\n".join(path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk"))
    text = re.sub(r"^use rule .*?(?=^\S|\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"^(?:rule|checkpoint) (\w+):$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize(
    "name", sorted(name for name, text in rules().items() if "script:" in text)
)
def test_every_rule_says_what_it_needs(name):
    text = rules()[name]
    directives = set(re.findall(r"^    (\w+):", text, flags=re.MULTILINE))
    wanted = {"log", "conda", "message"}
    if "output" in directives:
        wanted |= {"benchmark", "resources", "threads"}
        for resource in ("mem_mb=", "runtime="):
            assert resource in text
    assert wanted <= directives
    assert re.search(r'^        "\.\./\.\./envs/\w+\.yaml"$', text, flags=re.MULTILINE)


def test_one_rule_file_a_stage():
    included = re.findall(r'include: "(.*)"', (REPOSITORY / "Snakefile").read_text())
    assert sorted(included) == sorted(
        str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "workflow/rules").glob("*.smk")
    )


def locked(name: str = "requirements.txt") -> dict[str, str]:
    text = (REPOSITORY / name).read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;]+)", text, flags=re.MULTILINE))


def test_gpaw_is_locked_beside_the_same_packages():
    versions, campaigns = locked("requirements-dft.txt"), locked()
    assert {"gpaw", "gpaw-data"} <= set(versions)
    assert versions == versions | {n: v for n, v in campaigns.items() if n in versions}


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_conda_environments_are_in_step_with_the_lock(path):
    content = yaml.safe_load(path.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    versions = locked("requirements-dft.txt") | locked()
    for item in content["dependencies"]:
        if isinstance(item, dict):
            for requirement in item["pip"]:
                name, version = re.fullmatch(r"([a-z0-9-]+)(?:\[.*\])?==(.+)", requirement).groups()
                assert version == versions[name], name
            continue
        name, _, version = item.partition(" =")
        if name in CONDA_ONLY:
            continue
        # A post-release on PyPI mends the package's files, not what is in it.
        assert version == versions[name].split(".post")[0], name


def test_locks_carry_hashes_and_no_index():
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-dft.txt"):
        text = (REPOSITORY / name).read_text()
        pinned = re.findall(r"^\S+==.*?(?=^\S|\Z)", text, flags=re.MULTILINE | re.DOTALL)
        assert len(pinned) >= 3
        assert all("--hash=sha256:" in block for block in pinned)
        assert not re.search(r"https?:|--(extra-)?index-url|--find-links|file:", text)


def test_the_lock_is_compiled_from_what_is_wanted():
    for wanted in ("requirements.in", "requirements-dft.in"):
        versions = locked(wanted.replace(".in", ".txt"))
        for line in (REPOSITORY / wanted).read_text().splitlines():
            if (line := line.partition("#")[0].strip()) and not line.startswith("-"):
                name, version = re.fullmatch(r"([a-z0-9-]+)(?:\[.*\])?==(.+)", line).groups()
                assert versions[name] == version


def test_figures_are_those_that_are_drawn():
    from lah10.figures import figure_names

    text = (REPOSITORY / "workflow/rules/figures.smk").read_text()
    listed = re.search(r"FIGURE_NAMES = \[(.*?)\n\]", text, flags=re.DOTALL)[1]
    names = re.findall(r'"(\w+)",', listed)
    assert {*names, "fig2a_qtb"} == set(figure_names(["qtb"]))
