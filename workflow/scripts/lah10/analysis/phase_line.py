"""The line ΔG = 0 through windows of many states, by a Landau expansion.

All windows of one potential and one kind of nuclei are fitted together by a Landau expansion whose
coefficients are linear in pressure and temperature:

    dG/dδ = aδ + bδ² + cδ³,   a = a₀ + a_P (P − P₀) + a_T (T − T₀), b and c likewise,

by weighted least squares. G = δ²(a/2 + bδ/3 + cδ²/4) has its distorted minimum as deep as the cubic
one where b² = 9ac/2 with b < 0, and the cubic crystal loses its stability where a = 0 if b ≥ 0:
that is the line. It uses states with and without a distorted minimum alike. Its band is that of the
parameters' covariance, enlarged by √(χ²/ν) where the fit is worse than the errors allow.
"""

from dataclasses import dataclass

import numpy as np

#: Samples of the fit's parameters that make the line's band.
SAMPLES = 2000


@dataclass(frozen=True)
class Landau:
    """dG/dδ = aδ + bδ² + cδ³ with a, b, c linear in the coordinates that vary.

    Attributes
    ----------
    varying : tuple of str
        Of "pressure" and "temperature": those that the states differ in.
    centre : dict of float
        Their origin, P₀ and T₀.
    values : (3, 1 + varying) array
        Coefficients of a, b and c.
    covariance : array
        Of `values`, flattened.
    chi2 : float
        Per degree of freedom; NaN with none.
    """

    varying: tuple[str, ...]
    centre: dict[str, float]
    values: np.ndarray
    covariance: np.ndarray
    chi2: float


def fit(
    angle: np.ndarray,
    pressure: np.ndarray,
    temperature: np.ndarray,
    gradient: np.ndarray,
    error: np.ndarray,
) -> Landau | None:
    """Fit all windows of all states together; arrays of one shape (n,). None: too few states."""
    where = {"pressure": np.asarray(pressure, float), "temperature": np.asarray(temperature, float)}
    varying = tuple(name for name, values in where.items() if np.ptp(values) > 0)
    states = np.unique(np.stack(list(where.values()), axis=1), axis=0)
    # A plane through states on one line of the P-T plane is not determined.
    plane = np.column_stack(
        [np.ones(len(states)), *(states[:, list(where).index(name)] for name in varying)]
    )
    if not varying or np.linalg.matrix_rank(plane / abs(plane).max(axis=0)) < plane.shape[1]:
        return None
    centre = {name: float(where[name].mean()) for name in varying}
    linear = [np.ones(len(angle)), *(where[name] - centre[name] for name in varying)]
    design = np.stack([angle**power * one for power in (1, 2, 3) for one in linear], axis=1)
    if len(angle) < design.shape[1]:
        return None
    scale = abs(design).max(axis=0)
    weighted = design / scale / error[:, None]
    if np.linalg.matrix_rank(weighted) < design.shape[1]:
        return None
    covariance = np.linalg.inv(weighted.T @ weighted)
    solution = covariance @ weighted.T @ (gradient / error)
    left = len(angle) - design.shape[1]
    chi2 = float((((gradient / error) - weighted @ solution) ** 2).sum() / left) if left else np.nan
    covariance = covariance / np.outer(scale, scale) * max(1.0, np.nan_to_num(chi2, nan=1.0))
    return Landau(varying, centre, (solution / scale).reshape(3, -1), covariance, chi2)


def crossing(values: np.ndarray, shift: np.ndarray | float) -> np.ndarray:
    """Where along one coordinate both phases have one free energy, nearest to the coordinate's
    origin; NaN: nowhere.

    Parameters
    ----------
    values : (..., 3, 2) array
        a, b, c at the origin of the coordinate and their slopes.
    shift : added to the result.
    """
    a, b, c = np.moveaxis(np.asarray(values, float), -2, 0)
    # b² = 9ac/2 as a polynomial in the coordinate.
    quadratic = np.stack(
        [
            b[..., 1] ** 2 - 4.5 * a[..., 1] * c[..., 1],
            2 * b[..., 0] * b[..., 1] - 4.5 * (a[..., 0] * c[..., 1] + a[..., 1] * c[..., 0]),
            b[..., 0] ** 2 - 4.5 * a[..., 0] * c[..., 0],
        ]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(quadratic[1] ** 2 - 4 * quadratic[0] * quadratic[2])
        # Both roots without cancellation, also where the quadratic is nearly linear.
        q = -0.5 * (quadratic[1] + np.where(quadratic[1] >= 0, root, -root))
        first = [q / quadratic[0], quadratic[2] / q]
        second = -a[..., 0] / a[..., 1]
    candidates = []
    for x, first_order in ((first[0], True), (first[1], True), (second, False)):
        here = [of[..., 0] + of[..., 1] * x for of in (a, b, c)]
        valid = (here[2] > 0) & ((here[1] < 0) if first_order else (here[1] >= 0))
        if first_order:
            valid &= here[0] >= 0
        candidates.append(np.where(valid & np.isfinite(x), x, np.nan))
    candidates = np.stack(candidates)
    distance = np.where(np.isfinite(candidates), abs(candidates), np.inf)
    nearest = np.take_along_axis(candidates, distance.argmin(axis=0)[None], axis=0)[0]
    return nearest + shift


def line(
    model: Landau, temperatures: np.ndarray, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """The line ΔG = 0: P (n,) at temperatures (n,), its standard error, and dP/dT at the middle
    temperature with its standard error.

    NaN where the states differ in temperature alone, or where more than a tenth of the fit's
    samples have no boundary: the data then do not say where it is.
    """
    temperatures = np.asarray(temperatures, float)
    nothing = np.full(len(temperatures), np.nan)
    if "pressure" not in model.varying:
        return nothing, nothing, np.nan, np.nan
    rng = np.random.default_rng(seed)
    drawn = rng.multivariate_normal(model.values.ravel(), model.covariance, SAMPLES)
    sets = np.concatenate([model.values.ravel()[None], drawn]).reshape(-1, *model.values.shape)

    def pressures(temperature: float) -> np.ndarray:
        base = sets[..., 0]
        if "temperature" in model.varying:
            base = base + sets[..., 2] * (temperature - model.centre["temperature"])
        return crossing(np.stack([base, sets[..., 1]], axis=-1), model.centre["pressure"])

    values, errors = nothing.copy(), nothing.copy()
    for i, temperature in enumerate(temperatures):
        values[i], errors[i] = _summary(pressures(temperature))
    slope = slope_error = np.nan
    if "temperature" in model.varying and len(temperatures) > 1:
        middle, step = temperatures.mean(), np.ptp(temperatures) / 10
        slope, slope_error = _summary(
            (pressures(middle + step) - pressures(middle - step)) / (2 * step)
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
