"""The analysis of one path-integral run, in the terms of the baths' summaries.

Which particle a quantity belongs to: the ring's beads have the distribution that a measurement of
the quantum particle would find, as atoms have under a quantum bath; the centroid is their mean.

- θ and its companions (`theta_*`, `local_distortion`, `phase`) are of the centroids, whose noise
  is far smaller, and once more of the beads (`theta_beads_*`), to hold beside a bath's;
- g(r) and the Lindemann ratio are of the beads.

Kinetic temperatures are 2K/k_B per degree of freedom, the centre of mass left out as in the baths'
runs: an element of n atoms of mass m in a cell of mass M has 3n (1 − m/M) degrees of freedom, and
3/2 k_B T · nm/M of its kinetic energy is its share in the centre of mass, which is classical.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from ase import Atoms

from lah10 import schema, units
from lah10.analysis import correlations, dataset, diffusion, distortion, statistics
from lah10.analysis.energetics import degrees_of_freedom
from lah10.analysis.summary import MIN_FRAMES, equilibration_time, summarise
from lah10.crystal.sites import SiteMap, find_cages
from lah10.crystal.structures import read_supercell
from lah10.crystal.trajectory import Trajectory
from lah10.errors import UserError
from lah10.io import netcdf


def analyse_run(
    thermo: str | Path,
    centroids: str | Path,
    beads: str | Path,
    supercell: str | Path,
    *,
    summary_out: str | Path,
    distortion_out: str | Path,
    correlations_out: str | Path,
    window: float = 0.5,
    seed: int = 0,
) -> xr.Dataset:
    """Analyse one run and write its datasets, each of which appears whole.

    A run whose `status` is not "ok", or that has fewer than `MIN_FRAMES` frames, yields the same
    datasets with NaN.

    Parameters
    ----------
    thermo, centroids, beads : paths
        What the run left; in `beads` the kept beads of a frame follow one another.
    supercell : path
        The perfect crystal that the run started from.
    summary_out, distortion_out, correlations_out : paths
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
    values: dict[str, dict] = {"summary": {}, "extra": {}, "distortion": {}, "correlations": {}}
    if status == "ok":
        with Trajectory(centroids) as rings, Trajectory(beads) as ring_beads:
            found = _measure(rings, ring_beads, thermo, read_supercell(supercell), window, seed)
        if found is None:
            status, message = "too_short", f"fewer than {MIN_FRAMES} frames after equilibration"
        else:
            values = found
    attrs = thermo.attrs | {"status": status, "status_message": message}
    for name, module, table, path in (
        ("distortion", distortion, schema.DISTORTION, distortion_out),
        ("correlations", correlations, schema.CORRELATIONS, correlations_out),
    ):
        detail = dataset.assemble(module.COORDINATES, table, values[name], attrs)
        netcdf.write(detail, path, f"{name} of a path-integral run")
    summary = summarise(values["summary"], status, attrs)
    empty = {schema.uncertainty(name): np.nan for name in schema.BEADS}
    extra = dataset.assemble({}, schema.BEADS, empty | values["extra"])
    summary = summary.merge(extra).assign_coords(beads=((), int(thermo.attrs["beads"])))
    netcdf.write(summary, summary_out, "summary of a path-integral run")
    return summary


