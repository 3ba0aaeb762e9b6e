"""The shipped potential: the numbers it was shipped with, its forces, its virial, its card."""

import json
from pathlib import Path

import ase
import numpy as np
import pytest
import spglib
from ase.spacegroup import crystal

from lah10.config import training as settings
from lah10.crystal.structures import read_crystal
from lah10.io.files import sha256
from lah10.potential.data import alignment, dataset, extended_xyz, preparation
from lah10.potential.data.systems import System, unlabelled_frames
from lah10.potential.evaluate import evaluate, evaluate_all
from lah10.potential.validation import acceptance, card, extrapolation_scan, held_out, relaxation
from lah10.units import EV_PER_A3_IN_GPA

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "resources/potentials/lah10"
MODEL = SHIPPED / "lah10.pb"
#: DFT with more and with fewer k-points, for what few of them get wrong.
KPOINTS = ROOT / "resources/dataset/lah10-gpaw-pbe-kpoints/k-points.xyz"
#: The second of the committee that is shipped.
SECOND = ROOT / "resources/potentials/lah10-2"
#: The first with its energy differences between phases changed, for `config/boundary.yaml`.
PHASES = ROOT / "resources/potentials/lah10-phases"
FOLDERS = (SHIPPED, SECOND, PHASES)
#: Energy and forces of `structure`; written anew by `python tests/physics/test_potential.py`.
REFERENCE = Path(__file__).with_name("potential_reference.json")

#: Å between structures on a path, small beside any length of the potential.
STEP = 0.01
STRAIN = 0.002
#: GPa within which the shipped model is meant to be used.
RANGE = (75.0, 215.0)

#: What decides between Fm-3m and R-3m.
BETWEEN_PHASES = (
    "enthalpy of R-3m less Fm-3m, worst error",
    "error of the pressure at which it crosses zero",
    "rms error on the path, volumes not learnt",
)
#: What the shipped models do not reach yet, by folder and what is asked, and how far they are. Each
#: is expected to fail, and a failure that is none any more fails: take it away when the next model
#: is shipped.
NOT_YET = {
    ("lah10", "energy error, lah10-gpaw-pbe"): "3.22 meV/atom, and 3 are allowed",
    ("lah10", "pressure error, lah10-gpaw-pbe"): "1.23 GPa, and 1 is allowed",
    ("lah10-2", "energy error, lah10-gpaw-pbe"): "3.32 meV/atom, and 3 are allowed",
    ("lah10-2", "pressure error, lah10-gpaw-pbe"): "2.05 GPa, and 1 is allowed",
    ("lah10", "energy error, lah10-gpaw-pbe-npt"): "3.73 meV/atom, and 3 are allowed",
    ("lah10-2", "energy error, lah10-gpaw-pbe-npt"): "3.75 meV/atom, and 3 are allowed",
    ("lah10", "energy error, lah10-gpaw-pbe-fine"): "3.34 meV/atom, and 3 are allowed",
    ("lah10", "pressure error, lah10-gpaw-pbe-fine"): "1.24 GPa, and 1 is allowed",
    ("lah10-2", "energy error, lah10-gpaw-pbe-fine"): "3.37 meV/atom, and 3 are allowed",
    ("lah10-2", "pressure error, lah10-gpaw-pbe-fine"): "2.10 GPa, and 1 is allowed",
    # Their energies of crystals were learnt after one constant a set, and sets are phases.
    ("lah10", BETWEEN_PHASES[0]): "4.72 meV/atom, and 0.5 is allowed",
    ("lah10", BETWEEN_PHASES[1]): "no crossing below 353 GPa; DFT's ± 10 GPa is allowed",
    ("lah10", BETWEEN_PHASES[2]): "1.86 meV/atom, and 0.5 is allowed",
    ("lah10-2", BETWEEN_PHASES[0]): "4.40 meV/atom, and 0.5 is allowed",
    ("lah10-2", BETWEEN_PHASES[1]): "155 GPa, and 10 is allowed",
    ("lah10-2", BETWEEN_PHASES[2]): "1.51 meV/atom, and 0.5 is allowed",
    # As the model that it was made of.
    ("lah10-phases", "energy error, lah10-gpaw-pbe"): "3.64 meV/atom, and 3 are allowed",
    ("lah10-phases", "pressure error, lah10-gpaw-pbe"): "1.17 GPa, and 1 is allowed",
    ("lah10-phases", "energy error, lah10-gpaw-pbe-npt"): "3.80 meV/atom, and 3 are allowed",
    ("lah10-phases", "energy error, lah10-gpaw-pbe-fine"): "3.60 meV/atom, and 3 are allowed",
    ("lah10-phases", "pressure error, lah10-gpaw-pbe-fine"): "1.19 GPa, and 1 is allowed",
}
#: GPa, up to which the pressure of a squeezed crystal has to rise.
RISES_TO = 500.0
#: What is asked of every model that is shipped.
ASKED = [
    *(
        f"{error} error, {source}"
        for source in ("ly-ceperley", "lah10-gpaw-pbe", "lah10-gpaw-pbe-npt", "lah10-gpaw-pbe-fine")
        for error in ("force", "energy", "pressure")
    ),
    "worst length of Table I",
    *BETWEEN_PHASES,
    "speed over the published model's",
]

