"""Run a piece of code in a process that can load LAMMPS and the potential."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns import PAIR
from lah10.io.child import environment

HERE = Path(__file__).parent
ROOT = Path(__file__).parents[2]


@pytest.fixture
def in_lammps(tmp_path, monkeypatch):
    """Call `function(arguments)` of a test helper, or of a module in another folder (`beside`), in
    a child process whose LAMMPS does without the deep potential; returns its JSON answer."""

    monkeypatch.setenv("PYTHONPATH", str(PAIR))

    def call(module: str, function: str, beside: Path = HERE, **arguments):
        answer = tmp_path / f"{function}.json"
        code = (
            "import json, sys\n"
            f"sys.path.insert(0, {str(beside)!r})\n"
            f"import {module}\n"
            f"result = {module}.{function}(**json.loads({json.dumps(arguments)!r}))\n"
            f"json.dump(result, open({str(answer)!r}, 'w'))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return json.loads(answer.read_text())

    return call
