"""Where a run finds the files of the workflow: in its own folder, or where it was imported from.

Paths in a configuration are relative to the working folder. Another workflow that imports this one
as a module has its own. A path that does not exist there is looked up in this workflow's folder, so
that the shipped structures and potentials are found.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lah10.config import checks, reading
from lah10.config.campaign import Config
from lah10.errors import UserError


def check_working_folder(base: str | os.PathLike) -> None:
    """Raise UserError where Snakemake runs outside the workflow's folder `base`."""
    if not Path("workflow/scripts/lah10").is_dir() or not Path("resources").is_dir():
        raise UserError(
            f"{Path.cwd()}: not the folder of the workflow, whose files have paths relative to it; "
            f"run Snakemake there (cd {base}), or import {Path(base, 'Snakefile')} as a module"
        )


def check_module(source: str, modifier: Any) -> None:
    """Raise UserError where a module is declared in a way that this workflow cannot honour.

    source : "module <name>", for the error; modifier : Snakemake's, of the module.
    """
    if not modifier.skip_configfile:
        raise UserError(
            f"{source}: no configuration given, expected `config: config` (or another dictionary) "
            "in the module's declaration, with the keys of config/README.md"
        )
    paths = modifier.path_modifier
    if paths.prefix or paths._prefix_replacements:
        raise UserError(
            f"{source}: prefix and replace_prefix are not supported; give each campaign a name, "
            "which its folders results/<campaign> and logs/<campaign> have"
        )


def located(path: str, base: str | os.PathLike) -> str:
    """`path`, or where it does not exist the same below `base`, relative to the working folder."""
    there = Path(base, path)
    return os.path.relpath(there) if not Path(path).exists() and there.exists() else path


def load(content: Mapping[str, Any], source: str, base: str | os.PathLike) -> Config:
    """The configuration that a module is given; files are `located`.

    Parameters
    ----------
    content
        Sections and keys, as a file has them.
    source
        Where it comes from, for messages.
    base
        Folder of this workflow.

    Raises
    ------
    UserError
        One line: source, key, what is expected, what is given.
    """
    filled = reading.to_dict(reading.validate(content, source))
    filled["structure"]["file"] = located(filled["structure"]["file"], base)
    potential = filled["potential"]
    potential["model"] = located(potential["model"], base)
    potential["committee"] = [located(path, base) for path in potential["committee"]]
    config = reading.validate(filled, source)
    checks.check_files(config, source)
    return config
