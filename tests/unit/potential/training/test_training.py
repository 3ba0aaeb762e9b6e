"""Training, freezing, compressing: a toy potential from made-up frames, by the package alone."""

import copy
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

import labelled
from lah10.errors import UserError
from lah10.io import frozen_model
from lah10.io.child import PACKAGE_ROOT
from lah10.potential.data import preparation
from lah10.potential.evaluate import Prediction, evaluate
from lah10.potential.training import training
from toy_training import TEMPLATE, prepared, read_curve


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("data"))


def toy_input(index, steps=20, **descriptor):
    template = copy.deepcopy(TEMPLATE)
    template["model"]["descriptor"] |= descriptor
    return training.training_input(template, index, steps=steps, seed=1, checkpoint_steps=10)


def test_the_input_is_filled_in(index):
    content = toy_input(index)
    folders = content["training"]["training_data"]["systems"]
    assert [Path(folder, "type.raw").is_file() for folder in folders] == [True]
    assert content["training"]["numb_steps"] == 20
    other = training.training_input(TEMPLATE, index, steps=20, seed=2, checkpoint_steps=10)
    seeds = [
        (c["model"]["descriptor"]["seed"], c["model"]["fitting_net"]["seed"], c["training"]["seed"])
        for c in (content, other)
    ]
    assert len({seed for model in seeds for seed in model}) == 6
    assert "systems" not in json.dumps(training.without_paths(content))


def test_every_checkpoint_falls_on_a_line_of_the_curve(index):
    """deepmd-kit saves nowhere else, and would end without its last steps."""
    template = copy.deepcopy(TEMPLATE)
    template["training"] = {**template.get("training", {}), "disp_freq": 1000}
    content = training.training_input(template, index, steps=1250, seed=1, checkpoint_steps=250)
    assert content["training"]["save_freq"] % content["training"]["disp_freq"] == 0
    with pytest.raises(UserError, match=r"1250 steps with a checkpoint every 500 is not allowed"):
        training.training_input(template, index, steps=1250, seed=1, checkpoint_steps=500)


def test_a_gpu_that_is_not_there_is_refused(index, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="device: gpu is not allowed, TensorFlow sees no GPU here"):
        training.train([toy_input(index)], index, tmp_path / "run", tmp_path / "log", device="gpu")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("device", "hidden"), [("cpu", True), ("auto", False), ("gpu", False)])
def test_only_a_training_on_the_cpu_sees_no_gpu(tmp_path, monkeypatch, device, hidden):
    seen = []

    def look(command, env, **_):
        seen.append(env.get("CUDA_VISIBLE_DEVICES"))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    monkeypatch.setattr(training.subprocess, "run", look)
    training.run_dp(["train"], tmp_path, tmp_path / "log", device=device)
    assert seen == ["" if hidden else "3"]


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
    ordered, text = training._shared(entries, {"x/b": 0.1, "y": 0.3})
    assert [entry["name"] for entry in ordered] == ["x/a", "x/d", "x/b", "y/c", "y/e"]
    assert text == "prob_sys_size;0:2:0.6;2:3:0.1;3:5:0.3"
    assert training._shared(entries, {}) == (entries, "prob_sys_size")
    with pytest.raises(UserError, match="nothing that is trained on belongs to z; there are x/a"):
        training._shared(entries, {"z": 0.1})
    with pytest.raises(UserError, match="nothing is left for y/c, y/e"):
        training._shared(entries, {"x": 1.0})


def test_too_few_neighbours_are_refused(index):
    with pytest.raises(UserError, match=r"descriptor.sel: \[3, 60\] is not allowed; .* up to \["):
        toy_input(index, sel=[3, 60])


def test_another_order_of_elements_is_refused(index):
    template = copy.deepcopy(TEMPLATE)
    template["model"]["type_map"] = ["H", "La"]
    with pytest.raises(UserError, match=r"type_map: \['H', 'La'\] is not allowed"):
        training.training_input(template, index, steps=20, seed=1, checkpoint_steps=10)


def test_the_last_complete_checkpoint_is_found(tmp_path):
    assert training.checkpoint_step(tmp_path) is None
    for step in (800, 1200):
        for part in ("index", "meta", "data-00000-of-00001"):
            (tmp_path / f"model.ckpt-{step}.{part}").touch()
    (tmp_path / "model.ckpt.index").touch()
    assert training.checkpoint_step(tmp_path) == 1200
    (tmp_path / "model.ckpt-1200.meta").unlink()
    assert training.checkpoint_step(tmp_path) == 800


def test_a_second_training_in_the_same_folder_is_refused(index, tmp_path):
    (tmp_path / "run").mkdir()
    with open(tmp_path / "run/.lock", "a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another training runs there"):
            training.train([toy_input(index)], index, tmp_path / "run", tmp_path / "log")


