"""The free energy along the cell's angle: one window, and the curve of several.

A window is a run in a cell that keeps its shape at an angle δ (`lah10.crystal.angle`). Its mean
shear stress is dG/dδ; the integral over windows is G(δ) − G(0). By symmetry dG/dδ = 0 in the cubic
cell, as no cubic crystal has a shear stress, so δ = 0 is an exact point of every curve.

ΔG is G of the distorted phase, the lowest minimum of G at δ > 0, less that of the cubic one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from lah10.analysis.statistics import equilibration_index, mean_error
from lah10.crystal import angle as along
from lah10.crystal.sites import SiteMap
from lah10.crystal.structures import read_supercell
from lah10.crystal.trajectory import Trajectory
from lah10.errors import UserError
from lah10.units import EV_PER_A3_IN_GPA

#: Å: where a site's mean displacement from Fm-3m is larger, the crystal is none of those between
#: Fm-3m and R-3m. On that path hydrogen moves by 0.07 Å a degree (0.17 Å at 2.4°, 150 GPa, 300 K);
#: half the shortest distance between sites is 0.57 Å.
BASIN = 0.4
#: Standard errors by which the two halves of a window may differ.
DRIFT = 4.0
#: Standard errors by which the gradient of a window at δ = 0 may differ from zero.
KINK = 4.0
#: Samples after equilibration that a window needs.
MIN_SAMPLES = 40
#: Windows at δ > 0 that a curve needs.
MIN_WINDOWS = 4
#: What became of a window, beside the statuses of a run that broke down.
LEFT_BASIN, DRIFTS, TOO_SHORT = "left_basin", "drifts", "too_short"

#: What is measured in a window: unit, meaning.
VARIABLES = {
    "gradient": ("meV/degree", "dG/d(angle) per atom at constant pressure"),
    "volume": ("angstrom3", "volume per formula unit"),
    "enthalpy": ("meV", "enthalpy per atom, kinetic part included; the zero is the potential's"),
}


@dataclass(frozen=True)
class Window:
    """One window's means.

    Attributes
    ----------
    attrs : dict
        Of the run: potential_sha256, bath, pressure_GPa, temperature_K, angle_degree, status …
    status, message : str
        "ok", or why the values do not count; `drifts` has values, the others have none.
    values : dict of (float, float)
        Mean and standard error of `VARIABLES`.
    """

    attrs: dict
    status: str
    message: str
    values: dict[str, tuple[float, float]]


def measure(
    thermo: str | os.PathLike, trajectory: str | os.PathLike, supercell: str | os.PathLike
) -> Window:
    """The means of one window after what is left of equilibration.

    Parameters
    ----------
    thermo : path
        Time series of the run, of classical nuclei or of path integrals.
    trajectory : path
        Positions of the atoms, or of the rings' centroids.
    supercell : path
        Fm-3m, whose sites the atoms belong to.

    Raises
    ------
    UserError
        The run's cell was not held at its angle.
    """
    with xr.open_dataset(thermo, engine="netcdf4") as file:
        data = file.load()
    attrs = dict(data.attrs)
    if "angle_degree" not in attrs:
        raise UserError(
            f"{thermo}: a run with a cell of free shape, of which no free energy along the angle "
            "follows; expected a window of `snakemake boundary`"
        )
    empty = {name: (np.nan, np.nan) for name in VARIABLES}
    if attrs["status"] != "ok":
        return Window(attrs, attrs["status"], attrs.get("status_message", ""), empty)
    template = read_supercell(supercell)
    cell, angle = data["cell"].values, float(attrs["angle_degree"])
    _check_shape(along.angle_of(template, cell), angle, thermo)
    axis = along.direction(along.threefold_axis(template), cell[0])
    atoms = len(template)
    volume = data["volume"].values
    pressure = data["pressure"].values
    series = {
        "gradient": 1e3 * along.gradient(angle, pressure, volume, axis) / atoms,
        "volume": volume * 11 / atoms,
        "enthalpy": 1e3 / atoms * (
            data["potential_energy"].values
            + data["kinetic_energy"].values.sum(axis=1)
            + float(attrs["pressure_GPa"]) / EV_PER_A3_IN_GPA * volume
        ),
    }  # fmt: skip
    start = max(equilibration_index(series[name]) for name in ("gradient", "volume"))
    used = {name: values[start:] for name, values in series.items()}
    if len(used["volume"]) < MIN_SAMPLES:
        message = f"{len(used['volume'])} samples after equilibration, expected {MIN_SAMPLES}"
        return Window(attrs, TOO_SHORT, message, empty)
    moved = largest_displacement(trajectory, template, data["time"].values[start])
    if moved > BASIN:
        message = (
            f"a site is {moved:.2f} Å away from that of Fm-3m on average, more than {BASIN} Å: "
            f"another crystal than those between Fm-3m and R-3m, at {angle:g} degree"
        )
        return Window(attrs, LEFT_BASIN, message, empty)
    values = {name: mean_error(part) for name, part in used.items()}
    status, message = "ok", ""
    halves = [mean_error(half) for half in np.array_split(used["gradient"], 2)]
    difference = halves[1][0] - halves[0][0]
    if abs(difference) > DRIFT * np.hypot(halves[0][1], halves[1][1]):
        status = DRIFTS
        message = (
            f"dG/dδ changes by {difference:.2f} meV/atom/degree from the first half of the run to "
            "the second, more than noise makes; a longer run is needed"
        )
    return Window(attrs, status, message, values)


def _check_shape(angles: np.ndarray, wanted: float, where) -> None:
    worst = abs(angles - wanted).max()
    if worst > along.TOLERANCE:
        raise UserError(
            f"{where}: an angle of the cell leaves {90 + wanted:g} degree by {worst:.2g}; the "
            "shape of a window must not change, so the barostat in use is not an isotropic one"
        )


def largest_displacement(trajectory: str | os.PathLike, template, since: float) -> float:
    """Largest mean displacement of a site from Fm-3m in the sheared cell, Å, from `since` ps on."""
    sites = SiteMap(template)
    total, frames = 0.0, 0
    with Trajectory(trajectory) as file:
        for frame, cell in enumerate(file.cells):
            displacement = sites.displacements(file.scaled(frame), cell) @ cell
            if file.time[frame] >= since:
                total, frames = total + displacement, frames + 1
    if not frames:
        return 0.0
    return float(np.linalg.norm(total / frames, axis=1).max())


def to_dataset(window: Window) -> xr.Dataset:
    """The window as a small file; attributes are the run's."""
    data = xr.Dataset(
        attrs=window.attrs | {"status": window.status, "status_message": window.message}
    )
    for name, (units, meaning) in VARIABLES.items():
        mean, error = window.values[name]
        data[name] = ((), mean, {"units": units, "long_name": meaning})
        data[f"{name}_stderr"] = (
            (), error, {"units": units, "long_name": f"standard error: {meaning}"}
        )  # fmt: skip
    return data


