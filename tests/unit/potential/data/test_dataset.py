"""Labelled structures: what is read, and that every bad frame is named."""

import re
import shutil
from pathlib import Path

import ase
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from ase.neighborlist import neighbor_list

import labelled
from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.potential.data import dataset

REPOSITORY = Path(__file__).resolve().parents[4]
HARTREE, BOHR = 27.2114, 0.529177


@pytest.fixture
def folder(tmp_path):
    """A good DeePMD folder of five frames in one set."""
    dataset.write_deepmd(labelled.system(), tmp_path / "good")
    return tmp_path / "good"


def change(folder, key, function):
    file = folder / "set.000" / f"{key}.npy"
    np.save(file, function(np.load(file)))


def one_frame(function, frame=3):
    def changed(array):
        array = array.copy()
        array[frame] = function(array[frame])
        return array

    return changed


def arrays(system):
    return {k: getattr(system, k) for k in ("types", "boxes", "coordinates", "energies", "forces")}


def test_a_folder_is_read_as_it_was_written(folder):
    read = dataset.read_deepmd(folder, "toy/a")
    for key, value in arrays(labelled.system()).items():
        np.testing.assert_array_equal(getattr(read, key), value)
    assert read.frames[3] == f"{folder}/set.000 frame 3"


def test_other_order_of_types_is_translated(folder):
    (folder / "type_map.raw").write_text("H\nLa\n")
    types = np.loadtxt(folder / "type.raw", dtype=int)
    np.savetxt(folder / "type.raw", 1 - types, fmt="%d")
    np.testing.assert_array_equal(dataset.read_deepmd(folder, "a").types, types)


def test_mixed_up_elements_are_told(folder):
    """La where H was: of the same numbers, so that nothing else is wrong."""
    types = np.loadtxt(folder / "type.raw", dtype=int)
    np.savetxt(folder / "type.raw", np.roll(types, 1), fmt="%d")
    with pytest.raises(UserError, match=r"frame 0: La and (La|H) [01]\.\d+ Å apart; .*mixed up"):
        dataset.check(dataset.read_deepmd(folder, "a"))


def test_pressure_is_a_third_of_the_trace_over_the_volume():
    system = labelled.system(volume=33.2)
    a, b = dataset.STATIC_PRESSURE
    np.testing.assert_allclose(system.pressures, np.exp(a + b * 33.2))


BAD_ARRAYS = {
    "NaN": ("force", one_frame(lambda f: f * np.nan), r"set.000 frame 3: forces with NaN"),
    "no energy at all": (
        "energy",
        lambda e: e * np.nan,
        r"set.000 frame 0: energies with NaN .*4 more frames",
    ),
    "infinite energy": (
        "energy",
        one_frame(lambda e: np.inf),
        r"frame 3: energies with NaN or inf",
    ),
    "empty": ("energy", lambda e: e[:0], r"energy.npy: empty"),
    "one file shorter": ("energy", lambda e: e[:-1], r"set.000: frames differ in number.*energy 4"),
    "a lost atom": (
        "coord",
        lambda c: c[:, :-3],
        r"coord.npy: shape \(5, 30\).*33 numbers a frame",
    ),
    "whole numbers": ("energy", lambda e: e.astype(int), r"energy.npy: int64 is not allowed"),
    "energy of one frame in hartree": (
        "energy",
        one_frame(lambda e: e / HARTREE),
        r"frame 3: energy -0.* eV an atom.*mixed units",
    ),
    "forces in hartree/bohr": (
        "force",
        lambda f: f / HARTREE * BOHR,
        r"set.000 frame 0: median rms force",
    ),
    "cell in bohr": ("box", lambda b: b / BOHR, r"frame 0: 20.* Å3 an atom.*bohr.*4 more frames"),
    "fractional coordinates": ("coord", lambda c: c * 0.2, r"frame 0: two atoms 0\.\d+ Å apart"),
    "an atom on another": (
        "coord",
        one_frame(lambda c: np.concatenate([c[:-3], c[-6:-3] + 0.1])),
        r"frame 3: two atoms 0\.17 Å apart",
    ),
    "forces of other atoms": (
        "force",
        one_frame(lambda f: f + 0.1),
        r"frame 3: forces add up to 1.1 eV/Å; at most 0.1",
    ),
    "one atom's force lost": (
        "force",
        one_frame(lambda f: np.concatenate([f[:6], 0 * f[6:9], f[9:]])),
        r"frame 3: forces add up to 0\.\d+ eV/Å; at most 0.1",
    ),
    "virial of the wrong sign": ("virial", lambda v: -v, r"frame 0: pressure -1\d\d.* GPa.*sign"),
    "one virial in kbar": ("virial", one_frame(lambda v: 10 * v), r"frame 3: pressure 1\d\d\d GPa"),
    "virial in hartree": ("virial", lambda v: v / HARTREE, r"frame 0: pressure 5\.\d+ GPa"),
}


