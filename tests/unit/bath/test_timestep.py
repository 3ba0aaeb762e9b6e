"""The closed forms of a finite time step, against the steps themselves."""

import numpy as np
import pytest

from lah10.bath.spectra import oscillator_energies
from lah10.bath.timestep import LIMIT, STIFFEST, kinetic_share, potential_share, step_error
from lah10.config.dynamics import LONGEST_STEP
from lah10.units import BOLTZMANN


def test_known_numbers():
    assert kinetic_share(10.0, 0.0005) == pytest.approx(0.9975, abs=1e-5)
    assert kinetic_share(20.0, 0.0005) == pytest.approx(0.9950, abs=3e-5)
    assert potential_share(65.0, 0.0005) == pytest.approx(1.0105, abs=1e-4)
    assert potential_share(700.0, 0.0005) == np.inf


@pytest.mark.parametrize(("frequency", "step"), [(65.0, 0.0005), (65.0, 0.00075), (30.0, 0.001)])
def test_closed_forms_are_the_integrals_over_the_integrators_response(frequency, step):
    kinetic, potential = oscillator_energies(
        "classical", frequency, 300.0, 10.0, 200.0, points=100_000, timestep=step
    )
    half = 0.5 * BOLTZMANN * 300.0
    assert kinetic / half == pytest.approx(kinetic_share(10.0, step), abs=2e-4)
    assert potential / half == pytest.approx(potential_share(frequency, step), abs=2e-4)


def test_the_longest_step_is_within_the_limit():
    assert potential_share(STIFFEST, 1e-3 * LONGEST_STEP) - 1 < LIMIT
    assert potential_share(STIFFEST, 0.8e-3) - 1 > LIMIT


def test_volume_and_free_energy_by_differences():
    """ΔG is ½ k_B T ln of the ratio of squared frequencies, three modes an atom."""
    one = step_error(0.00075, 10.0, 300.0)
    share = potential_share(41.0, 0.00075)
    assert one.free_energy == pytest.approx(-1.5e3 * BOLTZMANN * 300 * np.log(share) * 0.03)
    assert abs(one.free_energy) < 0.02 and 0 < one.volume < 2e-4
    assert step_error(0.0005, 10.0, 300.0).volume < one.volume
    assert step_error(0.00075, 10.0, 900.0).volume == pytest.approx(3 * one.volume)
