"""Hops and events of maps from atoms to sites that were made by hand."""

import numpy as np
import pytest

from crystals import supercell
from lah10.analysis.hops import Changes, SiteHistory, find_events, find_hops
from lah10.crystal.sites import SiteMap

INTERVAL = 0.02  # ps


def still(frames, atoms):
    """Every atom on its own site in every frame, (frames, atoms)."""
    return np.tile(np.arange(atoms), (frames, 1))


def rotate(sites, frame, *atoms, until=None):
    """The atoms move on in a ring, each to the site of the next one, from a frame on."""
    before = sites[frame - 1, list(atoms)].copy()
    sites[frame:until, list(atoms)] = np.roll(before, -1)


def hops_of(sites, interval=INTERVAL, shifts=None, **options):
    return find_hops(Changes.of_map(sites, shifts), interval * np.arange(len(sites)), **options)


def events_of(hops, **options):
    """(number of hops, closed, mean time) of every event."""
    event, closed = find_events(hops, **options)
    size = np.bincount(event, minlength=len(closed))
    time = np.bincount(event, hops.time, minlength=len(closed)) / np.maximum(size, 1)
    return list(zip(size.tolist(), closed.tolist(), time.round(6).tolist(), strict=True))


@pytest.mark.parametrize("length", [2, 3, 4, 7])
def test_ring_of_known_length(length):
    sites = still(200, 12)
    ring = [7, 1, 10, 4, 0, 11, 5][:length]
    rotate(sites, 80, *ring)
    hops = hops_of(sites)
    assert sorted(hops.atom) == sorted(ring)
    assert hops.origin.tolist() == hops.atom.tolist()
    assert hops.time == pytest.approx(79.5 * INTERVAL)
    assert events_of(hops) == [(length, True, 79.5 * INTERVAL)]


def test_members_of_a_ring_need_not_hop_in_one_frame():
    """The map has vacant sites and double occupancies in between."""
    sites = still(200, 5)
    sites[100:, 0], sites[107:, 1], sites[96:, 2] = 1, 2, 0
    assert events_of(hops_of(sites)) == [(3, True, pytest.approx((99.5 + 106.5 + 95.5) / 3 * 0.02))]
    # Each within the time of closure of the next; farther apart, they are events of their own.
    apart = events_of(hops_of(sites), closure=0.1)
    assert [(size, closed) for size, closed, _ in apart] == [(2, False), (1, False)]


def test_events_far_apart_in_space_or_time_are_separate():
    sites = still(400, 9)
    rotate(sites, 100, 0, 1)
    rotate(sites, 100, 5, 6, 7)
    rotate(sites, 180, 0, 2)  # a site that took part before
    rotate(sites, 250, 0, 2)  # and back
    found = events_of(hops_of(sites))
    assert sorted(found[:2]) == [(2, True, 1.99), (3, True, 1.99)]
    assert found[2:] == [(2, True, 3.59), (2, True, 4.99)]


def test_recrossing_is_no_event():
    """Back within the time to settle; an excursion of that length, and longer, counts."""
    for frames, count in ((1, 0), (4, 0), (5, 4), (9, 4)):
        sites = still(200, 4)
        rotate(sites, 90, 2, 3, until=90 + frames)
        assert len(hops_of(sites).atom) == count, frames
    sites = still(200, 4)
    sites[90:110:2, 1] = 2  # flickers, and stays in the end
    sites[110:, 1] = 2
    hops = hops_of(sites)
    assert hops.atom.tolist() == [1] and hops.target.tolist() == [2]


def test_passing_over_a_site_is_one_hop():
    sites = still(200, 6)
    sites[70:72, 0], sites[72:, 0] = 1, 2
    sites[71:, 2] = 0
    hops = hops_of(sites)
    assert hops.target.tolist() == [2, 0]
    assert events_of(hops) == [(2, True, pytest.approx((70.5 + 70.5) / 2 * INTERVAL))]


def test_a_vacancy_wanders_in_open_events():
    """Five atoms on six sites: each hop fills the vacancy and leaves one."""
    sites = still(300, 5)
    sites[100:, 4], sites[200:, 3] = 5, 4
    assert events_of(hops_of(sites)) == [(1, False, 1.99), (1, False, 3.99)]


def test_atoms_on_no_site_are_on_their_way():
    sites = still(200, 4)
    sites[50:60, 0] = sites[53:61, 1] = -1
    sites[60:, 0], sites[61:, 1] = 1, 0
    hops = hops_of(sites)
    assert hops.time == pytest.approx([0.5 * (49 + 60) * INTERVAL, 0.5 * (52 + 61) * INTERVAL])
    assert [size for size, closed, _ in events_of(hops) if closed] == [2]


