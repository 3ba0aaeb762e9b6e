"""Child processes: their environment, their output, their errors and their end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lah10.errors import UserError
from lah10.io import child


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_environment_has_this_package_first(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/their/lib")
    found = child.environment()
    assert found["PYTHONPATH"].split(os.pathsep) == [str(child.PACKAGE_ROOT), "/elsewhere"]
    assert found["LD_LIBRARY_PATH"].endswith("/their/lib")
    assert (child.PACKAGE_ROOT / "lah10/__init__.py").is_file()


def test_threads(monkeypatch):
    names = ["OMP_NUM_THREADS", *(f"{x}_INTRA_OP_PARALLELISM_THREADS" for x in ("TF", "DP"))]
    for name in names[1:]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert [child.environment()[name] for name in names] == ["2"] * 3
    assert [child.environment(threads=3)[name] for name in names] == ["3"] * 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert [child.environment()[name] for name in names] == ["1"] * 3


def test_output_and_input():
    code = "import os, sys; print(sys.stdin.read() + os.environ['X'])"
    assert child.run(python(code), "failed", text="a", env={"X": "b"}) == "ab\n"
    assert child.run(python("import sys; print(sys.stdin.read())"), "failed") == "\n"


def test_a_failure_is_one_line():
    code = "import sys; print('before'); sys.exit('the last line')"
    with pytest.raises(UserError, match=r"^m\.pb: cannot be run \(the last line\)$"):
        child.run(python(code), "m.pb: cannot be run")
    with pytest.raises(UserError, match=r"^m\.pb: cannot be run \(status 4\)$"):
        child.run(python("raise SystemExit(4)"), "m.pb: cannot be run")


def test_a_module_of_the_package():
    with pytest.raises(UserError, match=r"failed \(.*No module named lah10\.nowhere\)$"):
        child.run_module("lah10.nowhere", [], "failed")


def test_progress_goes_to_log_and_terminal(tmp_path, capfd):
    log = tmp_path / "log"
    log.write_text("earlier\n")
    code = "from lah10.io.child import say; print('detail'); say('half way')"
    child.follow(python(code), log, "the run")
    assert log.read_text() == "earlier\ndetail\nlah10: half way\n"
    assert capfd.readouterr().err == "half way\n"


def test_a_child_that_is_followed_gets_variables_and_threads(tmp_path):
    code = "import os; print(os.environ['DP_INFER_BATCH_SIZE'], os.environ['OMP_NUM_THREADS'])"
    log = tmp_path / "log"
    child.follow(python(code), log, "the run", threads=3, env={"DP_INFER_BATCH_SIZE": "8192"})
    assert log.read_text() == "8192 3\n"


def test_errors_of_a_child_that_is_followed(tmp_path):
    code = "import sys; from lah10.io.child import say; say('give it more time'); sys.exit({})"
    with pytest.raises(UserError, match=r"^give it more time$"):
        child.follow(python(code.format(child.USER_ERROR)), tmp_path / "log", "the run")
    with pytest.raises(RuntimeError, match=r"^the run ended with status 1; see .*log$"):
        child.follow(python(code.format(1)), tmp_path / "log", "the run")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends children on Linux only")
def test_a_child_ends_with_its_parent(tmp_path):
    """Its parent is killed, so that it can do nothing for its children."""
    number = tmp_path / "number"
    inner = f"import os, time; open({str(number)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    command = f"[sys.executable, '-c', {inner!r}]"
    outer = f"import sys; from lah10.io import child; child.run({command}, 'failed')"
    parent = subprocess.Popen(python(outer), env=child.environment())
    try:
        wait_for(lambda: number.is_file() and number.read_text())
        assert alive(int(number.read_text()))
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    wait_for(lambda: not alive(int(number.read_text())))


def alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
