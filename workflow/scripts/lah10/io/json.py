"""The one writer, and the one reader, of JSON files."""

import json
import os
from pathlib import Path
from typing import Any

from lah10.errors import UserError
from lah10.io.files import atomic_path


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Write a value as JSON, a level of nesting a space; the file appears whole."""
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_json(path: str | os.PathLike, remedy: str) -> Any:
    """The value in a JSON file.

    Parameters
    ----------
    path : path
    remedy : str
        What to do if it cannot be read, for the error.

    Raises
    ------
    UserError
        The file is absent or no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; {remedy}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}); {remedy}") from None
