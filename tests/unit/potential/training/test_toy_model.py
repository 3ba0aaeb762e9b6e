"""A toy model trained once in a session: what every training promises, without its length.

Stages, compression, multipoles and conditioning: the slow tests beside this one.
"""

import numpy as np
import pytest

from lah10.io import frozen_model
from lah10.potential.data import preparation
from lah10.potential.evaluate import evaluate
from lah10.potential.training import inputs, training
from toy_training import TEMPLATE, prepared, read_curve

STEPS = 20


@pytest.fixture(scope="module")
def toy(once):
    """Folder of the prepared data, of the training `run` and of the model `frozen.pb`."""

    def make(folder):
        index = prepared(folder)
        content = inputs.training_input(
            TEMPLATE, index, steps=STEPS, seed=1, checkpoint_steps=10
        )
        training.train([content], index, folder / "run", folder / "log")
        stage = training.stage_folder(folder / "run", 0)
        training.freeze(stage, folder / "frozen.pb", folder / "log")

    return once("toy-model", make)


def test_it_was_trained_to_its_end(toy):
    stage = training.stage_folder(toy / "run", 0)
    assert training.checkpoint_step(stage) == STEPS
    curve = read_curve(stage / "lcurve.out")
    assert curve["step"][-1] == STEPS
    assert curve["rmse_f_trn"][-1] < 0.95 * curve["rmse_f_trn"][0]


def test_the_frozen_model_is_known_by_its_constants_and_holds_no_path(toy):
    known = frozen_model.read(toy / "frozen.pb")
    assert known.type_map == ("La", "H")
    assert known.cutoff == pytest.approx(3.0)
    assert str(toy).encode() not in (toy / "frozen.pb").read_bytes()


def test_it_learnt_something_of_the_forces(toy):
    systems = preparation.read_part(toy / "prepared/index.json", "test")
    (found,) = evaluate(toy / "frozen.pb", systems)
    assert found.forces.shape == systems[0].forces.shape
    error = np.sqrt(np.mean((found.forces - systems[0].forces) ** 2))
    assert error < 0.95 * np.sqrt(np.mean(systems[0].forces ** 2))
