"""The figure of the boundary draws what is in the dataset, published points beside it."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from lah10.campaign import boundary
from lah10.errors import UserError
from lah10.figures import boundary as figures

# Made-up states of known coefficients, of the tests of the merging.
_spec = importlib.util.spec_from_file_location(
    "made_up_boundary", Path(__file__).parents[1] / "campaign/test_boundary.py"
)
made_up = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = made_up
_spec.loader.exec_module(made_up)


@pytest.fixture(scope="module")
def data():
    return boundary.merge(made_up.states())


def test_line_is_drawn_where_it_was_fitted(data):
    axes = Figure().subplots()
    figures.draw_line(axes, data)
    line = next(line for line in axes.lines if line.get_label() == "classical")
    np.testing.assert_allclose(line.get_xdata(), data["line_temperature"])
    np.testing.assert_allclose(line.get_ydata(), made_up.line_at(line.get_xdata()), atol=1e-6)


def test_free_energy_passes_through_the_windows(data):
    axes = Figure().subplots()
    figures.draw_free_energy(axes, data, "classical", 200.0)
    curve = next(line for line in axes.lines if line.get_label() == "190 GPa")
    here = data.sel(potential="own", nuclei="classical", pressure=190, temperature=200)
    drawn = np.interp(here["angle"], curve.get_xdata(), curve.get_ydata())
    np.testing.assert_allclose(drawn, here["free_energy"].fillna(0), atol=0.02)


def test_published_points_are_cited():
    axes = Figure().subplots()
    figures.draw_published(axes, {})
    labels = [line.get_label() for line in axes.lines]
    assert figures.WATANABE in labels and figures.ERREA in labels
    assert len(axes.lines) == len(figures.PUBLISHED)


def test_whole_figure_and_a_missing_file(data, tmp_path):
    from lah10.io.netcdf import write

    write(data, tmp_path / "boundary.nc", "made up")
    figures.draw_file(tmp_path / "boundary.nc", [tmp_path / "b.png"])
    assert (tmp_path / "b.png").stat().st_size > 10_000
    with pytest.raises(UserError, match="run `snakemake boundary`"):
        figures.draw_file(tmp_path / "none.nc", [tmp_path / "c.png"])


def test_isotopes_are_in_the_titles_and_published_quantum_results_are_not():
    data = boundary.merge(made_up.states(isotopes="H: D"))
    figure = figures.draw(data)
    assert figure.axes[0].get_title(loc="left").startswith("LaD$_{10}$, classical")
    axes = Figure().subplots()
    figures.draw_published(axes, {"H": "D"})
    of_nuclei = [found for found in figures.PUBLISHED if found.nuclei == "classical"]
    assert len(axes.lines) == len(of_nuclei)
