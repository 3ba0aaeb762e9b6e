"""Exploration: molecular dynamics on a grid by the committee's first model, and its frames."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from lah10.crystal.structures import read_supercell
from lah10.crystal.trajectory import read_frames
from lah10.dynamics import launch
from lah10.dynamics.job import Job
from lah10.potential.data import systems
from lah10.potential.data.systems import System


def explore(
    point: Mapping,
    options: Mapping[str, Mapping],
    outputs: Mapping[str, str],
    scratch: str | os.PathLike,
    log: str | os.PathLike,
) -> None:
    """Equilibrate and produce one point as a campaign does; a killed run goes on.

    Parameters
    ----------
    point : mapping
        What both stages share, by the names of `lah10.dynamics.job.Job`.
    options : mapping
        Of "equilibrate" and of "produce": `bath_options` and `dynamics`.
    outputs : mapping
        thermo, trajectory, commands: paths of production's files.
    scratch : path
        Folder of everything else; removed at the end.

    Raises
    ------
    UserError
        Something must be mended by the user.
    """
    scratch = Path(scratch)
    equilibrated = {
        "thermo": str(scratch / "equilibration.nc"),
        "restart": str(scratch / "equilibrated.restart"),
        "commands": str(scratch / "equilibrate.lmp"),
    }
    first = {
        **point,
        **options["equilibrate"],
        "stage": "equilibrate",
        "outputs": equilibrated,
        "scratch": str(scratch / "equilibrate"),
    }
    if not Job(**first).finished():
        launch.run_stage(first, log)
    second = {
        **point,
        **options["produce"],
        "stage": "produce",
        "restart_in": equilibrated["restart"],
        "equilibration": equilibrated["thermo"],
        "outputs": {**outputs, "spectra": str(scratch / "spectra.nc")},
        "scratch": str(scratch / "produce"),
    }
    launch.run_stage(second, log)
    shutil.rmtree(scratch)


@dataclass(frozen=True)
class Exploration:
    """Frames of all points of a round.

    Attributes
    ----------
    system : System
        The frames, point by point; without labels.
    times : (f,) float
        ps since production began.
    point : (f,) int
        Index into `points`.
    points : tuple of str
        "<bath>/P<GPa>_T<K>".
    about : tuple of dict
        Of each point: bath, pressure_GPa, temperature_K, status, status_message.
    expected : int
        Frames that a point has unless it broke down.
    """

    system: System
    times: np.ndarray
    point: np.ndarray
    points: tuple[str, ...]
    about: tuple[dict, ...]
    expected: int


def read_exploration(
    runs: Mapping[str, tuple[str | os.PathLike, str | os.PathLike]],
    supercell: str | os.PathLike,
    expected: int,
) -> Exploration:
    """The frames of all points: for each its time series (thermo.nc) and its trajectory."""
    crystal = read_supercell(supercell)
    cells, positions, times, point, about = [], [], [], [], []
    for i, (thermo, trajectory) in enumerate(runs.values()):
        with xr.open_dataset(thermo) as data:
            known = ("bath", "pressure_GPa", "temperature_K", "status", "status_message")
            about.append({key: data.attrs[key] for key in known})
        for time, cell, position in read_frames(trajectory):
            times.append(time)
            cells.append(cell)
            positions.append(position)
            point.append(np.full(len(time), i))
    n = len(crystal)
    system = systems.unlabelled(
        crystal,
        np.concatenate([np.empty((0, 3, 3)), *cells]),
        np.concatenate([np.empty((0, n, 3)), *positions]),
    )
    return Exploration(
        system,
        np.concatenate([np.empty(0), *times]),
        np.concatenate([np.empty(0, int), *point]),
        tuple(runs),
        tuple(about),
        expected,
    )
