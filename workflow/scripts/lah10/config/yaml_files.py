"""YAML without its surprises: keys occur once, and numbers are decimal."""

import os
from pathlib import Path
from typing import Any

import yaml

from lah10.errors import UserError


class Surprise(yaml.MarkedYAMLError):
    """Valid YAML that means something else than most people expect."""


class _Loader(yaml.SafeLoader):
    pass


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict:
    """A mapping; of a key given twice YAML itself keeps the last in silence."""
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Surprise(problem="expected a string as key", problem_mark=key.start_mark)
        if key.value in seen:
            raise Surprise(problem=f"the key {key.value} occurs twice", problem_mark=key.start_mark)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


def _number(loader: _Loader, node: yaml.ScalarNode) -> int | float:
    """A decimal number; YAML 1.1 reads 0100 as octal and 1:40 to the base 60."""
    read = {"int": loader.construct_yaml_int, "float": loader.construct_yaml_float}
    value = read[node.tag.rsplit(":", 1)[1]](node)
    digits = node.value.replace("_", "").lstrip("+-")
    if ":" in digits:
        problem = f"YAML reads {node.value} to the base 60, as {value}; write a decimal number"
    elif digits[0] == "0" and digits[1:].isdigit():
        problem = f"YAML reads {node.value} as octal, {value}; write it without leading zeros"
    else:
        return value
    raise Surprise(problem=problem, problem_mark=node.start_mark)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _number)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def parse(text: str) -> Any:
    """The content of a YAML text.

    Raises
    ------
    yaml.YAMLError
        The text is not YAML; `Surprise`: it is, and would be misread.
    """
    return yaml.load(text, Loader=_Loader)


def read(path: str | os.PathLike) -> dict:
    """The content of a YAML file with keys at its top level.

    Raises
    ------
    UserError
        The file is absent, not YAML, or not a mapping; the line is named.
    """
    try:
        content = parse(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: expected a YAML file in UTF-8, got other bytes") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        kind = "" if isinstance(error, Surprise) else "not valid YAML: "
        raise UserError(f"{path}: {where}{kind}{error.problem}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected keys, got none; config/README.md lists them")
    return content