def test_other_spacing_of_the_frames():
    for interval in (0.005, 0.02, 0.04, 0.3):
        n = round(30 / interval)
        sites = still(n, 6)
        rotate(sites, n // 3, 0, 1)
        rotate(sites, n // 2, 2, 3, 4)
        rotate(sites, n // 2 + 20, 4, 5, until=n // 2 + 20 + max(1, int(0.09 / interval)))
        hops = hops_of(sites, interval)
        found = events_of(hops)
        assert [(size, closed) for size, closed, _ in found] == [(2, True), (3, True)]
        assert [time for *_, time in found] == pytest.approx([10, 15], abs=interval)
        # Stays of 0.1 ps, and of two frames at least, fit in before and after the hop.
        stay = {0.005: 20, 0.02: 5, 0.04: 3, 0.3: 2}[interval] * interval
        assert hops.exposure == pytest.approx(30 - 2 * stay + interval, abs=1e-9)


def test_nothing_is_known_of_too_few_frames():
    with pytest.raises(ValueError, match="two frames at least"):
        hops_of(still(1, 3))
    with pytest.raises(ValueError, match="20 frames and 3 times"):
        find_hops(Changes.of_map(still(20, 3)), np.arange(3))
    hops = hops_of(still(7, 3))
    assert hops.exposure == 0 and len(hops.atom) == 0


def test_recorder_and_whole_map_agree():
    """Frame by frame as from the array; the sites of any frame can be had again."""
    rng = np.random.default_rng(4)
    sites, history = still(60, 30), SiteHistory()
    for frame in range(1, 60):
        sites[frame] = sites[frame - 1]
        if rng.random() < 0.3:
            rotate(sites, frame, *rng.choice(30, 3, replace=False))
    for row in sites:
        history.add(np.argsort(row), np.zeros((30, 3), int))
    for name, value in vars(Changes.of_map(sites)).items():
        np.testing.assert_array_equal(getattr(history.changes(), name), value)
    for frame in (0, 13, 59, 20):
        np.testing.assert_array_equal(history.site_of_atom(frame), sites[frame])


@pytest.mark.parametrize("drift", [0.0, 1.3])
def test_hops_across_the_boundary_of_a_breathing_cell(drift):
    """A proton goes round the cell along x from site to site, those ahead of it go back; the hops
    add up to a cell vector, whatever cell, shear and drift do."""
    template = supercell("conventional", (2, 1, 1))
    scaled = template.get_scaled_positions(wrap=False)
    row = np.flatnonzero((template.numbers == 1) & (template.arrays["site"] == "8c"))
    row = row[np.lexsort((scaled[row, 0], *scaled[row, 1:].round(3).T))][:4]
    assert np.allclose(np.diff(scaled[row, 0]), 0.25)
    rng = np.random.default_rng(8)
    sites, history, path = SiteMap(template), SiteHistory(), scaled.copy()
    place = row.copy()  # the atom on each of the four sites
    for frame in range(100):
        if frame and frame % 20 == 0:
            first, second = (frame // 20 - 1) % 4, (frame // 20) % 4
            walker, other = place[first], place[second]
            path[walker, 0] += 0.25
            path[other, 0] -= 0.25
            place[[first, second]] = other, walker
        noise = rng.normal(size=scaled.shape) * 0.08 @ np.linalg.inv(template.cell.array)
        strain = np.eye(3) * (1 + 0.03 * np.sin(frame)) + 0.02 * np.cos(frame) * np.eye(3, k=-1)
        moved = path + noise + [drift * frame / 100, 0, 0]
        sites.displacements(moved, template.cell.array @ strain)
        history.add(sites.atom_of_site, sites.image_of_site)
    hops = find_hops(history.changes(), INTERVAL * np.arange(100))
    assert len(hops.atom) == 8 and all(closed for _, closed, _ in events_of(hops))
    vector = scaled[hops.target] + hops.shift - scaled[hops.origin]
    assert np.allclose(np.abs(vector), [0.25, 0, 0], atol=1e-6)
    walker = hops.atom == row[0]
    assert walker.sum() == 4 and np.allclose(vector[walker].sum(axis=0), [1, 0, 0])
    assert hops.shift[walker].sum(axis=0).tolist() == [1, 0, 0]
