"""The cell's motion in LAMMPS: its temperature and its fluctuations against a known crystal."""

import flexible
import numpy as np
import pytest

#: Steps: 320 ps.
STEPS = 160_000


@pytest.mark.slow
def test_volume_and_shear_fluctuate_as_they_should(in_lammps, tmp_path):
    """Variances within 5 % of the Boltzmann distribution of the cell's six elements.

    Measured with three seeds together: 1.04 ± 0.02 of the volume's (the third one alone 1.00 ±
    0.03), 1.01 ± 0.01 of the shears'. The time step accounts for 0.24 % (`CellMotion.amplitude`).
    """
    mean, variance = flexible.exact()
    found = in_lammps("flexible", "fluctuations", folder=str(tmp_path), steps=STEPS)
    ratio = np.array(found["variance"]) / variance
    error = np.array(found["error"]) / variance
    # The shears and the difference of two sides are of one kind: taken together.
    shear, shear_error = ratio[1:].mean(), np.sqrt((error[1:] ** 2).sum()) / 4
    assert error[0] < 0.05 and shear_error < 0.05
    assert ratio[0] == pytest.approx(1, abs=0.05 + error[0])
    assert shear == pytest.approx(1, abs=0.05 + shear_error)
    assert found["mean"][0] == pytest.approx(mean[0], rel=5e-4)
    temperature, its_error = found["cell_temperature"]
    assert its_error < 0.02 * flexible.TEMPERATURE
    assert temperature == pytest.approx(flexible.TEMPERATURE, abs=3 * its_error)
    # The recorded pressure is the crystal's, without the random stress, whose mean is as small but
    # whose own spread is a hundred times that of the pressure.
    assert found["pressure"] == pytest.approx([50.0] * 3 + [0.0] * 3, abs=0.1)
