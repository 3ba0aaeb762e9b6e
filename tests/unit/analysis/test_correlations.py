"""g(r) of crystals whose coordination is known, also beyond half the cell."""

import numpy as np
import pytest

from crystals import A, supercell
from lah10.analysis import correlations

R = 0.5 * (correlations.EDGES[1:] + correlations.EDGES[:-1])
LA_LA, LA_H, H_H = range(3)


def measure(template, frames=None):
    pairs = correlations.PairCounts(template, 1)
    for scaled, cell in frames or [(template.get_scaled_positions(), template.cell.array)]:
        pairs.add(scaled, cell)
    return pairs.reduce()


@pytest.mark.parametrize(("cell", "repeat"), [("primitive", (1, 1, 1)), ("primitive", (2, 2, 2)),
                                              ("conventional", (1, 1, 2))])  # fmt: skip
def test_coordination_of_the_perfect_crystal(cell, repeat):
    """fcc La: 12 neighbours at a/√2, 6 at a; a cage of 24 + 8 H; on average 3.6 + ... H round H."""
    within = measure(supercell(cell, repeat))["coordination"]

    def at(pair, distance):
        return within[pair, np.searchsorted(correlations.EDGES, distance) - 1]

    assert at(LA_LA, 3.5) == 0
    assert at(LA_LA, A / np.sqrt(2) + 0.1) == 12
    assert at(LA_LA, A + 0.1) == 18
    assert at(LA_H, 2.0) == 0
    assert at(LA_H, 2.15) == 24
    assert at(LA_H, 2.3) == 32
    # 8c: 4 neighbours of 32f at 0.2243 a; 32f: that one and 3 in its cube at 0.241 a
    assert at(H_H, 1.0) == 0
    assert at(H_H, 1.18) == pytest.approx((2 * 4 + 8 * 1) / 10)
    assert at(H_H, 1.3) == pytest.approx((2 * 4 + 8 * 4) / 10)


def test_structureless_gas_has_g_of_one():
    """Random points in a small skewed cell; a fixed number of them lacks the 1/N of itself."""
    template = supercell("primitive", (2, 2, 2))
    rng = np.random.default_rng(0)
    frames = [(rng.uniform(-3, 3, size=(88, 3)), template.cell.array) for _ in range(200)]
    values = measure(template, frames)
    far = (R > 1.5) & (R < 5.4)
    means = values["g"][:, far].mean(axis=1)
    # With images: N − 1 others per cell, and one's own images at lattice vectors (7.2 Å) outside.
    assert means == pytest.approx([7 / 8, 1, 79 / 80], rel=0.02)
    z = (values["g"][LA_H, far] - 1) / values["g_stderr"][LA_H, far]
    assert 0.5 < z.std() < 2.0


def test_peaks_follow_the_cell():
    template = supercell()
    stretched = [(template.get_scaled_positions(), template.cell.array * f) for f in (0.99, 1.01)]
    g = measure(template, stretched)["g"][LA_LA]
    peaks = R[g > 0][:2]
    assert peaks == pytest.approx(A / np.sqrt(2) * np.array([0.99, 1.01]), abs=0.011)


def test_no_frames_no_values():
    assert correlations.PairCounts(supercell(), 0).reduce() == {}


def test_large_runs_are_thinned():
    pairs = correlations.PairCounts(supercell("conventional", (2, 2, 2)), 10**6)
    assert pairs.stride * correlations.MOST_ATOMS == pytest.approx(10**6 * 352, rel=0.01)
