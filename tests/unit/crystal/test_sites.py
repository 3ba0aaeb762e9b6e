"""Cages and the map from atoms to sites, checked by brute force."""

import numpy as np
import pytest

from crystals import A, X, random_rotation, supercell
from lah10.crystal.assignment import assign
from lah10.crystal.periodic import images
from lah10.crystal.sites import FACES, SiteMap, find_cages

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
