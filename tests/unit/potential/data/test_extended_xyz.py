"""Extended XYZ: sorted, in units of this project, and cut short never in silence."""

import re

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

import labelled
from campaigns import REPOSITORY
from lah10.errors import UserError
from lah10.potential.data import dataset, deepmd_folders, extended_xyz, systems

HARTREE = 27.2114


def test_extended_xyz_is_sorted_and_its_stress_turned(tmp_path):
    system = labelled.system()
    (read,) = dataset.read(labelled.write_xyz(tmp_path / "a.xyz", system))
    np.testing.assert_array_equal(read.types, system.types)
    # Lanthanum comes first again; the hydrogen atoms keep the file's order.
    order = [0, *range(10, 0, -1)]
    np.testing.assert_allclose(read.coordinates, system.coordinates[:, order], atol=1e-7)
    np.testing.assert_allclose(read.forces, system.forces[:, order], atol=1e-7)
    np.testing.assert_allclose(read.virials, system.virials, rtol=1e-7)


def test_frames_of_two_compositions_are_two_systems(tmp_path):
    small = labelled.system()
    (tmp_path / "both.xyz").write_text(
        labelled.write_xyz(tmp_path / "a.xyz", small).read_text() + doubled_xyz(tmp_path, small)
    )
    systems = dataset.read(tmp_path / "both.xyz", "toy")
    assert [(s.name, s.n_atoms, len(s)) for s in systems] == [
        ("toy/La1H10", 11, 5),
        ("toy/La2H20", 22, 5),
    ]


def doubled_xyz(tmp_path, system):
    frames = []
    for atoms in ase.io.read(labelled.write_xyz(tmp_path / "b.xyz", system), index=":"):
        twice = atoms.repeat((2, 1, 1))
        twice.calc = SinglePointCalculator(
            twice,
            energy=2 * atoms.get_potential_energy(),
            forces=np.tile(atoms.get_forces(), (2, 1)),
            stress=atoms.get_stress(),
        )
        frames.append(twice)
    ase.io.write(tmp_path / "b.xyz", frames, format="extxyz")
    return (tmp_path / "b.xyz").read_text()


@pytest.mark.parametrize("lines", [1, 2, 7, 12])
def test_xyz_cut_short_is_named(tmp_path, lines):
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system())
    path.write_text("\n".join(path.read_text().splitlines()[:-lines]) + "\n")
    with pytest.raises(UserError, match=rf"a.xyz frame 4: cut short, {lines} lines are missing"):
        dataset.read(path)


@pytest.mark.parametrize("bytes_lost", [1, 2, 5, 30])
def test_xyz_cut_within_its_last_line_is_named(tmp_path, bytes_lost):
    """Also where all columns are there: the last number may have been longer."""
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system())
    path.write_bytes(path.read_bytes()[:-bytes_lost])
    with pytest.raises(UserError, match=r"a.xyz frame 4: cut short\? Its last line, .*newline"):
        dataset.read(path)


def test_xyz_with_a_malformed_line_is_named(tmp_path):
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system())
    path.write_text(path.read_text().rstrip()[:-30] + "\n")
    with pytest.raises(UserError, match=r"a.xyz frame 4: cannot be read"):
        dataset.read(path)


def test_every_xyz_of_the_project_ends_in_a_newline():
    files = sorted((REPOSITORY / "resources").rglob("*.xyz"))
    assert len(files) >= 4
    for file in files:
        assert extended_xyz.whole_frames(file), file


def test_a_frame_lost_in_the_middle_of_xyz_is_named(tmp_path):
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system())
    text = path.read_text().splitlines()
    path.write_text("\n".join(text[:20] + text[23:]))
    with pytest.raises(UserError, match="frame 2: line 27 must be the number of atoms"):
        dataset.read(path)


@pytest.mark.parametrize(
    ("count", "message"),
    [("0", "frame 0: no atoms"), ("-1", "line 1 must be the number"), ("-2", "line 1 must be the")],
)
def test_xyz_frames_without_atoms_are_named(tmp_path, count, message):
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([count, lines[1], *lines]) + "\n")
    with pytest.raises(UserError, match=f"a.xyz.*{message}"):
        dataset.read(path)


