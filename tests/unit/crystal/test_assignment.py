"""The assignment of points to sites, against scipy's dense solver and cases made to mislead it."""

import time

import numpy as np
import pytest
from scipy.optimize import brentq, linear_sum_assignment

from crystals import supercell
from lah10.crystal.assignment import assign


@pytest.mark.parametrize("spread", [0.1, 0.5, 3.0])
@pytest.mark.parametrize(
    "cell", [np.diag([4.0, 5.0, 6.0]), np.array([[4.0, 0, 0], [2, 3.5, 0], [2, 1.2, 3.3]])]
)
def test_assignment_is_the_exact_minimum(spread, cell):
    """Against the dense Hungarian solution over all images, from crystal-like to liquid-like."""
    rng = np.random.default_rng(int(10 * spread))
    sites = rng.uniform(size=(40, 3))
    points = (sites + rng.normal(size=(40, 3)) * spread @ np.linalg.inv(cell))[rng.permutation(40)]
    points += rng.integers(-3, 4, size=(40, 3))
    steps = np.stack(np.meshgrid(*3 * [np.arange(-2, 3)], indexing="ij"), -1).reshape(-1, 3)
    difference = points[:, None] - sites
    difference -= np.round(difference)
    vectors = (difference[:, :, None] + steps) @ cell
    cost = (vectors**2).sum(axis=-1).min(axis=-1)
    rows, columns = linear_sum_assignment(cost)
    site, squared = assign(points, sites, cell)
    assert squared.sum() == pytest.approx(cost[rows, columns].sum(), abs=1e-9)
    assert sorted(site) == list(range(40))
    assert squared == pytest.approx(cost[np.arange(40), site], abs=1e-9)


def test_far_assignment_needs_a_larger_cutoff():
    """One atom of a row has gone beyond its far end: shifting the whole row is cheaper than one
    long jump. And lonely points far from all sites must find one at all."""
    sites = np.c_[np.arange(10) / 40, np.zeros(10), np.zeros(10)]
    cell = np.diag([40.0, 40.0, 40.0])
    points = sites.copy()
    points[0, 0] += 10.5 / 40
    site, squared = assign(points, sites, cell)
    cost = ((points[:, None] - sites) @ cell) ** 2
    rows, columns = linear_sum_assignment(cost.sum(-1))
    assert squared.sum() == pytest.approx(cost.sum(-1)[rows, columns].sum())
    lonely = np.array([[0.5, 0.5, 0.5], [0.1, 0.0, 0.0]])
    site, squared = assign(lonely, lonely[::-1] + np.array([0.2, 0, 0]), cell)
    assert site.tolist() == [1, 0] and squared == pytest.approx([64.0, 64.0])


def test_cutoff_grows_until_no_longer_pair_can_be_of_use():
    """Eleven sites on an open ring, with a point for all but the first, and one point beyond the
    last: eleven hops of 1 Å round the ring are a full assignment, one of 2.5 Å across the gap is
    a better one. A crowd elsewhere makes the first cut-off 1.5 Å."""
    radius = brentq(lambda r: 22 * np.arcsin(0.5 / r) + 2 * np.arcsin(1.25 / r) - 2 * np.pi, 1.5, 9)
    turn = 2 * np.arcsin(0.5 / radius) * np.arange(12)
    ring = radius * np.c_[np.cos(turn), np.sin(turn), 0 * turn] + [3.5, 8.0, 2.0]
    crowd = np.stack(
        np.meshgrid(np.arange(8.0, 15.5, 0.8), np.arange(0, 16, 0.8), np.arange(0, 4, 0.8)), -1
    ).reshape(-1, 3)
    cell = np.diag([16.0, 16.0, 4.0])
    points = np.concatenate([ring[1:], crowd]) @ np.linalg.inv(cell)
    sites = np.concatenate([ring[:-1], crowd]) @ np.linalg.inv(cell)
    _, squared = assign(points, sites, cell)
    assert squared.sum() == pytest.approx(2.5**2, abs=1e-6)


def protons(repeat):
    """Sites of H in the perfect crystal (fractional), and the cell, sheared."""
    template = supercell("conventional", repeat)
    shear = np.array([[1.01, 0, 0], [0.02, 0.99, 0], [-0.01, 0.015, 1.0]])
    return template.get_scaled_positions()[template.numbers == 1], template.cell.array @ shear


