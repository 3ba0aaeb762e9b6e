"""Isotopes: read from files, by symbol and by mass, chosen by a key, carried as exact masses."""

import subprocess
import sys

import mendeleev
import numpy as np
import pytest
from ase.data import atomic_masses

from crystals import CIF, cubic_lah10, plain
from lah10 import nuclides
from lah10.campaign.isotopes import of_campaign
from lah10.crystal import isotopes, structures
from lah10.dynamics.lammps_input import write_data
from lah10.errors import UserError
from lah10.io.child import PACKAGE_ROOT
from lah10.potential.data import labels

MASS = {"D": 2.014101777844, "T": 3.01604928132}


@pytest.mark.parametrize("element", nuclides.MASSES)
def test_masses_are_those_of_the_atomic_mass_evaluation(element):
    for name, mass in nuclides.MASSES[element].items():
        number = nuclides.choices(element)[len(nuclides.MASSES[element]) :]
        number = number[list(nuclides.MASSES[element]).index(name)]
        assert mass == pytest.approx(float(mendeleev.isotope(element, number).mass), rel=1e-12)


@pytest.mark.parametrize(("given", "name"), [("D", "D"), (2, "D"), ("T", "T"), (3, "T")])
def test_names_and_mass_numbers(given, name):
    assert nuclides.named("H", given) == name
    assert nuclides.named("La", 138) == nuclides.named("La", "La-138") == "La-138"
    for wrong in ("X", 4, 1.0, None):
        with pytest.raises(ValueError):
            nuclides.named("H", wrong)


def test_labels_get_the_isotopes_symbols_and_enthalpies_do_not():
    words = "T of H, V per LaH10 or LaH₁₀, $D_H$, g of La–H, ΔH, LaH$_{10}$"
    assert nuclides.renamed(words, {}) == words
    assert nuclides.renamed(words, {"H": "D"}) == (
        "T of D, V per LaD10 or LaD₁₀, $D_D$, g of La–D, ΔH, LaD$_{10}$"
    )
    assert nuclides.renamed("La–H in LaH10", {"La": "La-138"}) == "¹³⁸La–H in ¹³⁸LaH10"
    assert nuclides.formula({"H": "T"}) == "LaT10"
    assert nuclides.renamed("2 of 40 protons", {"H": "T"}) == "2 of 40 tritons"


def test_attributes_read_back():
    for found in ({}, {"H": "D"}, {"La": "La-138", "H": "T"}):
        assert nuclides.of_attributes({"isotopes": nuclides.text(found)}) == found
    assert nuclides.of_attributes({}) == {}  # older files


def deuterated(folder, name, symbol="D"):
    """A file of LaH10 in which H has another symbol, as other programs write it."""
    path = folder / name
    cubic_lah10().write(path)
    text = path.read_text()
    if path.suffix == ".cif":
        text = CIF.replace("H1 H ", f"H1 {symbol} ").replace("H2 H ", f"H2 {symbol} ")
    elif "xyz" in name:
        text = text.replace("\nH ", f"\n{symbol} ")
    else:
        text = text.replace(" H", f" {symbol}")
    path.write_text(text)
    return path


@pytest.mark.parametrize("symbol", ["D", "T"])
@pytest.mark.parametrize("name", ["x.cif", "x.xyz", "x.extxyz", "POSCAR", "CONTCAR_1", "x.vasp"])
def test_files_with_d_or_t_keep_their_mass(name, symbol, tmp_path):
    path = deuterated(tmp_path, name, symbol)
    crystal = structures.read_crystal(path)
    light = crystal.numbers == 1
    assert (crystal.get_masses()[light] == MASS[symbol]).all()
    assert (crystal.get_masses()[~light] == atomic_masses[57]).all()
    assert of_campaign(path, {}) == {"H": symbol}
    natural = cubic_lah10()
    assert len(crystal) == len(natural)
    distances = [np.sort(x.get_all_distances(mic=True), axis=None) for x in (crystal, natural)]
    if name != "x.cif":
        assert np.allclose(*distances, atol=1e-6)


