"""Checks of the files that a campaign's configuration names."""

import os
from pathlib import Path

from lah10 import ELEMENTS
from lah10.config.boundary import PUBLISHED
from lah10.config.campaign import Config
from lah10.errors import UserError
from lah10.io import frozen_model


def check_files(config: Config, source: str, root: str | os.PathLike = ".") -> None:
    """Raise UserError where a named file is absent or a model is not one of La and H."""
    file = config.structure.file
    if not Path(root, file).is_file():
        raise UserError(
            f"{source}: structure.file: expected the path of a structure file, got {file}, "
            "which does not exist"
        )
    keys = ["potential.model"]
    keys += [f"potential.committee[{i}]" for i in range(len(config.potential.committee))]
    named = list(zip(keys, config.models, strict=True))
    named += [
        (f"boundary.potentials.{name}.model", potential.model)
        for name, potential in config.boundary.potentials.items()
        if potential.model != PUBLISHED  # a rule fetches it
    ]
    for key, path in named:
        if not Path(root, path).is_file():
            raise UserError(
                f"{source}: {key}: expected the path of a frozen graph (.pb), got {path}, which "
                "does not exist"
            )
        try:
            known = frozen_model.read(Path(root, path)).type_map
        except UserError as error:
            reason = str(error).removeprefix(f"{Path(root, path)}: ")
            raise UserError(f"{source}: {key}: {path}: {reason}") from None
        if not set(ELEMENTS) <= set(known):
            raise UserError(
                f"{source}: {key}: expected a model of {' and '.join(ELEMENTS)}, got {path}, "
                f"a model of {' and '.join(known)}"
            )
