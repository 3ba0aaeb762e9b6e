"""Reading of configurations: files one over another, then what the command line gives."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from lah10.config import checks, messages, yaml_files
from lah10.config.campaign import Config
from lah10.errors import UserError


def load(
    files: Sequence[str | os.PathLike],
    overrides: Mapping[str, Any] | None = None,
    root: str | os.PathLike = ".",
) -> Config:
    """Read, merge and validate configuration files, and look into the files they name.

    Parameters
    ----------
    files
        YAML files; a later one overrides single keys of those before.
    overrides
        Values that win over all files (`snakemake --config`).
    root
        Folder to which paths in the configuration are relative.

    Raises
    ------
    UserError
        One line: file, key, what is expected, what is given.
    """
    content: dict = {}
    for path in files:
        _merge(content, yaml_files.read(path))
    if overrides:
        _merge(content, _typed(overrides))
    source = origin(files, overrides)
    config = validate(content, source)
    checks.check_files(config, source, root)
    return config


def origin(files: Sequence[str | os.PathLike], overrides: Mapping[str, Any] | None = None) -> str:
    """What messages name as the source of a configuration: "a.yaml + b.yaml + --config"."""
    return " + ".join([_shown(path) for path in files] + ["--config"] * bool(overrides))


def validate(content: Mapping[str, Any], source: str, model: type[BaseModel] = Config) -> Any:
    """The configuration in `content`, as an instance of `model`; `source` names its origin.

    Raises
    ------
    UserError
        One line for the first thing wrong, with the number of others.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {messages.message(error, model)}") from None


def to_dict(config: Config) -> dict:
    """The configuration with every default filled in, in the form of the file that gives it."""
    return config.model_dump(mode="json")


def _shown(path: str | os.PathLike) -> str:
    """The path as a person would type it: relative where it lies below the working folder."""
    path = Path(path)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return str(path)


def _merge(content: dict, over: Mapping) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(content.get(key), dict):
            _merge(content[key], value)
        else:
            content[key] = value


def _typed(value: Any) -> Any:
    """`value` with numbers and truth values in place of their texts, as in a file.

    Of `--config 'pimd={points: [{beads: 32}]}'` Snakemake makes texts, at all depths but the first.
    """
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, str):
        try:
            read = yaml_files.parse(value)
        except yaml_files.Surprise as error:
            raise UserError(f"--config: {error.problem}") from None
        except yaml.YAMLError:
            return value
        return read if isinstance(read, bool | int | float) else value
    return value
