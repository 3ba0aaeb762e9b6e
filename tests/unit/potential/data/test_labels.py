"""Labels: restart, failures, gathering; GPAW is not run."""

from dataclasses import replace

import ase
import ase.io
import dpdata
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

import labelled
from lah10 import ELEMENTS
from lah10.config import training as settings
from lah10.errors import UserError
from lah10.potential.data import dataset, labels
from lah10.potential.data.structures import read_structures
from unlabelled import GPAW, MadeUp, fails, without_labels


def test_a_label_survives_its_file(tmp_path, structures, system):
    structure = next(iter(structures.values()))
    path = tmp_path / "labels/a.xyz"
    labels.label(structure, GPAW, path, calculate=MadeUp(system))
    read = labels.read(path)
    assert read.reason is None and read.settings == GPAW
    assert read.origin == structure.origin
    assert read.versions["ase"] == ase.__version__
    assert read.atoms.get_potential_energy() == system.energies[0]
    np.testing.assert_allclose(read.atoms.get_forces(), system.forces[0], atol=1e-8)
    # It is extended XYZ as that of the data set.
    (again,) = dataset.read(path, "a")
    np.testing.assert_allclose(again.pressures, system.pressures[:1])
    assert [file.name for file in path.parent.iterdir()] == ["a.xyz"]


def test_what_is_labelled_is_not_labelled_again(tmp_path, structures, system):
    structure = next(iter(structures.values()))
    made_up, path = MadeUp(system), tmp_path / "a.xyz"
    for _ in range(2):
        labels.label(structure, GPAW, path, calculate=made_up)
    assert made_up.asked == [0]


def test_changed_settings_are_noticed(tmp_path, structures, system, caplog):
    caplog.set_level("INFO")
    structure = next(iter(structures.values()))
    made_up, path = MadeUp(system), tmp_path / "a.xyz"
    labels.label(structure, GPAW, path, calculate=made_up)
    finer = settings.Gpaw.model_validate({"cutoff": "800 eV"})
    with pytest.raises(UserError, match=r"a.xyz: labelled with cutoff 600 eV \(now 800 eV\); rem"):
        labels.gather([path], finer, tmp_path / "systems")
    labels.label(structure, finer, path, calculate=made_up)
    assert made_up.asked == [0, 0]
    assert labels.read(path).settings == finer
    assert "labelled with cutoff 600 eV (now 800 eV); again" in caplog.text


def test_a_failure_is_recorded_and_not_tried_again(tmp_path, structures, system):
    structure = next(iter(structures.values()))
    path = tmp_path / "a.xyz"
    label = labels.label(structure, GPAW, path, calculate=fails)
    assert label.reason == "not converged within 333 iterations (SomeError)"
    assert ase.io.read(path).calc is None
    made_up = MadeUp(system)
    assert labels.label(structure, GPAW, path, calculate=made_up).reason == label.reason
    assert made_up.asked == []
    # Other settings may do better.
    patient = settings.Gpaw.model_validate({"iterations": 1000})
    assert labels.label(structure, patient, path, calculate=made_up).reason is None


@pytest.mark.parametrize("what", ["NaN", "sign of the stress"])
def test_a_result_that_cannot_be_is_a_failure(tmp_path, structures, system, what):
    changes = {
        "NaN": {"forces": system.forces * np.nan},
        "sign of the stress": {"virials": -system.virials},
    }
    wrong = MadeUp(replace(system, **changes[what]))
    structure = next(iter(structures.values()))
    label = labels.label(structure, GPAW, tmp_path / "a.xyz", calculate=wrong)
    assert {"NaN": "forces with NaN", "sign of the stress": "got -1"}[what] in label.reason


