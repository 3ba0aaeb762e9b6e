"""Figures draw the dataset's numbers, show what failed, and say what is missing."""

import numpy as np
import pytest
import xarray as xr

from drawn_figures import drawn, errorbars, legend_texts, lines
from lah10.campaign.grid import point_folder
from lah10.campaign.merge import merge
from lah10.errors import UserError
from lah10.figures import campaign as figures
from lah10.figures import points
from lah10.schema import BATH_OK, PHASE, STATUS
from synthetic_campaign import write_campaign


def test_draw_all_writes_the_named_files(campaign, tmp_path):
    folder, _ = campaign
    paths = figures.draw_all(folder / "phase_diagram.nc", folder / "points", tmp_path,
                             ("png", "pdf", "svg"))
    names = figures.figure_names(["classical", "qtb"])
    assert {path.name for path in paths} == {figures.XYZ} | {
        f"{name}.{suffix}" for name in names for suffix in ("png", "pdf", "svg")
    }
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths}
    for path in paths[:-1]:
        start = {".png": b"\x89PNG", ".pdf": b"%PDF", ".svg": b"<?xml"}[path.suffix]
        assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("bath", ["classical", "qtb"])
def test_fig2a_colours_are_the_deviation_of_distorted_points(campaign, bath):
    _, dataset = campaign
    axes, bar = figures.fig2a(dataset, bath).axes
    mesh = axes.collections[0]
    panel = dataset.sel(bath=bath).transpose("pressure", "temperature", ...)
    expected = np.where(panel.phase == PHASE["distorted"], panel.theta_deviation, 0.0)
    expected[panel.phase.values == PHASE["undetermined"]] = np.nan
    np.testing.assert_array_equal(np.ma.filled(mesh.get_array(), np.nan), expected)
    # One scale for all baths with a tick at its end, and labels with units.
    low, high = mesh.get_clim()
    assert low == 0.0 and high >= max(1.5, float(figures.colour_values(dataset).max()))
    assert bar.get_yticks()[-1] == high
    assert "degree" in bar.get_ylabel()
    assert axes.get_xlabel() == "temperature (K)" and axes.get_ylabel() == "pressure (GPa)"


def test_fig2a_a_cubic_point_is_never_darker_than_a_distorted_one(campaign):
    """However noisy its angle is."""
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.theta_deviation.loc["qtb"] = 1.2
    dataset.phase.loc["qtb"] = PHASE["cubic"]
    dataset.theta_deviation.loc["qtb", 100, 200] = 0.8
    dataset.phase.loc["qtb", 100, 200] = PHASE["distorted"]
    colours = figures.colour_values(dataset).sel(bath="qtb")
    assert float(colours.sel(pressure=100, temperature=200)) == 0.8
    assert float(colours.sel(pressure=200).max()) == 0.0


@pytest.mark.parametrize(
    ("largest", "end"), [(0.3, 1.5), (1.5, 1.5), (1.51, 2.0), (2.6, 3.0), (np.nan, 1.5)]
)
def test_fig2a_scale_ends_at_a_tick(campaign, largest, end):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset["theta_deviation"][:] = largest
    dataset["phase"][:] = PHASE["distorted"]
    assert figures.colour_scale(dataset) == pytest.approx(end)


def test_fig2a_marks(campaign):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.phase.loc["qtb", 200, 100] = PHASE["undetermined"]
    classical = lines(figures.fig2a(dataset, "classical").axes[0])
    assert (classical["failed"].get_xdata(), classical["failed"].get_ydata()) == ([300], [200])
    assert "not run" not in classical
    quantum = lines(figures.fig2a(dataset, "qtb").axes[0])
    assert (quantum["not run"].get_xdata(), quantum["not run"].get_ydata()) == ([100], [100])
    unclear = quantum["phase undetermined"]
    assert (unclear.get_xdata(), unclear.get_ydata()) == ([100], [200])


