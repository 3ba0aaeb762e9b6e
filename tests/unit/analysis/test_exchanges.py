"""Rates, dwell times and diffusion by hops, against processes whose answers are known."""

import numpy as np
import pytest
from scipy.stats import poisson

from crystals import A, X, supercell
from lah10 import ELEMENTS
from lah10.analysis import exchanges
from lah10.analysis.diffusion import nearest_distances
from lah10.analysis.hops import Changes
from lah10.analysis.occupancy import Occupancy
from lah10.crystal.periodic import images, wrap
from swaps import INTERVAL, NEAREST, neighbours, swap

LA, H = ELEMENTS.index("La"), ELEMENTS.index("H")


def measure(template, sites, shifts=None, interval=INTERVAL, cell=None):
    """Of the sites of all atoms in every frame, (frames, n)."""
    time = interval * np.arange(len(sites))
    cell = template.cell.array if cell is None else cell
    return exchanges.measure(Changes.of_map(sites, shifts), template, time, cell)


def exchanging(template, rate, frames, rng):
    """Nearest protons change places at `rate` (1/ps, of the whole crystal): sites, images, number
    of exchanges. Two of them never overlap within the time to settle."""
    one, other, shift = neighbours(template)
    sites = np.tile(np.arange(len(template)), (frames, 1))
    shifts = np.zeros((*sites.shape, 3), np.int8)
    events = np.flatnonzero(rng.random(frames - 1) < rate * INTERVAL) + 1
    for frame in events:
        k = rng.integers(len(one))
        swap(sites, shifts, frame, one[k], other[k], shift[k])
    return sites, shifts, len(events)


def test_poisson_process_of_known_rate():
    """Deviations in units of the errors given are of variance 1; D without correlation is
    R·2a²/(6N). A 32f site has one 8c neighbour, so that who leaves it comes back: f < 1."""
    template = supercell("conventional", (1, 1, 2))
    atoms, rate, pulls, means, factors = 80, 0.5, [], [], []
    for seed in range(30):
        sites, shifts, _ = exchanging(template, rate, 3001, np.random.default_rng(seed))
        summary, arrays = measure(template, sites, shifts)
        exact = rate / atoms
        pulls.append(
            [(summary[name][H] - x) / summary[f"{name}_stderr"][H]
             for name, x in (("exchange_rate", exact), ("hop_rate", 2 * exact))]
        )  # fmt: skip
        factors.append(summary["hop_correlation"][H])
        means.append(summary["diffusion_hops"][H] / factors[-1])
        assert summary["hop_length"][H] == pytest.approx(NEAREST, rel=2e-3)
        assert arrays["ring_count"][0] >= 0.9 * arrays["ring_count"].sum()
    pulls, means = np.array(pulls), np.array(means)
    assert (abs(pulls.mean(axis=0)) < 0.6).all()
    assert (abs(pulls.std(axis=0) - 1) < 0.4).all()
    exact = rate * 2 * NEAREST**2 / (6 * atoms) * 1e-4
    assert means.mean() == pytest.approx(exact, rel=0.1)
    assert 0.5 < np.mean(factors) < 0.9
    assert 0.5 < summary["exchange_dispersion"][H] < 2
    assert summary["dwell_time"][H] == pytest.approx(atoms / (2 * rate), rel=0.3)


def walk_coefficient(one, other, vector, rates, count):
    """Exact D of a walk on a periodic network: ⟨Σ k d²⟩/6 less what the correlation takes,
    −2 ⟨b·(−L)⁻¹b⟩/6 with b_i = Σ_j k_ij d_ij, for symmetric rates (Å²/ps)."""
    from_, to = np.r_[one, other], np.r_[other, one]
    d, k = np.r_[vector, -vector], np.r_[rates, rates]
    generator, bias = np.zeros((count, count)), np.zeros((count, 3))
    np.add.at(generator, (from_, to), k)
    np.add.at(generator, (from_, from_), -k)
    np.add.at(bias, from_, k[:, None] * d)
    free = (k * (d**2).sum(axis=1)).sum() / count
    corrector = np.linalg.pinv(-generator) @ bias
    return (free - 2 * (bias * corrector).sum() / count) / 6, free / 6


