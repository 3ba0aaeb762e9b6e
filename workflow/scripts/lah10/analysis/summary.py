"""The analysis of one point: from what a run left to five small datasets."""

from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms

from lah10 import ELEMENTS, schema
from lah10.analysis import (
    correlations,
    dataset,
    diagnostics,
    diffusion,
    distortion,
    energetics,
    exchanges,
    statistics,
    typical,
)
from lah10.analysis.hops import SiteHistory
from lah10.analysis.occupancy import Occupancy
from lah10.crystal.sites import SiteMap, find_cages
from lah10.crystal.structures import read_supercell
from lah10.crystal.trajectory import Trajectory
from lah10.errors import UserError
from lah10.io import netcdf

#: Detailed datasets: their coordinates and their table.
_DETAILS = {
    "distortion": (distortion.COORDINATES, schema.DISTORTION),
    "diffusion": (
        diffusion.COORDINATES | exchanges.COORDINATES | typical.COORDINATES,
        schema.DIFFUSION,
    ),
    "energetics": (energetics.COORDINATES, schema.ENERGETICS),
    "correlations": (correlations.COORDINATES, schema.CORRELATIONS),
}

#: Frames after equilibration that a point needs; with fewer its status is "too_short".
MIN_FRAMES = 10


def analyse_point(
    trajectory: str | Path,
    thermo: str | Path,
    spectra: str | Path,
    supercell: str | Path,
    *,
    distortion_out: str | Path,
    diffusion_out: str | Path,
    energetics_out: str | Path,
    correlations_out: str | Path,
    summary_out: str | Path,
    window: float = 0.5,
    seed: int = 0,
) -> xr.Dataset:
    """Analyse one point and write its datasets, each of which appears whole.

    The trajectory is read in parts: 44,000 atoms and 1,000 frames need less than 0.5 GiB, most of
    it neighbour tables of the sites and Fourier transforms of a part of the atoms; more frames
    need a few kB each.

    A run whose `status` is not "ok" (an attribute of thermo.nc) yields the same datasets with NaN
    and empty dimensions; its trajectory and spectra are not opened. A run with fewer than
    `MIN_FRAMES` frames after equilibration gets the status "too_short".

    Parameters
    ----------
    trajectory, thermo, spectra : paths
        Of the production run: trajectory.nc, thermo.nc, spectra.nc.
    supercell : path
        supercell.xyz, the perfect crystal that the run started from.
    distortion_out, ..., summary_out : paths
        What is written.
    window : float
        ps; window of the local order parameter.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Dataset
        The summary.
    """
    with xr.open_dataset(thermo, engine="netcdf4") as file:
        thermo = file.load()
    status, message = thermo.attrs["status"], thermo.attrs.get("status_message", "")
    values: dict[str, dict] = {name: {} for name in _DETAILS}
    if status == "ok":
        with Trajectory(trajectory) as frames:
            found = _measure(frames, thermo, spectra, read_supercell(supercell), window, seed)
        if found is None:
            status, message = "too_short", f"fewer than {MIN_FRAMES} frames after equilibration"
        else:
            values = found
    attrs = thermo.attrs | {"status": status, "status_message": message}
    outputs = (distortion_out, diffusion_out, energetics_out, correlations_out)
    for (name, (coordinates, table)), path in zip(_DETAILS.items(), outputs, strict=True):
        detail = dataset.assemble(coordinates, table, values.get(name, {}), attrs)
        netcdf.write(detail, path, f"{name} of a point")
    result = summarise(values.get("summary", {}), status, attrs)
    netcdf.write(result, summary_out, "summary of a point")
    return result


