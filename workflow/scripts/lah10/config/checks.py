"""Checks of the files that a campaign's configuration names."""

import os
from pathlib import Path

from lah10 import ELEMENTS
from lah10.config.boundary import PUBLISHED
from lah10.config.campaign import Config
from lah10.config.potential import SHIPPED, SHIPPED_COMMITTEE
from lah10.errors import UserError
from lah10.io import frozen_model
from lah10.io.files import sha256

#: This checkout's folder, in which the shipped models are.
HOME = Path(__file__).resolve().parents[4]


def check_files(config: Config, source: str, root: str | os.PathLike = ".") -> None:
    """Raise UserError where a named file is absent, a model is not one of La and H, or a shipped
    model is in the committee of another one."""
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
    _check_lineage(config, source, Path(root))


def _check_lineage(config: Config, source: str, root: Path) -> None:
    """Raise UserError where a shipped model is in the committee of a model that is none.

    Models are recognised by content. The spread of a committee is the error of a potential only
    among models fitted alike to one data set.
    """
    committee = config.potential.committee
    if not committee:
        return
    own = [HOME / path for path in (SHIPPED, *SHIPPED_COMMITTEE)]
    shipped = {sha256(path) for path in own if path.is_file()}
    if sha256(root / config.potential.model) in shipped:
        return
    for i, path in enumerate(committee):
        if sha256(root / path) in shipped:
            raise UserError(
                f"{source}: potential.committee[{i}]: expected a model fitted as potential.model "
                f"({config.potential.model}) was, got {path}, one of the project's own; name "
                "others of your training, or []"
            )
