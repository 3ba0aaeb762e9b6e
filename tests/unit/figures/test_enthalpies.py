"""Fig. 1(a) and 1(b) draw what the files hold."""

import ase.io
import numpy as np
import pytest
import xarray as xr

from campaigns import REPOSITORY
from drawn_figures import errorbars, legend_texts, lines
from lah10.campaign import enthalpies as merging
from lah10.crystal.structures import read_crystal
from lah10.errors import UserError
from lah10.figures import enthalpies
from lah10.io import netcdf


@pytest.fixture
def dataset():
    pressures = np.array([100.0, 200.0, 300.0])
    dims = ("phase", "pressure")
    cubic = np.array([1.0, 2.0, 3.0])
    data = xr.Dataset(
        {"enthalpy": (dims, [cubic, cubic + 11e-3 * np.array([-9.0, -3.0, 1.0])]),
         "enthalpy_stderr": (dims, np.zeros((2, 3))), "volume_per_formula": (dims, np.ones((2, 3))),
         "zero_point_energy": (dims, [[np.nan, 2.5, 2.5], [2.5, 2.5, 2.5]]),
         "imaginary_share": (dims, np.zeros((2, 3))),
         "space_group": (dims, np.array([["Fm-3m"] * 3, ["R-3m"] * 3], dtype=object))},
        {"phase": ["Fm-3m", "R-3m"], "pressure": pressures},
    )  # fmt: skip
    points = [merging.Point(152.0, -3.8, 0.3, "14"), merging.Point(210.0, 0.6, 0.3, "14")]
    return merging.merge({"shipped": data}, points)


def test_fig1a_draws_enthalpies_above_the_lowest(dataset):
    figure = enthalpies.fig1a(dataset)
    (axes,) = figure.axes
    drawn = lines(axes)
    np.testing.assert_allclose(drawn["Fm-3m"].get_ydata(), [9.0, 3.0, 0.0])
    np.testing.assert_allclose(drawn["R-3m"].get_ydata(), [0.0, 0.0, 1.0])
    # With zero-point energy above the lowest of those that have one.
    np.testing.assert_array_equal(drawn["Fm-3m quantum"].get_xdata(), [200.0, 300.0])
    np.testing.assert_allclose(drawn["R-3m crossing"].get_xdata(), 275.0)
    dft = [bar for name, bar in errorbars(axes).items() if name == "dft"]
    assert dft
    assert "with zero-point energy" in legend_texts(figure)
    assert f"{merging.DFT}, Fm-3m and R-3m" in legend_texts(figure)
    assert "GPa" in axes.get_xlabel() and "meV" in axes.get_ylabel()


def frames():
    found = []
    for name, file, enthalpy in (
        ("Fm-3m", "Fm-3m", 1.0), ("R-3m", "R-3m", 0.9), ("C2/c", "C2c", 0.95),
    ):  # fmt: skip
        for pressure in (100.0, 150.0):
            atoms = read_crystal(REPOSITORY / f"resources/structures/{file}.cif")
            atoms.info = {"phase": name, "pressure": pressure, "enthalpy": enthalpy,
                          "space_group": name}  # fmt: skip
            found.append(atoms)
    return found


def test_fig1b_draws_the_cubic_and_the_lowest_other_phase():
    cubic, other = enthalpies.chosen(frames(), 150.0)
    assert (cubic.info["phase"], other.info["phase"], other.info["pressure"]) == (
        "Fm-3m", "R-3m", 150.0)  # fmt: skip
    figure = enthalpies.fig1b(frames())
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["Fm-3m, 150 GPa\nθ: 90.0°", "R-3m, 150 GPa\nθ: 88.3° to 91.7°"]


def test_crystals_that_became_another_phase_are_not_drawn():
    gone = frames()
    for atoms in gone:
        if atoms.info["phase"] != "Fm-3m":
            atoms.info["space_group"] = "Fm-3m"
    with pytest.raises(UserError, match="at no pressure"):
        enthalpies.fig1b(gone)


def test_files_are_drawn(dataset, tmp_path):
    netcdf.write(dataset, tmp_path / "e.nc", "made up")
    ase.io.write(tmp_path / "c.xyz", frames(), format="extxyz")
    outputs = [tmp_path / "fig1a.png"], [tmp_path / "fig1b.svg", tmp_path / "fig1b.pdf"]
    enthalpies.draw_files(tmp_path / "e.nc", tmp_path / "c.xyz", *outputs)
    assert all(path.stat().st_size > 3000 for paths in outputs for path in paths)
    with pytest.raises(UserError, match=r"none\.nc.*snakemake enthalpies"):
        enthalpies.draw_files(tmp_path / "none.nc", tmp_path / "c.xyz", *outputs)
    with pytest.raises(UserError, match=r"none\.xyz: cannot be read.*snakemake enthalpies"):
        enthalpies.draw_files(tmp_path / "e.nc", tmp_path / "none.xyz", *outputs)
