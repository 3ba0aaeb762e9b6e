"""Active learning: judging frames, choosing among them, the record; no model is run here."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
import xarray as xr

import labelled
from crystals import supercell
from lah10.config import training as settings
from lah10.crystal import structures
from lah10.crystal.trajectory import write_trajectory
from lah10.errors import UserError
from lah10.learning import learning
from lah10.potential.data import alignment, dataset, labels
from lah10.potential.evaluate import Prediction

POINTS = ("classical/P150_T300", "qtb/P150_T300", "qtb/P200_T20")


def about(point: str, status: str = "ok") -> dict:
    bath, _, rest = point.partition("/P")
    pressure, _, temperature = rest.partition("_T")
    return {
        "bath": bath,
        "pressure_GPa": float(pressure),
        "temperature_K": float(temperature),
        "status": status,
        "status_message": "" if status == "ok" else "in equilibration: it broke",
    }


@pytest.fixture
def exploration():
    """Four frames of each of three points, the last of which broke down half-way."""
    counts = (4, 4, 2)
    return learning.Exploration(
        system=labelled.system(frames=sum(counts)),
        times=np.concatenate([0.01 * np.arange(1, n + 1) for n in counts]),
        point=np.repeat(np.arange(3), counts),
        points=POINTS,
        about=tuple(about(p, "ok" if i < 2 else "temperature") for i, p in enumerate(POINTS)),
        expected=4,
    )


def outputs(folder: Path) -> dict:
    return {
        "structures": folder / "selected.xyz",
        "deviations": folder / "deviations.nc",
        "selection": folder / "selection.json",
    }


@pytest.fixture
def models(tmp_path):
    for name in ("a.pb", "b.pb"):
        (tmp_path / name).write_text(name)
    return [tmp_path / "a.pb", tmp_path / "b.pb"]


# ------------------------------------------------------------------------------------- judging


def test_the_deviation_is_that_of_the_worst_atom():
    forces = np.zeros((2, 3, 11, 3))
    forces[1, 1, 4] = (3.0, 0.0, 4.0)  # 5 apart: each 2.5 from the mean
    forces[1, 1, 5] = (0.0, 1.0, 0.0)
    forces[:, 2] = 7.0  # large forces, no disagreement
    np.testing.assert_allclose(learning.force_deviation(forces), [0.0, 2.5, 0.0])
    # Three models: the standard deviation of the vector, over models.
    forces = np.random.default_rng(1).normal(size=(3, 1, 1, 3))
    expected = np.sqrt(forces[:, 0, 0].var(axis=0).sum())
    np.testing.assert_allclose(learning.force_deviation(forces), expected)


@pytest.mark.slow
def test_the_deviation_is_that_of_deepmd_kit(tmp_path):
    forces = np.random.default_rng(2).normal(size=(3, 4, 11, 3))
    np.save(tmp_path / "forces.npy", forces)
    # In a process of its own, as TensorFlow does not get along with everything.
    script = (
        "import sys, numpy; from deepmd.infer.model_devi import calc_model_devi_f; "
        "numpy.save(sys.argv[2], calc_model_devi_f(numpy.load(sys.argv[1]))[0])"
    )
    paths = [tmp_path / "forces.npy", tmp_path / "deviation.npy"]
    subprocess.run([sys.executable, "-c", script, *paths], check=True, capture_output=True)
    np.testing.assert_allclose(learning.force_deviation(forces), np.load(paths[1]))


def test_frames_that_no_crystal_has_are_not_asked_about(monkeypatch):
    system = labelled.system(frames=5)
    coordinates, boxes = system.coordinates.copy(), system.boxes.copy()
    coordinates[1, 0] = np.nan
    coordinates[2, 3] = coordinates[2, 4] + 0.1  # 0.17 Å apart
    boxes[3] *= 2
    system = replace(system, coordinates=coordinates, boxes=boxes)
    np.testing.assert_array_equal(learning.plausible(system), [True, False, False, False, True])

    def two_models(models, systems, threads):
        (asked,) = systems
        assert len(asked) == 2
        return [
            [Prediction(np.zeros(2), forces, np.zeros((2, 3, 3)))]
            for forces in (np.zeros((2, 11, 3)), np.ones((2, 11, 3)))
        ]

    monkeypatch.setattr(learning, "evaluate_all", two_models)
    found = learning.deviations(["a", "b"], system)
    half = np.sqrt(3) / 2
    np.testing.assert_allclose(found, [half, np.nan, np.nan, np.nan, half])


def test_missing_and_implausible_frames_lie_above_all_bounds():
    deviation = np.array([0.1, 0.2, 0.3, 1.0, np.nan])
    found = learning.shares(deviation, 10, 0.2, 1.0)
    assert (found["frames"], found["missing"]) == (5, 5)
    assert found["above"] == pytest.approx((3 + 1 + 5) / 10)
    assert found["beyond"] == pytest.approx((1 + 1 + 5) / 10)
    assert (found["mean"], found["largest"]) == (pytest.approx(0.4), 1.0)
    nothing = learning.shares(np.empty(0), 4, 0.2, 1.0)
    assert (nothing["above"], nothing["beyond"], nothing["mean"]) == (1.0, 1.0, None)


# ------------------------------------------------------------------------------------- choosing


def test_groups_take_turns_and_the_largest_deviation_is_first():
    deviation = np.array([0.3, 0.4, 0.5, 0.9, 0.2, 0.25])
    group = np.array([0, 0, 0, 1, 2, 2])
    features = np.arange(6.0)[:, None] ** 2
    chosen = learning.choose(deviation, group, features, 3)
    assert chosen[0] == 3
    assert sorted(group[chosen]) == [0, 1, 2]
    assert group[chosen].tolist() == [1, 0, 2]  # by their largest deviation
    # Fewer than there are groups: those of the largest deviations.
    assert group[learning.choose(deviation, group, features, 2)].tolist() == [1, 0]
    # More than there are candidates: all of them, each once.
    assert sorted(learning.choose(deviation, group, features, 99)) == list(range(6))


def test_in_a_group_the_farthest_is_next():
    features = np.array([[0.0], [0.1], [5.0], [10.0], [9.9]])
    deviation = np.array([0.51, 0.5, 0.5, 0.5, 0.5])
    chosen = learning.choose(deviation, np.zeros(5, int), features, 3)
    assert chosen[0] == 0
    assert set(chosen[1:]) <= {2, 3, 4} and not {3, 4} <= set(chosen)
    # Of equal structures one is enough, however many are wanted.
    same = np.array([[1.0], [1.0], [2.0], [2.0]])
    chosen = learning.choose(np.full(4, 0.5), np.zeros(4, int), same, 4)
    assert sorted(same[chosen, 0]) == [1.0, 2.0]


def test_deviations_are_spread_too():
    """Structures alike, deviations in two heaps: both are seen."""
    deviation = np.array([0.30, 0.301, 0.302, 0.8, 0.801])
    chosen = learning.choose(deviation, np.zeros(5, int), np.zeros((5, 1)), 2)
    assert chosen.tolist() == [4, 0]


def test_the_choice_is_the_same_again():
    random = np.random.default_rng(3)
    deviation, features = random.random(50), random.random((50, 8))
    group = random.integers(0, 4, 50)
    first = learning.choose(deviation, group, features, 12)
    np.testing.assert_array_equal(learning.choose(deviation, group, features, 12), first)
    assert len(set(first)) == 12


def test_radial_features_know_structures_and_nothing_else():
    system = labelled.system(frames=3)
    features = learning.radial_features(system)
    assert features.shape == (3, 4 * 14)
    shifted = replace(
        system, coordinates=system.coordinates + np.array([0.3, -5.0, 1.7])
    )  # another origin, other images
    np.testing.assert_allclose(learning.radial_features(shifted), features, atol=1e-12)
    assert np.linalg.norm(features[0] - features[1]) > 0.01 * np.linalg.norm(features[0])
    assert learning.radial_features(system.select(np.zeros(3, bool))).shape[0] == 0


# ------------------------------------------------------------------------------------ selecting

DEVIATION = np.array([0.1, 0.1, 0.3, 0.4, 0.1, 0.5, 2.0, np.nan, 0.35, 0.1])


def test_a_round_that_goes_on(tmp_path, exploration, models):
    found = learning.select(exploration, DEVIATION, 0.3, 1.0, 0.05, 3, 2, models, outputs(tmp_path))
    assert found == json.loads((tmp_path / "selection.json").read_text())
    assert not found["converged"] and found["round"] == 2
    # Of 12: four to label, one beyond, one not plausible, two not reached.
    assert found["above"] == pytest.approx(8 / 12) and found["beyond"] == pytest.approx(4 / 12)
    assert found["points"][POINTS[0]]["above"] == pytest.approx(0.5)
    broken = found["points"][POINTS[2]]
    assert (broken["missing"], broken["status"]) == (2, "temperature")
    assert [one["point"] for one in found["selected"]] == [POINTS[i] for i in (1, 0, 2)]
    assert [one["deviation"] for one in found["selected"]][::2] == [0.5, 0.35]
    assert [Path(model["path"]).name for model in found["models"]] == ["a.pb", "b.pb"]

    frames = ase.io.read(tmp_path / "selected.xyz", index=":")
    assert list(labels.read_structures(tmp_path / "selected.xyz")) == [
        one["structure"] for one in found["selected"]
    ]
    assert frames[0].info == {
        "P_target": 150.0,
        "T_target": 300.0,
        "bath": "qtb",
        "deviation": 0.5,
        "point": POINTS[1],
        "time": 0.02,
    }
    assert frames[2].info["P_target"] == 200 and frames[2].pbc.all()
    with xr.open_dataset(tmp_path / "deviations.nc") as data:
        np.testing.assert_array_equal(data["deviation"], DEVIATION)
        assert data["point"].values[4] == POINTS[1]
        assert data["selected"].values.sum() == 3 and data["selected"].values[5] == 1
        assert all("units" in data[name].attrs for name in data)


def test_the_same_frames_give_the_same_files(tmp_path, exploration, models):
    texts = []
    for name in "ab":
        learning.select(
            exploration, DEVIATION, 0.3, 1.0, 0.05, 3, 1, models, outputs(tmp_path / name)
        )
        texts.append((tmp_path / name / "selected.xyz").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("limit, converged", [(0.2, True), (1 / 6, False), (0.1, False)])
def test_the_stop(tmp_path, exploration, models, limit, converged):
    """A share below the limit ends it; two of twelve frames were not reached."""
    deviation = np.full(10, 0.1)
    if not converged:
        deviation[0] = 0.3
        limit = limit + 1 / 12
    found = learning.select(
        exploration, deviation, 0.3, 1.0, limit, 3, 1, models, outputs(tmp_path)
    )
    assert found["converged"] is converged
    assert bool(found["selected"]) is not converged
    assert bool((tmp_path / "selected.xyz").read_text()) is not converged


def test_lost_models_are_told(tmp_path, exploration, models):
    deviation = np.where(np.arange(10) < 5, 0.1, 3.0)
    with pytest.raises(UserError, match=r"round 1: 58% of the frames .*learn.lower \(0.3 eV/Å\)"):
        learning.select(exploration, deviation, 0.3, 1.0, 0.05, 3, 1, models, outputs(tmp_path))
    assert not (tmp_path / "selection.json").exists()


# ------------------------------------------------------------------------------------ exploring


def write_run(folder: Path, point: str, frames: int, status: str = "ok") -> tuple[Path, Path]:
    folder.mkdir(parents=True)
    atoms = supercell("primitive", (1, 1, 1))
    xr.Dataset(attrs=about(point, status)).to_netcdf(folder / "thermo.nc")
    made = ((0.005 * k, atoms.cell.array, atoms.positions + 0.01 * k) for k in range(frames))
    write_trajectory(folder / "trajectory.nc", atoms.numbers, made, "test")
    return folder / "thermo.nc", folder / "trajectory.nc"


def test_frames_of_all_points_are_read(tmp_path):
    structures.write_supercell(tmp_path / "cell.xyz", supercell("primitive", (1, 1, 1)))
    statuses = ("ok", "volume", "ok")
    runs = {
        point: write_run(tmp_path / str(i), point, frames, status)
        for i, (point, frames, status) in enumerate(zip(POINTS, (60, 0, 3), statuses, strict=True))
    }
    found = learning.read_exploration(runs, tmp_path / "cell.xyz", 60)
    assert len(found.system) == 63 and found.points == POINTS
    assert np.bincount(found.point, minlength=3).tolist() == [60, 0, 3]
    assert [one["status"] for one in found.about] == list(statuses)
    assert found.times[61] == pytest.approx(0.005)
    assert np.bincount(found.system.types).tolist() == [1, 10]
    np.testing.assert_allclose(
        found.system.coordinates[62] - found.system.coordinates[60], 0.02, atol=1e-5
    )
    nothing = {POINTS[0]: write_run(tmp_path / "none", POINTS[0], 0, "nan")}
    assert len(learning.read_exploration(nothing, tmp_path / "cell.xyz", 60).system) == 0


def test_a_killed_point_goes_on_where_it_was(tmp_path, monkeypatch):
    for name in ("cell.xyz", "cell.data", "model.pb"):
        (tmp_path / name).write_text(name)
    asked = []

    def run_stage(job, log):
        described = learning.Job(**job)
        asked.append(described.stage)
        for path in described.outputs.values():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("")
        attrs = {"fingerprint": described.fingerprint()}
        xr.Dataset(attrs=attrs).to_netcdf(described.outputs["thermo"])
        if described.stage == "produce" and asked.count("produce") == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(learning.launch, "run_stage", run_stage)
    point = {
        "campaign": "learn",
        "bath": "qtb",
        "pressure_GPa": 150.0,
        "temperature_K": 300.0,
        "supercell": str(tmp_path / "cell.xyz"),
        "supercell_data": str(tmp_path / "cell.data"),
        "potential": {"model": str(tmp_path / "model.pb")},
        "seed": 1,
    }
    explored = settings.Explore()
    options = {
        stage: {
            "bath_options": explored.bath_options(stage, "qtb"),
            "dynamics": explored.dynamics_options(stage, "qtb"),
        }
        for stage in ("equilibrate", "produce")
    }
    names = ("thermo", "trajectory", "commands")
    made = {name: str(tmp_path / "point" / name) for name in names}
    arguments = (point, options, made, tmp_path / "scratch", tmp_path / "log")
    with pytest.raises(KeyboardInterrupt):
        learning.explore(*arguments)
    learning.explore(*arguments)
    assert asked == ["equilibrate", "produce", "produce"]
    assert not (tmp_path / "scratch").exists() and (tmp_path / "point/trajectory").exists()
    # Another model: nothing is taken over.
    asked.clear()
    with pytest.raises(KeyboardInterrupt):
        learning.explore(*arguments)
    (tmp_path / "model.pb").write_text("better")
    learning.explore(*arguments)
    assert asked == ["equilibrate", "produce", "equilibrate", "produce"]


# -------------------------------------------------------------------------- training, the record


@pytest.fixture
def sources(tmp_path):
    """A split with one source, and labels of two rounds that share its scale."""
    for folder, name, frames, offset, seed in (
        ("own", "a", 4, 0.0, 1),
        ("own", "b", 2, 0.0, 2),
        ("round1", "La1H10", 3, 0.0, 3),
        ("round2", "La1H10", 2, 0.0, 4),
    ):
        system = labelled.system(name, frames=frames, seed=seed, offset=offset)
        dataset.write_deepmd(system, tmp_path / folder / name)
    known = {"citation": "nobody", "terms": "none", "path": "own", "held_out": ["b"]}
    split = settings.Split.model_validate({"sources": {"own": known}})
    rounds = [tmp_path / "round1", tmp_path / "round2"]
    return split, {"own": tmp_path / "own"}, rounds


def test_labels_of_all_rounds_are_trained_on(tmp_path, sources):
    split, folders, rounds = sources
    scale = alignment.Alignment({"own": 3.0}, {"own": 2.0}, {})
    lacking = split.sources["own"].model_copy(update={"pulay_pv_per_atom": 0.02})
    split = split.model_copy(update={"sources": {"own": lacking}})
    index = learning.prepare(split, folders, rounds, tmp_path / "prepared", scale, "own")
    train = {s.name: s for s in learning.preparation.read_part(index, "train")}
    assert {name: len(system) for name, system in train.items()} == {
        "own/a": 4,
        "learn/round1/La1H10": 3,
        "learn/round2/La1H10": 2,
    }
    # On the scale of `own`: its constant and its pressure are off, its Pulay stress is on.
    (raw,) = dataset.read(rounds[0], "learn/round1")
    new = train["learn/round1/La1H10"]
    pulay = 160.21766208 * 0.02 * 11 / raw.volumes
    np.testing.assert_allclose(new.pressures, raw.pressures + pulay - 2.0)
    work = 2.0 / 160.21766208 * raw.volumes
    np.testing.assert_allclose(new.energies, raw.energies - 3.0 * 11 + work)
    plain = learning.prepare(split, folders, rounds[:1], tmp_path / "plain")
    read = {s.name: s for s in learning.preparation.read_part(plain, "train")}
    assert set(read) == {"own/a", "learn/round1/La1H10"}
    np.testing.assert_allclose(read["learn/round1/La1H10"].energies, raw.energies)


def test_a_scale_without_one_constant_is_told(tmp_path, sources):
    known = alignment.Alignment({"own/a": 3.0, "own/b": 3.0}, {}, {})
    told = "same_reference_as: the alignment has no constant of energy for own as a whole; there"
    with pytest.raises(UserError, match=told):
        learning.prepare(*sources, tmp_path / "prepared", known, "own")


#: Error of a made-up model's force components, eV/Å.
ERROR = {"a.pb": 0.4, "b.pb": 0.2, "c.pb": 0.1, "d.pb": 0.1}


def made_up_models(models, systems, threads):
    """In deepmd-kit's place: the labels, and an error of the forces."""
    return [
        [Prediction(s.energies, s.forces + ERROR[Path(model).name], s.virials) for s in systems]
        for model in models
    ]


