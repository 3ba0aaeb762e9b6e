"""The benchmarks of the analysis, on a small crystal: each prints its table."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a benchmark with arguments; its exit status and what it printed."""
    monkeypatch.chdir(ROOT)

    def run(name, *arguments):
        spec = importlib.util.spec_from_file_location(name, ROOT / f"benchmarks/analysis/{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        return module.main(), capsys.readouterr().out

    return run


def test_assignment_beside_scipy(run):
    _, printed = run("assignment", "--repeat", "2")
    rows = [line.strip("| ").split(" | ") for line in printed.splitlines()[2:]]
    assert [(row[0], float(row[1])) for row in rows] == [("320", s) for s in (0.13, 0.2, 0.3)]
    # Nobody is worse off than at home: 6σ², less where protons changed places.
    assert all(float(row[-1]) < 6.6 * float(row[1]) ** 2 for row in rows)


def test_a_point_and_the_merging_of_many(run):
    status, printed = run("scale", "--repeat", "2", "--frames", "24", "--points", "3", "--check")
    assert status == 0 and "352 atoms, 24 frames" in printed
    shares = [float(share) for share in re.findall(r"\| (\d+\.\d) \| \d", printed)]
    assert len(shares) == 14 and 20 < sum(shares) <= 101
    assert re.search(r"merging 3 points: \S+ s", printed) and "largest memory" in printed
