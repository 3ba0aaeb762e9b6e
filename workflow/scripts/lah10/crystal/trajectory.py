"""Trajectories in the AMBER NetCDF convention, which ASE, MDAnalysis, OVITO and VMD read."""

from collections.abc import Iterable, Iterator

import numpy as np
from ase.geometry import cell_to_cellpar, cellpar_to_cell
from netCDF4 import Dataset

from lah10.io.files import atomic_path


def write_trajectory(path, n_atoms: int, frames: Iterable, title: str) -> None:
    """Write frames one after the other; the file appears when all are written.

    Parameters
    ----------
    frames : iterable of (time, cell, positions)
        ps; Å, shape (3, 3), rows a, b, c in LAMMPS' orientation; Å, shape (N, 3), unwrapped.
    """
    with atomic_path(path) as aside, Dataset(aside, "w", format="NETCDF3_64BIT_OFFSET") as file:
        file.Conventions, file.ConventionVersion = "AMBER", "1.0"
        file.program, file.programVersion, file.title = "lah10", "0.1.0", title
        file.createDimension("frame", None)
        file.createDimension("spatial", 3)
        file.createDimension("atom", n_atoms)
        file.createDimension("cell_spatial", 3)
        file.createDimension("cell_angular", 3)
        file.createDimension("label", 5)
        file.createVariable("spatial", "c", ("spatial",))[:] = list("xyz")
        file.createVariable("cell_spatial", "c", ("cell_spatial",))[:] = list("abc")
        angular = file.createVariable("cell_angular", "c", ("cell_angular", "label"))
        angular[:] = [list("alpha"), list("beta "), list("gamma")]
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
            parameters = np.hstack([file["cell_lengths"][part], file["cell_angles"][part]])
            cells = np.array([cellpar_to_cell(row) for row in parameters])
            yield file["time"][part], cells, file["coordinates"][part].astype(float)