def test_fig2a_hatches_what_the_quantum_bath_does_not_bear_out(campaign):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.quantum_bath_ok.loc["qtb", 150, 200] = BATH_OK["undetermined"]
    dataset.quantum_bath_ok.loc["qtb", 150, 300] = BATH_OK["ok"]
    figure = figures.fig2a(dataset, "qtb")
    hatched = {}
    for patch in figure.axes[0].patches:
        hatched.setdefault(patch.get_label(), set()).add((patch.get_x(), patch.get_y()))
    # Of nine points one is missing, one in order and one undetermined.
    assert {name: len(places) for name, places in hatched.items()} == {
        "quantum bath not ok": 6, "quantum bath undetermined": 1}
    assert hatched["quantum bath undetermined"] == {(150.0, 125.0)}
    assert set(hatched) <= set(legend_texts(figure))
    assert not figures.fig2a(dataset, "classical").axes[0].patches


def test_fig2a_circles_mark_domains_that_average_out(campaign):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.phase.loc["classical", 100, 100] = PHASE["distorted"]
    dataset.theta_deviation.loc["classical", 100, 100] = 0.24
    shown = lines(figures.fig2a(dataset, "classical").axes[0])["distorted in domains"]
    assert (shown.get_xdata(), shown.get_ydata()) == ([100], [100])


def test_fig2a_boundary_lies_between_distorted_and_cubic(campaign):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.phase.loc["classical"] = PHASE["cubic"]
    dataset.phase.loc["classical", 100, 100] = PHASE["distorted"]
    dataset.phase.loc["classical", 100, 300] = PHASE["undetermined"]
    axes = figures.fig2a(dataset, "classical").axes[0]
    boundary = next(c for c in axes.collections if c.get_label() == "boundary")
    segments = {tuple(map(tuple, segment)) for segment in boundary.get_segments()}
    assert segments == {((150.0, 75.0), (150.0, 125.0)), ((50.0, 125.0), (150.0, 125.0))}


def test_fig2b_numbers_and_errors(campaign):
    _, dataset = campaign
    axes = figures.fig2b(dataset, 160).axes[0]
    assert axes.get_title(loc="left") == "150 GPa"
    bars = errorbars(axes)
    for bath in ("classical", "qtb"):
        row = dataset.sel(bath=bath, pressure=150)
        for name in ("theta_large", "theta_small"):
            x, y, half = drawn(bars[f"{bath} {name}"])
            np.testing.assert_array_equal(x, dataset.temperature)
            np.testing.assert_array_equal(y, row[name])
            np.testing.assert_allclose(half, row[f"{name}_stderr"])
    low, high = axes.get_ylim()
    assert low < float(dataset.theta_small.sel(pressure=150).min())
    assert high > float(dataset.theta_large.sel(pressure=150).max())


def test_fig2b_shades_the_limit(campaign):
    _, dataset = campaign
    axes = figures.fig2b(dataset).axes[0]
    band = next(p for p in axes.patches if p.get_label() == "qtb limit")
    values, edges, baseline = band.get_data()
    limit = dataset.theta_threshold.sel(bath="qtb", pressure=150).values
    np.testing.assert_allclose(values, 90 + limit)
    np.testing.assert_allclose(baseline, 90 - limit)
    np.testing.assert_array_equal(edges, [50, 150, 250, 350])


@pytest.mark.parametrize(
    ("draw", "label"),
    [(figures.fig2b, "theta_large"), (figures.fig3a, "energy_per_mode"),
     (figures.fig3b, "zero_point_temperature")],
)  # fmt: skip
def test_markers_are_filled_by_the_verdict(campaign, draw, label):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    where = {"bath": "qtb", "temperature": 100} if draw is figures.fig3b else \
        {"bath": "qtb", "pressure": 150}
    flags = [BATH_OK["ok"], BATH_OK["undetermined"], BATH_OK["not_ok"]]
    dataset["status"][:] = STATUS["ok"]
    dataset.zero_point_temperature.loc["qtb"] = 900.0
    dataset.quantum_bath_ok.loc[where] = flags
    dataset.phase.loc[where] = [PHASE["cubic"], PHASE["undetermined"], PHASE["cubic"]]
    figure = draw(dataset)
    marks = [line for line in figure.axes[0].lines if line.get_label() == f"qtb {label} marks"]
    looks = {float(line.get_xdata()[0]): (line.get_fillstyle(), line.get_markerfacecolor())
             for line in marks}
    first, second, third = (looks[x] for x in sorted(looks))
    assert first[0] == "full" and first[1] != "white"
    assert second[0] == "left"
    assert third[1] == "white"
    questions = [text for text in figure.axes[0].texts if text.get_text() == "?"]
    assert questions and {text.xy[0] for text in questions} == {sorted(looks)[1]}
    assert {"quantum bath ok", "quantum bath undetermined", "quantum bath not ok",
            "phase undetermined"} <= set(legend_texts(figure))


