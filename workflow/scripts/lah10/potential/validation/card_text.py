"""Numbers of a card, and the files that it is written from."""

from pathlib import Path

from lah10.io.json import read_json


def numbers(*values: tuple[str, float | None]) -> list[str]:
    """Values by their formats; "none" where there is none."""
    return ["none" if value is None else form.format(value) for form, value in values]


def read(path: Path) -> dict:
    """The content of a JSON file; `UserError` if it cannot be read."""
    return read_json(path, "the card needs it: run what measures it")
