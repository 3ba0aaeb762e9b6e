"""Partial radial distribution functions.

g_ab(r) = ⟨number of b at distance r … r + dr from an a⟩ / (volume of the shell · N_b/V).

Periodic images are made explicit, so r may exceed half the cell; most g(r) codes refuse that.
Pairs come from scipy's KD-trees, for some atoms at a time: 44,000 atoms take 0.8 s a frame in
20 MB (a neighbour list of matscipy takes 2 s and 400 MB), without a further dependency.
"""

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from lah10 import ELEMENTS
from lah10.analysis import statistics
from lah10.analysis.dataset import Coordinates
from lah10.crystal.periodic import images, wrap

PAIRS = (("La", "La"), ("La", "H"), ("H", "H"))
#: Å; edges of the bins, equidistant from 0.
EDGES = np.linspace(0.0, 5.5, 276)
#: Atoms whose neighbours are listed at a time.
AT_A_TIME = 1000
#: Atoms summed over the frames that are used, at most: 44,000 atoms in 90 frames.
MOST_ATOMS = 4_000_000
#: Blocks in time for the errors.
BLOCKS = 8

COORDINATES: Coordinates = {
    "pair": (None, "elements of the pair", [f"{first}-{second}" for first, second in PAIRS]),
    "r": ("angstrom", "distance, middle of the bin", 0.5 * (EDGES[1:] + EDGES[:-1])),
}



def pair_counts(scaled: np.ndarray, cell: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """Mean number of neighbours in every bin of `EDGES`, (pairs, bins), of one frame.

    Parameters
    ----------
    scaled : (n, 3) fractional coordinates, wrapped or not.
    cell : (3, 3) Å.
    symbols : (n,) element of every atom.
    """
    here, everywhere = {}, {}
    for element in ELEMENTS:
        mine = scaled[symbols == element]
        here[element] = wrap(mine, cell)
        everywhere[element] = cKDTree(images(mine, cell, EDGES[-1])[0])
    counts = np.zeros((len(PAIRS), len(EDGES) - 1))
    for row, (first, second) in enumerate(PAIRS):
        for start in range(0, len(here[first]), AT_A_TIME):
            some = cKDTree(here[first][start : start + AT_A_TIME])
            distance = some.sparse_distance_matrix(
                everywhere[second], EDGES[-1], output_type="ndarray"
            )["v"]
            distance = distance[distance > 1e-6]  # no atom is its own neighbour
            bins = (distance / EDGES[1]).astype(np.intp)
            counts[row] += np.bincount(bins, minlength=len(EDGES))[: len(EDGES) - 1]
        counts[row] /= max(len(here[first]), 1)
    return counts


class PairCounts:
    """Accumulates g(r) over some of the frames.

    Parameters
    ----------
    template : Atoms
    frames : int
        Frames of the trajectory; every `stride`-th is used, to bound the time spent.
    """

    def __init__(self, template: Atoms, frames: int):
        self._symbols = np.array(template.get_chemical_symbols())
        self.stride = max(1, int(np.ceil(frames * len(template) / MOST_ATOMS)))
        self._counts, self._volumes = [], []

    def add(self, scaled: np.ndarray, cell: np.ndarray) -> None:
        """Take in one frame: fractional coordinates (n, 3), and the cell (Å)."""
        self._counts.append(pair_counts(scaled, cell, self._symbols))
        self._volumes.append(abs(np.linalg.det(cell)))

    def reduce(self) -> dict:
        """Values of `lah10.schema.CORRELATIONS`; errors from blocks of consecutive frames."""
        if not self._counts:
            return {}
        counts, volumes = np.array(self._counts), np.array(self._volumes)
        shells = 4 / 3 * np.pi * np.diff(EDGES**3)
        density = np.array([(self._symbols == second).sum() for _, second in PAIRS])[:, None]
        g = counts * volumes[:, None, None] / (density * shells)
        length = max(1, len(g) // BLOCKS)
        values = {}
        for name, series in (("g", g), ("coordination", counts.cumsum(axis=2))):
            values[name] = series.mean(axis=0)
            blocks = statistics.block_means(series, length)
            values[f"{name}_stderr"] = statistics.jackknife(statistics.leave_one_out(blocks))
        return values
