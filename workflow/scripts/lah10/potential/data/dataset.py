"""Labelled structures at a path, in either of the two formats: DeePMD folders and extended XYZ."""

import os
from pathlib import Path

from lah10.errors import UserError
from lah10.potential.data.deepmd_folders import read_deepmd
from lah10.potential.data.extended_xyz import read_extxyz
from lah10.potential.data.systems import System


def read(path: str | os.PathLike, name: str | None = None) -> list[System]:
    """All systems at `path`: a DeePMD folder, a folder of such folders, or an extended XYZ file.

    Systems are named `name` (by default the file's or folder's name) and, below it, their path.

    Raises
    ------
    UserError
        Nothing there, or something wrong with it; file and frame are named.
    """
    path = Path(path)
    name = name or path.stem
    if path.is_file():
        systems = read_extxyz(path, name)
    elif path.is_dir():
        # Of a folder that was copied in part any may be there; read_deepmd names what is missing.
        names = ("type.raw", "type_map.raw", "set.*")
        folders = sorted({part.parent for name in names for part in path.rglob(name)})
        systems = [read_deepmd(f, "/".join((name, *f.relative_to(path).parts))) for f in folders]
        for file in sorted((*path.rglob("*.xyz"), *path.rglob("*.extxyz"))):
            below = file.relative_to(path).with_suffix("").parts
            systems += read_extxyz(file, "/".join((name, *below)))
    else:
        raise UserError(f"{path}: no such file or folder; give a DeePMD folder or an extended XYZ")
    if not systems:
        raise UserError(
            f"{path}: expected DeePMD folders (with type.raw, type_map.raw and set.*) or extended "
            "XYZ files (*.xyz), got no frames there"
        )
    return systems
