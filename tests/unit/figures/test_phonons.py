"""Dispersions: one panel a pressure, every branch on every section of the path."""

import numpy as np

from lah10.figures import phonons as figures
from lah10.potential.validation.phonons import PATH, SECTION, Dispersion


def test_every_branch_is_drawn_at_every_pressure(tmp_path):
    dft = np.random.default_rng(1).random((len(PATH) - 1, SECTION, 33)) * 60
    curves = [Dispersion(pressure, dft, 1.1 * dft) for pressure in (200.0, 300.0)]
    axes = figures.dispersions(curves).axes
    assert [a.get_title() for a in axes] == ["Fm-3m, 200 GPa", "Fm-3m, 300 GPa"]
    for panel in axes:
        assert [tick.get_text() for tick in panel.get_xticklabels()] == list(PATH)
        # Sections in turn, of DFT and of the model; the other lines mark the path and zero.
        branches = [line for line in panel.lines if len(line.get_xdata()) == SECTION]
        drawn = np.array([line.get_ydata() for line in branches]).reshape(len(PATH) - 1, 2, 33, -1)
        np.testing.assert_array_equal(drawn[:, 0], dft.transpose(0, 2, 1))
        np.testing.assert_array_equal(drawn[:, 1], 1.1 * dft.transpose(0, 2, 1))
    figures.draw(curves, [tmp_path / "phonons.png"])
    assert (tmp_path / "phonons.png").read_bytes().startswith(b"\x89PNG")
