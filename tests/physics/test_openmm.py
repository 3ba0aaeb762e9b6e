"""OpenMM's quantum thermal bath, by which benchmarks/bath judges ours, beside exact answers.

The same of ours: test_harmonic_crystal.py.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lah10.dynamics.launch import environment
from lah10.dynamics.spectra import bath_energy, oscillator_energies
from lah10.units import BOLTZMANN

BENCHMARK = Path(__file__).parents[2] / "benchmarks/bath"


@pytest.fixture
def crystals():
    """The benchmark's module, whose name another one has in these tests."""
    spec = importlib.util.spec_from_file_location("bath_crystals", BENCHMARK / "crystals.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_einstein_crystal_has_its_exact_energies(crystals):
    """20 K, γ = 10/ps: potential energy Θ/2, kinetic energy what the friction makes of it."""
    pytest.importorskip("openmm", reason="OpenMM comes with requirements-dev.txt")
    temperature, friction, timestep = 20.0, 10.0, 0.0005
    found = crystals.einstein_openmm(temperature, friction, time=4.0, atoms=200, timestep=timestep)
    theta = bath_energy("qtb", np.array(crystals.FREQUENCIES), temperature) / BOLTZMANN
    kinetic = [
        2 / BOLTZMANN * oscillator_energies("qtb", frequency, temperature, friction,
                                            crystals.CUTOFF, correction="potential",
                                            timestep=timestep)[0]
        for frequency in crystals.FREQUENCIES
    ]  # fmt: skip
    assert (np.array(found["potential_stderr"]) < 0.012 * theta).all()
    assert found["potential"] == pytest.approx(theta, rel=0.025)
    assert found["kinetic"] == pytest.approx(kinetic, rel=0.025)
    assert kinetic[0] > 1.1 * theta[0]


def test_without_openmm_the_benchmark_says_how_to_get_it():
    code = (
        "import importlib.util as util, runpy, sys\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'openmm' else find(name, *rest)\n"
        f"sys.path.insert(0, {str(BENCHMARK)!r})\n"
        "sys.argv = ['run.py', 'openmm']\n"
        f"runpy.run_path({str(BENCHMARK / 'run.py')!r}, run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "pip install -r requirements-dev.txt" in done.stderr