def from_dataset(data: xr.Dataset) -> Window:
    """A window as `to_dataset` wrote it."""
    values = {name: (float(data[name]), float(data[f"{name}_stderr"])) for name in VARIABLES}
    attrs = dict(data.attrs)
    return Window(attrs, attrs["status"], attrs.get("status_message", ""), values)


# ------------------------------------------------------------------------------------ curve


@dataclass(frozen=True)
class Curve:
    """G(δ) − G(0) from dG/dδ at some angles.

    Attributes
    ----------
    status : str
        "ok"; "kinked": the same, without the exact zero;
        "cubic": G has no minimum at δ > 0; "beyond": G still falls at the last window;
        "too_few_windows": nothing is integrated.
    angle : (n,) degree, from 0 on.
    free_energy, free_energy_error : (n,) meV/atom at these angles.
    minimum, minimum_error : float
        Angle of the distorted phase, degree.
    difference, error, integration_error : float
        ΔG in meV/atom, its statistical error, and the error of the integration.
    """

    status: str
    angle: np.ndarray
    free_energy: np.ndarray
    free_energy_error: np.ndarray
    minimum: float = np.nan
    minimum_error: float = np.nan
    difference: float = np.nan
    error: float = np.nan
    integration_error: float = np.nan


def integrate(
    angle: Sequence[float],
    gradient: Sequence[float],
    error: Sequence[float],
    cubic: bool = True,
) -> Curve:
    """Integrate dG/dδ with a cubic spline through the windows and the exact zero at δ = 0.

    The spline is linear in the gradients, so the statistical error of an integral follows from
    theirs by its weights. The error of the integration is seen by leaving out each window in turn,
    but the last: the largest change of ΔG beyond the noise that the change has itself. Leaving one
    out doubles the distance between windows, which makes a spline's error some ten times larger:
    the number is an upper bound.

    Parameters
    ----------
    angle : degree, each ≥ 0; a window at 0 is not used, as its gradient is known.
    gradient, error : meV/atom/degree; windows with NaN are left out.
    cubic : bool
        Whether dG/dδ is zero at δ = 0. Where the atoms are distorted in the cubic cell itself, as
        classical ones are at low temperature, G has a kink there, one branch for each variant. The
        spline then has no point at 0 and is extrapolated to it, and energies count from that
        crystal.
    """
    angle, gradient, error = (np.asarray(x, dtype=float) for x in (angle, gradient, error))
    known = np.isfinite(gradient) & np.isfinite(error) & (angle > 0)
    order = np.argsort(angle[known])
    x, y, e = angle[known][order], gradient[known][order], error[known][order]
    ends = np.concatenate([[0.0], x])
    if len(x) < MIN_WINDOWS:
        nothing = np.full(len(ends), np.nan)
        return Curve("too_few_windows", ends, nothing, nothing)
    if cubic:
        x, y, e = (np.concatenate([[0.0], values]) for values in (x, y, e))
    energy = np.array([_weights(x, end) @ y for end in ends])
    energy_error = np.array([np.sqrt((_weights(x, end) ** 2 * e**2).sum()) for end in ends])
    spline = CubicSpline(x, y)
    roots = spline.roots(extrapolate=False)
    minima = [root for root in roots if root > 0 and spline(root, 1) > 0]
    if not minima:
        # With the last gradient below zero within the noise too, nothing says where G ends.
        status = "beyond" if y[-1] < 0 else "cubic"
        return Curve(status, ends, energy, energy_error)
    lowest = min(minima, key=lambda root: _weights(x, root) @ y)
    weights = _weights(x, lowest)
    changes = []
    for out in range(1 if cubic else 0, len(x) - 1):
        kept = np.delete(np.arange(len(x)), out)
        fewer = np.zeros(len(x))
        fewer[kept] = _weights(x[kept], lowest)
        change = (fewer - weights) @ y
        noise = ((fewer - weights) ** 2 * e**2).sum()
        changes.append(max(0.0, change**2 - noise))
    noise_there = np.sqrt((_values(x, lowest) ** 2 * e**2).sum())
    return Curve(
        "ok" if cubic else "kinked",
        ends,
        energy,
        energy_error,
        minimum=float(lowest),
        minimum_error=float(noise_there / spline(lowest, 1)),
        difference=float(weights @ y),
        error=float(np.sqrt((weights**2 * e**2).sum())),
        integration_error=float(np.sqrt(max(changes))),
    )