CIFS = {
    "labels alone": plain(CIF).replace("H1", "D1").replace("H2", "D2"),
    "types of ions": CIF.replace("H1 H ", "H1 D1+ ").replace("H2 H ", "H2 'D+' "),
    "label D, type D": CIF.replace("H1 H ", "D1 D ").replace("H2 H ", "D2 D "),
}


@pytest.mark.parametrize("text", CIFS.values(), ids=CIFS)
def test_ways_in_which_a_cif_names_deuterium(text, tmp_path):
    (tmp_path / "x.cif").write_text(text)
    crystal = structures.read_crystal(tmp_path / "x.cif")
    assert isotopes.of_atoms(crystal, "") == {"H": "D"}
    assert structures.space_group(crystal) == "Fm-3m"


def test_what_else_is_called_d_or_t_is_none(tmp_path):
    """Flags of extended XYZ and of POSCAR, titles, and words in a CIF."""
    crystal = cubic_lah10()
    crystal.set_array("moved", np.ones(len(crystal), bool))  # T in every line
    crystal.write(tmp_path / "x.xyz")
    text = (tmp_path / "x.xyz").read_text()
    assert " T\n" in text
    assert isotopes.in_text(text, "extxyz") == (text, {"H"})
    poscar = "T D\n1.0\n5 0 0\n0 5 0\n0 0 5\nLa H\n1 1\nSelective dynamics\nDirect\n" + (
        "0 0 0 T T F\n.5 .5 .5 T T T\n"
    )
    assert isotopes.in_text(poscar, "vasp") == (poscar, {"H"})
    cif = CIF.replace("data_LaH10", "data_D\n_audit_author_name D\n_journal 'T D'\n")
    assert isotopes.in_text(cif, "cif") == (cif, {"H"})


def test_symbols_in_another_column_of_extended_xyz():
    text = "2\nProperties=pos:R:3:flag:L:1:species:S:1\n0 0 0 T La\n1 1 1 F D\n"
    plain_text, found = isotopes.in_text(text, "extxyz")
    assert found == {"D"} and plain_text == text.replace("F D", "F H")


def test_species_in_the_comment_of_an_old_poscar():
    text = "La D\n1.0\n5 0 0\n0 5 0\n0 0 5\n1 1\nDirect\n0 0 0\n.5 .5 .5\n"
    assert isotopes.in_text(text, "vasp") == (text.replace("La D", "La H"), {"D"})


@pytest.mark.parametrize("name", ["x.xyz", "x.traj"])
def test_isotopes_by_their_masses(name, tmp_path):
    crystal = cubic_lah10()
    crystal.set_masses([2.014 if symbol == "H" else 138.9 for symbol in crystal.symbols])
    crystal.write(tmp_path / name)
    read = structures.read_crystal(tmp_path / name)
    assert isotopes.of_atoms(read, "") == of_campaign(tmp_path / name, {}) == {"H": "D"}
    assert set(read.get_masses()) == {MASS["D"], atomic_masses[57]}


def test_masses_of_the_elements_are_no_isotopes(tmp_path):
    crystal = cubic_lah10()
    crystal.set_masses([1.0 if symbol == "H" else 139.0 for symbol in crystal.symbols])
    crystal.write(tmp_path / "x.xyz")
    read = structures.read_crystal(tmp_path / "x.xyz")
    assert not read.has("masses") and of_campaign(tmp_path / "x.xyz", {}) == {}


def _mixed(folder):
    (folder / "x.cif").write_text(CIF.replace("H2 H ", "H2 D "))
    structures.read_crystal(folder / "x.cif")


def _mixed_masses(folder):
    crystal = cubic_lah10()
    crystal.set_masses([2.014 if i == 20 else None for i in range(len(crystal))])
    crystal.write(folder / "x.xyz")
    structures.read_crystal(folder / "x.xyz")


def _unknown_mass(folder):
    crystal = cubic_lah10()
    crystal.set_masses([1.5 if symbol == "H" else None for symbol in crystal.symbols])
    crystal.write(folder / "x.xyz")
    structures.read_crystal(folder / "x.xyz")


