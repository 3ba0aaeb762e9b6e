"""What ends a job lands in its log, and on the terminal in one line."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lah10.io import logs

PACKAGE = Path(__file__).resolve().parents[3] / "workflow/scripts"


def run(log: Path, *lines: str, start: str = "") -> subprocess.CompletedProcess:
    """Run a script whose first lines start the log."""
    program = "\n".join(
        (
            f"import sys; sys.path.insert(0, {str(PACKAGE)!r})",
            f"from lah10.io import logs; logs.start({str(log)!r}{start})",
            *lines,
        )
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "folder" / "job.log"


def test_a_user_error_is_one_line(log):
    done = run(log, "from lah10.errors import UserError", "raise UserError('mend this')")
    assert (done.returncode, done.stderr) == (1, "mend this\n")
    assert "ERROR root: mend this" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_other_errors_leave_their_traceback_in_the_log(log):
    done = run(log, "1 / 0")
    assert (done.returncode, done.stderr) == (
        1, f"ZeroDivisionError: division by zero (traceback in {log})\n",
    )  # fmt: skip
    assert "Traceback" in log.read_text()


def test_a_failing_import_is_logged(log):
    assert run(log, "import no_such_module").returncode == 1
    assert "No module named 'no_such_module'" in log.read_text()


def test_records_and_warnings_are_appended(log):
    for text in ("first", "second"):
        run(log, "import logging, warnings", f"logging.info('{text}')", "warnings.warn('beware')")
    text = log.read_text()
    assert text.index("first") < text.index("second")
    assert text.count("beware") == 2


def test_what_libraries_write_goes_to_the_log(log):
    done = run(log, "import os", "os.write(2, b'noise')", "1 / 0", start=", libraries=True")
    assert done.stderr.startswith("ZeroDivisionError")
    assert "noise" in log.read_text()


def test_inputs_from_the_future_are_dated_now(tmp_path):
    """Another node's clock is ahead; what is made of its files now would be older."""
    past, future = tmp_path / "past", tmp_path / "future"
    for path, date in ((past, 100), (future, time.time() + 7200)):
        path.touch()
        os.utime(path, (date, date))
    logs.date_inputs([str(past), str(future), str(tmp_path / "none")])
    assert past.stat().st_mtime == 100
    assert future.stat().st_mtime <= time.time()
