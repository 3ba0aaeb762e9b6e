"""What the main process settles before the first job starts."""

import json
import os
import signal
import sys
import time
from types import SimpleNamespace

import pytest

from lah10.campaign import start
from lah10.errors import UserError
from lah10.io.locks import lock


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv(start.FORCED, "")


def forced() -> dict:
    return json.loads(os.environ[start.FORCED])


def test_the_lock_is_held_until_it_is_closed(tmp_path):
    held = start.start({tmp_path: {"produce"}}, ())
    with pytest.raises(UserError, match=f"^{tmp_path} is in use by process "):
        start.start({tmp_path: {"analyse"}}, ())
    held.close()
    start.start({tmp_path: {"analyse"}}, ()).close()


def test_a_training_and_a_campaign_do_not_wait_for_each_other(tmp_path):
    one, other = tmp_path / "demo", tmp_path / "potential"
    with start.start({one: {"all"}, other: {"train"}}, ()):
        start.start({one: {"produce"}, other: set()}, ()).close()
        with pytest.raises(UserError, match=f"^{other} is in use by process "):
            start.start({one: {"produce"}, other: {"train"}}, ())
        # What was taken before the refusal is free again.
        start.start({one: {"produce"}}, ()).close()


@pytest.mark.parametrize("rule", sorted(start.READING))
def test_who_only_reads_takes_no_lock(tmp_path, rule):
    with lock(tmp_path / ".lock"):
        start.start({tmp_path: {rule}}, ()).close()


def test_jobs_learn_what_is_forced_and_by_which_run(tmp_path):
    start.start({tmp_path: {"produce"}}, {"produce"}).close()
    first = forced()
    assert first["rules"] == ["produce"]
    start.start({tmp_path: {"produce"}}, {"produce"}).close()
    assert forced()["token"] != first["token"]


def test_what_follows_a_forced_stage_is_forced(tmp_path):
    start.start({tmp_path: {"produce"}}, {"equilibrate"}).close()
    assert forced()["rules"] == ["equilibrate", "produce"]


def test_nothing_is_forced_by_default(tmp_path):
    start.start({tmp_path: {"produce"}}, ()).close()
    assert forced()["rules"] == []


def test_a_file_exit_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "EXIT").touch()
    with pytest.raises(UserError, match=f"to go on, remove it: rm {tmp_path}/EXIT"):
        start.start({tmp_path: {"produce"}}, ())
    start.start({tmp_path: {"status"}}, ()).close()
    (tmp_path / "EXIT").unlink()
    start.start({tmp_path: {"produce"}}, ()).close()


def test_a_file_exit_ends_snakemake_softly(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "EXIT_LATENCY", 0.01)
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        start.stop_by_file(tmp_path)
        time.sleep(0.05)
        assert received == []
        (tmp_path / "EXIT").touch()
        end = time.monotonic() + 10
        while not received and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]


def test_jobs_are_tried_again_by_the_main_process_alone():
    def workflow(main, retries):
        settings = SimpleNamespace(retries=retries)
        return SimpleNamespace(is_main_process=main, execution_settings=settings)

    assert start.retries(workflow(True, 0)) == start.ATTEMPTS - 1
    assert start.retries(workflow(True, 20)) == 20
    assert start.retries(workflow(False, 20)) == 0


def test_numbers_that_the_command_line_gives():
    numbers = {"_cores": 4, "_nodes": sys.maxsize}
    resources = {name: SimpleNamespace(value=number) for name, number in numbers.items()}
    workflow = SimpleNamespace(global_resources=resources)
    assert start.given(workflow, "_cores") == 4
    assert start.given(workflow, "_nodes") is None
    assert start.given(workflow, "_other") is None