def _measure(
    trajectory: Trajectory,
    thermo: xr.Dataset,
    spectra: str | Path,
    template: Atoms,
    window: float,
    seed: int,
) -> dict[str, dict] | None:
    """Values of the summary and of every detailed dataset; None if the run is too short."""
    if len(trajectory) and trajectory.n_atoms != len(template):
        raise UserError(
            f"trajectory with {trajectory.n_atoms} atoms, supercell with {len(template)}: they "
            "belong to different runs; run the point again"
        )
    _check_time(trajectory, thermo)
    cages = find_cages(template)
    begin = equilibration_time(thermo, cages.axes)
    start = int(np.searchsorted(trajectory.time, begin - 1e-9))
    if len(trajectory) - start < MIN_FRAMES:
        return None
    interval = (trajectory.time[-1] - trajectory.time[0]) / (len(trajectory) - 1)
    sites = SiteMap(template)
    angles = distortion.CageAngles(cages, template, max(1, round(window / interval)))
    fluctuations = diffusion.SiteFluctuations(template)
    history, occupancy = SiteHistory(), Occupancy(template)
    pairs = correlations.PairCounts(template, len(trajectory) - start)
    for frame, cell in enumerate(trajectory.cells):
        scaled = trajectory.scaled(frame)
        displacement = sites.displacements(scaled, cell)
        angles.add(displacement, cell)
        fluctuations.add(displacement, sites.atom_of_site, use=frame >= start)
        history.add(sites.atom_of_site, sites.image_of_site)
        if frame >= start:
            occupancy.add(displacement, cell)
        if frame >= start and (frame - start) % pairs.stride == 0:
            pairs.add(scaled, cell)

    values = {"correlations": pairs.reduce()}
    summary, values["distortion"] = distortion.reduce(angles, trajectory.time, start, seed)
    # All of production: what looks like the end of equilibration may be a burst of exchanges, and
    # to leave it out would be to choose the answer.
    moving, values["diffusion"] = diffusion.measure(
        trajectory, template, start, history.site_of_atom
    )
    cell = trajectory.cells[start:].mean(axis=0)
    mean_cell = trajectory.cells[:].mean(axis=0)
    hopping, lists = exchanges.measure(history.changes(), template, trajectory.time, mean_cell)
    exchanges.bound_diffusion(moving, hopping)
    moving |= hopping | occupancy.reduce()
    values["diffusion"] |= lists | typical.measure(trajectory, template, lists, mean_cell)
    vibrating = fluctuations.reduce(cell)
    for name in list(vibrating):
        if schema.measured(name) in schema.DIFFUSION:
            values["diffusion"][name] = vibrating.pop(name)
    values["diffusion"]["exchanged_share"] = fluctuations.exchanged
    with xr.open_dataset(spectra, engine="netcdf4") as file:
        energies, values["energetics"] = energetics.measure(thermo, file.load(), begin)
    values["summary"] = summary | moving | vibrating | energies | {"equilibration_time": begin}
    return values


def _check_time(trajectory: Trajectory, thermo: xr.Dataset) -> None:
    """Refuse a trajectory that ends well before the run did."""
    if len(trajectory) < 2 or thermo.sizes["time"] == 0:
        return
    interval = (trajectory.time[-1] - trajectory.time[0]) / (len(trajectory) - 1)
    missing = float(thermo.time[-1]) - trajectory.time[-1]
    if missing > 2 * interval:
        raise UserError(
            f"trajectory of {trajectory.time[-1]:g} ps, thermo.nc of {float(thermo.time[-1]):g} "
            f"ps: the last {missing:g} ps have no frames; run the point again"
        )


def equilibration_time(thermo: xr.Dataset, axes: np.ndarray) -> float:
    """When production is equilibrated, in ps: the latest that potential energy, volume and the
    distortion of the cell say.

    axes : (3, 3) conventional axes as fractional vectors of the supercell.
    """
    if thermo.sizes["time"] == 0:
        return 0.0
    angles = np.array([distortion.cell_angles(axes @ cell) for cell in thermo.cell.values])
    sheared = np.sqrt(((angles - 90) ** 2).mean(axis=1))
    series = (thermo.potential_energy.values, thermo.volume.values, sheared)
    latest = max(statistics.equilibration_index(values) for values in series)
    return float(thermo.time.values[latest]) if latest else 0.0


def summarise(values: dict, status: str, attrs: dict) -> xr.Dataset:
    """The summary of a point, with every variable of `lah10.schema.SUMMARY`: NaN where `values` has
    none.

    attrs : of the run's thermo.nc (bath, pressure_GPa and temperature_K become coordinates).
    """
    values = dict(values)
    phase = values.pop("phase", schema.PHASE["undetermined"])
    phase_reason = values.pop("phase_reason", attrs.get("status_message", ""))
    correction = attrs.get("bath_correction", "none")
    verdict, reason = diagnostics.quantum_bath(
        attrs["bath"], values, float(attrs["temperature_K"]), correction
    )
    attrs = attrs | {"quantum_bath_reason": reason, "phase_reason": phase_reason}
    coordinates = {
        "element": (None, "element", ELEMENTS),
        "variant": (None, "axis of the rhombohedral distortion", schema.VARIANTS),
        "ring": exchanges.COORDINATES["ring"],
        "wyckoff": exchanges.COORDINATES["wyckoff"],
    }
    table = schema.SUMMARY
    empty = {
        schema.uncertainty(name): np.full([len(coordinates[dim][2]) for dim in dims], np.nan)
        for name, (dims, _, _) in table.items()
    }
    result = dataset.assemble(coordinates, table, empty | values, attrs)
    result.coords["bath"] = attrs["bath"]
    result.coords["pressure"] = ((), float(attrs["pressure_GPa"]))
    result.pressure.attrs.update(units="GPa", long_name="pressure")
    result.coords["temperature"] = ((), float(attrs["temperature_K"]))
    result.temperature.attrs.update(units="K", long_name="temperature")
    for name, value in (
        ("status", schema.STATUS[status]),
        ("phase", phase),
        ("quantum_bath_ok", verdict),
        ("extrapolation", diagnostics.extrapolation(values)),
    ):
        result[name] = dataset.flag(name, value)
    return result
