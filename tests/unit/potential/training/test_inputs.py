"""deepmd-kit's input is filled in, and refused where it cannot be right."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from lah10.errors import UserError
from lah10.io.child import PACKAGE_ROOT
from lah10.potential.training import inputs
from toy_training import TEMPLATE, toy_input


def test_the_input_is_filled_in(index):
    content = toy_input(index)
    folders = content["training"]["training_data"]["systems"]
    assert [Path(folder, "type.raw").is_file() for folder in folders] == [True]
    assert content["training"]["numb_steps"] == 20
    other = inputs.training_input(TEMPLATE, index, steps=20, seed=2, checkpoint_steps=10)
    seeds = [
        (c["model"]["descriptor"]["seed"], c["model"]["fitting_net"]["seed"], c["training"]["seed"])
        for c in (content, other)
    ]
    assert len({seed for model in seeds for seed in model}) == 6
    assert "systems" not in json.dumps(inputs.without_paths(content))


def test_every_checkpoint_falls_on_a_line_of_the_curve(index):
    """deepmd-kit saves nowhere else, and would end without its last steps."""
    template = copy.deepcopy(TEMPLATE)
    template["training"] = {**template.get("training", {}), "disp_freq": 1000}
    content = inputs.training_input(template, index, steps=1250, seed=1, checkpoint_steps=250)
    assert content["training"]["save_freq"] % content["training"]["disp_freq"] == 0
    with pytest.raises(UserError, match=r"multiple of those between checkpoints, 500, .* got 1250"):
        inputs.training_input(template, index, steps=1250, seed=1, checkpoint_steps=500)


def test_models_that_learn_on_keep_their_shape():
    """Of the committee's trainings and the input of its rounds, all end with the same model."""
    potentials = PACKAGE_ROOT.parents[1] / "resources/potentials"
    shapes = [json.loads((potentials / "lah10/learn.json").read_text())["model"]]
    for name in ("lah10", "lah10-2"):
        trained = json.loads((potentials / name / "training.json").read_text())
        shapes.append(copy.deepcopy(trained["stages"][-1]["model"]))
        for part in ("descriptor", "fitting_net"):
            del shapes[-1][part]["seed"]
    assert shapes[1] == shapes[0] and shapes[2] == shapes[0]


def test_the_shipped_potential_is_trained_as_the_configuration_says():
    root = PACKAGE_ROOT.parents[1]
    trained = json.loads((root / "resources/potentials/lah10/training.json").read_text())
    settings = yaml.safe_load((root / "config/training.yaml").read_text())
    assert len(trained["stages"]) == len(settings["stages"])
    for stage, asked in zip(trained["stages"], settings["stages"], strict=True):
        template = json.loads((root / asked["input"]).read_text())
        assert stage["training"]["numb_steps"] == asked["steps"]
        assert stage["loss"] == template["loss"]
        assert stage["learning_rate"] == template["learning_rate"]
        assert stage["model"]["descriptor"].items() >= template["model"]["descriptor"].items()


def test_shares_of_the_steps():
    entries = [{"name": name} for name in ("x/a", "x/b", "y/c", "x/d", "y/e")]
    ordered, text = inputs._shared(entries, {"x/b": 0.1, "y": 0.3})
    assert [entry["name"] for entry in ordered] == ["x/a", "x/d", "x/b", "y/c", "y/e"]
    assert text == "prob_sys_size;0:2:0.6;2:3:0.1;3:5:0.3"
    assert inputs._shared(entries, {}) == (entries, "prob_sys_size")
    with pytest.raises(UserError, match="nothing that is trained on belongs to z; there are x/a"):
        inputs._shared(entries, {"z": 0.1})
    with pytest.raises(UserError, match="nothing is left for y/c, y/e"):
        inputs._shared(entries, {"x": 1.0})


def test_too_few_neighbours_are_refused(index):
    with pytest.raises(UserError, match=r"descriptor.sel: expected \[.* got \[3, 60\]"):
        toy_input(index, sel=[3, 60])


def test_another_order_of_elements_is_refused(index):
    template = copy.deepcopy(TEMPLATE)
    template["model"]["type_map"] = ["H", "La"]
    with pytest.raises(UserError, match=r"type_map: expected \['La', 'H'\], got \['H', 'La'\]"):
        inputs.training_input(template, index, steps=20, seed=1, checkpoint_steps=10)