def _measure(
    centroids: Trajectory,
    beads: Trajectory,
    thermo: xr.Dataset,
    template: Atoms,
    window: float,
    seed: int,
) -> dict[str, dict] | None:
    """Values of every dataset; None if the run is too short."""
    if len(centroids) and centroids.n_atoms != len(template):
        raise UserError(
            f"trajectory with {centroids.n_atoms} atoms, supercell with {len(template)}: they "
            "belong to different runs; run the point again"
        )
    cages = find_cages(template)
    begin = equilibration_time(thermo, cages.axes)
    start = int(np.searchsorted(centroids.time, begin - 1e-9))
    frames = len(centroids)
    if frames - start < MIN_FRAMES:
        return None
    kept = len(beads) // frames
    interval = (centroids.time[-1] - centroids.time[0]) / (frames - 1)
    steps = max(1, round(window / interval))
    sites = SiteMap(template)
    angles = distortion.CageAngles(cages, template, steps)
    bead_angles = distortion.CageAngles(cages, template, steps * kept)
    fluctuations = diffusion.SiteFluctuations(template)
    pairs = correlations.PairCounts(template, kept * (frames - start))
    for frame, cell in enumerate(centroids.cells):
        at = centroids.scaled(frame)
        displacement = sites.displacements(at, cell)
        angles.add(displacement, cell)
        for bead in range(kept * frame, kept * (frame + 1)):
            # Rings stay whole, so that the centroid's site is the site of all its beads.
            of_bead = beads.scaled(bead)
            away = displacement + (of_bead - at)[sites.atom_of_site]
            bead_angles.add(away, cell)
            fluctuations.add(away, sites.atom_of_site, use=frame >= start)
            if frame >= start and (bead - kept * start) % pairs.stride == 0:
                pairs.add(of_bead, cell)

    summary, arrays = distortion.reduce(angles, centroids.time, start, seed)
    vibrating = fluctuations.reduce(centroids.cells[start:].mean(axis=0))
    summary |= {name: value for name, value in vibrating.items() if name.startswith("lindemann")}
    energies, extra = _energies(thermo, begin)
    return {
        "summary": summary | energies | {"equilibration_time": begin},
        "extra": extra | _theta_of_beads(bead_angles, kept, start, seed),
        "distortion": arrays,
        "correlations": pairs.reduce(),
    }


def _energies(thermo: xr.Dataset, begin: float) -> tuple[dict, dict]:
    """Kinetic temperatures, volume, and what shows whether the sampling is right."""
    used = thermo.sel(time=thermo.time >= begin)
    numbers, masses = thermo.n_atoms.values, thermo.mass.values
    freedom = degrees_of_freedom(numbers, masses)
    temperature = float(thermo.attrs["temperature_K"])
    centre = 1.5 * units.BOLTZMANN * temperature * numbers * masses / (numbers * masses).sum()
    kinetic = used.kinetic_energy.transpose("time", "element").values - centre
    by_element = 2 * kinetic / (freedom * units.BOLTZMANN)
    mean = 2 * kinetic.sum(axis=1) / (freedom.sum() * units.BOLTZMANN)
    summary = _with_errors(
        kinetic_temperature_mean=mean, volume_per_formula=used.volume.values / numbers[0]
    )
    columns = np.array([statistics.mean_error(column) for column in by_element.T])
    summary["kinetic_temperature"], summary["kinetic_temperature_stderr"] = columns.T
    extra = _with_errors(
        pressure_mean=used.pressure.sel(voigt=["xx", "yy", "zz"]).mean("voigt").values,
        bead_temperature=used.bead_temperature.values,
    )
    return summary, extra


def _with_errors(**series: np.ndarray) -> dict[str, float]:
    values = {}
    for name, column in series.items():
        values[name], values[f"{name}_stderr"] = statistics.mean_error(column)
    return values


def _theta_of_beads(
    angles: distortion.CageAngles, kept: int, start: int, seed: int
) -> dict[str, float]:
    """θ as `distortion.reduce` has it, the mean over beads taken frame by frame."""
    theta = np.array(angles.theta).reshape(-1, kept, 6).mean(axis=1)[start:]
    rng = np.random.default_rng(seed)
    noise = statistics.bootstrap_noise(theta, distortion.BOOTSTRAP_SAMPLES, rng)
    mean = theta.mean(axis=0)
    null = abs(noise).max(axis=1)
    return {
        "theta_beads_large": mean.max(),
        "theta_beads_large_stderr": (mean + noise).max(axis=1).std(),
        "theta_beads_small": mean.min(),
        "theta_beads_small_stderr": (mean + noise).min(axis=1).std(),
        "theta_beads_deviation": abs(mean - 90).max(),
        "theta_beads_deviation_stderr": abs(mean + noise - 90).max(axis=1).std(),
        "theta_beads_null": null.mean(),
        "theta_beads_null_spread": null.std(),
    }
