"""Displacements with known answers: walks, vibrations, exchanges, drift and breathing."""

import numpy as np
import pytest

from crystals import A, X, supercell, thermal_noise
from lah10.analysis import diffusion
from lah10.analysis.hops import SiteHistory
from lah10.crystal.sites import SiteMap
from lah10.crystal.trajectory import Trajectory, write_trajectory

INTERVAL = 0.02  # ps


@pytest.fixture
def rng():
    return np.random.default_rng(21)


def measure(tmp_path, template, displacements, cells=None, start=0, drift=None):
    """Write displacements (frames, atoms, 3) in Å from the sites as a trajectory; measure it."""
    scaled = template.get_scaled_positions()
    cells = [template.cell.array] * len(displacements) if cells is None else cells
    moved = np.zeros((len(displacements), 3)) if drift is None else drift
    mean = np.mean(cells, axis=0)
    frames = [
        (INTERVAL * i, cell, (scaled + shift + d @ np.linalg.inv(mean)) @ cell)
        for i, (cell, d, shift) in enumerate(zip(cells, displacements, moved, strict=True))
    ]
    write_trajectory(tmp_path / "trajectory.nc", template.numbers, frames, "test")
    with Trajectory(tmp_path / "trajectory.nc") as trajectory:
        summary, arrays = diffusion.measure(trajectory, template, start)
        sites, fluctuations = SiteMap(template), diffusion.SiteFluctuations(template)
        for frame, cell in enumerate(trajectory.cells):
            displacement = sites.displacements(trajectory.scaled(frame), cell)
            fluctuations.add(displacement, sites.atom_of_site, use=frame >= start)
        mean_cell = trajectory.cells[start:].mean(axis=0)
        values = fluctuations.reduce(mean_cell)
    return summary | values, arrays | {"exchanged": np.array(fluctuations.exchanged)}


def test_fourier_msd_is_the_sum_over_origins(rng):
    positions = np.cumsum(rng.normal(size=(37, 5, 3)), axis=0) + 100.0
    direct = [
        ((positions[lag:] - positions[: 37 - lag]) ** 2).sum(axis=2).mean(axis=0)
        for lag in range(37)
    ]
    assert diffusion.mean_square_displacement(positions) == pytest.approx(np.array(direct))


def test_random_walk(tmp_path, rng):
    """Steps of σ per component and interval: slope 3σ²/Δt, D = slope/6."""
    template = supercell("conventional", (2, 2, 1))
    h = template.numbers == 1
    walk = np.zeros((300, len(template), 3))
    walk[:, h] = np.cumsum(rng.normal(size=(300, h.sum(), 3)) * 0.05, axis=0)
    summary, arrays = measure(tmp_path, template, walk)
    exact = 3 * 0.05**2 / INTERVAL
    la, proton = 0, 1
    assert summary["msd_slope"][proton] == pytest.approx(exact, rel=0.25)
    error = summary["msd_slope_stderr"][proton]
    assert 0.02 * exact < error < 0.25 * exact
    assert abs(summary["msd_slope"][proton] - exact) < 4 * error
    assert summary["diffusion"][proton] == pytest.approx(summary["msd_slope"][proton] / 6 * 1e-4)
    assert abs(summary["msd_slope"][la]) < 1e-6 and arrays["msd"][la].max() < 1e-9
    assert arrays["time"][-1] == pytest.approx(0.8 * 300 * INTERVAL)
    assert arrays["msd"][proton, 0] == pytest.approx(0, abs=1e-9)
    # Everybody has left home, and MSD′ does not follow them.
    assert arrays["msd"][proton, -1] > 1.7 * arrays["reordered_msd"][-1] > 0


def test_vibration_has_a_plateau_and_no_slope(tmp_path, rng):
    template = supercell("conventional", (1, 1, 2))
    sigma = np.where(template.numbers == 1, 0.12, 0.03)[:, None]
    noise = sigma * thermal_noise(rng, len(template), 400, 1.0, 0.3)
    summary, arrays = measure(tmp_path, template, noise)
    long = arrays["time"] > 0.3
    # The drift of 8 La atoms, which is removed, adds 0.03²/8 to H and takes it from La.
    for element, square in enumerate((0.03**2 * 7 / 8, 0.12**2 + 0.03**2 / 8)):
        assert arrays["msd"][element, long].mean() == pytest.approx(6 * square, rel=0.03)
    assert (abs(summary["msd_slope"]) < 5 * summary["msd_slope_stderr"]).all()
    assert (abs(summary["diffusion"]) < 2e-7).all()
    assert summary["reordered_msd"] == pytest.approx(6 * 0.12**2, rel=0.05)
    assert summary["reordered_msd_stderr"] < 0.01
    neighbour = A * np.array([np.sqrt(0.5), np.sqrt(3) * (0.25 - X)])  # La–La; H 8c–H 32f
    assert summary["lindemann"] == pytest.approx(
        np.sqrt(3) * np.array([0.03 * np.sqrt(7 / 8), 0.12]) / neighbour, rel=0.03
    )
    assert (summary["lindemann_stderr"] < 0.1 * summary["lindemann"]).all()


