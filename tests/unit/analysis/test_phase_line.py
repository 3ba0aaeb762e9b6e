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
    assert np.mean(middle) == pytest.approx(200, abs=4 * np.mean(errors) / np.sqrt(60))
    assert np.std(middle) == pytest.approx(np.mean(errors), rel=0.35)
    assert np.std(slopes) == pytest.approx(np.mean(slope_errors), rel=0.35)
    assert np.mean(chi2) == pytest.approx(1.0, abs=0.2)


def test_a_continuous_transition_is_where_the_cubic_crystal_turns_unstable():
    """b ≥ 0: no coexistence, a = 0."""
    values = np.array([[0.4, 0.02], [1.0, 0.0], [1.0, 0.0]])
    assert phase_line.crossing(values, 150.0) == pytest.approx(130.0)


def test_first_order_transition_is_where_both_minima_are_as_deep():
    b, c = -1.5, 2.0
    a = b**2 / (4.5 * c)
    values = np.array([[a + 0.2, 0.02], [b, 0.0], [c, 0.0]])
    assert phase_line.crossing(values, 150.0) == pytest.approx(140.0)
    # There G has a double root.
    assert np.roots([c / 4, b / 3, a / 2]) == pytest.approx(-2 * b / (3 * c), abs=1e-6)


def test_no_crossing_is_nan():
    assert np.isnan(phase_line.crossing(np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), 0.0))