def test_fig3a_numbers_and_errors(campaign):
    _, dataset = campaign
    axes = figures.fig3a(dataset).axes[0]
    bars = errorbars(axes)
    for bath in ("classical", "qtb"):
        for name in ("energy_per_mode", "kinetic_temperature_mean"):
            x, y, half = drawn(bars[f"{bath} {name}"])
            row = dataset.sel(bath=bath, pressure=150)
            np.testing.assert_array_equal(x, dataset.temperature)
            np.testing.assert_array_equal(y, row[name])
            np.testing.assert_allclose(half, row[f"{name}_stderr"])
    line = lines(axes)["equipartition"]
    np.testing.assert_array_equal(line.get_xdata(), line.get_ydata())


def test_fig3a_lower_panel_shows_what_the_upper_one_hides(campaign):
    """Differences from k_BT, and from the harmonic crystal where there is one."""
    _, dataset = campaign
    assert "harmonic crystal" not in legend_texts(figures.fig3a(dataset))
    harmonic = dataset.energy_per_mode.drop_attrs() + 20.0
    figure = figures.fig3a(
        dataset.assign(harmonic_temperature=harmonic, harmonic_temperature_raw=harmonic + 5.0)
    )
    upper, lower = figure.axes
    line = lines(upper)["qtb harmonic_temperature"]
    np.testing.assert_array_equal(line.get_ydata(), harmonic.sel(bath="qtb", pressure=150))
    np.testing.assert_allclose(lines(lower)["qtb harmonic_temperature_raw"].get_ydata(), 5.0)
    bars = errorbars(lower)
    np.testing.assert_allclose(drawn(bars["qtb energy_per_mode"])[1], -20.0)
    classical = dataset.sel(bath="classical", pressure=150)
    _, y, half = drawn(bars["classical kinetic_temperature_mean"])
    np.testing.assert_allclose(y, classical.kinetic_temperature_mean - classical.temperature)
    np.testing.assert_allclose(half, classical.kinetic_temperature_mean_stderr)
    assert lower.get_title(loc="left") == (
        "classical: less $k_BT$\nquantum: less the harmonic crystal")
    assert "harmonic crystal" in legend_texts(figure)


def deconvolved(dataset, name):
    return dataset.assign({f"{name}_deconvolved{suffix}": dataset[f"{name}{suffix}"] * 0.97
                           for suffix in ("", "_stderr")})  # fmt: skip


def test_fig3a_shows_deconvolved_temperatures_of_quantum_baths(campaign):
    _, dataset = campaign
    figure = figures.fig3a(deconvolved(dataset, "kinetic_temperature_mean"))
    row = dataset.sel(bath="qtb", pressure=150)
    _, y, half = drawn(errorbars(figure.axes[1])["qtb kinetic_temperature_mean_deconvolved"])
    np.testing.assert_allclose(y, 0.97 * row.kinetic_temperature_mean - row.energy_per_mode)
    np.testing.assert_allclose(half, 0.97 * row.kinetic_temperature_mean_stderr)
    assert "kinetic, γ-deconvolved" in legend_texts(figure)


def test_fig3b_draws_the_density_of_states_by_the_response_heavily(campaign):
    _, dataset = campaign
    name = "zero_point_temperature"
    figure = figures.fig3b(deconvolved(dataset, name))
    bars = errorbars(figure.axes[0])
    assert f"classical {name}_deconvolved" not in bars
    _, y, half = drawn(bars[f"qtb {name}_deconvolved"])
    _, raw, raw_half = drawn(bars[f"qtb {name}"])
    np.testing.assert_allclose(y, 0.97 * raw)
    np.testing.assert_allclose(half, 0.97 * raw_half)
    heavy, thin = bars[f"qtb {name}_deconvolved"].lines[0], bars[f"qtb {name}"].lines[0]
    assert heavy.get_linewidth() > 2 * thin.get_linewidth()
    assert heavy.get_zorder() > thin.get_zorder()
    assert "by velocities (biased)" in legend_texts(figure)


