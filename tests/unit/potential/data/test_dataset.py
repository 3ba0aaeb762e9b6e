"""Whatever lies at a path is read, or named."""

import re
import shutil

import pytest

import labelled
from lah10.errors import UserError
from lah10.potential.data import dataset


def test_a_folder_without_its_types_is_named_among_whole_ones(folder):
    """A copy that stopped half-way must not pass for a smaller data set."""
    shutil.copytree(folder, folder.with_name("whole"))
    (folder / "type.raw").unlink()
    with pytest.raises(UserError, match=rf"{re.escape(str(folder))}/type.raw: expected "):
        dataset.read(folder.parent)


def test_xyz_is_found_in_folders_below(tmp_path):
    (tmp_path / "data/run").mkdir(parents=True)
    labelled.write_xyz(tmp_path / "data/run/a.xyz", labelled.system())
    (read,) = dataset.read(tmp_path / "data")
    assert read.name == "data/run/a"


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        dataset.read(tmp_path / "missing")
    with pytest.raises(UserError, match="got no frames there"):
        dataset.read(tmp_path)
    (tmp_path / "a.xyz").touch()
    with pytest.raises(UserError, match=r"a.xyz: empty"):
        dataset.read(tmp_path / "a.xyz")
