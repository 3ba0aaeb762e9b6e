"""Trajectories in the AMBER NetCDF convention, which ASE, MDAnalysis, OVITO and VMD open.

Positions are unwrapped. Files are written frame after frame and read in bounded memory, by frames
or by atoms.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from ase.geometry import cell_to_cellpar, cellpar_to_cell
from netCDF4 import Dataset
from scipy.io import netcdf_file

from lah10.errors import UserError
from lah10.io.files import atomic_path

#: Å; beyond lie the fill values of netCDF, no atoms.
FARTHEST = 1e9


def write_trajectory(
    path: str | Path, numbers: Sequence[int], frames: Iterable, title: str
) -> None:
    """Write frames one after the other; the file appears when all are written.

    Parameters
    ----------
    numbers : (N,) int
        Atomic number of each atom. The variable that holds them, `atom_types`, is no part of the
        convention; it is where ASE and OVITO look.
    frames : iterable of (time, cell, positions)
        ps; Å, shape (3, 3), rows a, b, c in LAMMPS' orientation; Å, shape (N, 3), unwrapped.
    """
    with atomic_path(path) as aside, Dataset(aside, "w", format="NETCDF3_64BIT_OFFSET") as file:
        file.Conventions, file.ConventionVersion = "AMBER", "1.0"
        file.program, file.programVersion, file.title = "lah10", "0.1.0", title
        file.createDimension("frame", None)
        file.createDimension("spatial", 3)
        file.createDimension("atom", len(numbers))
        file.createDimension("cell_spatial", 3)
        file.createDimension("cell_angular", 3)
        file.createDimension("label", 5)
        file.createVariable("spatial", "c", ("spatial",))[:] = list("xyz")
        file.createVariable("cell_spatial", "c", ("cell_spatial",))[:] = list("abc")
        angular = file.createVariable("cell_angular", "c", ("cell_angular", "label"))
        angular[:] = [list("alpha"), list("beta "), list("gamma")]
        file.createVariable("atom_types", "i4", ("atom",))[:] = np.asarray(numbers)
        time = file.createVariable("time", "f8", ("frame",))
        time.units = "picosecond"
        lengths = file.createVariable("cell_lengths", "f8", ("frame", "cell_spatial"))
        lengths.units = "angstrom"
        angles = file.createVariable("cell_angles", "f8", ("frame", "cell_angular"))
        angles.units = "degree"
        coordinates = file.createVariable("coordinates", "f4", ("frame", "atom", "spatial"))
        coordinates.units = "angstrom"
        for frame, (instant, cell, positions) in enumerate(frames):
            time[frame] = instant
            parameters = cell_to_cellpar(cell)
            lengths[frame], angles[frame] = parameters[:3], parameters[3:]
            coordinates[frame] = positions


def read_frames(path, chunk: int = 50) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (time, cells, positions) of `chunk` frames at a time.

    Shapes (F,), (F, 3, 3) and (F, N, 3); ps and Å; positions unwrapped, cells in LAMMPS'
    orientation.
    """
    with Dataset(path) as file:
        file.set_auto_mask(False)
        total = len(file.dimensions["frame"])
        for start in range(0, total, chunk):
            part = slice(start, min(start + chunk, total))
            yield file["time"][part], _cells(file, part), file["coordinates"][part].astype(float)


def _cells(file: Dataset, frames: slice) -> np.ndarray:
    """Cell vectors as rows, Å, shape (F, 3, 3), a along x and b in the xy plane."""
    parameters = np.hstack([file["cell_lengths"][frames], file["cell_angles"][frames]])
    return np.array([cellpar_to_cell(row) for row in parameters]).reshape(-1, 3, 3)


class Trajectory:
    """An open trajectory file; coordinates stay on disk until they are read; for a `with` block.

    Attributes
    ----------
    time : (frames,) ps.
    cells : (frames, 3, 3) Å, vectors as rows, a along x and b in the xy plane.
    n_atoms : int

    Raises
    ------
    UserError
        The file is missing, cut off or no trajectory; times run back; or, where they are read,
        coordinates or cells are not finite.
    """

    #: Bytes of coordinates (as float64) that are in memory at a time.
    CHUNK_BYTES = 16 * 2**20

    def __init__(self, path: str | Path):
        self._path = path
        _check_length(path)
        try:
            self._file = Dataset(path)
            self._file.set_auto_mask(False)
            self.n_atoms = len(self._file.dimensions["atom"])
            self.time = np.asarray(self._file["time"][:], dtype=float)
            self._coordinates = self._file["coordinates"]
            sizes = np.hstack([self._file["cell_lengths"][:], self._file["cell_angles"][:]])
        except (OSError, RuntimeError, KeyError, IndexError) as error:
            raise UserError(
                f"{path}: cannot be read as an AMBER NetCDF trajectory ({error}); run the point "
                "again"
            ) from None
        self._check(np.isfinite(self.time), "the time")
        # The beads of a ring, one after the other, have the same time.
        self._check(np.diff(self.time, prepend=-np.inf) >= 0, "the time")
        self._check((sizes > 0).all(axis=1) & (sizes < FARTHEST).all(axis=1), "the cell")
        if 24 * self.n_atoms * len(self.time) <= self.CHUNK_BYTES:  # small: read once
            self._coordinates = self._coordinates[:]
        self.cells = _cells(self._file, slice(None))
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
        if not (np.abs(positions) < FARTHEST).all():  # NaN is no less
            self._refuse(frame, "every position")
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
            self._check((np.abs(part) < FARTHEST).all(axis=(1, 2)), "every position")
            yield atoms, part @ self._inverse

    def history(self, atoms: Sequence[int]) -> np.ndarray:
        """Fractional coordinates of some atoms through all frames, unwrapped, (frames, k, 3)."""
        part = np.stack([self._coordinates[:, atom] for atom in atoms], axis=1).astype(float)
        self._check((np.abs(part) < FARTHEST).all(axis=(1, 2)), "every position")
        return part @ self._inverse

    def _check(self, good: np.ndarray, what: str) -> None:
        """Refuse the first frame that is not good, (frames,)."""
        if not good.all():
            self._refuse(int(np.argmin(good)), what)

    def _refuse(self, frame: int, what: str) -> None:
        raise UserError(
            f"{self._path}: frame {frame} of {len(self.time)}: expected {what} to be a finite "
            "number, and times not to run back; the file is damaged or the run broke down: run the "
            "point again"
        )


def _check_length(path: str | Path) -> None:
    """Refuse a file that is cut off: netCDF's library reads what is missing as zeros."""
    try:
        with open(path, "rb") as file:
            if file.read(3) != b"CDF":
                return  # HDF5 checks its length itself
        with netcdf_file(path, mmap=True):
            pass  # the arrays are laid over the file, which has to be as long
    except FileNotFoundError:
        raise UserError(f"{path}: no such trajectory; run the point again") from None
    except (ValueError, TypeError, IndexError):
        raise UserError(
            f"{path}: expected as many bytes as its header states, but the file is cut off; copy "
            "it again, or run the point again"
        ) from None
