"""Cages and the map from atoms to sites, checked by brute force."""

import numpy as np
import pytest
from scipy.optimize import brentq, linear_sum_assignment

from crystals import A, X, random_rotation, supercell
from lah10.crystal.periodic import images
from lah10.crystal.sites import FACES, SiteMap, assign, find_cages

CELLS = [("primitive", (1, 1, 1)), ("primitive", (2, 2, 2)), ("conventional", (1, 2, 1))]


def corner_vectors(template, cages):
    """Vectors from La to the corners of its quadrilaterals, (n, 6, 4, 3), Å."""
    scaled = template.get_scaled_positions(wrap=False)
    return (scaled[cages.corners] + cages.shifts - scaled[cages.la][:, None, None]) @ (
        template.cell.array
    )


@pytest.mark.parametrize(("cell", "repeat"), CELLS)
@pytest.mark.parametrize("turned", [False, True])
def test_cages(cell, repeat, turned):
    """Corners stand at (±x, ±x, ½−x) a from La, in the order and on the axis that is promised."""
    template = supercell(cell, repeat)
    if turned:
        rotation = random_rotation(np.random.default_rng(3))
        template.set_cell(template.cell.array @ rotation, scale_atoms=True)
        template.positions += 20.0  # and not wrapped
    cages = find_cages(template)
    axes = cages.axes @ template.cell.array / A
    assert np.allclose(axes @ axes.T, np.eye(3), atol=1e-6) and np.linalg.det(axes) > 0
    if cell == "conventional" and not turned:
        assert np.allclose(axes, np.eye(3), atol=1e-6)

    vectors = corner_vectors(template, cages) @ axes.T / A
    for face, name in enumerate(FACES):
        k, sign = "xyz".index(name[1]), 1 if name[0] == "+" else -1
        i, j = (k + 1) % 3, (k + 2) % 3
        corners = vectors[:, face]
        assert np.allclose(corners[..., k], sign * (0.5 - X), atol=1e-5)
        assert np.allclose(abs(corners[..., [i, j]]), X, atol=1e-5)
        # Corners 0 and 2 on the diagonal of equal signs, neighbours differ in one coordinate.
        assert (corners[:, [0, 2], i] * corners[:, [0, 2], j] > 0).all()
        assert (corners[:, [1, 3], i] * corners[:, [1, 3], j] < 0).all()
        assert (corners[:, 0] @ np.eye(3)[[i, j]].T < 0).all()
        normal = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        assert (sign * normal[:, k] > 0).all()
    assert (template.arrays["site"][cages.corners] == "32f").all()
    # Every corner of every cube belongs to three faces that look at three different La.
    counts = np.bincount(cages.corners.ravel(), minlength=len(template))
    assert set(counts[template.arrays["site"] == "32f"]) == {3}


def test_no_cages_in_another_crystal():
    template = supercell("conventional", (1, 1, 1))
    template.set_cell(np.diag([A, A, 1.2 * A]), scale_atoms=True)
    with pytest.raises(ValueError, match="face-centred cubic"):
        find_cages(template)


def test_images_are_complete_and_unique():
    rng = np.random.default_rng(0)
    cell = np.array([[3.0, 0, 0], [1.4, 2.5, 0], [-1.2, 1.1, 2.8]])
    scaled = rng.uniform(-2, 2, size=(4, 3))
    positions, index, shift = images(scaled, cell, 5.0)
    assert np.allclose(positions, (scaled[index] + shift) @ cell)
    assert len(np.unique(np.c_[index, shift], axis=0)) == len(index)
    steps = np.stack(np.meshgrid(*3 * [np.arange(-9, 10)], indexing="ij"), -1).reshape(-1, 3)
    home = (scaled - np.floor(scaled)) @ cell
    everything = (home[:, None] + steps @ cell).reshape(-1, 3)
    for point in home:
        expected = (np.linalg.norm(everything - point, axis=1) < 5.0).sum()
        assert (np.linalg.norm(positions - point, axis=1) < 5.0).sum() == expected


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


def follow(template, scaled, cell=None):
    sites = SiteMap(template)
    cell = template.cell.array if cell is None else cell
    return sites, sites.displacements(scaled, cell)


def test_map_ignores_drift_and_images_and_strain():
    template = supercell()
    rng = np.random.default_rng(1)
    scaled = template.get_scaled_positions(wrap=False)
    noise = rng.normal(size=scaled.shape) * 0.1 @ np.linalg.inv(template.cell.array)
    la = template.arrays["site"] == "4b"
    noise -= noise[la].mean(axis=0)
    moved = scaled + noise + [0.3, -0.2, 5.4]
    strained = template.cell.array @ np.array([[1.03, 0, 0], [0.04, 0.97, 0], [0.03, -0.04, 1.0]])
    sites, displacement = follow(template, moved, strained)
    assert np.allclose(displacement, noise, atol=1e-12)
    assert (sites.atom_of_site == np.arange(len(template))).all()
    wrapped = (moved % 1.0) + rng.integers(-2, 3, size=moved.shape)
    assert np.allclose(follow(template, wrapped, strained)[1], noise, atol=1e-12)


def test_map_follows_a_ring_of_three_protons():
    template = supercell()
    scaled = template.get_scaled_positions(wrap=False)
    h = np.flatnonzero(template.arrays["site"] == "32f")[:3]
    moved = scaled.copy()
    moved[h] = scaled[np.roll(h, 1)] + [2, 0, -1]
    sites, displacement = follow(template, moved)
    assert (sites.atom_of_site[np.roll(h, 1)] == h).all()
    assert np.allclose(displacement, 0, atol=1e-12)
    # The map stays with them in the next frame, and comes back when they do.
    assert np.allclose(sites.displacements(moved, template.cell.array), 0, atol=1e-12)
    assert np.allclose(sites.displacements(scaled, template.cell.array), 0, atol=1e-12)
    assert (sites.atom_of_site == np.arange(len(template))).all()


def test_short_cut_agrees_with_the_full_solution():
    """Hot frames, in which atoms are often nearer to a neighbour's site."""
    template = supercell("conventional", (1, 1, 1))
    rng = np.random.default_rng(5)
    scaled = template.get_scaled_positions(wrap=False)
    h = template.numbers == 1
    sites, solved = SiteMap(template), 0
    for _ in range(60):
        noise = rng.normal(size=scaled.shape) * 0.25 @ np.linalg.inv(template.cell.array)
        noise -= noise[~h].mean(axis=0)
        displacement = sites.displacements(scaled + noise, template.cell.array)
        _, squared = assign((scaled + noise)[h], scaled[h], template.cell.array)
        found = ((displacement[h] @ template.cell.array) ** 2).sum()
        assert found == pytest.approx(squared.sum(), abs=1e-9)
        solved += (sites.atom_of_site != np.arange(len(template))).any()
    assert solved > 3  # the test has met exchanges
