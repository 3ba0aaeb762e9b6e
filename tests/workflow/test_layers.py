"""Imports within the package point down a list of layers, never up, and never in a circle."""

import ast
from pathlib import Path

import pytest

from campaigns import REPOSITORY

PACKAGE = REPOSITORY / "workflow/scripts/lah10"

#: From the top to the bottom; a module imports from its own layer and from those below it.
LAYERS = (
    "figures",
    "campaign",
    "learning",
    "potential/validation",
    "potential/training",
    "potential/data",
    "pimd",
    "analysis",
    "dynamics",
    "phonons",
    "bath",
    "crystal",
    "config",
    "schema",
    "io",
    "",
)


def layer(file: Path) -> str:
    """The layer of a file: its folder, or its own name at the top of the package."""
    relative = file.relative_to(PACKAGE)
    if relative.parent == Path(".") and relative.stem in LAYERS:
        return relative.stem
    folder = relative.parent.as_posix().replace(".", "")
    # A model's answers (potential/evaluate.py): what data are checked with, and what they are.
    return "potential/data" if folder == "potential" else folder


def imported(file: Path) -> set[Path]:
    """Files of the package that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    found = set()
    for name in names:
        if name.split(".")[0] == "lah10":
            base = PACKAGE.joinpath(*name.split(".")[1:])
            found |= {f for f in (base.with_suffix(".py"), base / "__init__.py") if f.is_file()}
    # Folders on the way say nothing: their __init__.py are empty or their layer's own.
    return found


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_point_down(file):
    own = LAYERS.index(layer(file))
    upwards = [
        str(other.relative_to(PACKAGE))
        for other in imported(file)
        if LAYERS.index(layer(other)) < own
    ]
    assert upwards == []


def test_no_circles():
    graph = {file: imported(file) - {file} for file in FILES}
    while leaves := {file for file, needs in graph.items() if not needs & graph.keys()}:
        graph = {file: needs for file, needs in graph.items() if file not in leaves}
    assert [str(file.relative_to(PACKAGE)) for file in graph] == []


def test_every_folder_is_a_layer():
    assert {layer(file) for file in FILES} <= set(LAYERS)
