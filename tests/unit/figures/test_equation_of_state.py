"""The equation of state: what is drawn are the crystals' numbers, and their differences."""

from pathlib import Path

import numpy as np

from drawn_figures import lines
from lah10.figures import equation_of_state as figures
from lah10.potential.validation import equation_of_state

DFT = Path(__file__).parents[3] / "resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt"


def test_energies_are_drawn_after_one_constant(tmp_path):
    dft = equation_of_state.read(DFT)
    model = dft.copy(deep=True)
    model["pressure"] = model.pressure + 1.5
    model["energy"] = model.energy + 7.0
    above, energies, below, differences = figures.equation_of_state(dft, model).axes
    np.testing.assert_array_equal(lines(above)["DP"].get_ydata(), model.pressure)
    np.testing.assert_allclose(below.lines[0].get_ydata(), 1.5)
    np.testing.assert_allclose(differences.lines[0].get_ydata(), 0.0, atol=1e-9)
    np.testing.assert_allclose(*(lines(energies)[name].get_ydata() for name in ("DP", "DFT")))
    outputs = [tmp_path / "statics.png", tmp_path / "statics.pdf"]
    figures.draw(dft, model, outputs)
    assert [output.read_bytes()[:4] for output in outputs] == [b"\x89PNG", b"%PDF"]
