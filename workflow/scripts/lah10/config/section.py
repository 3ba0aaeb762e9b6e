"""A section of the configuration, and the errors that its checks raise."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

#: Types of the errors below; lah10.config.messages makes sentences of them.
EXPECTED, PROBLEM, RULE = "lah10_expected", "lah10_problem", "lah10_rule"


class Section(BaseModel):
    """Keys that belong together; any other key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    #: Old names of keys, and what they are called now.
    RENAMED: ClassVar[dict[str, str]] = {}


def expected(what: str) -> PydanticCustomError:
    """The error of a value that is not `what`: "key: expected what, got value"."""
    return _error(EXPECTED, what)


def problem(text: str) -> PydanticCustomError:
    """The error of a key in words of its own: "key: text"."""
    return _error(PROBLEM, text)


def rule(key: str, what: str, got: str) -> PydanticCustomError:
    """The error of a rule between keys, for the validator of their section; `key` lies below it."""
    return _error(RULE, f"{key}: expected {what}, got {got}")


def _error(kind: str, text: str) -> PydanticCustomError:
    # As a field of the template: braces in the text would be read as fields.
    return PydanticCustomError(kind, "{text}", {"text": text})
