"""Checkpoints are whole, of two generations, tied to a fingerprint, and forgotten when asked."""

import json
import os
import time

import numpy as np
import pytest

from lah10.dynamics.checkpoint import Checkpoints
from lah10.io.files import atomic_path


def finish(checkpoints, value):
    aside = checkpoints.folder / "restart.part"
    aside.write_text(f"state {value}")
    checkpoints.keep_restart(checkpoints.completed + 1, aside)
    checkpoints.save({"x": np.array([value])})


@pytest.fixture
def three(tmp_path):
    """A folder with three segments."""
    checkpoints = Checkpoints(tmp_path, "abc")
    for value in (1.0, 2.0, 3.0):
        finish(checkpoints, value)
    return checkpoints


def reopened(checkpoints) -> tuple[Checkpoints, str]:
    """The same folder as the next process finds it, and what is logged."""
    said = []
    again = Checkpoints(checkpoints.folder, "abc", say=said.append)
    return again, "\n".join(said)


def test_segments_are_found_again(three):
    again, said = reopened(three)
    assert again.completed == 3 and said == ""
    assert [again.load(n)["x"].item() for n in (1, 2, 3)] == [1.0, 2.0, 3.0]
    assert again.restart(3).read_text() == "state 3.0"


def test_two_generations_are_kept(three):
    assert three.restart(2).exists() and not three.restart(1).exists()


def test_another_fingerprint_starts_anew(tmp_path):
    finish(Checkpoints(tmp_path, "abc"), 1.0)
    for name in ("lock", "lock.lease"):
        (tmp_path / name).write_text("")
    said = []
    assert Checkpoints(tmp_path, "xyz", say=said.append).completed == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lock", "lock.lease"]
    assert "begins anew" in said[0]


def test_a_forced_rerun_forgets_other_checkpoints_and_keeps_its_own(tmp_path):
    """By the run's token: the clocks of nodes may be hours apart."""
    finish(Checkpoints(tmp_path, "abc"), 1.0)
    later = time.time() + 7200
    os.utime(tmp_path / "checkpoint.json", (later, later))
    assert Checkpoints(tmp_path, "abc", "one run").completed == 0
    finish(Checkpoints(tmp_path, "abc", "one run"), 1.0)
    os.utime(tmp_path / "checkpoint.json", (0, 0))
    assert Checkpoints(tmp_path, "abc", "one run").completed == 1
    assert Checkpoints(tmp_path, "abc").completed == 1
    assert Checkpoints(tmp_path, "abc", "another run").completed == 0


def test_a_half_written_segment_does_not_count(tmp_path):
    checkpoints = Checkpoints(tmp_path, "abc")
    finish(checkpoints, 1.0)
    checkpoints.restart(2).write_text("state 2")
    checkpoints.segment(2).write_bytes(b"half")
    assert Checkpoints(tmp_path, "abc").completed == 1


DAMAGE = {
    "a flipped byte": lambda path: path.write_bytes(
        path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1])
    ),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:3]),
    "empty": lambda path: path.write_bytes(b""),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["state-00003.restart", "segment-00003.npz"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(three, name, damage):
    DAMAGE[damage](three.folder / name)
    broken = (three.folder / name).read_bytes()
    again, said = reopened(three)
    assert again.completed == 2
    assert again.restart(2).read_text() == "state 2.0"
    assert f"{name}: differs from what was written (SHA-256)" in said
    assert "goes back from checkpoint 3 to 2" in said
    # The damaged file is kept, also when all is done.
    again.clear()
    assert (three.folder / f"damaged/{name}.1").read_bytes() == broken


def test_the_fallback_goes_on_as_ever(three):
    three.restart(3).write_text("damaged")
    again, _ = reopened(three)
    finish(again, 3.0)
    once_more, said = reopened(three)
    assert once_more.completed == 3 and said == ""


def test_every_process_of_a_job_finds_the_fallback(three):
    three.restart(3).write_text("damaged")
    reopened(three)
    assert Checkpoints(three.folder, "abc", verify=False).completed == 2


@pytest.mark.parametrize("gone", ["state-00003.restart", "segment-00003.npz"])
def test_a_missing_file_falls_back_too(three, gone):
    (three.folder / gone).unlink()
    again, said = reopened(three)
    assert again.completed == 2 and f"{gone}: is missing" in said


def test_an_early_segment_cannot_be_replaced(three):
    three.segment(1).write_bytes(b"damaged")
    again, said = reopened(three)
    assert again.completed == 0
    assert "no whole checkpoint is left; begins anew" in said
    assert (three.folder / "damaged/segment-00001.npz.1").read_bytes() == b"damaged"


def test_an_unreadable_state_falls_back_to_the_one_before(three):
    (three.folder / "checkpoint.json").write_text('{"fingerp')
    again, said = reopened(three)
    assert again.completed == 2
    assert "checkpoint.json: cannot be read; kept as" in said
    assert (three.folder / "damaged/checkpoint.json.1").read_text() == '{"fingerp'


def test_two_unreadable_states_lose_no_file(three):
    for name in ("checkpoint.json", "checkpoint.before.json"):
        (three.folder / name).write_text("")
    again, said = reopened(three)
    assert again.completed == 0
    assert "no checkpoint can be read; begins anew" in said
    kept = {path.name for path in (three.folder / "damaged").iterdir()}
    assert {"segment-00001.npz.1", "state-00003.restart.1", "checkpoint.json.1"} <= kept


def test_checkpoints_without_sums_are_read(three):
    """Those of version 0.1.0."""
    state = {"fingerprint": "abc", "completed": 3}
    (three.folder / "checkpoint.json").write_text(json.dumps(state))
    again, said = reopened(three)
    assert again.completed == 3 and said == ""


def test_files_and_folders_are_synced_around_the_rename(tmp_path, monkeypatch):
    order = []
    replace = os.replace
    monkeypatch.setattr(
        os, "fsync", lambda fd: order.append(os.readlink(f"/proc/self/fd/{fd}"))
    )
    monkeypatch.setattr(os, "replace", lambda a, b: (order.append("rename"), replace(a, b)))
    with atomic_path(tmp_path / "file") as aside:
        aside.write_text("x")
    assert order == [str(aside), "rename", str(tmp_path)]