@pytest.mark.parametrize("key, function, message", BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_arrays_are_named(folder, key, function, message):
    change(folder, key, function)
    with pytest.raises(UserError, match=message):
        dataset.read_deepmd(folder, "a")


def test_energies_may_be_left_out_where_that_is_asked_for(folder):
    (folder / "set.000/energy.npy").unlink()
    read = dataset.read_deepmd(folder, "a", energies=False)
    assert np.isnan(read.energies).all() and len(read) == 5
    with pytest.raises(UserError, match=r"energy\.npy: missing"):
        dataset.read_deepmd(folder, "a")


@pytest.mark.parametrize("kept", [0, 60, 300])
def test_a_file_cut_short_is_named(folder, kept):
    file = folder / "set.000/force.npy"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"force.npy: cannot be read, cut short\?"):
        dataset.read_deepmd(folder, "a")


BAD_FILES = {
    "unknown element": ("type_map.raw", "La D", r"type_map.raw: D; La, H"),
    "element twice": ("type_map.raw", "H H", r"type_map.raw: one stands there twice"),
    "type beyond the map": ("type_map.raw", "La", r"type.raw: atom 1 has type 1; 0 to 0"),
    "no numbers": ("type.raw", "La H H", r"type.raw: cannot be read"),
    "no atoms": ("type.raw", "", r"type.raw: empty"),
    "open boundaries": ("nopbc", "", r"nopbc: open boundaries"),
}


