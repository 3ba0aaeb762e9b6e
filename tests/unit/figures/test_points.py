"""Displacements and g(r) of single points are the numbers in their files."""

import numpy as np
import pytest

from drawn_figures import legend_texts, lines
from lah10.figures import points
from synthetic_campaign import correlations, diffusion


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (1.234e-6, 2.1e-7, "(1.23 ± 0.21)·$10^{-6}$"),
        (-3e-8, 4.4e-7, "(-0.3 ± 4.4)·$10^{-7}$"),
        (5.0e-5, np.nan, "(5.00 ± nan)·$10^{-5}$"),
    ],
)
def test_scientific(value, error, text):
    assert points._scientific(value, error) == text


def band(axes, label):
    """Lower and upper edge of a fill_between."""
    vertices = next(c for c in axes.collections if c.get_label() == f"{label} band") \
        .get_paths()[0].vertices
    n = (len(vertices) - 3) // 2
    return vertices[1:n + 1, 1], vertices[n + 2:2 * n + 2, 1][::-1]


def test_fig5_draws_the_coldest_quantum_point_of_highest_pressure(campaign):
    folder, dataset = campaign
    axes = points.fig5(dataset, folder / "points").axes[0]
    title, diffusion_line = axes.get_title(loc="left").split("\n")
    assert title == "quantum (QTB), 200 GPa, 100 K"
    assert diffusion_line == "$D_H$ = (1.30 ± 0.30)·$10^{-6}$ cm$^2$/s (approximate)"
    data = diffusion("qtb")
    for label, mean, error in (
        ("H", data.msd.sel(element="H"), data.msd_stderr.sel(element="H")),
        ("La", data.msd.sel(element="La"), data.msd_stderr.sel(element="La")),
        ("H reordered (MSD′)", data.reordered_msd, data.reordered_msd_stderr),
    ):
        line = lines(axes)[label]
        np.testing.assert_array_equal(line.get_xdata(), data.time)
        np.testing.assert_array_equal(line.get_ydata(), mean)
        low, high = band(axes, label)
        np.testing.assert_allclose(low, mean - error, atol=1e-12)
        np.testing.assert_allclose(high, mean + error, atol=1e-12)


def test_fig6_draws_la_h_of_both_baths(campaign):
    folder, dataset = campaign
    figure = points.fig6(dataset, folder / "points")
    axes = figure.axes[0]
    for bath, label in (("classical", "classical, 100 K"), ("qtb", "quantum (QTB), 100 K")):
        data = correlations(bath)
        line = lines(axes)[label]
        np.testing.assert_array_equal(line.get_xdata(), data.r)
        np.testing.assert_array_equal(line.get_ydata(), data.g.sel(pair="La-H"))
    assert legend_texts(figure) == ["classical, 100 K", "quantum (QTB), 100 K"]
