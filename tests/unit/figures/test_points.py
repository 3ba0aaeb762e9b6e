"""Displacements and g(r) of single points are the numbers in their files."""

import json

import numpy as np
import pytest

from drawn_figures import legend_texts, lines
from lah10.campaign.grid import point_folder
from lah10.campaign.merge import merge
from lah10.crystal.structures import thicknesses
from lah10.figures import points
from lah10.schema import PHASE
from synthetic_campaign import correlations, diffusion, write_campaign


def band(axes, label):
    """Lower and upper edge of a fill_between."""
    vertices = next(c for c in axes.collections if c.get_label() == f"{label} band") \
        .get_paths()[0].vertices
    n = (len(vertices) - 3) // 2
    return vertices[1:n + 1, 1], vertices[n + 2:2 * n + 2, 1][::-1]


def title(axes) -> list[str]:
    return axes.get_title(loc="left").split("\n")


def test_fig5_draws_the_point_nearest_to_the_papers(campaign):
    folder, dataset = campaign
    axes = points.fig5(dataset, folder / "points").axes[0]
    assert title(axes) == [
        "200 GPa, 100 K",
        "nearest to the source paper's 200 GPa, 5 K",
        "$D_H$ in $10^{-6}$ cm$^2$/s, approximate dynamics:",
        "quantum (QTB) 1.30 ± 0.30",
        "classical 1.30 ± 0.30",
        "quantum (QTB): bath not ok (hatched)",
    ]
    for bath in ("qtb", "classical"):
        data = diffusion(bath)
        for text, mean, error in (
            ("H", data.msd.sel(element="H"), data.msd_stderr.sel(element="H")),
            ("La", data.msd.sel(element="La"), data.msd_stderr.sel(element="La")),
            ("H reordered (MSD′)", data.reordered_msd, data.reordered_msd_stderr),
        ):
            label = f"{bath} {text}"
            line = lines(axes)[label]
            np.testing.assert_array_equal(line.get_xdata(), data.time)
            np.testing.assert_array_equal(line.get_ydata(), mean)
            low, high = band(axes, label)
            np.testing.assert_allclose(low, mean - error, atol=1e-12)
            np.testing.assert_allclose(high, mean + error, atol=1e-12)


def test_fig5_gives_the_limit_of_the_table_where_nothing_hopped(campaign):
    folder, dataset = campaign
    dataset = dataset.copy(deep=True)
    at = {"bath": "qtb", "pressure": 200, "temperature": 100, "element": "H"}
    dataset.diffusion.loc[at] = np.nan
    dataset.diffusion_limit.loc[at] = 8.4e-7
    dataset.exchange_events.loc[at] = 0
    dataset.phase.loc["qtb", 200, 100] = PHASE["undetermined"]
    found = title(points.fig5(dataset, folder / "points").axes[0])
    assert "quantum (QTB) < 0.84 (no hop, 95 %)" in found
    assert found[-1] == "quantum (QTB): bath not ok (hatched), phase undetermined"


def test_fig5_at_the_papers_point_needs_no_word(tmp_path):
    dataset = merge(
        write_campaign(tmp_path / "points", pressures=(150, 200), temperatures=(1, 5, 50)),
        tmp_path / "phase_diagram.nc",
    )
    assert title(points.fig5(dataset, tmp_path / "points").axes[0])[:2] == [
        "200 GPa, 5 K", "$D_H$ in $10^{-6}$ cm$^2$/s, approximate dynamics:"]  # fmt: skip
    found = title(points.fig6(dataset, tmp_path / "points", 200).axes[0])
    assert found == ["200 GPa", "quantum (QTB): bath not ok (hatched)"]


def test_fig5_gives_the_reason_where_the_reordered_curve_is_shorter(campaign, tmp_path):
    _folder, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.equilibration_time.loc["qtb", 200, 100] = 0.62
    short = diffusion("qtb")
    short.reordered_msd[40:] = np.nan
    for bath in ("qtb", "classical"):
        file = point_folder(tmp_path, bath, 200, 100) / "diffusion.nc"
        file.parent.mkdir(parents=True)
        (short if bath == "qtb" else diffusion(bath)).to_netcdf(file)
    (line,) = [x for x in title(points.fig5(dataset, tmp_path).axes[0]) if x.startswith("MSD′")]
    assert line.startswith("MSD′ is of frames after equilibration: quantum (QTB) 0.62 ps")


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
    assert title(axes) == [
        "150 GPa, nearest to the source paper's 1 K", "quantum (QTB): bath not ok (hatched)"]


@pytest.mark.parametrize("cell", ["primitive", "conventional"])
def test_fig6_ends_at_half_the_cell(cell, tmp_path, campaign):
    _folder, dataset = campaign
    structure = {"cell": cell, "file": "Fm-3m.cif", "repeat": [2, 3, 3]}
    for bath in ("qtb", "classical"):
        file = point_folder(tmp_path, bath, 150, 100) / "correlations.nc"
        file.parent.mkdir(parents=True)
        data = correlations(bath).assign_attrs(config=json.dumps({"structure": structure}))
        data.to_netcdf(file)
    dataset = dataset.copy(deep=True)
    dataset["volume_per_formula"][:] = 5.1**3 / 4
    ideal = fcc_cell(5.1, cell, (2, 3, 3))
    axes = points.fig6(dataset, tmp_path).axes[0]
    assert axes.get_xlim()[1] == pytest.approx(min(5.0, 0.5 * thicknesses(ideal).min()))
    if cell == "primitive":
        assert "up to half the cell, 2.94 Å" in title(axes)


def fcc_cell(a: float, cell: str, repeat: tuple) -> np.ndarray:
    vectors = np.eye(3) if cell == "conventional" else 0.5 * (1 - np.eye(3))
    return a * np.array(repeat)[:, None] * vectors


def test_isotopes_have_their_symbols(campaign):
    folder, dataset = campaign
    heavy = dataset.assign_attrs(isotopes="H: D")
    figure = points.fig5(heavy, folder / "points")
    found = title(figure.axes[0])
    assert found[0].startswith("LaD$_{10}$, ")
    assert any(line.startswith("$D_D$ in ") for line in found)
    assert {"D", "D reordered (MSD′)", "La"} <= set(legend_texts(figure))
    axes = points.fig6(heavy, folder / "points").axes[0]
    assert axes.get_ylabel() == "$g_{LaD}(r)$"
    assert title(axes)[0].startswith("LaD$_{10}$, ")
