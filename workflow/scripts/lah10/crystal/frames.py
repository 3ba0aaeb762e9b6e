"""Reading trajectories (AMBER NetCDF, unwrapped) in bounded memory, by frames or by atoms."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.geometry import cellpar_to_cell
from netCDF4 import Dataset


class Trajectory:
    """An open trajectory file; coordinates stay on disk until asked for. Use it in a `with` block.

    Attributes
    ----------
    time : (frames,) ps.
    cells : (frames, 3, 3) Å, vectors as rows, a along x and b in the xy plane.
    n_atoms : int
    """

    #: Bytes of coordinates (as float64) that are in memory at a time.
    CHUNK_BYTES = 16 * 2**20

    def __init__(self, path: str | Path):
        self._file = Dataset(path)
        self._file.set_auto_mask(False)
        self.n_atoms = len(self._file.dimensions["atom"])
        self.time = np.asarray(self._file["time"][:], dtype=float)
        self._coordinates = self._file["coordinates"]
        if 24 * self.n_atoms * len(self.time) <= self.CHUNK_BYTES:  # small: read once
            self._coordinates = self._coordinates[:]
        parameters = np.hstack([self._file["cell_lengths"][:], self._file["cell_angles"][:]])
        self.cells = np.array([cellpar_to_cell(row) for row in parameters]).reshape(-1, 3, 3)
        self._inverse = np.linalg.inv(self.cells)

    def __enter__(self) -> "Trajectory":
        return self

    def __exit__(self, *_) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self.time)

    def scaled(self, frame: int) -> np.ndarray:
        """Fractional coordinates (n_atoms, 3) of one frame, unwrapped."""
        positions = np.asarray(self._coordinates[frame], dtype=float)
        return positions @ self._inverse[frame]

    def histories(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Fractional coordinates of some atoms after the others, through all frames.

        Yields
        ------
        atoms : slice of atom indices.
        scaled : (frames, k, 3), unwrapped.
        """
        size = max(1, int(self.CHUNK_BYTES / (24 * max(len(self), 1))))
        for first in range(0, self.n_atoms, size):
            atoms = slice(first, min(first + size, self.n_atoms))
            part = np.asarray(self._coordinates[:, atoms], dtype=float)
            yield atoms, part @ self._inverse