@pytest.mark.parametrize("label", ["energy", "forces", "stress"])
def test_xyz_without_a_label_is_named(tmp_path, label):
    labels = [key for key in ("energy", "forces", "stress") if key != label]
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system(), labels)
    with pytest.raises(UserError, match=r"a.xyz frame 0: unlabelled"):
        dataset.read(path)


def with_labels(path, system, function, **labels):
    """The file again, each frame with further labels and changed by `function`."""
    frames = ase.io.read(labelled.write_xyz(path, system), index=":")
    for i, atoms in enumerate(frames):
        results = atoms.calc.results | {key: value[i] for key, value in labels.items()}
        function(atoms)
        atoms.calc = SinglePointCalculator(atoms, **results)
    ase.io.write(path, frames, format="extxyz")
    return path


def test_the_free_energy_is_taken_where_it_is_given(tmp_path):
    """Forces and stress are its slopes; `energy` may be the one extrapolated to no smearing."""
    system = labelled.system()
    path = with_labels(
        tmp_path / "a.xyz", system, lambda atoms: None, free_energy=system.energies - 0.3
    )
    (read,) = dataset.read(path)
    np.testing.assert_allclose(read.energies, system.energies - 0.3)


def given_virial(factor):
    def changed(atoms):
        atoms.info["virial"] = -atoms.get_stress(voigt=False) * atoms.get_volume() * factor

    return changed


def test_a_virial_beside_the_stress_must_agree_with_it(tmp_path):
    system = labelled.system()
    (read,) = dataset.read(with_labels(tmp_path / "a.xyz", system, given_virial(1.0)))
    np.testing.assert_allclose(read.virials, system.virials, rtol=1e-6, atol=1e-9)
    for factor in (-1, 1 / HARTREE, 1.1):
        path = with_labels(tmp_path / "a.xyz", system, given_virial(factor))
        with pytest.raises(UserError, match=r"a.xyz frame 0: virial and stress contradict each"):
            dataset.read(path)


def test_left_handed_cells_are_made_right_handed(tmp_path):
    """In every reader, and wherever a set of frames is made; all else is Cartesian and stays."""
    system = labelled.system()
    turned = system.boxes[:, [1, 0, 2]]
    path = labelled.write_xyz(tmp_path / "a.xyz", _Left(system, turned))
    deepmd_folders.write_deepmd(system, tmp_path / "b")
    np.save(tmp_path / "b/set.000/box.npy", turned.reshape(-1, 9))
    order = [0, *range(10, 0, -1)]
    for read, mine in (
        (dataset.read(path)[0], order),
        (dataset.read(tmp_path / "b")[0], slice(None)),
        (systems.unlabelled_frames(extended_xyz.whole_frames(path)), slice(None, None, -1)),
    ):
        assert (np.linalg.det(read.boxes) > 0).all()
        change = read.boxes @ np.linalg.inv(system.boxes)
        np.testing.assert_allclose(change, change.round(), atol=1e-6)
        np.testing.assert_allclose(read.coordinates, system.coordinates[:, mine], atol=1e-7)
        if read.forces.any():
            np.testing.assert_allclose(read.forces, system.forces[:, mine], atol=1e-7)
            np.testing.assert_allclose(read.virials, system.virials, rtol=1e-6, atol=1e-9)


class _Left:
    """A system's data with a left-handed cell, which no `System` keeps."""

    def __init__(self, system, boxes):
        self._system, self.boxes = system, boxes

    def __getattr__(self, name):
        return getattr(self._system, name)

    def __len__(self):
        return len(self._system)


def test_isotopes_are_refused(tmp_path):
    path = labelled.write_xyz(tmp_path / "a.xyz", labelled.system())
    text = path.read_text()
    path.write_text(re.sub(r"^H ", "D ", text, flags=re.MULTILINE))
    with pytest.raises(UserError, match=r"a.xyz frame 0: .*got the isotope D"):
        dataset.read(path)
    frames = ase.io.read(labelled.write_xyz(path, labelled.system()), index=":")
    for atoms in frames:
        atoms.set_masses([2.014 if symbol == "H" else None for symbol in atoms.symbols])
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(UserError, match=r"a.xyz frame 0: .*got the isotope D"):
        dataset.read(path)
