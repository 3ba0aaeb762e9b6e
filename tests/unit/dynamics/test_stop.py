"""Ways to stop a run: when it leaves a segment, when it does not begin another, and the message."""

import os
import signal
import time

import pytest

from lah10.dynamics import stop


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch/produce"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Every look is at the files."""
    monkeypatch.setattr(stop, "LATENCY", 0.0)


def asked(scratch, **environment) -> stop.Stop:
    return stop.Stop(scratch, {stop.GRACE: "10", **environment})


def test_nothing_stops_a_run_by_default(scratch):
    run = asked(scratch)
    assert run.now(1e9) is None and run.before_segment(1e9) is None


@pytest.mark.parametrize("number", stop.SIGNALS)
def test_a_signal_ends_the_segment_unless_its_end_is_near(scratch, number):
    run = asked(scratch)
    run.receive(number)
    assert run.now(left=5) is None
    assert run.now(left=60) == f"received {signal.Signals(number).name}"
    # At the checkpoint it stops in any case.
    assert run.before_segment(0.1) == f"received {signal.Signals(number).name}"


@pytest.mark.parametrize("number", stop.SIGNALS)
def test_a_signal_to_the_starter_becomes_a_request(scratch, number):
    before = signal.getsignal(number)
    with stop.relay(scratch):
        run = asked(scratch)
        assert run.now(60) is None
        os.kill(os.getpid(), number)
        time.sleep(0.01)
        assert run.now(60) == f"received {signal.Signals(number).name}"
    assert signal.getsignal(number) == before
    assert not stop.request_file(scratch).exists()


def test_an_old_request_is_no_request(scratch):
    scratch.parent.mkdir()
    stop.request_file(scratch).write_text("SIGTERM")
    with stop.relay(scratch):
        assert asked(scratch).now(60) is None


def test_grace_begins_with_the_first_signal(scratch):
    run = asked(scratch, **{stop.GRACE: "0.2"})
    run.receive(signal.SIGTERM)
    assert run.now(left=0.05) is None
    time.sleep(0.25)
    run.receive(signal.SIGTERM)
    assert run.now(left=0.0) is not None


def test_a_segment_that_would_pass_the_wall_time_is_not_begun(scratch):
    run = asked(scratch, **{stop.DEADLINE: str(time.time() + 30)})
    assert run.before_segment(20) is None
    assert run.before_segment(40) == "its wall time ends"
    # An unknown one is, and so is one that goes on until the time is over.
    assert run.before_segment(None) is None
    assert run.now(left=1000) is None
    over = asked(scratch, **{stop.DEADLINE: str(time.time() - 1)})
    assert over.now(left=0.1) == "its wall time ends"


def test_a_signal_comes_before_the_wall_time(scratch):
    run = asked(scratch, **{stop.DEADLINE: str(time.time() + 1000)})
    run.receive(signal.SIGUSR1)
    assert run.now(left=100) == "received SIGUSR1"


def test_the_file_waits_for_the_checkpoint(scratch, tmp_path):
    file = tmp_path / "EXIT"
    run = asked(scratch, **{stop.EXIT_FILE: str(file)})
    assert run.before_segment(1) is None
    file.touch()
    assert run.now(left=3600) is None
    assert run.before_segment(1) == f"{file} is there"


@pytest.mark.parametrize(
    ("seconds", "expected"), [(60, 30), (15 * 60, 60), (3600, 180), (86400, 300)]
)
def test_reserve(seconds, expected):
    """Of a job of a minute half of it; of a long one no more than five minutes."""
    assert stop.reserve(seconds) == expected


def test_the_starter_counts_the_wall_time_from_its_start(scratch):
    with stop.relay(scratch, runtime_minutes=15) as env:
        assert float(env[stop.DEADLINE]) == pytest.approx(time.time() + 14 * 60, abs=5)
    with stop.relay(scratch) as env:
        assert env == {}


def test_the_message_names_what_to_do():
    line = stop.unfinished("qtb", 1.0, 2.0, "received SIGTERM", 0.0)
    assert line == (
        "qtb: UNFINISHED at 1 of 2 ps: received SIGTERM; "
        "a retry, or the same command again, goes on from there"
    )
    line = stop.unfinished("qtb", 1.0, 2.0, "its wall time ends", 1.0)
    assert "it reached no checkpoint in that time: raise its runtime" in line
    assert "shorten dynamics.checkpoint_interval" in line
