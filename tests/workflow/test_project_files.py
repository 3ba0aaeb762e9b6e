"""Files that tools read at the root of the project: citation, hooks, the workflow catalogue."""

import re

import yaml

from campaigns import REPOSITORY


def read(name: str) -> dict:
    return yaml.safe_load((REPOSITORY / name).read_text(encoding="utf-8"))


def test_hooks_have_the_versions_of_the_lock():
    lock = (REPOSITORY / "requirements-dev.txt").read_text()
    locked = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", lock, flags=re.MULTILINE))
    for hook in read(".pre-commit-config.yaml")["repos"][0]["hooks"]:
        (requirement,) = hook["additional_dependencies"]
        name, version = requirement.split("==")
        assert version == locked[name]


def test_hooks_cover_every_rule_file():
    hooks = {hook["id"]: hook for hook in read(".pre-commit-config.yaml")["repos"][0]["hooks"]}
    rules = [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").rglob("*.smk")]
    pattern = hooks["snakefmt"]["files"]
    assert all(re.search(pattern, path.relative_to(REPOSITORY).as_posix()) for path in rules)


def test_the_citation_has_the_version_and_what_the_format_requires():
    citation = read("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert citation["version"] == re.search(r'^version = "(.*)"', project, flags=re.MULTILINE)[1]
    assert f"\n## {citation['version']}\n" in (REPOSITORY / "CHANGELOG.md").read_text()


def test_the_catalogue_finds_deployment_methods():
    """The keys that the catalogue's documentation names."""
    usage = read(".snakemake-workflow-catalog.yml")["usage"]
    assert set(usage) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["software-stack-deployment"]["conda"] is True
    assert (REPOSITORY / "config/README.md").is_file()


def test_the_container_installs_with_a_target_of_the_makefile():
    makefile = (REPOSITORY / "Makefile").read_text()
    target = re.search(r"^RUN make (\S+)", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)[1]
    assert f"\n{target.replace('.venv', '$(VENV)')}:" in makefile