@pytest.mark.parametrize("name, text, message", BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_bad_files_are_named(folder, name, text, message):
    (folder / name).write_text(text)
    with pytest.raises(UserError, match=message):
        dataset.read_deepmd(folder, "a")


@pytest.mark.parametrize("name", ["type_map.raw", "set.000/box.npy", "set.000"])
def test_missing_files_are_named(folder, name):
    (folder / name).rename(folder / "away")
    with pytest.raises(UserError, match=name.split("/")[-1].replace("set.000", r"set\.\*")):
        dataset.read_deepmd(folder, "a")


def test_a_folder_without_its_types_is_named_among_whole_ones(folder):
    """A copy that stopped half-way must not pass for a smaller data set."""
    shutil.copytree(folder, folder.with_name("whole"))
    (folder / "type.raw").unlink()
    with pytest.raises(UserError, match=rf"{re.escape(str(folder))}/type.raw: cannot be read"):
        dataset.read(folder.parent)


def test_xyz_is_found_in_folders_below(tmp_path):
    (tmp_path / "data/run").mkdir(parents=True)
    write_xyz(tmp_path / "data/run/a.xyz", labelled.system())
    (read,) = dataset.read(tmp_path / "data")
    assert read.name == "data/run/a"


def write_xyz(path, system, labels=("energy", "forces", "stress")):
    frames = []
    for i in range(len(system)):
        # Hydrogen first, so that reading has to sort.
        symbols = [ELEMENTS[t] for t in system.types][::-1]
        atoms = ase.Atoms(symbols, system.coordinates[i][::-1], cell=system.boxes[i], pbc=True)
        results = {
            "energy": system.energies[i],
            "forces": system.forces[i][::-1],
            "stress": -system.virials[i] / atoms.get_volume(),
        }
        atoms.calc = SinglePointCalculator(atoms, **{key: results[key] for key in labels})
        frames.append(atoms)
    ase.io.write(path, frames, format="extxyz")
    return path


def test_extended_xyz_is_sorted_and_its_stress_turned(tmp_path):
    system = labelled.system()
    (read,) = dataset.read(write_xyz(tmp_path / "a.xyz", system))
    np.testing.assert_array_equal(read.types, system.types)
    # Lanthanum comes first again; the hydrogen atoms keep the file's order.
    order = [0, *range(10, 0, -1)]
    np.testing.assert_allclose(read.coordinates, system.coordinates[:, order], atol=1e-7)
    np.testing.assert_allclose(read.forces, system.forces[:, order], atol=1e-7)
    np.testing.assert_allclose(read.virials, system.virials, rtol=1e-7)


def test_frames_of_two_compositions_are_two_systems(tmp_path):
    small = labelled.system()
    (tmp_path / "both.xyz").write_text(
        write_xyz(tmp_path / "a.xyz", small).read_text() + doubled_xyz(tmp_path, small)
    )
    systems = dataset.read(tmp_path / "both.xyz", "toy")
    assert [(s.name, s.n_atoms, len(s)) for s in systems] == [
        ("toy/La1H10", 11, 5),
        ("toy/La2H20", 22, 5),
    ]


def doubled_xyz(tmp_path, system):
    frames = []
    for atoms in ase.io.read(write_xyz(tmp_path / "b.xyz", system), index=":"):
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
    path = write_xyz(tmp_path / "a.xyz", labelled.system())
    path.write_text("\n".join(path.read_text().splitlines()[:-lines]) + "\n")
    with pytest.raises(UserError, match=rf"a.xyz frame 4: cut short, {lines} lines are missing"):
        dataset.read(path)


@pytest.mark.parametrize("bytes_lost", [1, 2, 5, 30])
def test_xyz_cut_within_its_last_line_is_named(tmp_path, bytes_lost):
    """Also where all columns are there: the last number may have been longer."""
    path = write_xyz(tmp_path / "a.xyz", labelled.system())
    path.write_bytes(path.read_bytes()[:-bytes_lost])
    with pytest.raises(UserError, match=r"a.xyz frame 4: cut short\? Its last line, .*newline"):
        dataset.read(path)


def test_xyz_with_a_malformed_line_is_named(tmp_path):
    path = write_xyz(tmp_path / "a.xyz", labelled.system())
    path.write_text(path.read_text().rstrip()[:-30] + "\n")
    with pytest.raises(UserError, match=r"a.xyz frame 4: cannot be read"):
        dataset.read(path)


def test_every_xyz_of_the_project_ends_in_a_newline():
    files = sorted((REPOSITORY / "resources").rglob("*.xyz"))
    assert len(files) >= 4
    for file in files:
        assert dataset.whole_frames(file), file


def test_a_frame_lost_in_the_middle_of_xyz_is_named(tmp_path):
    path = write_xyz(tmp_path / "a.xyz", labelled.system())
    text = path.read_text().splitlines()
    path.write_text("\n".join(text[:20] + text[23:]))
    with pytest.raises(UserError, match="frame 2: line 27 must be the number of atoms"):
        dataset.read(path)


@pytest.mark.parametrize(
    ("count", "message"),
    [("0", "frame 0: no atoms"), ("-1", "line 1 must be the number"), ("-2", "line 1 must be the")],
)
def test_xyz_frames_without_atoms_are_named(tmp_path, count, message):
    path = write_xyz(tmp_path / "a.xyz", labelled.system())
    lines = path.read_text().splitlines()
    path.write_text("\n".join([count, lines[1], *lines]) + "\n")
    with pytest.raises(UserError, match=f"a.xyz.*{message}"):
        dataset.read(path)


@pytest.mark.parametrize("label", ["energy", "forces", "stress"])
def test_xyz_without_a_label_is_named(tmp_path, label):
    labels = [key for key in ("energy", "forces", "stress") if key != label]
    path = write_xyz(tmp_path / "a.xyz", labelled.system(), labels)
    with pytest.raises(UserError, match=r"a.xyz frame 0: unlabelled"):
        dataset.read(path)


def with_labels(path, system, function, **labels):
    """The file again, each frame with further labels and changed by `function`."""
    frames = ase.io.read(write_xyz(path, system), index=":")
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
    path = write_xyz(tmp_path / "a.xyz", _Left(system, turned))
    dataset.write_deepmd(system, tmp_path / "b")
    np.save(tmp_path / "b/set.000/box.npy", turned.reshape(-1, 9))
    order = [0, *range(10, 0, -1)]
    for read, mine in (
        (dataset.read(path)[0], order),
        (dataset.read(tmp_path / "b")[0], slice(None)),
        (dataset.unlabelled_frames(dataset.whole_frames(path)), slice(None, None, -1)),
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
    path = write_xyz(tmp_path / "a.xyz", labelled.system())
    text = path.read_text()
    path.write_text(re.sub(r"^H ", "D ", text, flags=re.MULTILINE))
    with pytest.raises(UserError, match=r"a.xyz frame 0: .*got the isotope D"):
        dataset.read(path)
    frames = ase.io.read(write_xyz(path, labelled.system()), index=":")
    for atoms in frames:
        atoms.set_masses([2.014 if symbol == "H" else None for symbol in atoms.symbols])
    ase.io.write(path, frames, format="extxyz")
    with pytest.raises(UserError, match=r"a.xyz frame 0: .*got the isotope H of mass 2.014"):
        dataset.read(path)


def test_nothing_there(tmp_path):
    with pytest.raises(UserError, match="no such file or folder"):
        dataset.read(tmp_path / "missing")
    with pytest.raises(UserError, match="no frames there"):
        dataset.read(tmp_path)
    (tmp_path / "a.xyz").touch()
    with pytest.raises(UserError, match=r"a.xyz: empty"):
        dataset.read(tmp_path / "a.xyz")


def test_the_projects_own_frames_pass_every_check():
    systems = dataset.read(REPOSITORY / "resources/dataset/lah10-gpaw-pbe")
    assert sum(len(s) for s in systems) == 246
    assert min(s.pressures.min() for s in systems) == pytest.approx(50.5, abs=0.1)


def test_distances_and_neighbours_agree_with_ase():
    # ASE's neighbour lists are the independent count; a small skew cell makes images matter.
    system = labelled.system(frames=2)
    cutoff = 4.0
    shortest, most = np.inf, np.zeros(2, int)
    for i in range(len(system)):
        atoms = ase.Atoms(
            [ELEMENTS[t] for t in system.types],
            system.coordinates[i],
            cell=system.boxes[i],
            pbc=True,
        )
        centre, other, distance = neighbor_list("ijd", atoms, cutoff)
        shortest = min(shortest, distance.min())
        for element in range(2):
            of_kind = centre[system.types[other] == element]
            most[element] = max(most[element], np.bincount(of_kind).max())
    assert dataset.shortest_distances(system, 2.0).min() == pytest.approx(shortest)
    np.testing.assert_array_equal(dataset.most_neighbours(system, cutoff), most)


def test_a_folder_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    dataset.write_deepmd(labelled.system(), tmp_path / "a")

    def fail(*_args, **_kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(dataset.np, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        dataset.write_deepmd(labelled.system(seed=2), tmp_path / "a")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    read = dataset.read_deepmd(tmp_path / "a", "a")
    np.testing.assert_array_equal(read.coordinates, labelled.system().coordinates)
