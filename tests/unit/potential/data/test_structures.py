"""Structures to label are known by their content, and bad ones are named."""


import ase
import ase.io
import numpy as np
import pytest

import labelled
from lah10.errors import UserError
from lah10.potential.data.structures import read_structures
from unlabelled import OWN_FRAMES, without_labels


def test_structures_are_known_by_their_content(tmp_path, structures, system):
    assert len(structures) == 3
    name, first = next(iter(structures.items()))
    assert name.startswith("La1H10-") and first.origin == f"{tmp_path}/new.xyz frame 0"

    # Other files, orders of frames and of atoms: the same three, and other formats.
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    ase.io.write(folder / "a.xyz", [without_labels(system, 2), without_labels(system, 0)])
    ase.io.write(folder / "sub/b.xyz", without_labels(system, 1)[::-1])
    found = read_structures(folder)
    same = {key for key in structures if key in found}
    assert len(found) == 3 and len(same) == 2  # backwards, hydrogen atoms are others
    ase.io.write(folder / "sub/POSCAR.1", without_labels(labelled.system(seed=8)), format="vasp")
    ase.io.write(folder / "sub/c.cif", without_labels(labelled.system(seed=9)))
    (folder / "README.md").write_text("not a structure\n")
    assert len(read_structures(folder)) == 5
    # La is first also where it was last in the file.
    assert {str(s.atoms.symbols) for s in read_structures(folder).values()} == {"LaH10"}


def test_the_projects_own_structures_can_be_labelled():
    found = read_structures(OWN_FRAMES.parent)
    assert len(found) == 246
    assert {len(s.atoms) for s in found.values()} == {11, 22, 44}


BAD_STRUCTURES = {
    "element": ({"symbols": "YH10"}, r"frame 1: expected elements La, H, got Y"),
    "open": ({"pbc": False}, r"frame 1: not periodic in all directions"),
    "slab": ({"pbc": [True, True, False]}, r"frame 1: not periodic in all directions"),
    "flat": ({"cell": [3, 3, 0]}, r"frame 1: (not periodic|cannot be read)"),
    "bohr": ({"cell": np.eye(3) * 7}, r"frame 1: expected .* Å3 an atom, got 31.2"),
    "close": ({"positions": np.zeros((11, 3))}, r"frame 1: expected .* got two 0.00 Å apart"),
    "NaN": ({"positions": np.full((11, 3), np.nan)}, r"frame 1: coordinates with NaN"),
}


@pytest.mark.parametrize("changes, message", BAD_STRUCTURES.values(), ids=BAD_STRUCTURES)
def test_bad_structures_are_named(tmp_path, system, changes, message):
    bad = without_labels(system, 1)
    symbols = changes.get("symbols", bad.get_chemical_symbols())
    kept = {"cell": bad.cell, "positions": bad.positions, "pbc": True}
    kept |= {key: value for key, value in changes.items() if key != "symbols"}
    ase.io.write(tmp_path / "a.xyz", [without_labels(system), ase.Atoms(symbols, **kept)])
    with pytest.raises(UserError, match=r"a.xyz " + message):
        read_structures(tmp_path / "a.xyz")


def test_files_without_structures_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such file or folder"):
        read_structures(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"expected files named \*.xyz.*got no structures there"):
        read_structures(tmp_path)
    (tmp_path / "a.cif").write_text("no CIF\n")
    with pytest.raises(UserError, match=r"a.cif: (ASE cannot read|empty)"):
        read_structures(tmp_path)
    (tmp_path / "a.cif").rename(tmp_path / "a.xyz")
    with pytest.raises(UserError, match=r"a.xyz frame 0: line 1 must be the number of atoms"):
        read_structures(tmp_path)
