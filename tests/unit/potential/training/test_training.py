"""Training, freezing, compressing: a toy potential from made-up frames, by the package alone."""

import copy
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from lah10.errors import UserError
from lah10.io import frozen_model
from lah10.io.child import PACKAGE_ROOT
from lah10.potential.data import preparation
from lah10.potential.evaluate import evaluate
from lah10.potential.training import compression, training
from toy_training import read_curve, toy_input


def test_a_gpu_that_is_not_there_is_refused(index, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UserError, match="device: expected cpu or auto, since TensorFlow finds no"):
        training.train([toy_input(index)], index, tmp_path / "run", tmp_path / "log", device="gpu")
    assert not (tmp_path / "run").exists()


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
    change = compression.compress(frozen, compressed, content, closest, samples, log)
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
        compression.compress(frozen, tmp_path / "wrong.pb", wrong, closest, samples, log)
    assert not (tmp_path / "wrong.pb").exists()


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