def test_random_walk_on_the_sites_of_hydrogen():
    """Walkers with exponential waiting times on 8c and 32f sites; hops within the H8 cubes are
    faster than through 8c, so that many lead back: D is less than Γ⟨d²⟩/6 by a known factor."""
    rng = np.random.default_rng(9)
    template = supercell("conventional", (2, 1, 1))
    scaled, cell = template.get_scaled_positions(wrap=False), template.cell.array
    labels, n = template.arrays["site"], len(template)
    one, other, shift = neighbours(template)
    cube = 2 * X * A
    positions, index, image = images(scaled, cell, 1.05 * cube)
    apart = np.linalg.norm(wrap(scaled, cell)[:, None] - positions, axis=2)
    within = (labels[:, None] == "32f") & (labels[index] == "32f") & (abs(apart - cube) < 0.01)
    i, j = np.nonzero(within)
    j, back = index[j], image[j] + np.floor(scaled[i]).astype(int)
    rates = np.r_[np.full(len(one), 0.05), np.full(len(i), 0.2)]
    one, other, shift = np.r_[one, i], np.r_[other, j], np.concatenate([shift, back])
    # Of the pairs within a cube both orders are in the list, each with a half of the rate.
    rates[-len(i):] /= 2  # fmt: skip
    vector = (scaled[other] + shift - scaled[one]) @ cell
    protons = np.flatnonzero(labels != "4b")
    number = np.full(n, -1)
    number[protons] = np.arange(len(protons))
    exact, free = walk_coefficient(number[one], number[other], vector, rates, len(protons))
    assert 0.3 < exact / free < 0.9

    to = np.r_[other, one]
    from_, step, k = np.r_[one, other], np.r_[shift, -shift], np.r_[rates, rates]
    frames, interval = 6000, 0.05
    sites = np.tile(np.arange(n), (frames, 1))
    shifts = np.zeros((frames, n, 3), int)
    choices = [np.flatnonzero(from_ == site) for site in range(n)]
    for atom in protons:
        site, where, time = atom, np.zeros(3, int), 0.0
        while True:
            mine = choices[site]
            time += rng.exponential(1 / k[mine].sum())
            frame = int(np.ceil(time / interval))
            if frame >= frames:
                break
            taken = rng.choice(mine, p=k[mine] / k[mine].sum())
            site, where = to[taken], where + step[taken]
            sites[frame:, atom], shifts[frame:, atom] = site, where
    summary, arrays = measure(template, sites, shifts, interval)
    value, error = (summary[f"diffusion_hops{suffix}"][H] for suffix in ("", "_stderr"))
    assert value == pytest.approx(exact * 1e-4, abs=3.5 * error)
    assert error < 0.15 * value
    factor = summary["hop_correlation"][H]
    # Passing over a site within the time to settle merges hops: f is that of those that are left.
    assert factor == pytest.approx(exact / free, rel=0.2) and factor < 0.9
    leaving = {name: k[np.isin(from_, np.flatnonzero(labels == name))].sum()
               / (labels == name).sum() for name in ("8c", "32f")}  # fmt: skip
    exact = 1 / np.array(list(leaving.values()))
    assert arrays["site_dwell_time"] == pytest.approx(exact, rel=0.15)
    # Stays are exponential, of two kinds, each in its share of the hops; the shortest do not count.
    share = np.array([(labels == name).sum() for name in ("8c", "32f")]) / exact
    dwell = arrays["dwell"][arrays["dwell"] < 8]
    expected = np.exp(-dwell[:, None] / exact) @ share / share.sum()
    assert arrays["dwell_survival"][: len(dwell)] == pytest.approx(expected, abs=0.08)


