"""DeePMD folders: read as they were written, and what is wrong with one is named."""

import numpy as np
import pytest

import labelled
from lah10.errors import UserError
from lah10.potential.data import deepmd_folders


def arrays(system):
    return {k: getattr(system, k) for k in ("types", "boxes", "coordinates", "energies", "forces")}


def test_a_folder_is_read_as_it_was_written(folder):
    read = deepmd_folders.read_deepmd(folder, "toy/a")
    for key, value in arrays(labelled.system()).items():
        np.testing.assert_array_equal(getattr(read, key), value)
    assert read.frames[3] == f"{folder}/set.000 frame 3"


def test_other_order_of_types_is_translated(folder):
    (folder / "type_map.raw").write_text("H\nLa\n")
    types = np.loadtxt(folder / "type.raw", dtype=int)
    np.savetxt(folder / "type.raw", 1 - types, fmt="%d")
    np.testing.assert_array_equal(deepmd_folders.read_deepmd(folder, "a").types, types)


def test_energies_may_be_left_out_where_that_is_asked_for(folder):
    (folder / "set.000/energy.npy").unlink()
    read = deepmd_folders.read_deepmd(folder, "a", energies=False)
    assert np.isnan(read.energies).all() and len(read) == 5
    with pytest.raises(UserError, match=r"energy\.npy: missing"):
        deepmd_folders.read_deepmd(folder, "a")


@pytest.mark.parametrize("kept", [0, 60, 300])
def test_a_file_cut_short_is_named(folder, kept):
    file = folder / "set.000/force.npy"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"force.npy: cannot be read, cut short\?"):
        deepmd_folders.read_deepmd(folder, "a")


BAD_FILES = {
    "unknown element": ("type_map.raw", "La D", r"type_map.raw: expected La, H, each once, got D"),
    "element twice": ("type_map.raw", "H H", r"type_map.raw: expected .* got one .*twice"),
    "type beyond the map": ("type_map.raw", "La", r"type.raw: .* 0 to 0, .* got 1 of atom 1"),
    "no numbers": ("type.raw", "La H H", r"type.raw: expected one whole number an atom, cannot"),
    "no atoms": ("type.raw", "", r"type.raw: expected .* got an empty file"),
    "open boundaries": ("nopbc", "", r"nopbc: expected .* got open boundaries"),
}


@pytest.mark.parametrize("name, text, message", BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_bad_files_are_named(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=message):
        deepmd_folders.read_deepmd(folder, "a")


@pytest.mark.parametrize("name", ["type_map.raw", "set.000/box.npy", "set.000"])
def test_missing_files_are_named(folder, name):
    (folder / name).rename(folder / "away")
    with pytest.raises(UserError, match=name.split("/")[-1].replace("set.000", r"set\.\*")):
        deepmd_folders.read_deepmd(folder, "a")


def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    deepmd_folders.write_deepmd(labelled.system(), tmp_path / "a")

    def fail(*_args, **_kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(deepmd_folders.np, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        deepmd_folders.write_deepmd(labelled.system(seed=2), tmp_path / "a")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    read = deepmd_folders.read_deepmd(tmp_path / "a", "a")
    np.testing.assert_array_equal(read.coordinates, labelled.system().coordinates)