def test_reordering_from_the_sites_changes_nothing(tmp_path, rng):
    """MSD′ of protons that exchanged, with the map from atoms to sites to start from and without;
    atoms of both elements are mixed in the file."""
    template = supercell("conventional", (1, 1, 2))
    h = np.flatnonzero(template.numbers == 1)
    walk = rng.normal(size=(60, len(template), 3)) * 0.15
    scaled, cell = template.get_scaled_positions(), template.cell.array
    ring = rng.choice(h, 12, replace=False)
    walk[25:, ring] += (np.roll(scaled[ring], -1, axis=0) - scaled[ring]) @ cell
    plain, arrays = measure(tmp_path, template, walk)
    with Trajectory(tmp_path / "trajectory.nc") as trajectory:
        sites, history = SiteMap(template), SiteHistory()
        for frame, box in enumerate(trajectory.cells):
            sites.displacements(trajectory.scaled(frame), box)
            history.add(sites.atom_of_site, sites.image_of_site)
        assert (history.site_of_atom(59)[ring] == np.roll(ring, -1)).mean() > 0.8
        warm, curves = diffusion.measure(trajectory, template, 0, history.site_of_atom)
    for name, value in curves.items():
        assert value == pytest.approx(arrays[name], rel=1e-9, abs=1e-12), name
    assert warm["reordered_msd"] == pytest.approx(plain["reordered_msd"], rel=1e-9)


def test_drift_breathing_and_shear_are_not_motion(tmp_path, rng):
    template = supercell()
    factor = 1 + 0.02 * np.sin(np.arange(120) / 5)
    shear = np.eye(3) + np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]]) * 0.03
    cells = [f * template.cell.array @ (shear, np.eye(3))[i % 2] for i, f in enumerate(factor)]
    drift = np.outer(np.arange(120), [0.01, -0.02, 0.0])
    summary, arrays = measure(
        tmp_path, template, np.zeros((120, len(template), 3)), cells=cells, drift=drift
    )
    assert arrays["msd"].max() < 1e-6 and arrays["reordered_msd"].max() < 1e-6
    assert summary["lindemann"].max() < 1e-3


def test_two_swapped_protons(tmp_path):
    """MSD counts the swap, 2d²/N for the origins before it; MSD′ and θ's map do not."""
    template = supercell("conventional", (2, 1, 1))
    h = np.flatnonzero(template.numbers == 1)
    distances = template.get_distances(h[0], h, mic=True, vector=True)
    far = np.linalg.norm(distances, axis=1).argmax()
    apart = distances[far]
    walk = np.zeros((100, len(template), 3))
    walk[50:, h[0]] = apart
    walk[50:, h[far]] = -apart
    summary, arrays = measure(tmp_path, template, walk)
    lag = np.round(arrays["time"] / INTERVAL).astype(int)
    origins_before = np.minimum(lag, np.minimum(50, 100 - lag)) / (100 - lag)
    exact = origins_before * 2 * (apart @ apart) / len(h)
    assert arrays["msd"][1] == pytest.approx(exact, abs=1e-5)
    assert arrays["msd"][1].max() > 0.3
    assert arrays["reordered_msd"].max() < 1e-9
    assert summary["reordered_msd"] < 1e-9 and summary["lindemann"].max() < 1e-4
    assert arrays["exchanged"][[0, 49, 50, 99]] == pytest.approx([0, 0, 2 / len(h), 2 / len(h)])


def test_start_is_left_out_of_the_vibrations_alone(tmp_path, rng):
    template = supercell()
    noise = 0.05 * rng.normal(size=(100, len(template), 3))
    noise[:40, template.numbers == 1] *= 8
    summary, arrays = measure(tmp_path, template, noise, start=40)
    assert summary["lindemann"][1] < 0.1
    assert arrays["time"][-1] == pytest.approx(0.8 * 100 * INTERVAL)
    assert summary["reordered_msd"] < 6 * 0.06**2 < 3 * 0.1**2 < arrays["msd"][1, 1]
    assert np.isnan(arrays["reordered_msd"][arrays["time"] > 60 * INTERVAL]).all()


def test_burst_makes_the_error_as_large_as_the_slope(tmp_path, rng):
    """All protons moved at once, once: what slope there is, one run cannot know it."""
    template = supercell("conventional", (1, 1, 2))
    h = template.numbers == 1
    noise = 0.05 * rng.normal(size=(400, len(template), 3))
    noise[170:, h] += rng.choice([-1.1, 1.1], size=(h.sum(), 3))
    summary, _ = measure(tmp_path, template, noise)
    slope, error = summary["msd_slope"][1], summary["msd_slope_stderr"][1]
    assert slope > 0.3
    assert 0.4 * slope < error < 1.5 * slope
    assert summary["diffusion_stderr"][1] == pytest.approx(error / 6 * 1e-4)


def test_histories_and_frames_agree(tmp_path, rng, monkeypatch):
    """Reading in small parts changes nothing."""
    template = supercell()
    walk = np.cumsum(rng.normal(size=(30, len(template), 3)) * 0.02, axis=0)
    whole, _ = measure(tmp_path, template, walk)
    monkeypatch.setattr(Trajectory, "CHUNK_BYTES", 7 * 24 * 30)
    parts, _ = measure(tmp_path, template, walk)
    assert whole.keys() == parts.keys()
    for name in whole:
        assert parts[name] == pytest.approx(whole[name], rel=1e-9, abs=1e-15)


def test_spatial_blocks_are_even():
    for cell, repeat, count in (("primitive", (2, 2, 2), 8), ("conventional", (4, 4, 4), 64)):
        template = supercell(cell, repeat)
        for members in (template.numbers == 57, template.numbers == 1):
            sizes = np.bincount(diffusion.spatial_blocks(template)[members])
            assert len(sizes) == count and sizes.min() > 0.5 * sizes.mean()