def test_a_round_is_recorded_and_told(tmp_path, exploration, models, sources, monkeypatch):
    made = outputs(tmp_path)
    chosen = learning.select(exploration, DEVIATION, 0.3, 1.0, 0.05, 3, 1, models, made)["selected"]
    found = labels.read_structures(made["structures"])
    files = []

    def calculate(atoms, *_):
        if len(files) == 1:
            raise labels.CalculationFailed("not converged")
        system = labelled.system(frames=1)
        stress = -system.virials[0] / system.volumes[0]
        return system.energies[0], system.forces[0], stress

    for name in [one["structure"] for one in chosen]:
        path = tmp_path / f"labels/{name}.xyz"
        labels.label(found[name], settings.Gpaw(), path, calculate=calculate)
        files.append(path)
    split, folders, rounds = sources
    index = learning.prepare(split, folders, rounds[:1], tmp_path / "prepared")
    after = [tmp_path / "c.pb", tmp_path / "d.pb"]
    for path in after:
        path.write_text(path.name)
    monkeypatch.setattr(learning, "evaluate_all", made_up_models)
    record = learning.record(
        made["selection"], files, models, after, index, tmp_path / "round.json"
    )
    assert record == json.loads((tmp_path / "round.json").read_text())
    names = [one["structure"] for one in chosen]
    assert record["labelled"] == [names[0], names[2]]
    assert record["failed"] == {names[1]: "not converged"}
    new, held = (record["errors"][key] for key in ("new_labels", "held_out"))
    assert [m["force_rmse"] for m in new["before"]] == pytest.approx([0.4, 0.2])
    assert [m["frames"] for m in new["after"]] == [3, 3]
    assert [m["frames"] for m in held["after"]] == [2, 2]
    assert new["before"][0]["energy_rmse"] == pytest.approx(0.0, abs=1e-9)

    # A second round in which the models agree.
    calm = learning.select(
        replace(exploration, about=tuple(about(p) for p in POINTS)),
        np.full(10, 0.1), 0.3, 1.0, 0.5, 3, 2, after, outputs(tmp_path / "calm"),
    )  # fmt: skip
    assert calm["converged"]
    learning.record(tmp_path / "calm/selection.json", [], [], [], None, tmp_path / "calm/r.json")
    learnt = learning.summarise(
        [tmp_path / "round.json", tmp_path / "calm/r.json"],
        after,
        tmp_path / "learn.json",
        tmp_path / "learn.md",
    )
    assert learnt["converged"] and len(learnt["rounds"]) == 2
    assert learnt == json.loads((tmp_path / "learn.json").read_text())
    text = (tmp_path / "learn.md").read_text()
    assert "The models agree: in round 2 16.67% of the frames" in text
    row = next(line for line in text.splitlines() if line.startswith("| 1 |"))
    assert row == (
        "| 1 | 10 | 66.67% | 33.33% | 1 of 3 | 3 | 2 | 1 | 0.300 → 0.100 | 0.0 → 0.0 "
        "| 0.300 → 0.100 |"
    )
    assert "- `" + str(after[1]) + "`" in text
    (tmp_path / "round.json").write_text("{")
    with pytest.raises(UserError, match=r"round.json: cannot be read"):
        learning.summarise([tmp_path / "round.json"], [], tmp_path / "x", tmp_path / "y")
