"""The same data give the same file, and cells lie round the grid."""

import numpy as np
import pytest

from lah10.figures import campaign as figures
from lah10.figures import style


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_same_data_give_the_same_file(campaign, tmp_path, suffix):
    _, dataset = campaign
    once, again = (
        style.save(figures.fig3b(dataset), tmp_path / f"{name}.{suffix}").read_bytes()
        for name in ("once", "again")
    )
    assert once == again


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        ([100.0], [75.0, 125.0]),
        ([1.0, 5.0], [0.0, 3.0, 7.0]),
        ([100.0, 120.0, 200.0], [90.0, 110.0, 160.0, 240.0]),
    ],
)
def test_cell_edges(values, edges):
    np.testing.assert_allclose(style.cell_edges(np.array(values), lone=50.0, floor=0.0), edges)
