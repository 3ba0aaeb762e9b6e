"""Checks of the command line before Snakemake reads it, which would answer with a traceback."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from lah10.config import yaml_files
from lah10.errors import UserError

#: Keys that Snakemake takes in `--config key=value`.
KEY = re.compile(r"[a-zA-Z_][\w-]*\w$")


def check(arguments: Sequence[str]) -> None:
    """End the process with one line and status 1 where --configfile or --config cannot be read."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="*", default=[])
    given, _ = parser.parse_known_args(arguments)
    try:
        for path in given.configfile:
            _check_file(path)
        for entry in given.config:
            _check_entry(entry)
    except UserError as error:
        sys.exit(str(error))


def _check_file(path: str) -> None:
    """Raise UserError where `path` is no YAML file, or a target that --configfile has swallowed."""
    if re.fullmatch(r"\w+", path) and not Path(path).exists():
        raise UserError(
            f"--configfile: {path}: no such file; if it is a target, write it first "
            f"(snakemake {path} --configfile ...), as --configfile takes every word after it"
        )
    yaml_files.read(path)


def _check_entry(entry: str) -> None:
    """Raise UserError where `entry` is not key=value."""
    key, equals, value = entry.partition("=")
    if not equals:
        raise UserError(f"--config: expected key=value, got {entry}; a target stands before it")
    if KEY.match(key):
        return
    section, *below = key.split(".")
    if below and all(map(KEY.match, (section, *below))):
        nested = value
        for part in reversed(below):
            nested = f"{{{part}: {nested}}}"
        raise UserError(
            f"--config: {entry}: a key within a section is given as '{section}={nested}'"
        )
    raise UserError(f"--config: {entry}: expected the name of a key before =, got {key or 'none'}")