def _weights(x: np.ndarray, end: float) -> np.ndarray:
    """Weights of the values at the nodes `x` in the integral of their spline from 0 to `end`."""
    return np.asarray(CubicSpline(x, np.eye(len(x))).integrate(0.0, end))


def _values(x: np.ndarray, at: float) -> np.ndarray:
    """Weights of the values at the nodes `x` in their spline at one place."""
    return np.asarray(CubicSpline(x, np.eye(len(x)))(at))


def even_difference(
    angle: np.ndarray, value: np.ndarray, error: np.ndarray, at: float
) -> tuple[float, float]:
    """value(`at`) − value(0) and its standard error, of a quantity whose slope at 0 is zero.

    A weighted least-squares fit of v₀ + v₂δ² + v₃δ³ (the volume and the enthalpy of a crystal that
    is cubic at δ = 0 have no linear term); NaN for fewer than four values.
    """
    angle, value, error = (np.asarray(x, dtype=float) for x in (angle, value, error))
    known = np.isfinite(value) & (error > 0)
    if known.sum() < 4 or not np.isfinite(at):
        return np.nan, np.nan
    x = angle[known]
    design = np.stack([np.ones_like(x), x**2, x**3], axis=1)
    weighted = design / error[known, None]
    covariance = np.linalg.inv(weighted.T @ weighted)
    solution = covariance @ weighted.T @ (value[known] / error[known])
    weights = np.array([0.0, at**2, at**3])
    return float(weights @ solution), float(np.sqrt(weights @ covariance @ weights))
