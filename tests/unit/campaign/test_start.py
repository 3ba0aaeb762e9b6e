"""What the main process settles before the first job starts."""

import json
import os

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
