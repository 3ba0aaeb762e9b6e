"""The line ΔG = 0 through windows of many states, by a Landau expansion.

All windows of one potential and one kind of nuclei are fitted together by a Landau expansion whose
coefficients are polynomials in pressure and temperature:

    dG/dδ = Σ_k c_k δ^k,   c_k = c_k0 + c_kP (P − P₀) + c_kT (T − T₀) (+ terms of second order),

by weighted least squares. How many powers of δ, and whether terms of second order, is what the
windows decide: of all expansions that they determine, the one with the lowest AICc (Hurvich and
Tsai, Biometrika 76, 297 (1989); the errors are known).

With g(δ) = [G(δ) − G(0)]/δ² = Σ_k c_k δ^(k−1)/(k+1), the distorted crystal is the stable one where
g is negative at some δ. The line is where the lowest value of g passes zero: at δ > 0 both crystals
have one free energy there (first order), at δ → 0 the cubic crystal loses its stability
(continuous). It uses states with and without a distorted minimum alike. Its band is that of the
parameters' covariance, enlarged by √(χ²/ν) where the fit is worse than the errors allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

#: Samples of the fit's parameters that make the line's band.
SAMPLES = 400
#: Highest powers of δ, and highest orders in pressure and temperature, that are tried.
POWERS, ORDERS = (3, 4, 5), (1, 2)
#: Points of the pressure and of the angle where the line is looked for.
PRESSURES, ANGLES = 121, 61
#: How far beyond the states' pressures, as a share of their range.
BEYOND = 1.0


@dataclass(frozen=True)
class Landau:
    """dG/dδ = Σ_k c_k δ^k with c_k polynomials in the coordinates that vary.

    Attributes
    ----------
    varying : tuple of str
        Of "pressure" and "temperature": those that the states differ in.
    order : int
        Of the polynomials.
    centre, half : dict of float
        Middle and half the range of each; the polynomials are of (x − centre)/half.
    largest : float
        Largest angle, degree.
    values : (powers, terms) array
        Coefficients of c_1, c_2, ...
    covariance : array
        Of `values`, flattened.
    chi2 : float
        Per degree of freedom; NaN with none.
    """

    varying: tuple[str, ...]
    order: int
    centre: dict[str, float]
    half: dict[str, float]
    largest: float
    values: np.ndarray
    covariance: np.ndarray
    chi2: float

    def terms(self, **where: np.ndarray) -> np.ndarray:
        """The polynomials' terms (..., terms) at pressures, GPa, and temperatures, K."""
        return _terms(
            [(np.asarray(where[n], float) - self.centre[n]) / self.half[n] for n in self.varying],
            self.order,
        )


def _terms(coordinates: Sequence[np.ndarray], order: int) -> np.ndarray:
    coordinates = np.broadcast_arrays(*coordinates)
    columns = [np.ones(coordinates[0].shape)]
    for power in range(1, order + 1):
        for chosen in combinations_with_replacement(coordinates, power):
            columns.append(np.prod(chosen, axis=0))
    return np.stack(columns, axis=-1)


def fit(
    angle: np.ndarray,
    pressure: np.ndarray,
    temperature: np.ndarray,
    gradient: np.ndarray,
    error: np.ndarray,
) -> Landau | None:
    """Fit all windows of all states together; arrays of one shape (n,). None: too few states."""
    angle = np.asarray(angle, float)
    where = {"pressure": np.asarray(pressure, float), "temperature": np.asarray(temperature, float)}
    varying = tuple(name for name, values in where.items() if np.ptp(values) > 0)
    if not varying:
        return None
    centre = {name: float((where[name].max() + where[name].min()) / 2) for name in varying}
    half = {name: float(np.ptp(where[name]) / 2) for name in varying}
    coordinates = [(where[name] - centre[name]) / half[name] for name in varying]
    states = np.unique(np.stack(coordinates, axis=1), axis=0)
    best, lowest = None, np.inf
    for order in ORDERS:
        # A plane through states on one line of the P-T plane is not determined.
        plane = _terms(list(states.T), order)
        if np.linalg.matrix_rank(plane) < plane.shape[1]:
            break
        terms = _terms(coordinates, order)
        for highest in POWERS:
            powers = np.arange(1, highest + 1)
            design = (angle[:, None] ** powers)[:, :, None] * terms[:, None, :]
            design = design.reshape(len(angle), -1)
            found = _least_squares(design, gradient, error)
            if found is None:
                continue
            values, covariance, chi2 = found
            left = len(angle) - len(values)
            # Corrected for few windows; with none to spare an expansion is the last resort.
            score = chi2 + 2 * len(values) * len(angle) / (left - 1) if left > 1 else 1e300
            if score < lowest:
                lowest = score
                chi2 = chi2 / left if left else np.nan
                best = Landau(
                    varying, order, centre, half, float(angle.max()),
                    values.reshape(highest, -1),
                    covariance * max(1.0, np.nan_to_num(chi2, nan=1.0)), chi2,
                )  # fmt: skip
    return best