def test_fig3b_takes_the_lowest_temperature_that_has_values(campaign):
    _, dataset = campaign
    dataset = dataset.copy(deep=True)
    dataset.zero_point_temperature.loc["classical", :, 100] = np.nan
    figure = figures.fig3b(dataset)
    bars = errorbars(figure.axes[0])
    for bath, temperature in (("classical", 200), ("qtb", 100)):
        x, y, half = drawn(bars[f"{bath} zero_point_temperature"])
        row = dataset.sel(bath=bath, temperature=temperature)
        np.testing.assert_array_equal(x, dataset.pressure)
        np.testing.assert_array_equal(y, row.zero_point_temperature)
        finite = np.isfinite(y)
        np.testing.assert_allclose(half[finite], row.zero_point_temperature_stderr[finite])
    assert legend_texts(figure) == [
        "classical, 200 K", "quantum (QTB), 100 K, by velocities (biased)", "quantum bath not ok"]


@pytest.mark.parametrize(
    "grid",
    [
        {"pressures": (150,), "temperatures": (100,)},
        {"baths": ("classical",), "pressures": (120, 150), "temperatures": (100,)},
        {"baths": ("qtb",), "pressures": (200,), "temperatures": (1, 5, 50)},
        {"failed": {(b, p, t): "nan" for b in ("classical", "qtb") for p in (100, 150, 200)
                    for t in (100, 200, 300)}},
    ],
    ids=["one point", "classical only", "quantum only", "all failed"],
)
def test_odd_campaigns_are_drawn(tmp_path, grid):
    merge(write_campaign(tmp_path / "points", **grid), tmp_path / "phase_diagram.nc")
    baths = grid.get("baths", ("classical", "qtb"))
    paths = figures.draw_all(tmp_path / "phase_diagram.nc", tmp_path / "points", tmp_path / "out",
                             ("png",))
    assert [path.stem for path in paths[:-1]] == figures.figure_names(baths)


def test_legends_stand_outside_the_axes(campaign):
    folder, dataset = campaign
    for figure in (figures.fig2b(dataset), figures.fig3a(dataset), points.fig5(
            dataset, folder / "points")):
        figure.draw_without_rendering()
        legend = figure.legends[0].get_window_extent()
        assert not legend.overlaps(figure.axes[0].get_window_extent())
        title = figure.axes[0]._left_title.get_window_extent()
        assert not legend.overlaps(title) and title.x1 <= figure.bbox.x1
        assert legend.x0 >= 0 and legend.x1 <= figure.bbox.x1


def test_missing_files_are_named(campaign, tmp_path):
    _, dataset = campaign
    with pytest.raises(UserError, match=r"phase_diagram.nc: no such file.*snakemake"):
        figures.draw_all(tmp_path / "phase_diagram.nc", tmp_path, tmp_path)
    with pytest.raises(UserError, match=r"P200_T100/diffusion.nc: no such file.*snakemake"):
        points.fig5(dataset, tmp_path)
    broken = point_folder(tmp_path, "qtb", 200, 100) / "diffusion.nc"
    broken.parent.mkdir(parents=True)
    xr.Dataset({"msd": 1.0}).to_netcdf(broken)
    with pytest.raises(UserError, match=r"diffusion\.nc: has no variable msd_stderr"):
        points.fig5(dataset, tmp_path)
    broken.write_bytes(b"rubbish")
    with pytest.raises(UserError, match="cannot be read"):
        points.fig5(dataset, tmp_path)


def test_unknown_formats_are_refused(campaign, tmp_path):
    folder, _ = campaign
    with pytest.raises(UserError, match="format bmp is not known"):
        figures.draw_all(folder / "phase_diagram.nc", folder / "points", tmp_path, ("bmp",))


def test_isotopes_are_in_the_titles(campaign):
    _, dataset = campaign
    heavy = dataset.assign_attrs(isotopes="H: D")
    for draw, title in (
        (lambda data: figures.fig2a(data, "qtb"), "LaD$_{10}$, quantum (QTB)"),
        (figures.fig2b, "LaD$_{10}$, 150 GPa"),
        (figures.fig3a, "LaD$_{10}$, 150 GPa"),
        (figures.fig3b, "LaD$_{10}$"),
    ):
        assert draw(heavy).axes[0].get_title(loc="left") == title
        natural = draw(dataset).axes[0].get_title(loc="left")
        assert natural == title.removeprefix("LaD$_{10}$").removeprefix(", ")
