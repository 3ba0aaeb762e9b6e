"""Checks that the main process makes before a campaign starts: its folders, and its crystal."""

import os
from pathlib import Path

from lah10.config.campaign import Config
from lah10.errors import UserError
from lah10.io import frozen_model

#: Folders that every rule writes below; people replace them with links to scratch file systems.
WRITTEN = ("results", "logs")


def check(config: Config, source: str, root: str | os.PathLike = ".") -> list[str]:
    """Look into the folders and the structure of a campaign.

    Parameters
    ----------
    source
        Where the configuration comes from, for messages.
    root
        Folder to which paths in the configuration are relative.

    Returns
    -------
    list of str
        Warnings, a line each.

    Raises
    ------
    UserError
        A folder is a link to nothing, or the structure file holds no Fm-3m LaH10.
    """
    for folder in WRITTEN:
        for name in (".", config.campaign, "potential"):
            check_link(Path(root, folder, name))
    return thickness(config, source, root)


def check_link(path: str | os.PathLike) -> None:
    """Raise UserError where `path` is a link whose target does not exist."""
    path = Path(path)
    if path.is_symlink() and not path.exists():
        raise UserError(
            f"{path}: a link to {os.readlink(path)}, which does not exist (a purged scratch?); "
            "make that folder again, or remove the link"
        )


def thickness(config: Config, source: str, root: str | os.PathLike = ".") -> list[str]:
    """A warning where the supercell is thinner than twice the potential's cut-off.

    Raises
    ------
    UserError
        The structure file holds no Fm-3m LaH10.
    """
    from lah10.crystal import structures  # ASE and spglib take a while, which jobs need not pay

    shape = config.structure
    try:
        cell = structures.campaign_supercell(
            Path(root, shape.file), shape.cell, shape.repeat, shape.isotopes
        ).cell
    except UserError as error:
        if str(error).startswith("structure.isotopes: "):
            raise UserError(f"{source}: {error}") from None
        reason = str(error).removeprefix("structure.file: ")
        raise UserError(f"{source}: structure.file: {shape.file}: {reason}") from None
    thinnest = min(structures.thicknesses(cell.array))
    cutoff = max(frozen_model.read(Path(root, model)).cutoff for model in config.models)
    if thinnest >= 2 * cutoff:
        return []
    return [
        f"structure.repeat: {list(shape.repeat)} makes a cell {thinnest:.1f} Å thin, "
        f"less than twice the potential's cut-off of {cutoff:g} Å: atoms interact with their own "
        "images, and finite-size effects are large"
    ]
