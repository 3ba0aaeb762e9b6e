"""The closed forms of the benchmark of time steps are those of the crystals without a step."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from lah10.bath.timestep import kinetic_share, potential_share

FILE = Path(__file__).parents[3] / "benchmarks/bath/time_step.py"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(sys, "path", sys.path.copy())
    spec = importlib.util.spec_from_file_location("time_step", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_of_the_volume(bench, monkeypatch):
    for name in ("BULK", "GRUNEISEN"):
        monkeypatch.setattr(bench.quasiharmonic, name, getattr(bench, name))
    atoms = bench.quasiharmonic.row(*bench.ROW, bench.FREQUENCIES).repeat(bench.REPEAT)
    none = bench.of_volume(atoms, 0.0)
    rest = bench.quasiharmonic.exact_volume(
        atoms, bench.TEMPERATURE, "classical", bench.PRESSURE
    )
    # Apart from what the fluctuations of 1,200 atoms and the net random force make.
    assert none["volume"] == pytest.approx(rest / len(atoms), rel=5e-4)
    assert none["kinetic"] == pytest.approx(none["potential"])
    of = {step: bench.of_volume(atoms, step / 1000) for step in bench.STEPS}
    assert none["volume"] < of[0.25]["volume"] < of[0.5]["volume"] < of[0.75]["volume"]
    share = of[0.75]["kinetic"] / none["kinetic"]
    assert share == pytest.approx(kinetic_share(bench.FRICTION, 0.00075))


def test_of_the_angle(bench, tmp_path):
    atoms, _ = bench.sheared.crystal(tmp_path, bench.ANGLE)
    exact = bench.sheared.slope(atoms, bench.ANGLE, bench.TEMPERATURE, quantum=False, pinned=True)
    none = bench.of_angle(atoms, 0.0)
    assert none["gradient"] == pytest.approx(exact, rel=1e-4)
    # All of a crystal's energy but three degrees of freedom.
    thermal = 1.5e3 * bench.BOLTZMANN * bench.TEMPERATURE
    assert none["kinetic"] == pytest.approx(thermal * (len(atoms) - 1) / len(atoms))
    longer = bench.of_angle(atoms, 0.00075)
    assert longer["potential"] > none["potential"] and longer["gradient"] < none["gradient"]


def test_energies_are_those_of_single_springs(bench):
    atoms = bench.quasiharmonic.row(1, 1, (8.0, 60.0))
    kinetic, potential = bench.energies(atoms, np.array([8.0, 60.0]), 0.0005)
    thermal = 1.5 * bench.BOLTZMANN * bench.TEMPERATURE * bench.shares(atoms)
    assert kinetic == pytest.approx(thermal.sum() * kinetic_share(bench.FRICTION, 0.0005))
    shares = [potential_share(frequency, 0.0005) for frequency in (8.0, 60.0)]
    assert potential == pytest.approx(thermal @ shares)
