"""Conditioned training: what its parts claim, and that ordinary models come out."""

import copy

import numpy as np
import pytest

import labelled
from lah10.errors import UserError
from lah10.potential.data import preparation
from lah10.potential.evaluate import evaluate
from lah10.potential.training import compression, frozen_graph, inputs, preconditioning, training
from toy_training import TEMPLATE, prepared, read_curve


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("data"))


def conditioned_input(index, steps, fitting):
    template = copy.deepcopy(TEMPLATE) | {preconditioning.KEY: fitting}
    template["learning_rate"] |= {"start_lr": 3e-3}
    return inputs.training_input(template, index, steps=steps, seed=1, checkpoint_steps=10)


def test_who_asks_for_it():
    model = {"descriptor": {"type": "se_e2_a"}}
    assert preconditioning.asked_for({"_conditioned": "new", "model": model}) == "new"
    assert preconditioning.asked_for({"model": model}) is None
    with pytest.raises(UserError, match="_conditioned: expected kept or new, got True"):
        preconditioning.asked_for({"_conditioned": True, "model": model})
    with pytest.raises(UserError, match=r"expected the descriptor se_e2_a .*, got hybrid"):
        content = {"_conditioned": "new", "model": {"descriptor": {"type": "hybrid"}}}
        preconditioning.asked_for(content)


def test_the_first_stage_cannot_be_conditioned(index, tmp_path):
    with pytest.raises(UserError, match="_conditioned: expected in a later stage, since it takes"):
        training.train(
            [conditioned_input(index, 10, "new")], index, tmp_path / "run", tmp_path / "log"
        )


def test_whitened_features_are_uncorrelated_up_to_the_damping():
    random = np.random.default_rng(1)
    scales = 10.0 ** -np.arange(8)
    rotation = np.linalg.qr(random.normal(size=(8, 8)))[0]
    features = 5 + random.normal(size=(4000, 8)) * scales @ rotation
    mean, transform = preconditioning.whitening(features)
    covariance = np.cov((features - mean) @ transform, rowvar=False)
    values = np.linalg.eigvalsh(np.cov(features, rowvar=False))[::-1]
    damping = preconditioning.DAMPING * values[0]
    assert covariance == pytest.approx(np.diag(values / (values + damping)), abs=1e-9)
    assert covariance[0, 0] == pytest.approx(1 / 1.05) and covariance[1, 1] < 0.2
    # What does not vary at all is centred and left alone.
    mean, transform = preconditioning.whitening(np.ones((5, 3)))
    assert mean == pytest.approx(np.ones(3)) and np.abs(np.linalg.det(transform)) == 1


def test_frames_are_sampled_from_every_system():
    systems = [labelled.system("a", frames=12), labelled.system("b", frames=4)]
    assert [len(s) for s in preconditioning.sample(systems, frames=8)] == [6, 2]
    assert [len(s) for s in preconditioning.sample(systems, frames=1)] == [1, 1]


def test_units_of_the_parameters():
    assert preconditioning.rate("layer_1_type_0/matrix", (64, 32)) == pytest.approx(1 / 8)
    assert preconditioning.rate("final_layer_type_1/matrix", (16, 1)) == pytest.approx(1 / 4)
    assert preconditioning.rate("layer_1_type_0/bias", (32,)) == 1
    assert preconditioning.rate("layer_0_type_0/matrix", (64, 32)) == preconditioning.FIRST_RATE
    assert preconditioning.rate("filter_type_0/matrix_2_1", (16, 32)) == pytest.approx(
        preconditioning.EMBEDDING_RATE / 4
    )
    assert preconditioning.rate("filter_type_0/bias_2_1", (1, 32)) == preconditioning.EMBEDDING_RATE


@pytest.mark.slow
def test_a_conditioned_training_gives_an_ordinary_model(index, tmp_path):
    """With a new fitting net; then on from that, and on without conditioning."""
    run, log = tmp_path / "run", tmp_path / "log"
    new, kept = conditioned_input(index, 60, "new"), conditioned_input(index, 20, "kept")
    plain = copy.deepcopy(kept)
    plain.pop(preconditioning.KEY)
    stages = [plain, new, kept, plain]
    training.train(stages, index, run, log)
    columns = [read_curve(training.stage_folder(run, i) / "lcurve.out") for i in range(4)]
    curves = [column["rmse_f_trn"] for column in columns]
    assert curves[1][-1] < 0.9 * curves[1][0]
    assert curves[2][0] < 0.9 * curves[1][0] and curves[3][0] < 0.9 * curves[1][0]

    frozen = tmp_path / "frozen.pb"
    training.freeze(training.stage_folder(run, 1), frozen, log)
    constants = frozen_graph.constants(frozen)
    assert constants["layer_0_type_1/matrix"].shape == (16, 8)
    assert not any("transform" in name for name in constants)
    systems = preparation.read_part(index, "test")
    (found,) = evaluate(frozen, systems)
    error = np.sqrt(np.mean((found.forces - systems[0].forces) ** 2))
    assert error < 0.9 * columns[1]["rmse_f_val"][0]
    closest, samples = preparation.closest_folder(index), preparation.samples(index)
    change = compression.compress(frozen, tmp_path / "lah10.pb", new, closest, samples, log)
    assert change["force"] < 1e-3

    # Done is done, and what was folded is not folded again.
    stamp = (training.stage_folder(run, 2) / "frozen.pb").stat().st_mtime_ns
    training.train(stages, index, run, log)
    assert (training.stage_folder(run, 2) / "frozen.pb").stat().st_mtime_ns == stamp
