"""Frames of the same atoms."""

import numpy as np

import labelled
from lah10.potential.data import plausibility


def test_pressure_is_a_third_of_the_trace_over_the_volume():
    system = labelled.system(volume=33.2)
    a, b = plausibility.STATIC_PRESSURE
    np.testing.assert_allclose(system.pressures, np.exp(a + b * 33.2))
