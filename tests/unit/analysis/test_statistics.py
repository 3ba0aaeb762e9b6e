"""Error bars on series whose correlation is known."""

import numpy as np
import pytest
from scipy.signal import lfilter

from lah10.analysis import statistics


def ar1(rng, n, rho, k=1):
    """x[t] = rho x[t-1] + noise with unit variance, stationary; shape (n, k)."""
    noise = rng.normal(size=(n + 1000, k)) * np.sqrt(1 - rho**2)
    return lfilter([1], [1, -rho], noise, axis=0)[1000:]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_inefficiency_of_ar1(rng, rho):
    """g = (1 + rho) / (1 - rho)."""
    exact = (1 + rho) / (1 - rho)
    assert statistics.inefficiency(ar1(rng, 40000, rho)[:, 0]) == pytest.approx(exact, rel=0.15)
    assert statistics.inefficiency(ar1(rng, 4000, rho, 10)) == pytest.approx(exact, rel=0.15)


def test_error_of_the_mean_covers_the_truth(rng):
    """Means of AR(1) series scatter by the error that one series gives of itself."""
    results = np.array([statistics.mean_error(s) for s in ar1(rng, 2000, 0.8, 60).T])
    assert np.median(results[:, 1]) == pytest.approx(results[:, 0].std(), rel=0.3)
    assert np.median(results[:, 1]) == pytest.approx(np.sqrt(9 / 2000), rel=0.2)


def test_error_sees_slow_noise_behind_fast_noise(rng):
    """As `test_bootstrap_sees_slow_noise_behind_fast_noise`, of one series."""
    series = rng.normal(size=(1000, 200)) + 0.2 * ar1(rng, 1000, 0.96, 200)
    results = np.array([statistics.mean_error(s) for s in series.T])
    assert 0.85 < np.sqrt(np.mean(results[:, 1] ** 2)) / results[:, 0].std() < 1.2


def test_bootstrap_noise_has_the_size_and_correlation_of_the_means(rng):
    series = ar1(rng, 3000, 0.8, 2)
    series[:, 1] = -series[:, 0] + 5  # fully anticorrelated, another mean
    noise = statistics.bootstrap_noise(series, 2000, rng)
    assert noise.std(axis=0) == pytest.approx(np.full(2, np.sqrt(9 / 3000)), rel=0.25)
    assert abs(noise.mean(axis=0)).max() < 1e-12
    assert np.corrcoef(noise.T)[0, 1] == pytest.approx(-1, abs=1e-6)


def test_bootstrap_does_not_believe_short_blocks(rng):
    """A slow series leaves few blocks; the noise must not shrink below the autocorrelation's."""
    sizes, truth = [], []
    for series in ar1(rng, 200, 0.9, 60).T:
        sizes.append(statistics.bootstrap_noise(series[:, None], 300, rng).std())
        truth.append(series.mean())
    assert np.mean(sizes) > 0.85 * np.std(truth)


def test_bootstrap_sees_slow_noise_behind_fast_noise(rng):
    """4 % of the variance, hardly visible in the autocorrelation, make most of the mean's error."""
    sizes, truth = [], []
    for _ in range(40):
        series = rng.normal(size=(1000, 6)) + 0.2 * ar1(rng, 1000, 0.96, 6)
        sizes.append(statistics.bootstrap_noise(series, 300, rng).std())
        truth.append(series.mean(axis=0))
    assert 0.88 < np.mean(sizes) / np.std(truth) < 1.2


def test_equilibration_is_found(rng):
    series = ar1(rng, 1000, 0.5)[:, 0]
    series[:200] += 10 * np.exp(-np.arange(200) / 50)
    assert 60 <= statistics.equilibration_index(series) <= 300
    assert statistics.equilibration_index(series[400:]) < 150
    assert statistics.equilibration_index(np.linspace(0, 1, 100)) <= 50


def test_short_and_constant_series():
    assert statistics.equilibration_index(np.ones(50)) == 0
    assert statistics.equilibration_index(np.arange(3.0)) == 0
    assert statistics.mean_error(np.full(50, 2.0)) == (2.0, 0.0)
    assert statistics.mean_error(np.array([1.0, 3.0]))[1] == pytest.approx(1.0)
    assert np.isnan(statistics.mean_error(np.array([]))).all()
    assert np.isnan(statistics.mean_error(np.array([1.0]))[1])
    assert statistics.inefficiency(np.ones((50, 3))) == 1
    assert np.isnan(statistics.bootstrap_noise(np.ones((1, 2)), 5, np.random.default_rng())).all()


def test_jackknife_of_a_mean_is_its_standard_error(rng):
    values = rng.normal(size=(12, 3))
    error = statistics.jackknife(statistics.leave_one_out(values))
    assert error == pytest.approx(values.std(axis=0, ddof=1) / np.sqrt(12))
    weights = np.r_[np.zeros(4), np.ones(8)]
    weighted = statistics.leave_one_out(values, weights)
    assert weighted[0] == pytest.approx(values[4:].mean(axis=0))
    assert np.isnan(statistics.jackknife(values[:1])).all()


def test_block_means_drop_the_rest():
    assert statistics.block_means(np.arange(11.0), 5).tolist() == [2.0, 7.0]
