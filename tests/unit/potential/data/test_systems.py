"""Frames of the same atoms."""

import numpy as np

import labelled
from lah10.potential.data import plausibility, systems


def test_pressure_is_a_third_of_the_trace_over_the_volume():
    system = labelled.system(volume=33.2)
    a, b = plausibility.STATIC_PRESSURE
    np.testing.assert_allclose(system.pressures, np.exp(a + b * 33.2))


def test_the_source_is_the_first_part_of_the_name():
    assert labelled.system("ly-ceperley/ensemble3/150GPa").source == "ly-ceperley"
    assert systems.source_of("own") == "own"
