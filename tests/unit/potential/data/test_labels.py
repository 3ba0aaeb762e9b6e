"""Labels by GPAW: structures, restart, failures, gathering; only the last two tests run GPAW."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

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
from lah10.units import EV_PER_A3_IN_GPA

REPOSITORY = Path(__file__).resolve().parents[4]
OWN_FRAMES = REPOSITORY / "resources/dataset/lah10-gpaw-pbe/snapshots.xyz"
GPAW = settings.Gpaw()


def without_labels(system, frame=0, **changes):
    arguments = {"cell": system.boxes[frame], "positions": system.coordinates[frame], "pbc": True}
    return ase.Atoms([ELEMENTS[t] for t in system.types], **(arguments | changes))


@pytest.fixture
def system():
    return labelled.system(frames=3)


@pytest.fixture
def structures(tmp_path, system):
    """Three structures in one file, by their names."""
    ase.io.write(tmp_path / "new.xyz", [without_labels(system, i) for i in range(3)])
    return labels.read_structures(tmp_path / "new.xyz")


class MadeUp:
    """In GPAW's place: the labels of a system, and a record of what it was asked."""

    def __init__(self, system):
        self.system, self.asked = system, []

    def __call__(self, atoms, asked_settings, text):
        distance = np.abs(self.system.coordinates - atoms.positions).max(axis=(1, 2))
        i = int(distance.argmin())
        assert distance[i] < 1e-6
        self.asked.append(i)
        stress = -self.system.virials[i] / self.system.volumes[i]
        return self.system.energies[i], self.system.forces[i], stress


def fails(atoms, asked_settings, text):
    raise labels.CalculationFailed("not converged within 333 iterations\n(SomeError)")


# --------------------------------------------------------------------------------- structures


def test_structures_are_known_by_their_content(tmp_path, structures, system):
    assert len(structures) == 3
    name, first = next(iter(structures.items()))
    assert name.startswith("La1H10-") and first.origin == f"{tmp_path}/new.xyz frame 0"

    # Other files, orders of frames and of atoms: the same three, and other formats.
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    ase.io.write(folder / "a.xyz", [without_labels(system, 2), without_labels(system, 0)])
    ase.io.write(folder / "sub/b.xyz", without_labels(system, 1)[::-1])
    found = labels.read_structures(folder)
    same = {key for key in structures if key in found}
    assert len(found) == 3 and len(same) == 2  # backwards, hydrogen atoms are others
    ase.io.write(folder / "sub/POSCAR.1", without_labels(labelled.system(seed=8)), format="vasp")
    ase.io.write(folder / "sub/c.cif", without_labels(labelled.system(seed=9)))
    (folder / "README.md").write_text("not a structure\n")
    assert len(labels.read_structures(folder)) == 5
    # La is first also where it was last in the file.
    assert {str(s.atoms.symbols) for s in labels.read_structures(folder).values()} == {"LaH10"}


def test_the_projects_own_structures_can_be_labelled():
    found = labels.read_structures(OWN_FRAMES.parent)
    assert len(found) == 246
    assert {s.n_atoms for s in found.values()} == {11, 22, 44}


