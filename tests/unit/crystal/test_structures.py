"""Crystals: composition, symmetry, distances, orientation, messages."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from crystals import CIF, cubic_lah10, plain
from lah10.crystal import structures
from lah10.errors import UserError
from lah10.potential.data import labels

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


def left_handed(atoms):
    """The same crystal by exchanged vectors, its Cartesian positions kept."""
    other = atoms.copy()
    other.cell = atoms.cell.array[[1, 0, 2]]
    assert np.linalg.det(other.cell.array) < 0
    return other


@pytest.mark.parametrize("name", ["x.cif", "x.xyz", "POSCAR", "x.traj"])
def test_left_handed_cells_are_made_right_handed(name, tmp_path):
    """The lattice and Cartesian positions stay; a CIF, without an orientation, is right-handed."""
    crystal = structures.read_crystal(RESOURCES / "C2c.cif")
    crystal.rattle(0.1, seed=1)
    left_handed(crystal).write(tmp_path / name)
    read = structures.read_crystal(tmp_path / name)
    assert np.linalg.det(read.cell.array) > 0
    if name != "x.cif":
        assert np.allclose(read.positions, crystal.positions, atol=1e-6)
        change = read.cell.array @ np.linalg.inv(crystal.cell.array)
        assert np.allclose(change, change.round(), atol=1e-6)
    same = distances_of(read), distances_of(crystal)
    assert np.allclose(*same, atol=1e-5)


def distances_of(crystal):
    """Sorted distances between all atoms, which know no orientation and no order."""
    return np.sort(crystal.get_all_distances(mic=True), axis=None)


def test_a_left_handed_crystal_makes_the_same_supercell():
    for cell in ("primitive", "conventional"):
        usual = structures.build_supercell(cubic_lah10(), cell, (1, 2, 1))
        other = structures.build_supercell(left_handed(cubic_lah10()), cell, (1, 2, 1))
        assert np.allclose(other.cell.array, usual.cell.array)
        assert np.allclose(distances_of(other), distances_of(usual), atol=1e-6)


def test_a_left_handed_supercell_is_read_right_handed(tmp_path):
    supercell = structures.build_supercell(cubic_lah10(), "primitive", (1, 1, 1))
    structures.write_supercell(tmp_path / "supercell.xyz", left_handed(supercell))
    read = structures.read_supercell(tmp_path / "supercell.xyz")
    assert np.linalg.det(read.cell.array) > 0
    assert np.allclose(read.positions, supercell.positions, atol=1e-7)


def test_labels_survive_a_change_of_hands():
    crystal = left_handed(cubic_lah10())
    forces = np.random.default_rng(0).normal(size=(len(crystal), 3))
    crystal.calc = SinglePointCalculator(crystal, energy=-3.0, free_energy=-3.1, forces=forces)
    turned = structures.make_right_handed(crystal)
    assert (turned.get_forces() == forces).all() and turned.get_potential_energy() == -3.0
    assert turned.get_potential_energy(force_consistent=True) == -3.1
    assert structures.make_right_handed(turned) is turned


SHARED = "H3 D 0.5 0.12 0.12 0.12\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        plain,
        lambda text: text.replace(" 1.0 ", " . "),
        lambda text: text.replace(" 1.0 ", " 0.9999 "),
    ],
)
def test_a_full_cif_is_read(change, tmp_path):
    (tmp_path / "x.cif").write_text(change(CIF))
    atoms = structures.read_crystal(tmp_path / "x.cif")
    assert len(atoms) == 44 and structures.space_group(atoms) == "Fm-3m"


BAD_CIFS = {
    "partial": (
        lambda text: text.replace("H2 H 1.0", "H2 H 0.8"),
        r"x.cif.*: expected sites that one atom .*, got H \(0.8\) on site 3",
    ),
    "partial La": (
        lambda text: text.replace("La 1.0", "La 0.95(2)"),
        r"x.cif.*, got La \(0.95\) on site 1",
    ),
    "shared": (
        lambda text: text.replace("H2 H 1.0", "H2 H 0.5") + SHARED.replace("D", "La"),
        r"x.cif.*, got H \(0.5\) and La \(0.5\) on site 3",
    ),
    "unknown": (
        lambda text: text.replace("H2 H 1.0", "H2 H ?"),
        r"x.cif.*, got H \(\?\) on site 3",
    ),
}


@pytest.mark.parametrize("change, told", BAD_CIFS.values(), ids=BAD_CIFS)
def test_partial_sites_of_a_cif_are_refused(change, told, tmp_path):
    (tmp_path / "x.cif").write_text(change(CIF))
    for read in (structures.read_crystal, labels.read_structures):
        with pytest.raises(UserError, match=told) as error:
            read(tmp_path / "x.cif")
        assert "\n" not in str(error.value)


def test_occupancies_in_extended_xyz_are_refused(tmp_path):
    crystal = cubic_lah10()
    crystal.info["occupancy"] = {"0": {"La": 0.5, "H": 0.5}}
    crystal.write(tmp_path / "x.xyz")
    with pytest.raises(UserError, match=r"x.xyz: .*, got La \(0.5\) and H \(0.5\) on site 1"):
        structures.read_crystal(tmp_path / "x.xyz")


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


def test_frames_are_written_whole_and_none_makes_an_empty_file(tmp_path):
    frames = [cubic_lah10(), cubic_lah10().repeat((1, 1, 2))]
    structures.write_frames(tmp_path / "x.xyz", frames)
    assert [len(atoms) for atoms in structures.read_frames(tmp_path / "x.xyz")] == [44, 88]
    structures.write_frames(tmp_path / "none.xyz", [])
    assert (tmp_path / "none.xyz").read_bytes() == b""
