"""The line ΔG = 0: known crossings, and an error that is the scatter of repeated measurements."""

import numpy as np
import pytest

from lah10.analysis import phase_line

ANGLES = (0.4, 0.8, 1.2, 1.6, 2.0, 2.4)
ERROR = 0.05


def test_error_of_the_line_is_its_scatter():
    rng = np.random.default_rng(1)
    grid = np.meshgrid(ANGLES, (180, 190, 200, 210), (100, 200, 300))
    angle, pressure, temperature = (axis.ravel().astype(float) for axis in grid)
    # A first-order transition at 200 − 0.2 (T − 200) GPa.
    b, c = -1.5, 2.0
    a = b**2 / (4.5 * c) + 0.02 * (pressure - 200 + 0.2 * (temperature - 200))
    exact = a * angle + b * angle**2 + c * angle**3
    middle, errors, slopes, slope_errors, chi2 = [], [], [], [], []
    for _ in range(60):
        gradient = exact + ERROR * rng.normal(size=len(exact))
        model = phase_line.fit(angle, pressure, temperature, gradient, np.full(len(exact), ERROR))
        value, error, slope, slope_error = phase_line.line(model, np.array([150.0, 200.0, 250.0]))
        middle.append(value[1]), errors.append(error[1]), chi2.append(model.chi2)
        slopes.append(slope), slope_errors.append(slope_error)
    # Noise may ask for a higher power, whose line is then not determined; seldom.
    known = np.isfinite(errors) & np.isfinite(slope_errors)
    assert known.mean() > 0.9
    middle, errors, slopes, slope_errors = (
        np.array(of)[known] for of in (middle, errors, slopes, slope_errors)
    )
    assert np.mean(middle) == pytest.approx(200, abs=4 * np.mean(errors) / np.sqrt(60))
    assert np.std(middle) == pytest.approx(np.mean(errors), rel=0.35)
    assert np.std(slopes) == pytest.approx(np.mean(slope_errors), rel=0.35)
    assert np.mean(chi2) == pytest.approx(1.0, abs=0.2)


def windows(curvature: float = 0.0, b: float = -1.5):
    """Exact windows of a transition at 200 − 0.2 (T − 200) − curvature (T − 200)² GPa."""
    grid = np.meshgrid(ANGLES, (180, 190, 200, 210), (100, 200, 300, 400))
    angle, pressure, temperature = (axis.ravel().astype(float) for axis in grid)
    c, warm = 2.0, temperature - 200
    a = (b**2 / (4.5 * c) if b < 0 else 0.0) + 0.02 * (
        pressure - 200 + 0.2 * warm + curvature * warm**2
    )
    return angle, pressure, temperature, a * angle + b * angle**2 + c * angle**3


@pytest.mark.parametrize("b", [-1.5, 0.0, 0.5])
def test_line_of_first_order_and_of_continuous_transitions(b):
    """b < 0: both minima are as deep; b ≥ 0: the cubic crystal turns unstable, a = 0."""
    *where, gradient = windows(b=b)
    model = phase_line.fit(*where, gradient, np.full(len(gradient), 1e-3))
    assert (model.order, len(model.values)) == (1, 3)
    value, _, slope, _ = phase_line.line(model, np.array([150.0, 200.0, 250.0]))
    assert value == pytest.approx([210, 200, 190], abs=0.05)
    assert slope == pytest.approx(-0.2, abs=0.005)


def test_a_bent_line_needs_terms_of_second_order():
    *where, gradient = windows(curvature=2e-4)
    model = phase_line.fit(*where, gradient, np.full(len(gradient), 1e-3))
    assert model.order == 2
    value, *_ = phase_line.line(model, np.array([100.0, 200.0, 300.0]))
    assert value == pytest.approx([218, 200, 178], abs=0.3)


def test_no_power_is_taken_that_the_noise_alone_asks_for():
    rng = np.random.default_rng(3)
    *where, gradient = windows()
    chosen = []
    for _ in range(20):
        noisy = gradient + ERROR * rng.normal(size=len(gradient))
        model = phase_line.fit(*where, noisy, np.full(len(gradient), ERROR))
        chosen.append((model.order, len(model.values)))
    assert chosen.count((1, 3)) >= 12


def test_lowest_of_the_free_energy_over_the_square_of_the_angle():
    b, c = -1.5, 2.0
    a = b**2 / (4.5 * c)
    # Two minima as deep: G has a double root, at −2b/3c = 0.5, which is a point of the grid.
    assert phase_line.lowest(np.array([a, b, c]), 3.0) == pytest.approx(0, abs=1e-12)
    assert phase_line.lowest(np.array([0.4, 1.0, 1.0]), 3.0) == pytest.approx(0.2)


def test_no_crossing_is_nan():
    angle, pressure, temperature, _ = windows()
    model = phase_line.fit(angle, pressure, temperature, angle + angle**3, np.full(len(angle), 0.1))
    value, error, *_ = phase_line.line(model, np.array([200.0]))
    assert np.isnan(value).all() and np.isnan(error).all()
