"""The cell's motion: its mass, the noise that belongs to its friction, what LAMMPS is told."""

from dataclasses import replace

import numpy as np
import pytest

from lah10.dynamics.cell import CellMotion
from lah10.units import BOLTZMANN

CELL = CellMotion(period=0.6, temperature=100.0, atoms=44, timestep=0.0005, seed=5)


def test_random_stress_is_a_function_of_seed_and_step():
    first = CELL.random_virial(1000)
    assert first.shape == (6,)
    np.testing.assert_array_equal(first, replace(CELL).random_virial(1000))
    assert not np.isclose(first, CELL.random_virial(1001)).any()
    assert not np.isclose(first, replace(CELL, seed=6).random_virial(1000)).any()


@pytest.mark.parametrize("settling", [False, True])
def test_a_free_cell_has_the_temperature_of_the_bath(settling):
    """LAMMPS' own steps (half a kick and half a step's friction, twice) on six free elements."""
    cell = replace(CELL, settling=settling, timestep=0.005)
    kept, half = 1 - 0.5 * cell.timestep * cell.friction, 0.5 * cell.timestep / cell.mass
    speed, kinetic = np.zeros(6), []
    for step in range(40_000):
        kick = half * cell.random_virial(step)
        on_step = (speed + kick) * kept
        speed = (on_step + kick) * kept
        kinetic.append(0.5 * cell.mass * speed**2)
    found = 2 * np.mean(kinetic[500:]) / BOLTZMANN
    # Of 6 · 200 ps · λ independent values, each as wide as √2 of its mean.
    error = np.sqrt(2 / (6 * 200 * cell.friction))
    assert found == pytest.approx(100.0, rel=4 * error)
    assert error < 0.03


def test_an_oscillating_cell_has_the_right_variance_but_for_the_step():
    """Exact, from the linear steps of one element x with the frequency of the volume: the variance
    is k_B T/(W ω²) (1 + λΔt/4)."""
    for timestep in (0.0005, 0.002):
        cell = replace(CELL, timestep=timestep)
        kept, stiffness = 1 - 0.5 * timestep * cell.friction, (2 * np.pi / cell.period) ** 2
        half = 0.5 * timestep * kept * (1 + kept)
        # (speed, x) after a step, from those before it and from the random stress.
        step = np.array([[kept**2, -half * stiffness]])
        step = np.vstack([step, timestep * step[0] + [0, 1]])
        noise = half * cell.amplitude / cell.mass * np.array([1, timestep])
        found = np.linalg.solve(np.eye(4) - np.kron(step, step), np.kron(noise, noise))
        right = BOLTZMANN * cell.temperature / (cell.mass * stiffness)
        assert found[3] / right == pytest.approx(1 + 0.25 * cell.friction * timestep, abs=2e-4)


def test_mass_follows_from_the_period_alone():
    """√(3BV/W) = 2π/period for the typical crystal, whatever the temperature; so at 0 K, where
    nothing pushes the cell."""
    masses = [replace(CELL, temperature=t).mass / 45 for t in (0.0, 1.0, 300.0)]
    assert masses == pytest.approx([masses[0]] * 3)
    stiffness = 3 * 550.0 / 160.2176634 * 3.0 * 44
    assert np.sqrt(stiffness / CELL.mass) == pytest.approx(2 * np.pi / 0.6, rel=1e-6)
    assert not replace(CELL, temperature=0.0).random_virial(3).any()


def test_commands_hand_lammps_the_friction():
    """LAMMPS takes the share Δt · drag/τ twice a step, which is λ in all."""
    *_, noise, barostat = CELL.commands(150.0)
    assert noise == "fix cell all external pf/callback 1 1"
    words = barostat.split()
    assert words[words.index("ptemp") + 1] == "100" and words[words.index("pchain") + 1] == "0"
    drag, damping = float(words[words.index("drag") + 1]), float(words[words.index("x") + 3])
    assert 2 * drag / damping == pytest.approx(CELL.friction)
    assert CELL.friction == pytest.approx(0.3 * 2 * np.pi / 0.6)
    assert replace(CELL, settling=True).friction == pytest.approx(2 * 2 * np.pi / 0.6)
