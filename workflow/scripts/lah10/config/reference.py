"""What is generated from the sections: the JSON schema for editors, and the tables of keys.

`python -m lah10.config.reference` (`make schema`) writes both; a test fails where they differ from
the sections.
"""

import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from lah10.config.campaign import Config, Grid
from lah10.config.quantities import Expected
from lah10.config.section import Section
from lah10.config.training import Source, Training

#: The files that are written, from the root of the repository.
SCHEMA = "workflow/schemas/config.schema.json"
README = "config/README.md"
#: Tables of the README, by the name in the comments round each.
TABLES: dict[str, type[Section]] = {"campaign": Config, "training": Training, "source": Source}

HEADER = "| key | default | value | meaning |\n|---|---|---|---|\n"


def json_schema() -> str:
    """JSON schema of a campaign's file, for editors."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= Config.model_json_schema(mode="validation")
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def table(model: type[Section]) -> str:
    """Markdown table of all keys of a section and of those below it."""
    return HEADER + "".join(f"| {' | '.join(row)} |\n" for row in _rows(model))


def fill(readme: str) -> str:
    """The text of the README with its tables anew, each between its two comments.

    Raises
    ------
    ValueError
        The comments of a table are not there.
    """
    for name, model in TABLES.items():
        begin, end = f"<!-- keys: {name}; written by `make schema` -->\n", "<!-- end -->"
        pattern = re.escape(begin) + r".*?" + re.escape(end)
        new = (begin + table(model) + end).replace("\\", r"\\")
        readme, count = re.subn(pattern, new, readme, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"{README}: expected {begin.strip()} ... {end} once, got {count}")
    return readme


def write(root: Path) -> None:
    """Write both files below the root of the repository."""
    (root / SCHEMA).write_text(json_schema(), encoding="utf-8")
    readme = root / README
    readme.write_text(fill(readme.read_text(encoding="utf-8")), encoding="utf-8")


def _rows(model: type[Section], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """(key, default, value, meaning) of every key."""
    for name, field in _ordered(model):
        key = f"{prefix}{name}"
        inner, where = _inner(field.annotation)
        # A grid's keys are those of a campaign: its row lists those with another default.
        if inner is None or where or issubclass(inner, Grid):
            default = "required" if field.is_required() else f"`{_default(model, name, field)}`"
            yield f"`{key}`", default, _value(field), (field.description or "").replace("|", "\\|")
        if inner is not None and not issubclass(inner, Grid):
            yield from _rows(inner, f"{key}{where}.")


def _ordered(model: type[Section]) -> list[tuple[str, FieldInfo]]:
    """The fields; the name of what has one comes first."""
    return sorted(model.model_fields.items(), key=lambda item: item[0] != "campaign")


def _inner(annotation: Any) -> tuple[type[Section] | None, str]:
    """The section that a key holds, and how its place in a list is written."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation, ""
    if typing.get_origin(annotation) is tuple:
        section, _ = _inner(typing.get_args(annotation)[0])
        return section, "[i]"
    return None, ""


def _default(model: type[Section], name: str, field: FieldInfo) -> str:
    """The default as YAML in one line."""
    others = {key: one.default for key, one in model.model_fields.items() if key != name}
    value = field.get_default(call_default_factory=True, validated_data=others)
    if isinstance(value, Grid):
        # Only what differs from the defaults of a campaign.
        own = {key: getattr(value, key) for key in type(value).__annotations__}
        value = {
            key: one.model_dump(mode="json", exclude_unset=True)
            if isinstance(one, BaseModel)
            else one
            for key, one in own.items()
        }
    text = yaml.safe_dump(
        _plain(value), default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...").replace("'", "")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _value(field: FieldInfo) -> str:
    """What a value must be, in words."""
    for metadata in field.metadata:
        if isinstance(metadata, Expected):
            return metadata.text
    annotation = field.annotation
    for metadata in field.metadata:
        annotation = typing.Annotated[annotation, metadata]
    schema = TypeAdapter(annotation).json_schema(mode="validation")
    return _words(schema, schema.get("$defs", {}))


def _words(schema: dict, definitions: dict) -> str:
    if "$ref" in schema:
        return _words(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
    if "anyOf" in schema:
        options = [_words(one, definitions) for one in schema["anyOf"] if one != {"type": "null"}]
        return " or ".join(dict.fromkeys(options))
    if choices := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{choice}`" for choice in choices)
    kind = schema.get("type")
    if kind == "array":
        members = schema.get("items") or schema["prefixItems"][0]
        count = schema.get("minItems", 0)
        length = f" of {count}" if count and count == schema.get("maxItems") else ""
        return f"list{length}: {_words(members, definitions)}"
    if kind == "object":
        named = [schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()]
        values = [one for one in named if isinstance(one, dict)]
        return f"by name: {_words(values[0], definitions)}" if values else "section"
    if kind in ("integer", "number"):
        bounds = [
            f"{sign} {schema[key]:g}" if kind == "number" else f"{sign} {schema[key]}"
            for key, sign in (
                ("minimum", ">="), ("exclusiveMinimum", ">"),
                ("maximum", "<="), ("exclusiveMaximum", "<"),
            )
            if key in schema
        ]  # fmt: skip
        return " ".join([{"integer": "whole number", "number": "number"}[kind], ", ".join(bounds)])
    return {"boolean": "`true` or `false`", "string": "string"}[kind]


if __name__ == "__main__":
    write(Path(__file__).resolve().parents[4])
