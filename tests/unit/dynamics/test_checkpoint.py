"""Checkpoints are kept whole, tied to a fingerprint, and forgotten when asked."""

import time

import numpy as np

from lah10.dynamics.checkpoint import Checkpoints


def finish(checkpoints, value):
    checkpoints.restart(checkpoints.completed + 1).write_text(f"state {value}")
    checkpoints.save({"x": np.array([value])})


def test_segments_are_found_again(tmp_path):
    first = Checkpoints(tmp_path / "s", "abc")
    finish(first, 1.0)
    finish(first, 2.0)
    again = Checkpoints(tmp_path / "s", "abc")
    assert again.completed == 2
    assert again.load(1)["x"] == 1.0
    assert again.load(2)["x"] == 2.0
    assert again.restart(2).read_text() == "state 2.0"
    assert not again.restart(1).exists()


def test_another_fingerprint_starts_anew(tmp_path):
    finish(Checkpoints(tmp_path, "abc"), 1.0)
    (tmp_path / "lock").write_text("")
    assert Checkpoints(tmp_path, "xyz").completed == 0
    assert [p.name for p in tmp_path.iterdir()] == ["lock"]


def test_a_forced_rerun_forgets_older_checkpoints_and_keeps_its_own(tmp_path):
    finish(Checkpoints(tmp_path, "abc"), 1.0)
    since = time.time() + 10
    assert Checkpoints(tmp_path, "abc", since).completed == 0
    finish(Checkpoints(tmp_path, "abc"), 1.0)
    assert Checkpoints(tmp_path, "abc", time.time() - 60).completed == 1


def test_a_half_written_segment_does_not_count(tmp_path):
    checkpoints = Checkpoints(tmp_path, "abc")
    finish(checkpoints, 1.0)
    checkpoints.restart(2).write_text("state 2")
    checkpoints.segment(2).write_bytes(b"half")
    assert Checkpoints(tmp_path, "abc").completed == 1
    (tmp_path / "checkpoint.json").write_text('{"fingerp')
    assert Checkpoints(tmp_path, "abc").completed == 0
