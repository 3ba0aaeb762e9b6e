"""Crystals: composition, symmetry, distances, orientation, messages."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from crystals import cubic_lah10
from lah10.crystal import structures
from lah10.errors import UserError

RESOURCES = Path(__file__).parents[3] / "resources" / "structures"


@pytest.mark.parametrize(
    ("name", "group", "volume"),
    [("Fm-3m", "Fm-3m", 33.20), ("R-3m", "R-3m", 32.62), ("C2c", "C2/c", 33.24)],
)
def test_shipped_crystals_have_their_symmetry(name, group, volume):
    atoms = structures.read_crystal(RESOURCES / f"{name}.cif")
    assert structures.space_group(atoms) == group
    assert atoms.get_volume() / (len(atoms) / 11) == pytest.approx(volume, abs=0.01)


def test_shipped_cubic_crystal_has_the_papers_distances():
    """Table I of the paper at its lattice constant; x = 0.1205 is good to 1e-4 of a."""
    atoms = structures.read_crystal(RESOURCES / "Fm-3m.cif")
    atoms.set_cell(3 * [4.749], scale_atoms=True)
    la = atoms.numbers == 57
    distances = atoms.get_all_distances(mic=True)
    la_h = np.unique(distances[np.ix_(la, ~la)].round(4))
    h_h = np.unique(distances[np.ix_(~la, ~la)].round(4))
    assert la_h[:2] == pytest.approx([1.9755, 2.0564], abs=5e-4)
    assert h_h[h_h > 0][:2] == pytest.approx([1.0645, 1.1454], abs=1.5e-3)
    assert distances[np.ix_(la, la)][0, 1] == pytest.approx(3.3581, abs=1e-4)


@pytest.mark.parametrize("cell", ["primitive", "conventional"])
@pytest.mark.parametrize("source", ["conventional", "primitive", "La at origin"])
def test_supercell_from_any_description(cell, source):
    crystal = cubic_lah10()
    if source == "primitive":
        crystal = structures._standard_cell(crystal, "primitive")
    elif source == "La at origin":
        crystal.translate(-0.5 * crystal.cell.array.sum(axis=0))
    supercell = structures.build_supercell(crystal, cell, (2, 1, 3))
    formula_units = 6 * (1 if cell == "primitive" else 4)
    sites, counts = np.unique(supercell.arrays["site"], return_counts=True)
    assert dict(zip(sites, counts, strict=True)) == {
        "4b": formula_units,
        "8c": 2 * formula_units,
        "32f": 8 * formula_units,
    }
    assert supercell.get_volume() == pytest.approx(formula_units * 5.1**3 / 4)
    matrix = supercell.cell.array
    assert np.allclose(matrix[[0, 0, 1], [1, 2, 2]], 0) and np.linalg.det(matrix) > 0
    # The quadrilateral is nearer to La than the rest of the cage: labels are not interchanged.
    distances = supercell.get_all_distances(mic=True)
    la, inner = supercell.arrays["site"] == "4b", supercell.arrays["site"] == "32f"
    nearest = distances[np.ix_(la, inner)].min(axis=1)
    assert nearest == pytest.approx(np.full(formula_units, 5.1 * 0.41599), abs=1e-3)


def test_supercell_survives_the_file(tmp_path):
    supercell = structures.build_supercell(cubic_lah10(), "primitive", (2, 2, 2))
    structures.write_supercell(tmp_path / "supercell.xyz", supercell)
    read = structures.read_supercell(tmp_path / "supercell.xyz")
    assert (read.arrays["site"] == supercell.arrays["site"]).all()
    assert (read.numbers == supercell.numbers).all()
    assert np.allclose(read.positions, supercell.positions, atol=1e-7)
    assert np.allclose(read.cell.array, supercell.cell.array, atol=1e-7)


def test_thickness_of_a_primitive_cell():
    """An fcc primitive cell is thinner than its edge: a/√3 against a/√2."""
    primitive = structures.build_supercell(cubic_lah10(), "primitive", (1, 1, 2))
    assert structures.thicknesses(primitive.cell.array) == pytest.approx(
        np.array([1, 1, 2]) * 5.1 / np.sqrt(3)
    )


def _no_crystal(tmp_path):
    return structures.read_crystal(tmp_path / "none.cif")


def _garbage(tmp_path):
    (tmp_path / "x.cif").write_text("not a CIF")
    return structures.read_crystal(tmp_path / "x.cif")


def _wrong_composition(tmp_path):
    positions = np.random.default_rng(1).random((10, 3)) * 9
    Atoms("LaH9", positions=positions, cell=[9, 9, 9], pbc=True).write(tmp_path / "x.cif")
    return structures.read_crystal(tmp_path / "x.cif")


def _wrong_group(_):
    crystal = structures.read_crystal(RESOURCES / "R-3m.cif")
    return structures.build_supercell(crystal, "primitive", (1, 1, 1))


def _wrong_repeat(_):
    return structures.build_supercell(cubic_lah10(), "primitive", (1, 0, 1))


def _wrong_cell(_):
    return structures.build_supercell(cubic_lah10(), "unit", (1, 1, 1))


@pytest.mark.parametrize(
    ("mistake", "says"),
    [
        (_no_crystal, "no such structure file"),
        (_garbage, "cannot read"),
        (_wrong_composition, "LaH9|H9La"),
        (_wrong_group, "R-3m"),
        (_wrong_repeat, r"expected three whole numbers >= 1, got \[1, 0, 1\]"),
        (_wrong_cell, "expected primitive or conventional, got 'unit'"),
    ],
)
def test_mistakes_are_explained_in_one_line(mistake, says, tmp_path):
    with pytest.raises(UserError, match=says) as error:
        mistake(tmp_path)
    assert "\n" not in str(error.value)
