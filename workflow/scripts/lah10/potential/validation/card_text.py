"""Numbers of a card, and the files that it is written from."""

import json
from pathlib import Path

from lah10.errors import UserError


def numbers(*values: tuple[str, float | None]) -> list[str]:
    """Values by their formats; "none" where there is none."""
    return ["none" if value is None else form.format(value) for form, value in values]


def read(path: Path) -> dict:
    """The content of a JSON file; `UserError` if it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}), and the card needs it") from None
