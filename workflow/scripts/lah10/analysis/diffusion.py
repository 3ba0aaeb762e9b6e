"""Motion of the atoms: mean square displacements, diffusion, exchange and the Lindemann ratio.

Displacements are fractional ones times the mean cell, in the frame of the La lattice, so that
neither the breathing of the cell nor its drift counts as motion.

MSD(t) = ⟨|r_i(t₀ + t) − r_i(t₀)|²⟩ over atoms of an element and all time origins t₀. Its slope is
fitted over the lags of `FIT` of the series; D = slope/6 (Einstein).
MSD′(t) = (1/N) min_P Σ_i |r_P(i)(t₀ + t) − r_i(t₀)|² over the permutations P of the H atoms
(the paper's eq. (3)), by an exact assignment that includes periodic images.
Lindemann ratio: rms displacement of the occupants of a site from their mean position, over the
mean distance between nearest sites of the same element.

Where few atoms leave their sites, a limit stands in place of D: see
`lah10.analysis.exchanges`.

All of production counts for the MSD, and nothing at its start is left out: exchanges come in
bursts, and a search for what is left of equilibration takes a burst for it. MSD′ and the Lindemann
ratio are of vibrations, and of the frames after it.

Errors are jackknife errors over spatial blocks of the crystal, which holds whatever happens in
time as long as exchanges far apart know nothing of each other. In a small crystal a burst is
everywhere at once. The relative errors of the slope and of D therefore are at least what the
scatter in time says: that of the mean square displacement between the mean positions in consecutive
parts of the run, in which vibrations do not count.
"""

from collections.abc import Callable

import numpy as np
from ase import Atoms
from scipy import fft
from scipy.spatial import cKDTree

from lah10 import ELEMENTS, units
from lah10.analysis import statistics
from lah10.analysis.dataset import Coordinates
from lah10.crystal.assignment import assign
from lah10.crystal.periodic import images, wrap
from lah10.crystal.structures import thicknesses
from lah10.crystal.trajectory import Trajectory

#: Lags used for the fit of the slope and for the plateau of MSD′, as parts of the series.
FIT = (0.25, 0.5)
#: Longest lag that is given, as a part of the series, and number of lags.
LONGEST, LAGS = 0.8, 61
#: Time origins of MSD′ per lag, and the sum of H atoms over all its assignments, at most.
ORIGINS, ASSIGNED = 6, 4_000_000
#: Parts of the series whose mean positions the scatter in time is taken from.
PARTS = 8
#: Å; edge of the spatial blocks for errors, at least, and blocks along a cell vector, at most.
BLOCK_EDGE, MOST_BLOCKS = 2.5, 4

COORDINATES: Coordinates = {
    "element": (None, "element", ELEMENTS),
    "time": ("ps", "time between origin and end of the displacement", ()),
    "frame_time": ("ps", "time since the start of production", ()),
}