def _least_squares(design, gradient, error) -> tuple[np.ndarray, np.ndarray, float] | None:
    """Solution, covariance and χ²; None where it is not determined."""
    if len(design) < design.shape[1]:
        return None
    scale = abs(design).max(axis=0)
    weighted = design / scale / error[:, None]
    if np.linalg.matrix_rank(weighted) < design.shape[1]:
        return None
    covariance = np.linalg.inv(weighted.T @ weighted)
    solution = covariance @ weighted.T @ (gradient / error)
    chi2 = float((((gradient / error) - weighted @ solution) ** 2).sum())
    return solution / scale, covariance / np.outer(scale, scale), chi2


def lowest(values: np.ndarray, largest: float) -> np.ndarray:
    """Lowest [G(δ) − G(0)]/δ² at 0 ≤ δ ≤ largest, with δ = 0 for its limit.

    Parameters
    ----------
    values : (..., powers) array
        c_1, c_2, ...
    largest : float
        Degree.
    """
    powers = np.arange(1, values.shape[-1] + 1)
    delta = np.linspace(0.0, largest, ANGLES)
    g = values @ (delta[None, :] ** (powers - 1)[:, None] / (powers + 1)[:, None])
    at = g.argmin(axis=-1)[..., None]
    # The bottom of the parabola through the lowest point and its neighbours.
    left, here, right = (
        np.take_along_axis(g, np.clip(at + shift, 0, ANGLES - 1), axis=-1)[..., 0]
        for shift in (-1, 0, 1)
    )
    bend = np.maximum(left - 2 * here + right, 1e-300)
    inside = (at[..., 0] > 0) & (at[..., 0] < ANGLES - 1)
    return here - np.where(inside, (left - right) ** 2 / (8 * bend), 0.0)


def _zero(pressure: np.ndarray, of: np.ndarray, middle: float) -> np.ndarray:
    """Where `of` (samples, pressures) passes zero upwards, nearest to `middle`; NaN: nowhere."""
    left, right = of[:, :-1], of[:, 1:]
    passes = (left < 0) & (right >= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        where = pressure[:-1] + np.diff(pressure) * left / (left - right)
    away = np.where(passes, abs(where - middle), np.inf)
    nearest = away.argmin(axis=1)[:, None]
    found = np.take_along_axis(where, nearest, axis=1)[:, 0]
    return np.where(passes.any(axis=1), found, np.nan)


def line(
    model: Landau, temperatures: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """The line ΔG = 0: P (n,) at temperatures (n,), its standard error, and dP/dT at the middle
    temperature with its standard error.

    NaN where the states differ in temperature alone, where there is none within their pressures
    and as far beyond on each side (`BEYOND`), or where more than a tenth of the fit's samples have
    none: the data then do not determine where it is.
    """
    temperatures = np.asarray(temperatures, float)
    nothing = np.full(len(temperatures), np.nan)
    if "pressure" not in model.varying:
        return nothing, nothing, np.nan, np.nan
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(model.values.ravel(), model.covariance, SAMPLES)
    sets = np.concatenate([model.values.ravel()[None], drawn]).reshape(-1, *model.values.shape)
    middle, half = model.centre["pressure"], model.half["pressure"]
    reach = half * (1 + 2 * BEYOND)
    grid = np.linspace(middle - reach, middle + reach, PRESSURES)

    def pressures(temperature: float) -> np.ndarray:
        terms = model.terms(pressure=grid, temperature=np.full(len(grid), temperature))
        values = np.einsum("skt,pt->spk", sets, terms)
        return _zero(grid, lowest(values, model.largest), middle)

    values, errors = nothing.copy(), nothing.copy()
    for i, temperature in enumerate(temperatures):
        values[i], errors[i] = _summary(pressures(temperature))
    slope = slope_error = np.nan
    if "temperature" in model.varying and len(temperatures) > 1:
        between, step = temperatures.mean(), np.ptp(temperatures) / 10
        slope, slope_error = _summary(
            (pressures(between + step) - pressures(between - step)) / (2 * step)
        )
    return values, errors, slope, slope_error


def _summary(values: np.ndarray) -> tuple[float, float]:
    """The first of the values, and half the width of the middle 68 % of the others."""
    first, others = values[0], values[1:]
    known = others[np.isfinite(others)]
    if not np.isfinite(first) or len(known) < 0.9 * len(others):
        return np.nan, np.nan
    low, high = np.percentile(known, [15.865, 84.135])
    return float(first), float((high - low) / 2)
