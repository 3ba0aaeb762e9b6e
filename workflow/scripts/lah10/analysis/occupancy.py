"""Occupancy of the sites of H: of how many protons each is the nearest site.

The map from atoms to sites gives every site one atom. Where protons really are, a site may be
nearest to none or to two of them for a while.
"""

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from lah10.analysis import statistics
from lah10.crystal.periodic import images, wrap
from lah10.schema import WYCKOFF


class Occupancy:
    """How many protons have a site as their nearest, frame by frame."""

    #: Neighbours of a site among which the nearest one is looked for.
    NEIGHBOURS = 24

    def __init__(self, template: Atoms):
        self._h = np.flatnonzero(template.numbers == 1)
        labels = template.arrays["site"][self._h]
        self._of = [labels == name for name in WYCKOFF]
        scaled, cell = template.get_scaled_positions(wrap=False)[self._h], template.cell.array
        spacing = (abs(np.linalg.det(cell)) / len(self._h)) ** (1 / 3)
        positions, index, _ = images(scaled, cell, margin=3 * spacing)
        home = wrap(scaled, cell)
        _, found = cKDTree(positions).query(home, k=min(self.NEIGHBOURS, len(positions)))
        self._others = index[found[:, 1:]]
        self._vectors = (positions[found[:, 1:]] - home[:, None]) @ np.linalg.inv(cell)
        self._rows: list[tuple[float, ...]] = []

    def add(self, displacement: np.ndarray, cell: np.ndarray) -> None:
        """Take in one frame: fractional displacements of the occupants from all sites (n, 3), and
        the cell (3, 3), Å."""
        displacement = displacement[self._h] @ cell
        nearest = np.arange(len(self._h))
        square = (displacement**2).sum(axis=1)
        # Half the way to the next site, less what strain may take from it.
        least = ((0.45 * self._vectors[:, 0] @ cell) ** 2).sum(axis=1).min()
        far = np.flatnonzero(square > least)
        vectors = self._vectors[far] @ cell
        gain = 2 * (displacement[far][:, None] * vectors).sum(axis=2) - (vectors**2).sum(axis=2)
        best = gain.argmax(axis=1) if len(far) else np.empty(0, int)
        better = gain[np.arange(len(far)), best] > 0
        nearest[far[better]] = self._others[far[better], best[better]]
        count = np.bincount(nearest, minlength=len(self._h))
        here = [count[mask].mean() for mask in self._of]
        self._rows.append((*here, (count == 0).mean(), (count > 1).mean()))

    def reduce(self) -> dict:
        """`site_occupancy`, `vacant_share` and `double_share` with errors; nothing without
        frames."""
        if not self._rows:
            return {}
        means, errors = np.array([statistics.mean_error(row) for row in np.array(self._rows).T]).T
        values = {}
        for suffix, numbers in (("", means), ("_stderr", errors)):
            values[f"site_occupancy{suffix}"] = numbers[: len(WYCKOFF)]
            values[f"vacant_share{suffix}"], values[f"double_share{suffix}"] = numbers[-2:]
        return values