def _contradiction(folder):
    path = deuterated(folder, "x.cif")
    structures.campaign_supercell(path, "primitive", (1, 1, 1), {"H": "T"})


def _early_contradiction(folder):
    of_campaign(deuterated(folder, "x.cif"), {"H": "T"})


def _other_format(folder):
    cubic_lah10().write(folder / "x.gen")
    text = (folder / "x.gen").read_text()
    (folder / "x.gen").write_text(text.replace("H", "D"))
    structures.read_crystal(folder / "x.gen")


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (_mixed, "x.cif: expected one kind of H, got D and H; mixtures .* write one of them"),
        (_mixed_masses, "x.xyz: expected one kind of H, got D and H"),
        (_unknown_mass, r"x.xyz: expected the mass of H, D, T, got H of mass 1.5; remove"),
        (_contradiction, r"structure.isotopes: expected H: D, as .*x.cif has, got T; remove"),
        (_early_contradiction, r"structure.isotopes: expected H: D, as .*x.cif has, got T"),
        (_other_format, r"x.gen: got the isotope D, which is read .* structure.isotopes: {H: D}"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_line(mistake, told, tmp_path):
    with pytest.raises(UserError, match=told) as error:
        mistake(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["x.cif", "x.xyz", "POSCAR"])
def test_structures_to_label_have_no_masses(name, tmp_path):
    with pytest.raises(UserError, match=rf"{name}.*: .*got the isotope D.* write H in its place"):
        labels.read_structures(deuterated(tmp_path, name))


@pytest.mark.parametrize("cell", ["primitive", "conventional"])
def test_supercells_carry_masses_through_their_files(cell, tmp_path):
    """By the key and by the file alike: the same bytes; LAMMPS and the bath have one mass."""
    (tmp_path / "h.cif").write_text(CIF)
    by_key = structures.campaign_supercell(tmp_path / "h.cif", cell, (1, 1, 2), {"H": "D"})
    path = deuterated(tmp_path, "d.cif")
    by_file = structures.campaign_supercell(path, cell, (1, 1, 2), {})
    both = structures.campaign_supercell(path, cell, (1, 1, 2), {"H": "D"})
    files = []
    for i, supercell in enumerate((by_key, by_file, both)):
        structures.write_supercell(tmp_path / f"{i}.xyz", supercell)
        write_data(supercell, tmp_path / f"{i}.data")
        files.append((tmp_path / f"{i}.xyz").read_text() + (tmp_path / f"{i}.data").read_text())
    assert files[0] == files[1] == files[2]
    read = structures.read_supercell(tmp_path / "0.xyz")
    assert (read.get_masses()[read.numbers == 1] == MASS["D"]).all()
    data = (tmp_path / "0.data").read_text()
    masses = data.split("Masses")[1].split("Atoms")[0].split("\n")
    assert [float(line.split()[1]) for line in masses if line] == pytest.approx(
        [atomic_masses[57], MASS["D"]], rel=1e-9
    )


def test_natural_supercells_have_the_files_that_they_had(tmp_path):
    (tmp_path / "h.cif").write_text(CIF)
    supercell = structures.campaign_supercell(tmp_path / "h.cif", "primitive", (1, 1, 1), {})
    structures.write_supercell(tmp_path / "s.xyz", supercell)
    assert "masses" not in (tmp_path / "s.xyz").read_text()
    old = structures.build_supercell(
        structures.read_crystal(tmp_path / "h.cif"), "primitive", (1, 1, 1)
    )
    structures.write_supercell(tmp_path / "old.xyz", old)
    assert (tmp_path / "s.xyz").read_bytes() == (tmp_path / "old.xyz").read_bytes()


def test_ordinary_campaigns_need_no_numpy_to_know_their_isotopes(tmp_path):
    deuterated(tmp_path, "x.cif")
    code = (
        "import sys; from lah10.campaign.isotopes import of_campaign; "
        f"assert of_campaign({str(tmp_path / 'x.cif')!r}, {{}}) == {{'H': 'D'}}; "
        "sys.exit('numpy' in sys.modules or 'ase' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(PACKAGE_ROOT)})
    assert done.returncode == 0