pytestmark = pytest.mark.skipif(not MODEL.is_file(), reason="no potential is shipped")


def structure(a: float = 5.1) -> ase.Atoms:
    """Fm-3m LaH10 (44 atoms), every atom moved off its site by up to 0.1 Å, without chance."""
    atoms = crystal(
        ["La", "H", "H"],
        [(0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (0.1205, 0.1205, 0.1205)],
        spacegroup=225,
        cellpar=[a, a, a, 90, 90, 90],
        pbc=True,
    )
    index = np.arange(len(atoms))[:, None] * 3 + np.arange(3)
    atoms.positions += 0.1 * np.sin(1.7 * index + 0.3)
    return atoms


def moved(direction: np.ndarray) -> list[ase.Atoms]:
    """Five structures along a direction (n, 3), the middle one at rest."""
    frames = []
    for k in range(-2, 3):
        atoms = structure()
        atoms.positions += k * STEP * direction
        frames.append(atoms)
    return frames


def strained(strain: np.ndarray) -> list[ase.Atoms]:
    """Five structures strained along a (3, 3) direction, the middle one at rest."""
    frames = []
    for k in range(-2, 3):
        atoms = structure()
        atoms.set_cell(atoms.cell.array @ (np.eye(3) + k * STRAIN * strain), scale_atoms=True)
        frames.append(atoms)
    return frames


def turned() -> list[ase.Atoms]:
    """The structure as it is, turned, and with its atoms in another order."""
    atoms = structure()
    rotated = atoms.copy()
    rotated.rotate(37, (1, 2, 3), rotate_cell=True)
    shifted = atoms.copy()
    shifted.positions += (0.31, 1.7, -2.3)
    shifted.wrap()
    return [atoms, rotated, shifted]


DIRECTIONS = np.random.default_rng(5).normal(size=(3, 44, 3))
STRAINS = np.array(
    [np.eye(3), np.diag([1, -1, 0]), [[0, 0.5, 0], [0.5, 0, 0], [0, 0, 0]]], dtype=float
)


def held_out_frames() -> list[System]:
    """The project's own frames that were not trained on, within the range."""
    name = "lah10-gpaw-pbe"
    source = settings.load_split(SHIPPED / "split.yaml").sources[name]
    scale = alignment.read(SHIPPED / "alignment.yaml")
    systems = preparation.divide(dataset.read(ROOT / source.path, name), name, source)["test"]
    systems = [scale.without_pressure(system) for system in systems]
    inside = [s.select((s.pressures > RANGE[0]) & (s.pressures < RANGE[1])) for s in systems]
    return [system for system in inside if len(system)]


@pytest.fixture(scope="module")
def all_answers():
    """All structures of these tests, of both models, in one process, which takes seconds to start:
    by the model's folder, predictions by name."""
    systems = {
        **{f"moved{i}": unlabelled_frames(moved(d)) for i, d in enumerate(DIRECTIONS)},
        **{f"strained{i}": unlabelled_frames(strained(e)) for i, e in enumerate(STRAINS)},
        "turned": unlabelled_frames(turned()),
        "X mode": unlabelled_frames(along_x()),
    }
    own = held_out_frames()
    folders = FOLDERS
    answers = {}
    found = evaluate_all([folder / "lah10.pb" for folder in folders], [*systems.values(), *own])
    for folder, predictions in zip(folders, found, strict=True):
        answers[folder] = dict(zip(systems, predictions, strict=False))
        answers[folder]["own"] = (own, predictions[len(systems) :])
    return answers


@pytest.fixture
def answers(all_answers):
    """Those of the shipped model."""
    return all_answers[SHIPPED]


def test_it_says_what_it_said_when_it_was_shipped(answers):
    reference = json.loads(REFERENCE.read_text())
    assert reference["model_sha256"] == sha256(MODEL), (
        "another model is shipped; if it is meant to be: python tests/physics/test_potential.py"
    )
    found = answers["turned"]
    # Single precision: processors differ in the last digits.
    assert found.energies[0] / 44 == pytest.approx(reference["energy"] / 44, abs=2e-5)
    np.testing.assert_allclose(found.forces[0], reference["forces"], atol=2e-3)
    np.testing.assert_allclose(found.virials[0] / 44, np.array(reference["virial"]) / 44, atol=1e-3)


def test_every_load_finds_the_same_bits():
    systems = [unlabelled_frames([structure()])]
    one, *others = (answer for (answer,) in evaluate_all([MODEL] * 6, systems))
    for other in others:
        assert np.array_equal(other.forces, one.forces)
        assert np.array_equal(other.virials, one.virials)
        assert np.array_equal(other.energies, one.energies)


@pytest.mark.parametrize("i", range(len(DIRECTIONS)))
def test_forces_are_the_energys_slope(answers, i):
    found = answers[f"moved{i}"]
    slopes = -(found.forces * DIRECTIONS[i]).sum(axis=(1, 2))
    # Boole's rule over the five structures.
    work = STEP * (2 / 45) * slopes @ np.array([7, 32, 12, 32, 7])
    assert found.energies[-1] - found.energies[0] == pytest.approx(work, abs=2e-3, rel=2e-3)
    np.testing.assert_allclose(found.forces.sum(axis=1), 0, atol=1e-3)


@pytest.mark.parametrize("i", range(len(STRAINS)))
def test_the_virial_is_the_energys_slope_under_strain(answers, i):
    found = answers[f"strained{i}"]
    # dE = -W : (1 + kε)⁻¹ dε; positive virial when compressed.
    slopes = []
    for k, virial in zip(range(-2, 3), found.virials, strict=True):
        inverse = np.linalg.inv(np.eye(3) + k * STRAIN * STRAINS[i])
        slopes.append(-np.sum(virial * (inverse @ STRAINS[i])))
    work = STRAIN * (2 / 45) * np.array(slopes) @ np.array([7, 32, 12, 32, 7])
    assert found.energies[-1] - found.energies[0] == pytest.approx(work, abs=2e-3, rel=2e-3)


def test_energy_does_not_know_orientation_or_origin(answers):
    energies = answers["turned"].energies
    np.testing.assert_allclose(energies, energies[0], atol=2e-3)


def test_errors_on_the_projects_own_frames(answers):
    errors = held_out.tabulate(held_out.compare(*answers["own"]))["sources"]["lah10-gpaw-pbe"]
    assert errors["frames"] >= 8
    assert errors["force_rmse"] < 0.125
    assert errors["pressure_rmse"] < 1.0
    assert errors["energy_rmse"] < 5.0


def with_pulay(frame) -> float:
    """Pressure of a frame of the project's DFT with its Pulay stress, GPa."""
    source = settings.load_split(SHIPPED / "split.yaml").sources["lah10-gpaw-pbe"]
    lacking = source.pulay_pv_per_atom * len(frame) / frame.get_volume()
    return (lacking - frame.get_stress()[:3].mean()) * EV_PER_A3_IN_GPA


def along_x() -> list[ase.Atoms]:
    """DFT with dense k-points along the mode at X, by its amplitude."""
    frames = [
        frame
        for frame in extended_xyz.whole_frames(KPOINTS)
        if frame.info["what"] == "X mode"
        and (len(frame), frame.info["kpoint_density"], frame.info["smearing_width"]) == (22, 5, 0.2)
    ]
    return sorted(frames, key=lambda frame: frame.info["amplitude"])


@pytest.mark.parametrize(
    "folder",
    [
        SHIPPED,
        SECOND,
        pytest.param(PHASES, marks=pytest.mark.xfail(strict=True, reason="27 % too stiff")),
    ],
    ids=lambda folder: folder.name,
)
def test_the_mode_at_x_is_not_soft(all_answers, folder):
    """Restoring forces of DFT; with few k-points the mode looks unstable."""
    rest, *moved = along_x()
    assert rest.info["amplitude"] == 0 and len(moved) == 2
    found = all_answers[folder]["X mode"]
    for i, frame in enumerate(moved, start=1):
        along = frame.positions - rest.positions
        stiffness, ours = (
            -np.sum(forces * along) / np.sum(frame.get_masses()[:, None] * along**2)
            for forces in (frame.get_forces(), found.forces[i])
        )
        assert stiffness > 0
        assert np.sqrt(ours / stiffness) == pytest.approx(1, abs=0.2)
        energy = (frame.get_potential_energy() - rest.get_potential_energy()) / len(frame)
        assert (found.energies[i] - found.energies[0]) / len(frame) == pytest.approx(
            energy, abs=4e-3
        )


def test_the_held_out_frames_were_labelled_again():
    """The same crystals in the same order; and how far labels move with more k-points."""
    folder = ROOT / "resources/dataset"
    held_out = {
        "snapshots": lambda frame: len(frame) == 44,
        "compressed": lambda frame: True,
    }
    moved = {}
    for name, is_held_out in held_out.items():
        old = extended_xyz.whole_frames(folder / f"lah10-gpaw-pbe/{name}.xyz")
        old = [frame for frame in old if is_held_out(frame)]
        new = extended_xyz.whole_frames(folder / f"lah10-gpaw-pbe-fine/{name}.xyz")
        for one, other in zip(old, new, strict=True):
            assert (one.numbers == other.numbers).all()
            np.testing.assert_allclose(one.cell.array, other.cell.array, atol=1e-6)
            np.testing.assert_allclose(one.positions, other.positions, atol=1e-6)
            change = one.get_forces() - other.get_forces()
            assert 0.02 < np.sqrt(np.mean(change**2)) < 0.06
        energies = [
            [frame.get_potential_energy() / len(frame) for frame in frames] for frames in (old, new)
        ]
        moved[name] = 1e3 * (np.array(energies[1]) - energies[0])  # meV/atom
    assert moved["snapshots"].mean() == pytest.approx(-3.2, abs=0.1)
    assert moved["compressed"].mean() == pytest.approx(-1.1, abs=0.1)
    assert np.concatenate(list(moved.values())).std() == pytest.approx(1.6, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("pressure", ["150", "340"])
@pytest.mark.parametrize("folder", [SHIPPED, SECOND], ids=["lah10", "lah10-2"])
def test_the_texts_have_its_enthalpy_of_r3m(folder, pressure):
    """Less that of Fm-3m, each relaxed by the model; the table of the k-points' README."""
    text = (KPOINTS.parent / "README.md").read_text().replace("−", "-")
    rows = {
        cells[0].strip("` "): [cell.strip() for cell in cells[1:]]
        for cells in (line.strip("|").split("|") for line in text.splitlines() if line[:1] == "|")
    }
    told = float(rows[folder.name][rows["P (GPa)"].index(pressure)])
    enthalpies = []
    for name in ("Fm-3m", "R-3m"):
        crystal = read_crystal(ROOT / f"resources/structures/{name}.cif")
        primitive = spglib.standardize_cell(
            (crystal.cell.array, crystal.get_scaled_positions(), crystal.numbers),
            to_primitive=True,
            symprec=0.01,
        )
        cell, scaled, numbers = primitive
        start = ase.Atoms(numbers, cell=cell, scaled_positions=scaled, pbc=True)
        relaxed = relaxation.relax(folder / "lah10.pb", start, float(pressure))
        assert relaxed.converged
        (found,) = evaluate(folder / "lah10.pb", [unlabelled_frames([relaxed.atoms])])
        pv = float(pressure) / EV_PER_A3_IN_GPA * relaxed.atoms.get_volume()
        enthalpies.append(1e3 * (found.energies[0] + pv) / len(numbers))
    assert enthalpies[1] - enthalpies[0] == pytest.approx(told, abs=0.02)


def test_the_mesh_of_the_pairs_is_an_outlier():
    """11×11×11 points: what their difference says of the DFT is not to be believed."""
    difference = {}
    for pressure in (150.0, 200.0):
        pair = [f for f in extended_xyz.whole_frames(KPOINTS) if f.info.get("pressure") == pressure]
        pair.sort(key=lambda frame: frame.info["what"])
        assert [frame.info["what"] for frame in pair] == ["Fm-3m", "R-3m"]
        volumes = np.array([frame.get_volume() for frame in pair])
        at = np.mean([with_pulay(frame) for frame in pair]) / EV_PER_A3_IN_GPA
        energies = np.array([frame.get_potential_energy() for frame in pair])
        difference[pressure] = 1e3 * np.diff(energies + at * volumes)[0] / 11
    assert difference[150.0] == pytest.approx(-6.1, abs=0.3)
    assert difference[200.0] == pytest.approx(-1.3, abs=0.3)
    text = (KPOINTS.parent / "README.md").read_text()
    assert "(−6.1 at 151 GPa, −1.3 at 200) is not the DFT's" in text


def test_it_pushes_back_where_no_data_reach():
    walks = extrapolation_scan.walks(MODEL, structure_at_rest())
    stored = read(SHIPPED, "validation.json")["walks"]
    for name in extrapolation_scan.SQUEEZES:
        # x of 32f differs a little between the two crystals.
        assert walks[name].pressure_rises_to == pytest.approx(
            stored[name]["pressure_rises_to"], rel=0.02
        )
        assert walks[name].pressure_rises_to > 350
    assert walks["H-H"].energy_rises_to <= 0.45
    assert walks["La-H"].energy_rises_to <= 1.0
    assert walks["La-La"].energy_rises_to <= 2.0
    # 0.5 Å costs an H2 molecule 1.9 eV (its repulsive wall); in the crystal no less.
    nearest = np.argmin(np.abs(walks["H-H"].coordinate - 0.5))
    assert walks["H-H"].energy[nearest] > 1.5


def structure_at_rest() -> ase.Atoms:
    atoms = structure()
    index = np.arange(len(atoms))[:, None] * 3 + np.arange(3)
    atoms.positions -= 0.1 * np.sin(1.7 * index + 0.3)
    return atoms


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_card_is_that_of_the_model(folder):
    split = settings.load_split(SHIPPED / "split.yaml")
    assert (folder / "PROVENANCE.md").read_text() == card.render(folder, split)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("model", ["lah10.pb", "frozen.pb"])
def test_models_hold_no_path(folder, model):
    assert b"prepared/" not in (folder / model).read_bytes()


def test_the_committee_agrees_near_the_crystal(all_answers):
    """Two models of one shape that are not the same, and disagree by less than their errors."""
    one, other = (all_answers[folder]["turned"].forces[0] for folder in (SHIPPED, SECOND))
    difference = np.sqrt(np.mean((one - other) ** 2))
    errors = [
        json.loads((folder / "validation.json").read_text())["sources"]["ly-ceperley"]["force_rmse"]
        for folder in (SHIPPED, SECOND)
    ]
    assert 1e-3 < difference < min(errors)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_speed_was_measured_beside_the_published_model(folder):
    speed = json.loads((folder / "speed.json").read_text())
    ours, published = speed["models"]
    assert ours["sha256"] == sha256(folder / "lah10.pb") and speed["atoms"] == 352
    assert published["name"] == "published" and ours["ratio"] >= 2


def asked(names) -> list:
    """Every shipped folder with each of the names, those of `NOT_YET` expected to fail."""
    return [
        pytest.param(
            folder,
            name,
            id=f"{folder.name}: {name}",
            marks=[pytest.mark.xfail(strict=True, reason=NOT_YET[folder.name, name])]
            if (folder.name, name) in NOT_YET
            else [],
        )
        for folder in FOLDERS
        for name in names
    ]


def read(folder: Path, name: str) -> dict:
    return json.loads((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_it_has_to_reach_is_known_of_this_model(folder):
    """All numbers are there and of the shipped model; what is not reached yet is among them."""
    digest = sha256(folder / "lah10.pb")
    for name in ("validation.json", "statics.json", "phases.json"):
        assert read(folder, name)["model_sha256"] == digest
    assert read(folder, "speed.json")["models"][0]["sha256"] == digest
    assert {v.what: v.reached is not None for v in verdicts(folder)} == dict.fromkeys(ASKED, True)


def test_nothing_else_is_not_reached_yet():
    names = (*ASKED, *extrapolation_scan.SQUEEZES)
    known = {(folder.name, name) for folder in FOLDERS for name in names}
    assert set(NOT_YET) <= known


@pytest.mark.parametrize(("folder", "what"), asked(ASKED))
def test_it_reaches_what_it_has_to(folder, what):
    """Errors on held-out frames beside the published model's on the same, Table I, speed."""
    (verdict,) = (v for v in verdicts(folder) if v.what == what)
    assert verdict.reached, str(verdict)


@pytest.mark.parametrize(("folder", "walk"), asked(extrapolation_scan.SQUEEZES))
def test_its_pressure_rises_far_beyond_the_data(folder, walk):
    """Squeezing Fm-3m, the same strained to R-3m, and a displaced one; by the stored walks."""
    assert read(folder, "validation.json")["walks"][walk]["pressure_rises_to"] >= RISES_TO


def verdicts(folder: Path) -> list[acceptance.Verdict]:
    return [
        *acceptance.of_errors(
            read(folder, "validation.json")["sources"], read(SHIPPED, "comparison.json")["sources"]
        ),
        acceptance.of_lengths(read(folder, "statics.json")["lengths"]),
        *acceptance.of_phases(read(folder, "phases.json")["dft"]),
        acceptance.of_speed(read(folder, "speed.json")),
    ]


if __name__ == "__main__":
    (answer,) = evaluate(MODEL, [unlabelled_frames([structure()])])
    REFERENCE.write_text(
        json.dumps(
            {
                "model_sha256": sha256(MODEL),
                "energy": round(float(answer.energies[0]), 6),
                "forces": np.round(answer.forces[0], 5).tolist(),
                "virial": np.round(answer.virials[0], 4).tolist(),
            },
            indent=1,
        )
        + "\n"
    )