def dense(points, sites, cell):
    """Least sum of squared distances of nearest images, of a cell far wider than any of them."""
    difference = points[:, None] - sites
    difference -= np.round(difference)
    cost = ((difference @ cell) ** 2).sum(axis=-1)
    rows, columns = linear_sum_assignment(cost)
    return cost[rows, columns].sum()


@pytest.mark.parametrize("sigma", [0.15, 0.35])
def test_3200_protons_as_by_the_dense_solver(sigma):
    """From a cold start, from the sites, and from the sites with a tenth of them wrong."""
    rng = np.random.default_rng(5)
    sites, cell = protons((4, 4, 5))
    n = len(sites)
    assert n == 3200
    home = np.arange(n)
    occupant = home.copy()
    occupant[:200] = np.roll(occupant[:200], 1)  # who sits there has come from elsewhere
    noise = rng.normal(size=(2, n, 3)) * sigma @ np.linalg.inv(cell)
    points = sites[occupant] + noise[0] + rng.integers(-2, 3, size=(n, 3))
    origin = sites + noise[1]
    exact = dense(points, origin, cell)
    wrong = occupant.copy()
    tenth = rng.choice(n, n // 10, replace=False)
    wrong[np.sort(tenth)] = wrong[tenth]
    for start in (None, occupant, home, wrong):
        site, squared = assign(points, origin, cell, start)
        assert squared.sum() == pytest.approx(exact, abs=1e-9)
        assert np.array_equal(np.sort(site), home)


def test_liquid_in_which_the_sparse_solver_hangs():
    """After some 200 steps of this walk costs nearly tie, and scipy's row reduction of the exact
    costs takes steps of round-off's size."""
    rng = np.random.default_rng(21)
    template = supercell("conventional", (2, 2, 1))
    sites = template.get_scaled_positions()[template.numbers == 1]
    cell = template.cell.array
    walk = np.cumsum(rng.normal(size=(300, len(sites), 3)) * 0.05, axis=0) @ np.linalg.inv(cell)
    order = np.arange(len(sites))
    for frame in range(0, 300):
        points = (sites + walk[frame])[order]
        site, squared = assign(points, sites, cell, np.arange(len(sites)))
        order = order[np.argsort(site)]
        if frame % 50 == 49:
            exact = dense(points, sites, cell)
            assert squared.sum() == pytest.approx(exact, abs=1e-9)
            assert assign(points, sites, cell)[1].sum() == pytest.approx(exact, abs=1e-9)


def test_conflicts_across_the_boundary_are_resolved():
    """Three points share their nearest site at the edge of the cell; no start is right."""
    sites = np.arange(12)[:, None] / 12 * [1.0, 0, 0]
    cell = np.diag([12.0, 9.0, 9.0])
    points = sites.copy()
    points[[10, 11, 0], 0] = [0.001, -0.001, 0.999]
    exact = dense(points, sites, cell)
    for start in (None, np.arange(12), np.roll(np.arange(12), 5)):
        assert assign(points, sites, cell, start)[1].sum() == pytest.approx(exact, abs=1e-9)


def test_points_that_are_nowhere_and_starts_that_are_none():
    sites, cell = protons((1, 1, 1))
    broken = sites.copy()
    broken[3, 1] = np.nan
    for points, places in ((broken, sites), (sites, broken)):
        with pytest.raises(ValueError, match="not finite"):
            assign(points, places, cell)
    with pytest.raises(ValueError, match="permutation of 0 … 39"):
        assign(sites, sites, cell, start=np.zeros(40, int))


def test_40000_protons_take_less_than_a_second():
    """Of processor time, with amplitudes beyond those of quantum protons (0.13 Å a component)."""
    rng = np.random.default_rng(6)
    sites, cell = protons((10, 10, 10))
    noise = rng.normal(size=(2, len(sites), 3)) * 0.2 @ np.linalg.inv(cell)
    begin = time.process_time()
    _, squared = assign(sites + noise[0], sites + noise[1], cell, np.arange(len(sites)))
    assert time.process_time() - begin < 1.0
    # Most are where they were; the few others are nearer than that.
    assert 0.98 * 6 * 0.2**2 < squared.mean() < 6.05 * 0.2**2
