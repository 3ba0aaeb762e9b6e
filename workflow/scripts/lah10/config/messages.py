"""One line for a person from what pydantic finds wrong."""

import difflib
import json
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from lah10.config import section
from lah10.config.quantities import canonical

#: What is expected, by the type of pydantic's error; fields come from the error's context.
EXPECTED = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "a string",
    "string_too_short": "a string that is not empty",
    "tuple_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "literal_error": "{expected}",
    "greater_than": "a number > {gt}",
    "greater_than_equal": "a number >= {ge}",
    "less_than": "a number < {lt}",
    "less_than_equal": "a number <= {le}",
    "string_pattern_mismatch": "letters, digits, - and _",
    section.EXPECTED: "{text}",
}


def message(error: ValidationError, model: type[BaseModel]) -> str:
    """One line for the first problem that validating `model` found, with the number of others."""
    problems = error.errors(include_url=False)
    # A list that lost a bad value counts as too short, too: keep the value's own error.
    within = {problem["loc"][:-1] for problem in problems if problem["loc"]}
    problems = [problem for problem in problems if problem["loc"] not in within]
    # An unknown key often explains a missing one, so it comes first.
    problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{_sentence(problems[0], model)}{more}"


def _sentence(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One line for one of pydantic's errors."""
    location, value, kind = problem["loc"], problem["input"], problem["type"]
    key = _key(location)
    if kind == "extra_forbidden":
        return f"{key}: {_unknown(str(location[-1]), _section(location[:-1], model))}"
    if kind == "missing":
        return f"{key}: missing; it must be given{_description(location, model)}"
    if kind == section.RULE:
        return f"{key}.{problem['msg']}" if key else problem["msg"]
    if kind == section.PROBLEM:
        return f"{key}: {problem['msg']}" if key else problem["msg"]
    if template := EXPECTED.get(kind):
        context = problem.get("ctx", {})
        bounds = {key: canonical(one) for key, one in context.items() if isinstance(one, float)}
        expected = template.format(**context | bounds)
        return f"{key}: expected {expected}, got {_brief(value)}"
    return f"{key}: {problem['msg']}, got {_brief(value)}"


def _unknown(name: str, model: type[section.Section]) -> str:
    if new := model.RENAMED.get(name):
        return f"{name} was renamed {new}; use the new name"
    known = list(model.model_fields)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"unknown key; {hint}known keys: {', '.join(known)}"


def _key(location: Iterable[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _section(location: Sequence[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """The model whose keys stand at `location`, seen from `model`."""
    for part in location:
        members = {dict: 1, tuple: 0}.get(typing.get_origin(model))
        model = (
            model.model_fields[part].annotation
            if members is None
            else typing.get_args(model)[members]
        )
    return model


def _description(location: Sequence[int | str], model: type[BaseModel]) -> str:
    """ " (what the key means)" where the key has a description: its first sentence."""
    while isinstance(location[-1], int):  # an item of a list: described with the list
        location = location[:-1]
    text = _section(location[:-1], model).model_fields[location[-1]].description
    return f" ({text.split('. ')[0].rstrip('.')})" if text else ""


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