BAD_STRUCTURES = {
    "element": ({"symbols": "YH10"}, r"frame 1: element Y; La, H are allowed"),
    "open": ({"pbc": False}, r"frame 1: not periodic in all directions"),
    "slab": ({"pbc": [True, True, False]}, r"frame 1: not periodic in all directions"),
    "flat": ({"cell": [3, 3, 0]}, r"frame 1: (not periodic|cannot be read)"),
    "bohr": ({"cell": np.eye(3) * 7}, r"frame 1: 31.2 Å3 an atom"),
    "close": ({"positions": np.zeros((11, 3))}, r"frame 1: two atoms 0.00 Å apart"),
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
        labels.read_structures(tmp_path / "a.xyz")


def test_files_without_structures_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: no such file or folder"):
        labels.read_structures(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"no structures there; files named \*.xyz"):
        labels.read_structures(tmp_path)
    (tmp_path / "a.cif").write_text("no CIF\n")
    with pytest.raises(UserError, match=r"a.cif: (ASE cannot read|empty)"):
        labels.read_structures(tmp_path)
    (tmp_path / "a.cif").rename(tmp_path / "a.xyz")
    with pytest.raises(UserError, match=r"a.xyz frame 0: line 1 must be the number of atoms"):
        labels.read_structures(tmp_path)


# ----------------------------------------------------------------------------------- labelling


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
    assert {"NaN": "forces with NaN", "sign of the stress": "pressure -1"}[what] in label.reason


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


def test_without_gpaw_the_way_out_is_told(structures, monkeypatch):
    monkeypatch.setitem(sys.modules, "gpaw", None)
    with pytest.raises(UserError, match=r"GPAW cannot be imported by .*install it with `make dft`"):
        labels.run_gpaw(next(iter(structures.values())).atoms, GPAW)


# ----------------------------------------------------------------------------------- gathering


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
    (large,) = labels.read_structures(tmp_path / "double.xyz").values()
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


# ------------------------------------------------------------------------------------ settings


def test_the_defaults_are_those_of_the_data_set():
    card = " ".join((OWN_FRAMES.parent / "README.md").read_text().split())
    for text in (
        f"{GPAW.xc}, plane waves {GPAW.cutoff:g} eV",
        f"Γ-centred k-points of density {GPAW.kpoint_density:g} Å",
        f"{GPAW.smearing.title()} order 1, {GPAW.smearing_width:g} eV",
        "energy and density converged to 2e-5",
    ):
        assert text in card
    assert GPAW.energy_tolerance == GPAW.density_tolerance == 2e-5


def test_settings_survive_json():
    assert settings.Gpaw.model_validate_json(GPAW.model_dump_json()) == GPAW
    assert json.loads(GPAW.model_dump_json())["cutoff"] == "600 eV"


# ---------------------------------------------------------------------------------------- GPAW


def with_gpaw(test):
    """Skip where GPAW cannot be imported, and say how it could be."""
    try:
        import gpaw  # noqa: F401
    except ImportError as error:
        reason = f"GPAW is not installed ({error}); `make dft` installs it"
        return pytest.mark.skip(reason=reason)(test)
    return test


#: GPAW keeps memory, so every calculation is a process of its own, as in the workflow.
CHILD = """
import sys
from lah10.potential.data import labels
from lah10.config import training as settings
(structure,) = labels.read_structures(sys.argv[1]).values()
labels.label(structure, settings.Gpaw.model_validate_json(sys.argv[2]), sys.argv[3])
"""


def by_gpaw(tmp_path, atoms, how, timeout=600):
    source, path = tmp_path / "structure.xyz", tmp_path / "label.xyz"
    ase.io.write(source, atoms, columns=["symbols", "positions"], write_results=False)
    command = [sys.executable, "-c", CHILD, source, how.model_dump_json(), path]
    env = os.environ | {"PYTHONPATH": str(REPOSITORY / "workflow/scripts")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return labels.read(path)


@with_gpaw
@pytest.mark.slow
def test_gpaw_at_toy_settings(tmp_path):
    """Hydrogen alone, few plane waves: forces are the slope of the energy."""
    coarse = {"cutoff": "200 eV", "kpoint_density": "0.5 Å", "energy_tolerance": "1e-7 eV"}
    how = settings.Gpaw.model_validate(coarse)
    energies, forces = [], []
    for i, shift in enumerate((-0.01, 0.0, 0.01)):
        atoms = ase.Atoms(
            "H2", positions=[[0, 0, 0], [0.9 + shift, 0, 0]], cell=3 * [1.9], pbc=True
        )
        (tmp_path / str(i)).mkdir()
        label = by_gpaw(tmp_path / str(i), atoms, how)
        assert label.reason is None and label.versions["gpaw"]
        energies.append(label.atoms.get_potential_energy())
        forces.append(label.atoms.get_forces()[1, 0])
        assert label.atoms.get_stress().shape == (6,)
    assert (energies[0] - energies[2]) / 0.02 == pytest.approx(forces[1], abs=0.02)
    impatient = settings.Gpaw.model_validate(coarse | {"iterations": 2})
    (tmp_path / "failed").mkdir()
    failed = by_gpaw(tmp_path / "failed", atoms, impatient)
    assert failed.reason.startswith("not converged within 2 iterations (KohnSham")


@with_gpaw
@pytest.mark.slow
def test_a_frame_of_the_data_set_is_found_again(tmp_path, record_property):
    """At full settings, the labels that were stored: minutes."""
    stored = ase.io.read(OWN_FRAMES, index=12)
    assert len(stored) == 11
    label = by_gpaw(tmp_path, stored, GPAW, timeout=3600)
    energy = label.atoms.get_potential_energy() - stored.get_potential_energy()
    forces = np.abs(label.atoms.get_forces() - stored.get_forces()).max()
    stress = np.abs(label.atoms.get_stress() - stored.get_stress()).max() * EV_PER_A3_IN_GPA
    record_property("meV/atom", float(energy / len(stored) * 1e3))
    record_property("eV/Å", float(forces))
    record_property("GPa", float(stress))
    print(f"{energy / len(stored) * 1e3:.2g} meV/atom, {forces:.2g} eV/Å, {stress:.2g} GPa")
    # Other versions of the libraries move digits within the tolerances of the calculation.
    assert abs(energy) / len(stored) < 1e-4
    assert forces < 5e-3
    assert stress < 0.05