@pytest.mark.parametrize("count", [0, 1, 4, 9, 10, 16])
def test_few_events_give_a_limit_and_no_error(count):
    """½χ²(2k + 2) of the mean event; from ten events on a value with an error."""
    template = supercell("conventional", (1, 1, 2))
    one, other, shift = neighbours(template)
    sites = np.tile(np.arange(len(template)), (1001, 1))
    shifts = np.zeros((*sites.shape, 3), int)
    for event in range(count):
        swap(sites, shifts, 50 * (event + 1), one[4 * event], other[4 * event], shift[4 * event])
    summary, arrays = measure(template, sites, shifts)
    assert summary["exchange_events"].tolist() == [0, count]
    exposure = 80 * (1001 - 2 * 5 + 1) * INTERVAL
    assert summary["exchange_rate"][H] == pytest.approx(count / exposure)
    assert len(arrays["event"]) == count and len(arrays["hop"]) == 2 * count
    moving = {"diffusion": np.array([1e-8, 1e-6]), "diffusion_stderr": np.array([1e-8, 1e-9])}
    exchanges.bound_diffusion(moving, summary)
    assert np.isnan(moving["diffusion"][LA])  # nothing of La moved
    limit = summary["diffusion_limit"]
    # The defining property of the limit: k events or fewer are seen one time in twenty.
    expected = exchanges.upper_limit(count)
    assert poisson.cdf(count, expected) == pytest.approx(0.05)
    if count < 10:
        assert limit[H] == pytest.approx(expected * 2 * NEAREST**2 / (6 * exposure) * 1e-4,
                                         rel=2e-3)  # fmt: skip
        for name in ("diffusion", "diffusion_stderr"):
            assert np.isnan(moving[name][H])
        assert np.isnan(summary["diffusion_hops"][H])
    else:
        assert np.isnan(limit[H])
        exact = count * 2 * NEAREST**2 / (6 * exposure) * 1e-4
        assert summary["diffusion_hops"][H] == pytest.approx(exact, rel=2e-3)
        assert summary["diffusion_hops_stderr"][H] == pytest.approx(exact / np.sqrt(count), rel=0.1)
        assert moving["diffusion"][H] == 1e-6
        assert moving["diffusion_stderr"][H] == pytest.approx(1e-6 / np.sqrt(count))
    assert limit[LA] == pytest.approx(
        expected * 0 + 2.9957 * 2 * (A**2 / 2) / (6 * exposure / 10) * 1e-4, rel=1e-3
    )
    if count == 0:
        assert summary["exchange_rate_limit"][H] == pytest.approx(2.9957 / exposure, rel=1e-4)
        assert summary["hop_rate_limit"][H] == pytest.approx(2 * 2.9957 / exposure, rel=1e-4)
        assert summary["ring_rate_limit"] == pytest.approx(2.9957 / exposure, rel=1e-4)
        assert np.isnan(summary["hop_rate_stderr"][H])
    else:
        assert np.isnan(summary["exchange_rate_limit"][H])


def test_rings_by_their_length():
    template = supercell("conventional", (1, 1, 2))
    protons = np.flatnonzero(template.numbers == 1)
    sites = np.tile(np.arange(len(template)), (1000, 1))
    start = 0
    for number, length in enumerate((2, 2, 3, 4, 5, 6, 9)):
        ring = protons[start : start + length]
        sites[100 * (number + 1) :, ring] = np.roll(ring, -1)
        start += length
    summary, arrays = measure(template, sites)
    assert arrays["ring_count"].tolist() == [2, 1, 1, 1, 2]
    exposure = 80 * 991 * INTERVAL
    assert summary["ring_rate"] == pytest.approx(arrays["ring_count"] / exposure)
    assert summary["ring_rate_stderr"] == pytest.approx(np.sqrt(arrays["ring_count"]) / exposure)
    assert arrays["event_atoms"].tolist() == [2, 2, 3, 4, 5, 6, 9]
    assert arrays["event_time"] == pytest.approx(2.0 * np.arange(1, 8) - 0.01)
    assert arrays["event_closed"].all() and not arrays["event_span"].any()
    assert (arrays["event_element"] == H).all()
    assert arrays["hop_atom"][:2].tolist() == protons[:2].tolist()
    assert arrays["hop_vector"].shape == (31, 3)