def test_an_interrupted_calculation_leaves_nothing(tmp_path, structures):
    def interrupted(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        labels.label(next(iter(structures.values())), GPAW, tmp_path / "l/a", calculate=interrupted)
    assert not (tmp_path / "l").exists()


def test_files_that_are_no_labels_are_named(tmp_path, structures, system):
    first, second, _ = structures.values()
    path = tmp_path / "a.xyz"
    labels.label(first, GPAW, path, calculate=MadeUp(system))
    with pytest.raises(UserError, match=r"a.xyz: the label of another structure"):
        labels.label(second, GPAW, path, calculate=MadeUp(system))
    text = path.read_text()
    path.write_text(text.replace("status=labelled", "status=doubtful"))
    with pytest.raises(UserError, match=r"a.xyz: not a label of this version"):
        labels.read(path)
    path.write_text(text.replace("600 eV", "600 Ry"))
    with pytest.raises(UserError, match=r"a.xyz: not a label of this version"):
        labels.read(path)
    path.write_text(text[:300])
    with pytest.raises(UserError, match=r"a.xyz frame 0: cut short"):
        labels.read(path)


def label_all(tmp_path, structures, calculate):
    files = []
    for name, structure in structures.items():
        files.append(tmp_path / f"labels/{name}.xyz")
        labels.label(structure, GPAW, files[-1], calculate=calculate)
    return files


def test_labels_become_deepmd_systems(tmp_path, structures, system):
    # A second composition.
    double = without_labels(system).repeat((2, 1, 1))
    ase.io.write(tmp_path / "double.xyz", double)
    (large,) = read_structures(tmp_path / "double.xyz").values()
    files = label_all(tmp_path, structures, MadeUp(system))
    twice = (
        2 * system.energies[0],
        # Sorted: both lanthanum atoms come first.
        np.concatenate(
            [np.tile(system.forces[0][:1], (2, 1)), np.tile(system.forces[0][1:], (2, 1))]
        ),
        -system.virials[0] / system.volumes[0],
    )
    files.append(tmp_path / "labels/large.xyz")
    labels.label(large, GPAW, files[-1], calculate=lambda *_: twice)

    counts = labels.gather(files, GPAW, tmp_path / "labelled/gpaw")
    assert counts == {"gpaw/La1H10": 3, "gpaw/La2H20": 1}
    small, _ = dataset.read(tmp_path / "labelled/gpaw", "gpaw")
    np.testing.assert_array_equal(small.types, system.types)
    for key in ("boxes", "coordinates", "energies", "forces", "virials"):
        np.testing.assert_allclose(getattr(small, key), getattr(system, key), atol=1e-6)
    frames = (tmp_path / "labelled/gpaw/La1H10/frames.txt").read_text().splitlines()
    assert frames[1] == f"{files[1]} ({tmp_path}/new.xyz frame 1)"
    assert not (tmp_path / "labelled/gpaw/left_out.txt").exists()

    # As dpdata and so deepmd-kit read them.
    read = dpdata.LabeledSystem(str(tmp_path / "labelled/gpaw/La1H10"), fmt="deepmd/npy")
    assert read["atom_names"] == list(ELEMENTS) and read["atom_numbs"] == [1, 10]
    np.testing.assert_allclose(read["virials"], system.virials, atol=1e-6)
    np.testing.assert_allclose(read["forces"], system.forces, atol=1e-6)


def test_failures_are_left_out_and_listed(tmp_path, structures, system):
    first = next(iter(structures.values()))
    path = tmp_path / f"labels/{first.name}.xyz"
    labels.label(first, GPAW, path, calculate=fails)
    files = label_all(tmp_path, structures, MadeUp(system))
    assert labels.gather(files, GPAW, tmp_path / "gpaw") == {"gpaw/La1H10": 2}
    line = (tmp_path / "gpaw/left_out.txt").read_text()
    assert line == f"{path} ({first.origin}): not converged within 333 iterations (SomeError)\n"
    with pytest.raises(UserError, match=r"all 1 calculations failed.*; the first: .*SomeError"):
        labels.gather([path], GPAW, tmp_path / "gpaw")
    with pytest.raises(UserError, match="no labels to gather"):
        labels.gather([], GPAW, tmp_path / "gpaw")
    # What was gathered before is whole.
    assert len(dataset.read(tmp_path / "gpaw", "gpaw")[0]) == 2


def test_labels_join_a_data_set_once(tmp_path, structures, system):
    """With what their file says of them; what is there stays, what failed is left out."""
    frames = [without_labels(system, i) for i in range(3)]
    for i, frame in enumerate(frames):
        frame.info["T_target"] = 100.0 * i
    ase.io.write(tmp_path / "new.xyz", frames)
    made = MadeUp(system)
    for name, structure in structures.items():
        how = fails if name == list(structures)[1] else made
        labels.label(structure, settings.Gpaw(), tmp_path / f"{name}.xyz", calculate=how)
    ase.io.write(tmp_path / "one.xyz", frames[:1])
    path = tmp_path / "set.xyz"
    assert labels.collect(tmp_path / "one.xyz", tmp_path, path, {"round": "round1"}) == 1
    assert labels.collect(tmp_path / "new.xyz", tmp_path, path, {"round": "round2"}) == 1
    written = path.stat().st_mtime_ns
    assert labels.collect(tmp_path / "new.xyz", tmp_path, path) == 0
    assert path.stat().st_mtime_ns == written
    ase.io.write(tmp_path / "failed.xyz", frames[1])
    assert labels.collect(tmp_path / "failed.xyz", tmp_path, tmp_path / "none.xyz") == 0
    assert not (tmp_path / "none.xyz").exists()
    found = ase.io.read(path, index=":")
    assert [(f.info["T_target"], f.info["round"]) for f in found] == [
        (0, "round1"),
        (200, "round2"),
    ]
    assert all(set(f.info) == {"T_target", "round"} for f in found)
    (read,) = dataset.read(path)
    assert np.allclose(read.energies, system.energies[[0, 2]])
    assert np.allclose(read.forces, system.forces[[0, 2]])
    assert np.allclose(read.virials, system.virials[[0, 2]])

    # A label that is missing is told, and nothing of the set changes.
    before = path.read_bytes()
    ase.io.write(tmp_path / "more.xyz", without_labels(labelled.system(seed=8)))
    with pytest.raises(UserError, match="cannot be read"):
        labels.collect(tmp_path / "more.xyz", tmp_path, path)
    assert path.read_bytes() == before


def test_a_label_that_lost_its_numbers_is_named(tmp_path, structures, system):
    files = label_all(tmp_path, structures, MadeUp(system))
    atoms = ase.io.read(files[1])
    atoms.calc = None
    ase.io.write(files[1], atoms, format="extxyz")
    with pytest.raises(UserError, match=rf"{files[1].name}: no numbers there"):
        labels.gather(files, GPAW, tmp_path / "gpaw")
    atoms.calc = SinglePointCalculator(atoms, energy=1.0, forces=system.forces[1])
    ase.io.write(files[1], atoms, format="extxyz")
    with pytest.raises(UserError, match=rf"{files[1].name} \(.*frame 1\): no stress"):
        labels.gather(files, GPAW, tmp_path / "gpaw")
