"""Judging frames and choosing among them; no model is run here."""

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
from explored import DEVIATION, POINTS, outputs
from lah10.errors import UserError
from lah10.learning import select
from lah10.potential.data import plausibility, structures
from lah10.potential.evaluate import Prediction


def test_the_deviation_is_that_of_the_worst_atom():
    forces = np.zeros((2, 3, 11, 3))
    forces[1, 1, 4] = (3.0, 0.0, 4.0)  # 5 apart: each 2.5 from the mean
    forces[1, 1, 5] = (0.0, 1.0, 0.0)
    forces[:, 2] = 7.0  # large forces, no disagreement
    np.testing.assert_allclose(select.force_deviation(forces), [0.0, 2.5, 0.0])
    # Three models: the standard deviation of the vector, over models.
    forces = np.random.default_rng(1).normal(size=(3, 1, 1, 3))
    expected = np.sqrt(forces[:, 0, 0].var(axis=0).sum())
    np.testing.assert_allclose(select.force_deviation(forces), expected)


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
    np.testing.assert_allclose(select.force_deviation(forces), np.load(paths[1]))


def test_frames_that_no_crystal_has_are_not_asked_about(monkeypatch):
    system = labelled.system(frames=5)
    coordinates, boxes = system.coordinates.copy(), system.boxes.copy()
    coordinates[1, 0] = np.nan
    coordinates[2, 3] = coordinates[2, 4] + 0.1  # 0.17 Å apart
    boxes[3] *= 2
    system = replace(system, coordinates=coordinates, boxes=boxes)
    fine = [True, False, False, False, True]
    np.testing.assert_array_equal(plausibility.plausible(system), fine)

    def two_models(models, systems, threads):
        (asked,) = systems
        assert len(asked) == 2
        return [
            [Prediction(np.zeros(2), forces, np.zeros((2, 3, 3)))]
            for forces in (np.zeros((2, 11, 3)), np.ones((2, 11, 3)))
        ]

    monkeypatch.setattr(select, "evaluate_all", two_models)
    found = select.deviations(["a", "b"], system)
    half = np.sqrt(3) / 2
    np.testing.assert_allclose(found, [half, np.nan, np.nan, np.nan, half])


def test_missing_and_implausible_frames_lie_above_all_bounds():
    deviation = np.array([0.1, 0.2, 0.3, 1.0, np.nan])
    found = select.shares(deviation, 10, 0.2, 1.0)
    assert (found["frames"], found["missing"]) == (5, 5)
    assert found["above"] == pytest.approx((3 + 1 + 5) / 10)
    assert found["beyond"] == pytest.approx((1 + 1 + 5) / 10)
    assert (found["mean"], found["largest"]) == (pytest.approx(0.4), 1.0)
    nothing = select.shares(np.empty(0), 4, 0.2, 1.0)
    assert (nothing["above"], nothing["beyond"], nothing["mean"]) == (1.0, 1.0, None)


def test_groups_take_turns_and_the_largest_deviation_is_first():
    deviation = np.array([0.3, 0.4, 0.5, 0.9, 0.2, 0.25])
    group = np.array([0, 0, 0, 1, 2, 2])
    features = np.arange(6.0)[:, None] ** 2
    chosen = select.choose(deviation, group, features, 3)
    assert chosen[0] == 3
    assert sorted(group[chosen]) == [0, 1, 2]
    assert group[chosen].tolist() == [1, 0, 2]  # by their largest deviation
    # Fewer than there are groups: those of the largest deviations.
    assert group[select.choose(deviation, group, features, 2)].tolist() == [1, 0]
    # More than there are candidates: all of them, each once.
    assert sorted(select.choose(deviation, group, features, 99)) == list(range(6))


def test_in_a_group_the_farthest_is_next():
    features = np.array([[0.0], [0.1], [5.0], [10.0], [9.9]])
    deviation = np.array([0.51, 0.5, 0.5, 0.5, 0.5])
    chosen = select.choose(deviation, np.zeros(5, int), features, 3)
    assert chosen[0] == 0
    assert set(chosen[1:]) <= {2, 3, 4} and not {3, 4} <= set(chosen)
    # Of equal structures one is enough, however many are wanted.
    same = np.array([[1.0], [1.0], [2.0], [2.0]])
    chosen = select.choose(np.full(4, 0.5), np.zeros(4, int), same, 4)
    assert sorted(same[chosen, 0]) == [1.0, 2.0]


def test_deviations_are_spread_too():
    """Structures alike, deviations in two heaps: both are seen."""
    deviation = np.array([0.30, 0.301, 0.302, 0.8, 0.801])
    chosen = select.choose(deviation, np.zeros(5, int), np.zeros((5, 1)), 2)
    assert chosen.tolist() == [4, 0]


def test_the_choice_is_the_same_again():
    random = np.random.default_rng(3)
    deviation, features = random.random(50), random.random((50, 8))
    group = random.integers(0, 4, 50)
    first = select.choose(deviation, group, features, 12)
    np.testing.assert_array_equal(select.choose(deviation, group, features, 12), first)
    assert len(set(first)) == 12


def test_radial_features_know_structures_and_nothing_else():
    system = labelled.system(frames=3)
    features = select.radial_features(system)
    assert features.shape == (3, 4 * 14)
    shifted = replace(
        system, coordinates=system.coordinates + np.array([0.3, -5.0, 1.7])
    )  # another origin, other images
    np.testing.assert_allclose(select.radial_features(shifted), features, atol=1e-12)
    assert np.linalg.norm(features[0] - features[1]) > 0.01 * np.linalg.norm(features[0])
    assert select.radial_features(system.select(np.zeros(3, bool))).shape[0] == 0


def test_a_round_that_goes_on(tmp_path, exploration, models):
    found = select.select(exploration, DEVIATION, 0.3, 1.0, 0.05, 3, 2, models, outputs(tmp_path))
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
    assert list(structures.read_structures(tmp_path / "selected.xyz")) == [
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
        select.select(
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
    found = select.select(
        exploration, deviation, 0.3, 1.0, limit, 3, 1, models, outputs(tmp_path)
    )
    assert found["converged"] is converged
    assert bool(found["selected"]) is not converged
    assert bool((tmp_path / "selected.xyz").read_text()) is not converged


def test_lost_models_are_told(tmp_path, exploration, models):
    deviation = np.where(np.arange(10) < 5, 0.1, 3.0)
    with pytest.raises(UserError, match=r"round 1: 58% of the frames .*learn.lower \(0.3 eV/Å\)"):
        select.select(exploration, deviation, 0.3, 1.0, 0.05, 3, 1, models, outputs(tmp_path))
    assert not (tmp_path / "selection.json").exists()