def spatial_blocks(template: Atoms) -> np.ndarray:
    """Block of every atom, (n,): the supercell cut into up to `MOST_BLOCKS` parts per vector."""
    parts = np.clip(thicknesses(template.cell.array) // BLOCK_EDGE, 1, MOST_BLOCKS).astype(int)
    scaled = template.get_scaled_positions(wrap=False)
    # Half a thousandth off the planes of atoms, so that rounding does not deal them out unevenly.
    cells = np.floor((scaled + 5e-4) % 1.0 * parts).astype(int)
    return np.ravel_multi_index(cells.T, parts)


def measure(
    trajectory: Trajectory,
    template: Atoms,
    start: int,
    site_of_atom: Callable[[int], np.ndarray] | None = None,
) -> tuple[dict, dict]:
    """MSD, MSD′ (of the frames from `start` on), their slopes and the diffusion coefficients, of
    two frames at least.

    Coordinates are read in parts; the memory needed is that of a few frames and of the parts
    (`Trajectory.CHUNK_BYTES`, times about 10 for the Fourier transforms).

    Parameters
    ----------
    trajectory, template
        Of the same atoms.
    start : int
        First frame after equilibration.
    site_of_atom : callable, optional
        Gives the site of every atom (n,) in a frame: where the search for MSD′ starts, which makes
        it faster and changes nothing else.

    Returns
    -------
    summary : values of the point's summary, with standard errors.
    arrays : values of `lah10.schema.DIFFUSION` and `COORDINATES`.
    """
    n = len(trajectory)
    lags = np.unique(np.linspace(0, int(LONGEST * n), LAGS).astype(int))
    interval = (trajectory.time[-1] - trajectory.time[0]) / (n - 1)
    time = lags * interval
    cell = trajectory.cells[:].mean(axis=0)
    blocks = spatial_blocks(template)
    curves, steps = _msd_curves(trajectory, template, lags, cell, blocks)
    reordered = _reordered_curve(trajectory, template, start, lags, cell, blocks, site_of_atom)

    summary, arrays = {}, {"time": time, "frame_time": trajectory.time}
    fit = (lags >= FIT[0] * n) & (lags <= FIT[1] * n)

    def slope(curve):
        return np.polyfit(time[fit], curve[fit], 1)[0] if fit.sum() > 2 else np.nan

    def plateau(curve):
        return curve[fit].mean() if fit.any() else np.nan

    _put(arrays, "msd", [_estimate(*curve, lambda values: values) for curve in curves])
    _put(summary, "msd_slope", [_estimate(*curve, slope) for curve in curves])
    if n >= 2 * PARTS:
        scatter = steps.std(axis=1, ddof=1) / np.sqrt(PARTS - 1)
        scatter /= np.maximum(steps.mean(axis=1), 1e-300)
        least = abs(summary["msd_slope"]) * scatter
        summary["msd_slope_stderr"] = np.fmax(summary["msd_slope_stderr"], least)
    for name in _with_errors("msd_slope"):
        target = name.replace("msd_slope", "diffusion")
        summary[target] = summary[name] / 6 * units.A2_PER_PS_IN_CM2_PER_S
    for name, quantity in (("reordered_msd", plateau), ("reordered_msd_slope", slope)):
        summary[name], summary[f"{name}_stderr"] = _estimate(*reordered, quantity)
    curve, error = _estimate(*reordered, lambda values: values)
    arrays |= {"reordered_msd": curve, "reordered_msd_stderr": error}
    return summary, arrays


def _put(target: dict, name: str, estimates: list[tuple]) -> None:
    values, errors = zip(*estimates, strict=True)
    target[name], target[f"{name}_stderr"] = np.array(values), np.array(errors)


def _estimate(means: np.ndarray, weights: np.ndarray, quantity) -> tuple:
    """A quantity of the weighted mean over blocks (blocks, ...), and its jackknife error."""
    rest = statistics.leave_one_out(means, weights)
    value = quantity(np.average(means, axis=0, weights=weights))
    return value, statistics.jackknife(np.array([quantity(values) for values in rest]))


def _msd_curves(trajectory, template, lags, cell, blocks) -> tuple[list[tuple], np.ndarray]:
    """For each element the MSD at the lags by spatial block (blocks, lags), and atoms per block;
    and the mean squares of the displacements between the mean positions in consecutive parts of
    the series, (elements, PARTS − 1)."""
    n = len(trajectory)
    drift = np.zeros((n, 3))
    la = template.numbers == 57
    for atoms, scaled in trajectory.histories():
        drift += scaled[:, la[atoms]].sum(axis=1) / la.sum()
    symbols = np.array(template.get_chemical_symbols())
    squares = np.empty((len(template), len(lags)))
    steps = np.full((len(template), PARTS - 1), np.nan)
    for atoms, scaled in trajectory.histories():
        positions = (scaled - drift[:, None]) @ cell
        squares[atoms] = mean_square_displacement(positions)[lags].T
        if n >= 2 * PARTS:
            middles = statistics.block_means(positions, n // PARTS)[:PARTS]
            steps[atoms] = (np.diff(middles, axis=0) ** 2).sum(axis=2).T
    here = [symbols == element for element in ELEMENTS]
    curves = [_block_means(squares[mask], blocks[mask]) for mask in here]
    return curves, np.array([steps[mask].mean(axis=0) for mask in here])


def _reordered_curve(trajectory, template, start, lags, cell, blocks, site_of_atom) -> tuple:
    """MSD′ of H at the lags by spatial block (blocks, lags), and atoms per block.

    NaN at lags longer than what is left from `start` on.
    """
    h, la = template.numbers == 1, template.numbers == 57
    n = len(trajectory)
    origins = int(np.clip(ASSIGNED // (max(len(lags), 1) * h.sum()), 1, ORIGINS))

    def protons(frame):
        scaled = trajectory.scaled(frame)
        return scaled[h] - scaled[la].mean(axis=0)

    def same_site(first, second):
        """Who sat at `first` where a proton sits at `second`."""
        if site_of_atom is None:
            return np.arange(h.sum())
        atom_of_site = np.argsort(site_of_atom(first))
        return number[atom_of_site[site_of_atom(second)[h]]]

    number = np.cumsum(h) - 1
    curve = []
    for lag in lags:
        if start + lag > n - 1:
            curve.append(np.full(h.sum(), np.nan))
            continue
        squares = np.zeros(h.sum())
        starts = np.unique(np.linspace(start, n - 1 - lag, origins).astype(int))
        for origin in starts:
            at_origin = protons(origin)
            begin = same_site(origin, origin + lag)
            place, squared = assign(protons(origin + lag), at_origin, cell, begin)
            squares[place] += squared
        curve.append(squares / len(starts))
    return _block_means(np.array(curve).reshape(-1, h.sum()).T, blocks[h])


def mean_square_displacement(positions: np.ndarray) -> np.ndarray:
    """Sum of squares over x, y, z at every lag, mean over all origins: (n, k, 3) -> (n, k).

    By fast Fourier transform (Calandrini et al., Collection SFN 12, 201 (2011)): with
    S(m) = Σ_t r(t)·r(t + m), MSD(m) = [Σ_t (r²(t) + r²(t + m)) − 2 S(m)] / (n − m).
    """
    n = len(positions)
    positions = positions - positions.mean(axis=0)
    transform = fft.rfft(positions, n=fft.next_fast_len(2 * n), axis=0)
    power = (transform.real**2 + transform.imag**2).sum(axis=2)
    correlation = fft.irfft(power, n=fft.next_fast_len(2 * n), axis=0)[:n]
    square = np.concatenate([np.zeros((1, positions.shape[1])), (positions**2).sum(axis=2)])
    cumulative = np.cumsum(square, axis=0)
    both = cumulative[n:0:-1] + cumulative[-1] - cumulative[:n]
    return (both - 2 * correlation) / np.arange(n, 0, -1)[:, None]


class SiteFluctuations:
    """Accumulates displacements from the sites, frame by frame, in memory of a few frames."""

    def __init__(self, template: Atoms):
        self._template = template
        self._h = np.flatnonzero(template.numbers == 1)
        self._first = None
        self._count = 0
        self._sum = np.zeros((len(template), 3))
        self._square = np.zeros((len(template), 3, 3))
        self.exchanged = []

    def add(self, displacement: np.ndarray, atom_of_site: np.ndarray, use: bool = True) -> None:
        """Take in one frame: fractional displacements of the occupants (n, 3), and the map.

        Frames before equilibration (`use` false) count for the exchanges alone.
        """
        if self._first is None:
            self._first = atom_of_site.copy()
        moved = atom_of_site != self._first
        self.exchanged.append(moved[self._h].mean())
        if use:
            self._count += 1
            self._sum += displacement
            self._square += displacement[:, :, None] * displacement[:, None, :]

    def reduce(self, cell: np.ndarray) -> dict:
        """rms displacements and Lindemann ratios by element with errors, in the mean cell (Å)."""
        values = {name: [] for name in _with_errors("lindemann", "rms_displacement")}
        n = self._count
        if n < 2:
            return {name: np.full(len(ELEMENTS), np.nan) for name in values}
        mean = self._sum / n
        covariance = (self._square - n * mean[:, :, None] * mean[:, None, :]) / (n - 1)
        square = np.maximum(np.einsum("sij,ik,jk->s", covariance, cell, cell), 0.0)
        blocks = spatial_blocks(self._template)
        scaled = self._template.get_scaled_positions(wrap=False)
        for element in ELEMENTS:
            here = np.array(self._template.get_chemical_symbols()) == element
            neighbour = nearest_distances(scaled[here], cell).mean()
            means, weights = _block_means(square[here], blocks[here])
            rms = np.sqrt(square[here].mean())
            error = statistics.jackknife(np.sqrt(statistics.leave_one_out(means, weights)))
            values["rms_displacement"].append(rms)
            values["rms_displacement_stderr"].append(error)
            values["lindemann"].append(rms / neighbour)
            values["lindemann_stderr"].append(error / neighbour)
        return {name: np.array(value) for name, value in values.items()}


def _with_errors(*names: str) -> list[str]:
    return [name + suffix for name in names for suffix in ("", "_stderr")]


def nearest_distances(scaled: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Distance in Å from every point (n, 3) to the nearest other one, periodic images included."""
    margin = 2.5 * (abs(np.linalg.det(cell)) / len(scaled)) ** (1 / 3)
    positions, _, _ = images(scaled, cell, margin)
    return cKDTree(positions).query(wrap(scaled, cell), k=2)[0][:, 1]


def _block_means(values: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (blocks, ...) of values (atoms, ...) by block, and the number of atoms in each."""
    labels, inverse = np.unique(blocks, return_inverse=True)
    weights = np.bincount(inverse)
    sums = np.zeros((len(labels), *values.shape[1:]))
    np.add.at(sums, inverse, values)
    return sums / weights.reshape(-1, *[1] * (values.ndim - 1)), weights
