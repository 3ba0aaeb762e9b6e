"""A lock has one holder, names it, and dies with it."""

import errno
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lah10.errors import UserError
from lah10.io.leases import STALE, Lease
from lah10.io.locks import lock

HOLD = """
import sys, time
sys.path.insert(0, {package!r})
from lah10.io.locks import lock
with lock({path!r}):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    path = tmp_path / "campaign" / "lock"
    package = str(Path(__file__).parents[3] / "workflow/scripts")
    code = HOLD.format(package=package, path=str(path))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.wait()


def test_a_held_lock_is_refused_with_its_holder(holder):
    path, process = holder
    with pytest.raises(UserError, match=f"process {process.pid} on .* since "), lock(path):
        pass


def test_a_lock_is_free_when_its_holder_is_killed(holder):
    path, process = holder
    process.kill()
    process.wait()
    with lock(path) as waited:
        assert not waited


def test_waiting_for_a_lock(holder):
    path, process = holder
    seen = []

    def wait(who):
        seen.append(who)
        process.kill()
        process.wait()

    begin = time.monotonic()
    with lock(path, wait=wait, every=0.05) as waited:
        assert waited
    assert str(process.pid) in seen[0]
    assert time.monotonic() - begin < 30


def test_a_lock_can_be_taken_again(tmp_path):
    for _ in range(2):
        with lock(tmp_path / "lock"):
            pass


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file: cannot be locked \(.*make the folder writable"):
        lock(tmp_path / "file/lock").__enter__()


# ------------------------------------------------------------------ file systems without flock


@pytest.fixture(params=[errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def without_flock(request, monkeypatch):
    def refuse(*_):
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)
    return os.strerror(request.param)


def foreign(path: Path, age: float = 0.0, **changes) -> dict:
    """A lease of a process on another host, renewed `age` seconds ago."""
    content = {"pid": 1, "host": "node7", "since": "2026-01-02 03:04:05", "token": "theirs"}
    content |= changes
    path.write_text(json.dumps(content))
    os.utime(path, times=(time.time() - age,) * 2)
    return content


def test_a_lease_takes_the_place_of_flock(tmp_path, without_flock, caplog):
    path = tmp_path / "lock"
    lease = tmp_path / "lock.lease"
    with caplog.at_level(logging.WARNING), lock(path) as waited:
        assert not waited
        held = json.loads(lease.read_text())
        assert (held["pid"], held["host"]) == (os.getpid(), socket.gethostname())
        with pytest.raises(UserError, match=f"is in use by process {os.getpid()} on "), lock(path):
            pass
    assert not lease.exists()
    (line,) = caplog.messages
    assert line.startswith(f"{tmp_path}: this file system refuses flock ({without_flock})")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["lock"]


def test_a_lease_of_another_host_holds_until_it_is_stale(tmp_path, without_flock):
    lease = tmp_path / "lock.lease"
    foreign(lease, age=0.5 * STALE)
    with pytest.raises(UserError, match="process 1 on node7 since 2026-01-02 03:04:05"):
        lock(tmp_path / "lock").__enter__()
    foreign(lease, age=1.1 * STALE)
    with lock(tmp_path / "lock"):
        assert json.loads(lease.read_text())["host"] == socket.gethostname()


def test_a_lease_counts_where_flock_works(tmp_path):
    foreign(tmp_path / "lock.lease")
    with pytest.raises(UserError, match="process 1 on node7"):
        lock(tmp_path / "lock").__enter__()
    foreign(tmp_path / "lock.lease", age=1.1 * STALE)
    with lock(tmp_path / "lock"):
        pass


def test_a_lease_of_a_process_that_ended_is_stale_at_once(tmp_path, without_flock):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    foreign(tmp_path / "lock.lease", pid=ended.pid, host=socket.gethostname())
    with lock(tmp_path / "lock") as waited:
        assert not waited


def test_waiting_for_a_lease(tmp_path, without_flock):
    lease = tmp_path / "lock.lease"
    foreign(lease)
    seen = []

    def wait(holder):
        seen.append(holder)
        lease.unlink()

    with lock(tmp_path / "lock", wait=wait, every=0.01) as waited:
        assert waited
    assert "node7" in seen[0]


def until(condition) -> bool:
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def test_a_held_lease_is_renewed(tmp_path):
    lease = Lease(tmp_path / "lease", renewed=0.02)
    assert lease.take() is None
    os.utime(lease.path, times=(0, 0))
    assert until(lambda: lease.path.stat().st_mtime > 0)
    lease.path.unlink()  # by a clean-up of old files
    assert until(lease.path.exists)
    lease.free()
    assert not lease.path.exists()


def test_who_has_lost_the_lease_ends(tmp_path, monkeypatch):
    sent = []
    monkeypatch.setattr(os, "kill", lambda *arguments: sent.append(arguments))
    lease = Lease(tmp_path / "lease", renewed=0.02)
    assert lease.take() is None
    foreign(lease.path)
    assert until(lambda: (os.getpid(), signal.SIGTERM) in sent)
    lease.free()
    assert json.loads(lease.path.read_text())["token"] == "theirs"


def test_a_lease_that_was_taken_meanwhile_is_left(tmp_path, monkeypatch):
    """Between the look at a stale lease and its removal another process may take it."""
    lease = Lease(tmp_path / "lease")
    foreign(lease.path, age=2 * STALE)
    age = lease._age

    def slow() -> float:
        found = age()
        foreign(lease.path, host="node8", token="another")
        return found

    monkeypatch.setattr(lease, "_age", slow)
    assert lease.holder() is not None
    assert json.loads(lease.path.read_text())["token"] == "another"


def test_a_lease_ends_with_its_process(tmp_path):
    package = str(Path(__file__).parents[3] / "workflow/scripts")
    code = f"import sys; sys.path.insert(0, {package!r}); from lah10.io.leases import Lease; "
    code += f"assert Lease({str(tmp_path / 'lease')!r}).take() is None"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert list(tmp_path.iterdir()) == []