def test_an_atom_that_waits_is_counted_to_the_end_of_the_run():
    """Kaplan–Meier by hand: stays of 2, 4 and 4 ps that ended, one of 3 ps and those of the last
    hops, of 10 ps and more, that did not."""
    template = supercell("conventional", (1, 1, 1))
    protons = np.flatnonzero(template.numbers == 1)
    sites = np.tile(np.arange(len(template)), (1001, 1))  # 20 ps
    for atom, instants in zip(protons, ((2, 4), (2, 6), (2, 6), (17,)), strict=False):
        for number, instant in enumerate(instants):
            sites[round(instant / INTERVAL) :, atom] = protons[-1 - (number % 2)]
    _, arrays = measure(template, sites)
    at = np.searchsorted(arrays["dwell"], [1.9, 2.4, 3.9, 4.6, 13.0], side="right") - 1
    at = arrays["dwell_survival"][at]
    # Seven stays: at 2 ps one ends of 7; at 4 ps two end of the 5 that last that long.
    assert at == pytest.approx([1, 6 / 7, 6 / 7, 6 / 7 * 3 / 5, 6 / 7 * 3 / 5], abs=1e-6)


def test_a_run_too_short_for_events_knows_nothing():
    template = supercell()
    summary, arrays = measure(template, np.tile(np.arange(len(template)), (8, 1)))
    for name in ("exchange_events", "hop_rate", "exchange_rate", "exchange_rate_limit"):
        assert np.isnan(summary[name]).all(), name
    assert np.isnan(summary["diffusion_limit"]).all() and len(arrays["event"]) == 0


def test_strained_cell_has_longer_hops():
    template = supercell("conventional", (1, 1, 2))
    sites, shifts, _ = exchanging(template, 1.0, 2001, np.random.default_rng(1))
    plain, _ = measure(template, sites, shifts)
    wide, _ = measure(template, sites, shifts, cell=1.1 * template.cell.array)
    assert wide["hop_length"][H] == pytest.approx(1.1 * plain["hop_length"][H])
    assert wide["diffusion_hops"][H] == pytest.approx(1.21 * plain["diffusion_hops"][H])


def test_occupancy_is_of_the_nearest_site():
    """Against distances to all sites, with protons that crowd; in a sheared cell."""
    rng = np.random.default_rng(2)
    template = supercell("conventional", (1, 2, 1))
    scaled = template.get_scaled_positions(wrap=False)
    cell = template.cell.array @ (np.eye(3) + 0.02 * np.eye(3, k=-1))
    occupancy, rows = Occupancy(template), []
    h = template.numbers == 1
    labels = template.arrays["site"][h]
    for _ in range(20):
        displacement = rng.normal(size=scaled.shape) * 0.3 @ np.linalg.inv(cell)
        occupancy.add(displacement, cell)
        difference = (scaled + displacement)[h][:, None] - scaled[h]
        steps = np.stack(np.meshgrid(*3 * [[-1, 0, 1]], indexing="ij"), -1).reshape(-1, 3)
        vectors = (difference - np.round(difference))[:, :, None] + steps
        square = ((vectors @ cell) ** 2).sum(axis=-1).min(axis=-1)
        count = np.bincount(square.argmin(axis=1), minlength=h.sum())
        rows.append([count[labels == "8c"].mean(), count[labels == "32f"].mean(),
                     (count == 0).mean(), (count > 1).mean()])  # fmt: skip
    found = occupancy.reduce()
    mean = np.mean(rows, axis=0)
    assert found["site_occupancy"] == pytest.approx(mean[:2], abs=1e-12)
    assert found["vacant_share"] == pytest.approx(mean[2], abs=1e-12) and mean[2] > 0.02
    assert found["double_share"] == pytest.approx(mean[3], abs=1e-12)
    assert 0 < found["site_occupancy_stderr"][0] < 0.1
    assert Occupancy(template).reduce() == {}


def test_nearest_pairs_of_the_tests_are_the_nearest():
    template = supercell("conventional", (1, 1, 2))
    one, _, _ = neighbours(template)
    assert len(one) == 16 * 4
    scaled = template.get_scaled_positions()[template.numbers == 1]
    assert nearest_distances(scaled, template.cell.array) == pytest.approx(NEAREST, rel=2e-3)
