"""Modules of this package that a script imports, so that mended code is run again.

Read from the source without running it, and without what is not the package's: it takes
milliseconds while rules are parsed.
"""

import ast
import functools
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

#: Folder that `lah10` is a package in.
ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).resolve().parents[1].name


def modules(script: str | os.PathLike) -> list[Path]:
    """Files of the package that a script imports, by whatever way, sorted.

    Imports within functions count. A module run as a child process counts where something imports
    it, too.
    """
    found: set[Path] = set()
    waiting = [Path(script).resolve()]
    while waiting:
        for file in _imported(waiting.pop()):
            if file not in found:
                found.add(file)
                waiting.append(file)
    return sorted(found)


def digest(script: str | os.PathLike, others: Iterable[str | os.PathLike] = ()) -> str:
    """SHA-256 of a script, of all that it imports from the package, and of `others`, as text.

    It depends on names and contents and not on dates: a fresh checkout has the same.
    """
    script = Path(script).resolve()
    files = [script, *modules(script), *(Path(path).resolve() for path in others)]
    result = hashlib.sha256()
    for file in files:
        name = file.relative_to(ROOT) if file.is_relative_to(ROOT) else Path(file.name)
        result.update(f"{name.as_posix()} {_sha256(file)}\n".encode())
    return result.hexdigest()


@functools.cache
def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@functools.cache
def _imported(file: Path) -> frozenset[Path]:
    """Files that one file imports itself, packages on their way included."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{file}: line {node.lineno}: a relative import; name the package")
            module = node.module or ""
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == PACKAGE:
                for i in range(1, len(parts) + 1):
                    found.update(_files(parts[:i]))
    return frozenset(found)


def _files(parts: list[str]) -> list[Path]:
    """The file of a module or package; none where the last part is a name within a module."""
    base = ROOT.joinpath(*parts)
    return [file for file in (base / "__init__.py", base.with_suffix(".py")) if file.is_file()]
