"""A lock has one holder, names it, and dies with it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from lah10.errors import UserError
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