@pytest.mark.slow
def test_from_frames_to_a_compressed_model(index, tmp_path):
    content, run, log = toy_input(index), tmp_path / "run", tmp_path / "log"
    training.train([content, content], index, run, log)
    first, last = (training.stage_folder(run, stage) for stage in (0, 1))
    assert [training.checkpoint_step(stage) for stage in (first, last)] == [20, 20]
    # The second stage starts where the first one ended, not anew.
    errors = [read_curve(stage / "lcurve.out")["rmse_f_trn"] for stage in (first, last)]
    assert errors[1][0] < 0.9 * errors[0][0]

    # Done is done.
    stamp = (last / "checkpoint").stat().st_mtime_ns
    training.train([content, content], index, run, log)
    assert (last / "checkpoint").stat().st_mtime_ns == stamp

    frozen, compressed = tmp_path / "frozen.pb", tmp_path / "lah10.pb"
    training.freeze(last, frozen, log)
    closest, samples = preparation.closest_folder(index), preparation.samples(index)
    change = training.compress(frozen, compressed, content, closest, samples, log)
    assert frozen_model.read(compressed).type_map == ("La", "H")
    assert frozen_model.read(compressed).cutoff == pytest.approx(3.0)
    assert 0 < change["force"] < 1e-3 and 0 < change["virial"] < 2e-4
    for model in (frozen, compressed):  # that are handed on hold no path of this machine
        assert str(index.parent).encode() not in model.read_bytes()

    # A frozen graph is a start like a checkpoint; from another one the training is another.
    further = tmp_path / "further"
    training.train([content], index, further, log, start=frozen)
    curve = read_curve(training.stage_folder(further, 0) / "lcurve.out")
    assert curve["rmse_f_trn"][0] < 0.9 * errors[0][0]
    marks = [training.fingerprint([content], index, start) for start in (None, frozen, compressed)]
    assert all(marks.count(mark) == 1 for mark in marks)

    systems = preparation.read_part(index, "test")
    (found,) = evaluate(compressed, systems)
    assert found.forces.shape == systems[0].forces.shape
    # Even twenty steps beat no forces at all.
    error = np.sqrt(np.mean((found.forces - systems[0].forces) ** 2))
    assert error < 0.95 * np.sqrt(np.mean(systems[0].forces ** 2))

    # deepmd-kit takes a wrong input without a word: compression must not.
    wrong = copy.deepcopy(content)
    wrong["model"]["descriptor"]["resnet_dt"] = True
    with pytest.raises(UserError, match=r"compression changed forces by|dp compress failed"):
        training.compress(frozen, tmp_path / "wrong.pb", wrong, closest, samples, log)
    assert not (tmp_path / "wrong.pb").exists()


@pytest.mark.parametrize("key, unit", [("force", "eV/Å"), ("energy", "eV/atom"), ("virial", "eV")])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_rewritten_model_must_not_differ(monkeypatch, key, unit, precision):
    """Each of the three alone, on frames of eleven atoms."""
    content = {"model": {"descriptor": {"type": "se_e2_a", "precision": precision}}}
    system = labelled.system(frames=2)
    as_is = Prediction(system.energies, system.forces, system.virials)
    limit = training.REWRITTEN[precision][key]
    for factor in (0.5, 2.0):
        change = factor * limit * (1 if key == "force" else system.n_atoms)
        part = {"force": "forces", "energy": "energies", "virial": "virials"}[key]
        other = replace(as_is, **{part: getattr(as_is, part) - change})
        monkeypatch.setattr(training, "evaluate_all", lambda *_, o=other: [[as_is], [o]])
        found = training.difference("a.pb", "b.pb", [system])
        assert found[key] == pytest.approx(factor * limit, rel=1e-3)
        if factor < 1:
            training._check_unchanged(found, content, "a.pb: compression")
        else:
            told = f"compression changed .*{key}.* by {2 * limit:.2g} {unit}.*at most "
            with pytest.raises(UserError, match=told):
                training._check_unchanged(found, content, "a.pb: compression")


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_checkpoint(index, tmp_path):
    steps = 100_000  # more than it will do before it is killed
    content, run, log = toy_input(index, steps=steps), tmp_path / "run", tmp_path / "log"
    (tmp_path / "content.json").write_text(json.dumps(content))
    script = (
        "import json; from lah10.potential.training.training import train; "
        f"train([json.load(open({str(tmp_path / 'content.json')!r}))], {str(index)!r}, "
        f"{str(run)!r}, {str(log)!r})"
    )
    environment = os.environ | {"PYTHONPATH": str(PACKAGE_ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", script], env=environment, start_new_session=True
    )
    stage = training.stage_folder(run, 0)
    try:
        wait_for(lambda: (training.checkpoint_step(stage) or 0) >= 10)
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    wait_for(lambda: unlocked(run / ".lock"))
    done = training.checkpoint_step(stage)
    assert 10 <= done < steps

    # The same training with its end nearer is another one to deepmd-kit, so shorten it on disk.
    shorter = toy_input(index, steps=done + 10)
    for name, value in (
        ("input.json", shorter),
        ("fingerprint.json", training.fingerprint([shorter], index)),
    ):
        (stage / name).write_text(json.dumps(value))
    training.train([shorter], index, run, log)
    assert training.checkpoint_step(stage) == done + 10
    curve = read_curve(stage / "lcurve.out")
    assert curve["step"][-1] == done + 10
    assert "restart from model" in log.read_text()


def unlocked(path):
    with open(path) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


@pytest.mark.slow
def test_an_error_of_deepmd_is_told_in_one_line(index, tmp_path):
    content = toy_input(index)
    content["loss"]["no_such_key"] = 1
    with pytest.raises(UserError, match=r"dp train failed in .*no_such_key.*; see") as caught:
        training.train([content], index, tmp_path / "run", tmp_path / "log")
    assert "\n" not in str(caught.value)
