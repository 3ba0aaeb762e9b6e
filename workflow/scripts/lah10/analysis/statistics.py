"""Equilibration, correlation times and error bars: the one place where they are made.

Correlation times come from `pymbar.timeseries` (Chodera, J. Chem. Theory Comput. 12, 1799 (2016)).
The statistical inefficiency g = 1 + 2τ counts samples per independent sample; the standard error
of a mean is sqrt(variance · g / n).
"""

import logging

import numpy as np

logging.getLogger("pymbar").setLevel(logging.ERROR)  # it advertises JAX on import

from pymbar import timeseries
from scipy.stats import norm
from scipy.stats import t as student

#: Fewer samples than this say nothing about their correlation time.
MIN_SAMPLES = 8
#: A series is never discarded beyond this fraction, however it drifts.
MAX_DISCARD = 0.5
#: Nothing is discarded unless it leaves this many times more independent samples: the start with
#: most of them is not the first one in half of all stationary series, by chance.
MIN_GAIN = 1.1
#: Blocks that a bootstrap has at least, when the series allows it.
MIN_BLOCKS = 5


def equilibration_index(series: np.ndarray) -> int:
    """First sample of the equilibrated part of a series (n,): the start that leaves most
    independent samples, at most half of the series.

    Short and constant series are taken whole.
    """
    series = np.asarray(series, dtype=float)
    if len(series) < MIN_SAMPLES or np.ptp(series) < 1e-12 * max(1.0, abs(series).max()):
        return 0
    start, _, samples = timeseries.detect_equilibration(series, nskip=max(1, len(series) // 50))
    if samples < MIN_GAIN * len(series) / inefficiency(series):
        return 0
    return min(int(start), int(MAX_DISCARD * len(series)))


def inefficiency(series: np.ndarray) -> float:
    """Statistical inefficiency g ≥ 1 of one series (n,) or, pooled, of several (n, k).

    Several series share one autocorrelation function (each with its own mean removed), weighted
    by their variance; that is right where symmetry makes them equivalent and robust elsewhere.
    g is 1 for constant series and at most n/2.
    """
    series = np.asarray(series, dtype=float)
    columns = series.reshape(len(series), -1)
    n = len(columns)
    if n < MIN_SAMPLES:
        return 1.0
    fluctuation = columns - columns.mean(axis=0)
    variance = (fluctuation**2).mean()
    if variance <= (1e-12 * max(1.0, abs(columns).max())) ** 2:
        return 1.0
    if columns.shape[1] == 1:
        g = timeseries.statistical_inefficiency(columns[:, 0], mintime=3)
    else:
        g = timeseries.statistical_inefficiency_multiple(list(fluctuation.T))
    return float(np.clip(g, 1.0, n / 2))


def student_factor(sigmas: float, samples: float) -> float:
    """Standard errors, known from `samples` ≥ 2 alone, that are passed by chance as rarely as
    `sigmas` known ones on one side: Student's t (for 3: 3.6 with 20 samples, 6 with 6)."""
    return float(student.isf(norm.sf(sigmas), samples - 1))


def mean_error(series: np.ndarray) -> tuple[float, float]:
    """Mean of a correlated series (n,) and its standard error; NaN for what cannot be known.

    The error is the one that the autocorrelation says, or the one that `MIN_BLOCKS` long blocks
    say if it is larger: where the autocorrelation swings about zero, as that of a kinetic energy
    does, its slow part hides behind the first crossing. For a run of ten correlation times it is
    known to a third of its size.
    """
    series = np.asarray(series, dtype=float)
    if len(series) == 0:
        return np.nan, np.nan
    if len(series) == 1:
        return float(series[0]), np.nan
    error = np.sqrt(series.var(ddof=1) * inefficiency(series) / len(series))
    if len(series) >= MIN_BLOCKS * MIN_SAMPLES:
        long = block_means(series, len(series) // MIN_BLOCKS)
        error = max(error, np.sqrt(long.var(ddof=1) / len(long)))
    return float(series.mean()), float(error)


def block_means(series: np.ndarray, length: int) -> np.ndarray:
    """Means over consecutive blocks of `length` samples of a series (n, ...), shape
    (n // length, ...); a rest is dropped."""
    count = len(series) // length
    return series[: count * length].reshape(count, length, *series.shape[1:]).mean(axis=1)


def bootstrap_noise(series: np.ndarray, samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of the time means of k equivalent series, by a circular moving-block bootstrap.

    Blocks (the same in every series, so that their cross-correlation stays) are twice the pooled
    statistical inefficiency long, short enough to leave `MIN_BLOCKS`. Such a bootstrap sees too
    little noise where blocks are few, or where a weak slow part of the noise hides behind a
    strong fast one. Each series is therefore scaled up to the standard error that its
    autocorrelation says, and to the one that `MIN_BLOCKS` long blocks say, pooled over the series,
    if these are larger.

    Parameters
    ----------
    series : ndarray, shape (n, k)
    samples : int
        Number of bootstrap samples.
    rng : Generator

    Returns
    -------
    ndarray, shape (samples, k)
        Deviations of the resampled means from the true means, zero on average; NaN where n < 2.
    """
    series = np.asarray(series, dtype=float)
    n, k = series.shape
    if n < 2:
        return np.full((samples, k), np.nan)
    noise = series - series.mean(axis=0)
    g = inefficiency(series)
    length = int(np.clip(np.ceil(2 * g), 1, max(1, n // MIN_BLOCKS)))
    blocks = int(np.ceil(n / length))
    cumulative = np.concatenate([np.zeros((1, k)), np.cumsum(np.tile(noise, (2, 1)), axis=0)])
    sums = cumulative[length : length + n] - cumulative[:n]  # of the block that starts at i
    starts = rng.integers(0, n, size=(samples, blocks))
    means = sums[starts].sum(axis=1) / (blocks * length)
    drawn = means.std(axis=0)
    wanted = np.sqrt(noise.var(axis=0, ddof=1) * g / n)
    if n >= MIN_BLOCKS * MIN_SAMPLES:
        long = block_means(noise, n // MIN_BLOCKS)
        wanted = np.maximum(wanted, np.sqrt(long.var(axis=0, ddof=1).mean() / len(long)))
    scale = np.divide(wanted, drawn, out=np.ones(k), where=drawn > 0)
    return (means - means.mean(axis=0)) * np.maximum(scale, 1.0)


def jackknife(estimates: np.ndarray) -> np.ndarray:
    """Standard error, shape (...), from leave-one-out estimates (blocks, ...); NaN for fewer than
    two."""
    estimates = np.asarray(estimates, dtype=float)
    count = len(estimates)
    if count < 2:
        return np.full(estimates.shape[1:], np.nan)
    deviations = estimates - estimates.mean(axis=0)
    return np.sqrt((count - 1) / count * (deviations**2).sum(axis=0))


def leave_one_out(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Weighted means over blocks with each block left out in turn.

    Parameters
    ----------
    values : ndarray, shape (blocks, ...)
        Mean of each block.
    weights : ndarray, shape (blocks,), optional
        Default: equal.

    Returns
    -------
    ndarray, shape (blocks, ...)
        NaN where one block is all there is.
    """
    values = np.asarray(values, dtype=float)
    weights = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=float)
    weights = weights.reshape(-1, *[1] * (values.ndim - 1))
    rest = weights.sum() - weights
    total = (weights * values).sum(axis=0) - weights * values
    return np.divide(total, rest, out=np.full(values.shape, np.nan), where=rest > 0)
