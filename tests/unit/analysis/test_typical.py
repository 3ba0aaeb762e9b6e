"""Typical trajectories: classes by exchanges, the median proton, its company."""

import numpy as np
import pytest

from crystals import supercell
from lah10.analysis import exchanges, typical
from lah10.analysis.hops import Changes
from lah10.crystal.trajectory import Trajectory, write_trajectory
from swaps import INTERVAL, neighbours, swap

FRAMES = 120


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two protons change places once; another pair twice; and one proton leaves with the map cut
    off before its place is taken."""
    template = supercell()
    one, other, shift = neighbours(template)
    sites = np.tile(np.arange(len(template)), (FRAMES, 1))
    shifts = np.zeros((*sites.shape, 3), np.int8)
    apart = [0]
    for k in range(1, len(one)):  # pairs without a common site
        if not {one[k], other[k]} & {s for j in apart for s in (one[j], other[j])}:
            apart.append(k)
    single, twice, open_ = apart[:3]
    swap(sites, shifts, 40, one[single], other[single], shift[single])
    swap(sites, shifts, 30, one[twice], other[twice], shift[twice])
    swap(sites, shifts, 80, one[twice], other[twice], shift[twice])
    # Two protons on one site: the hop of the first closes no ring.
    sites[90:, one[open_]] = other[open_]
    shifts[90:, one[open_]] = shift[open_]

    scaled, cell = template.get_scaled_positions(wrap=False), template.cell.array
    rng = np.random.default_rng(3)
    size = 0.02 * (1 + np.arange(len(template)) / len(template))  # Å, larger for later protons
    positions = (scaled[sites] + shifts) @ cell
    positions += rng.normal(size=positions.shape) * size[:, None]
    positions += np.linspace(0, 0.7, FRAMES)[:, None, None]  # a drift of the whole crystal
    folder = tmp_path_factory.mktemp("typical")
    time = INTERVAL * np.arange(FRAMES)
    frames = ((t, cell, frame) for t, frame in zip(time, positions, strict=True))
    write_trajectory(folder / "trajectory.nc", template.numbers, frames, "made up")
    _, lists = exchanges.measure(Changes.of_map(sites, shifts), template, time, cell)
    with Trajectory(folder / "trajectory.nc") as trajectory:
        found = typical.measure(trajectory, template, lists, cell)
    pairs = {name: (int(one[k]), int(other[k]))
             for name, k in (("single", single), ("twice", twice), ("open", open_))}  # fmt: skip
    return template, lists, found, pairs


def test_classes_are_by_closed_exchanges(run):
    template, lists, _, pairs = run
    of_class = typical.classes(lists, template)
    assert (of_class[template.numbers == 57] == -1).all()
    assert of_class[list(pairs["single"])].tolist() == [1, 1]
    assert of_class[list(pairs["twice"])].tolist() == [2, 2]
    assert of_class[pairs["open"][0]] == -1  # its hop belongs to no ring
    protons = (template.numbers == 1).sum()
    assert (of_class == 0).sum() == protons - 5


def test_the_median_proton_of_each_class_is_chosen(run):
    template, lists, found, pairs = run
    proton = {int(k): int(i) for k, role, i in zip(
        found["typical_class"], found["typical_role"], found["typical_index"], strict=True)
        if role == 0}  # fmt: skip
    still = np.flatnonzero(typical.classes(lists, template) == 0)
    # Protons tremble the more the later they stand: the median is in the middle, but for noise.
    rank = int(np.flatnonzero(still == proton[0])[0])
    assert abs(rank - (len(still) - 1) / 2) < 0.12 * len(still)
    assert proton[1] in pairs["single"] and proton[2] in pairs["twice"]
    assert found["class_size"].tolist() == [len(still), 2, 2]


def test_partners_and_la_go_with_it(run):
    template, _, found, pairs = run
    rows = list(zip(found["typical_class"], found["typical_role"], found["typical_index"],
                    strict=True))  # fmt: skip
    partner = [int(i) for k, role, i in rows if (k, role) == (1, 1)]
    proton = [int(i) for k, role, i in rows if (k, role) == (1, 0)]
    assert set(partner + proton) == set(pairs["single"])
    la = [int(i) for k, role, i in rows if role == 2]
    assert (template.numbers[la] == 57).all()
    assert not [i for k, role, i in rows if (k, role) == (0, 1)]


def test_positions_are_without_drift_and_near_one_another(run):
    _, _, found, _ = run
    assert found["typical_position"].shape == (len(found["typical_index"]), FRAMES, 3)
    for k in range(3):
        mine = np.flatnonzero(found["typical_class"] == k)
        paths = found["typical_position"][mine]
        la = paths[found["typical_role"][mine] == 2]
        # The drift of 0.7 Å is taken away, and what exchanges is within a few Å.
        assert np.linalg.norm(la.mean(axis=1) - la[:, 0], axis=1).max() < 0.2
        proton = paths[found["typical_role"][mine] == 0][0].mean(axis=0)
        assert np.linalg.norm(paths.mean(axis=1) - proton, axis=1).max() < 3.2
        radius = np.linalg.norm(found["typical_cage"][k] - la[0].mean(axis=0), axis=1)
        assert radius.shape == (32,) and radius.max() - radius.min() < 0.5
    first, second = (found["typical_position"][
        (found["typical_class"] == 1) & (found["typical_role"] == role)][0] for role in (0, 1))
    # After the exchange each is where the other was.
    late, early = slice(45, None), slice(0, 38)
    assert np.linalg.norm(first[late].mean(0) - second[early].mean(0)) < 0.1
    assert np.linalg.norm(second[late].mean(0) - first[early].mean(0)) < 0.1


def test_a_class_without_protons_has_no_rows(run, tmp_path):
    template, _, _, _ = run
    sites = np.tile(np.arange(len(template)), (20, 1))
    time, cell = INTERVAL * np.arange(20), template.cell.array
    _, lists = exchanges.measure(Changes.of_map(sites), template, time, cell)
    frames = ((t, cell, template.positions) for t in time)
    write_trajectory(tmp_path / "t.nc", template.numbers, frames, "made up")
    with Trajectory(tmp_path / "t.nc") as trajectory:
        found = typical.measure(trajectory, template, lists, cell)
    assert set(found["typical_class"].tolist()) == {0}
    assert np.isnan(found["typical_cage"][1:]).all()
