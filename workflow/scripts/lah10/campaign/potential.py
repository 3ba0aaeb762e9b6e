"""The card of the potential that a campaign runs with, beside its results."""

import os
from pathlib import Path

from lah10.errors import UserError
from lah10.io.files import atomic_path

#: The card's name beside a shipped model.
CARD = "PROVENANCE.md"


def describe(model: str | os.PathLike, sha256: str, output: str | os.PathLike) -> None:
    """Write the name and the SHA-256 of a model and, where it has one, its card.

    Raises
    ------
    UserError
        The card cannot be read.
    """
    path = Path(model).parent / CARD
    head = f"Potential: `{model}`, SHA-256 `{sha256}`."
    try:
        card = path.read_text(encoding="utf-8") if path.is_file() else (
            f"It has no card ({path}): what it was trained on and how large its errors are is not "
            "known here."
        )  # fmt: skip
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); restore it or take it away") from None
    with atomic_path(output) as aside:
        Path(aside).write_text(f"{head}\n\n{card.rstrip()}\n", encoding="utf-8")
