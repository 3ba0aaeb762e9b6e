"""The bath's forces: momentum, reproducibility, and the right velocity for the friction."""

import numpy as np
import pytest

from lah10.bath.bath import Bath, expected_temperature
from lah10.units import BOLTZMANN, MVV2E

MASSES = np.array([138.905] * 4 + [1.008] * 40)
TYPES = np.array([0] * 4 + [1] * 40)


def bath(name="qtb", temperature=300.0, friction=10.0, seed=3):
    return Bath(name, temperature, friction, 200.0, MASSES, TYPES, 0.0005, seed)


@pytest.mark.parametrize("name", ["classical", "qtb", "adqtb"])
def test_net_random_force_vanishes(name):
    force = bath(name).random_force(77)
    assert np.abs(force.sum(axis=0)).max() < 1e-12 * np.abs(force).sum()


def test_momentum_is_removed_in_proportion_to_mass():
    """What is taken from La and H gives both the same acceleration."""
    one = bath()
    raw = one._amplitude * one.noise.at(5)
    removed = raw - one.random_force(5)
    acceleration = removed / MASSES[:, None]
    assert acceleration == pytest.approx(np.broadcast_to(acceleration[0], removed.shape))
    assert removed.sum(axis=0) == pytest.approx(raw.sum(axis=0))


def test_force_is_a_function_of_seed_and_step():
    one, other = bath(), bath()
    for step in (9000, 3, 9000):
        assert np.array_equal(one.random_force(step), other.random_force(step))
    assert not np.allclose(one.random_force(3), bath(seed=4).random_force(3))


def test_white_force_has_the_variance_of_the_fluctuation_dissipation_theorem():
    one = bath("classical", 300.0, 10.0)
    forces = np.array([one.random_force(step) for step in range(4000)])
    wanted = 2 * MASSES * MVV2E * 10.0 * BOLTZMANN * 300.0 / 0.0005
    wanted = wanted * (1 - MASSES / MASSES.sum())  # the share of the net force
    assert forces[:, 4:].var(axis=(0, 2)).mean() == pytest.approx(wanted[4:].mean(), rel=0.01)
    assert forces[:, :4].var(axis=(0, 2)).mean() == pytest.approx(wanted[:4].mean(), rel=0.03)


def test_friction_acts_on_the_velocity_of_the_step():
    """A free particle with constant force reaches the Verlet velocity the formula promises."""
    one = bath()
    inertia = one.inertia[:1]
    before = np.array([[3.0, 0.0, -1.0]])
    force = np.array([[0.5, 0.0, 0.0]])
    random = np.array([[0.1, -0.2, 0.0]])
    push, now = one.half_step_force(random, inertia, before, force)
    assert now == pytest.approx(before + 0.5 * one.timestep / inertia * (force + push))
    assert push == pytest.approx(random - inertia * 10.0 * now)


def test_adaptive_friction_scales_the_spectrum_of_one_element():
    one, plain = bath("adqtb"), bath("qtb")
    grid = np.array([0.0, 1000.0])
    one.set_random_friction(grid, np.array([[10.0, 10.0], [40.0, 40.0]]))
    assert one.noise.at(20)[:4] == pytest.approx(plain.noise.at(20)[:4], abs=1e-5)
    assert one.noise.at(20)[4:] == pytest.approx(2 * plain.noise.at(20)[4:], abs=1e-4)


def test_expected_temperature():
    assert expected_temperature("classical", 120.0) == pytest.approx(120.0)
    assert expected_temperature("qtb", 1.0) == pytest.approx(900, abs=1)
