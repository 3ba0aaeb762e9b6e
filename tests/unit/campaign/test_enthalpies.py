"""Enthalpies of potentials and DFT side by side: differences, zero-point energies, crossings."""

import numpy as np
import pytest
import xarray as xr

from lah10.campaign import enthalpies
from lah10.errors import UserError
from lah10.potential.validation.dft_enthalpies import Point

PRESSURES = np.array([100.0, 150.0, 200.0, 250.0])


def potential(r3m, zero_point=(0.04, 0.04, 0.04, 0.04), shift=0.0) -> xr.Dataset:
    """Fm-3m and R-3m, the latter `r3m` meV/atom from the former (NaN: it is Fm-3m)."""
    cubic = -160.0 + 0.2 * PRESSURES + shift
    other = cubic + 11e-3 * np.array(r3m)
    groups = [["Fm-3m"] * 4, ["Fm-3m" if np.isnan(x) else "R-3m" for x in r3m]]
    zero = np.array([[np.nan, 2.5, 2.5, 2.5], 2.5 + np.array(zero_point)])
    dims = ("phase", "pressure")
    return xr.Dataset(
        {"enthalpy": (dims, [cubic, other]), "enthalpy_stderr": (dims, np.full((2, 4), 1e-4)),
         "volume_per_formula": (dims, np.full((2, 4), 33.0)), "zero_point_energy": (dims, zero),
         "imaginary_share": (dims, np.where(np.isnan(zero), 0.1, 0.0)),
         "space_group": (dims, np.array(groups, dtype=object))},
        {"phase": ["Fm-3m", "R-3m"], "pressure": PRESSURES},
        {"potential_sha256": "a" * 64},
    )  # fmt: skip


DFT = [
    Point(111.0, -10.4, 0.25, "14"),
    Point(152.0, -3.8, 0.28, "14"),
    Point(178.0, -1.1, 0.3, "14"),
    Point(206.0, 0.5, 0.3, "14"),
]


@pytest.fixture
def merged() -> xr.Dataset:
    # Potentials have zeros of their own.
    two = potential([-8, -3, np.nan, np.nan], shift=7.0)
    return enthalpies.merge({"one": potential([-10, -4, -1, 1]), "two": two}, DFT)


def test_differences_do_not_depend_on_the_zero(merged):
    r3m = merged.enthalpy_difference.sel(phase="R-3m")
    np.testing.assert_allclose(r3m.sel(source="one"), [-10, -4, -1, 1])
    np.testing.assert_allclose(r3m.sel(source="two"), [-8, -3, np.nan, np.nan])
    np.testing.assert_allclose(merged.above_lowest.sel(source="one", phase="Fm-3m"), [10, 4, 1, 0])
    assert merged.source.values.tolist() == ["one", "two", enthalpies.DFT]


def test_zero_point_energies_enter_where_both_phases_are_stable(merged):
    found = merged.enthalpy_quantum_difference.sel(source="one", phase="R-3m")
    extra = 40 / 11
    np.testing.assert_allclose(found, [np.nan, -4 + extra, -1 + extra, 1 + extra])
    # At 100 GPa only R-3m has one: it is the lowest of nothing.
    above = merged.above_lowest_quantum.sel(source="one", phase="R-3m")
    np.testing.assert_allclose(above, [np.nan, 0.0, -1 + extra, 1 + extra], atol=1e-9)


def test_crossings(merged):
    one = merged.sel(source="one", phase="R-3m")
    assert one.crossing == pytest.approx(225.0)
    assert 0 < one.crossing_stderr < 10
    assert one.crossing_comment.item() == "sign changes"
    # −0.36 and 2.64 meV/atom at 150 and 200 GPa, zero-point energy included.
    assert one.crossing_quantum == pytest.approx(150 + 50 * 0.3636 / 3.0, abs=0.1)
    two = merged.sel(source="two", phase="R-3m")
    assert two.crossing == pytest.approx(175.0)
    assert two.crossing_stderr == pytest.approx(50 / 12**0.5)
    assert two.crossing_comment.item() == "relaxes to Fm-3m beyond"
    dft = merged.sel(source=enthalpies.DFT, phase="R-3m")
    assert dft.crossing == pytest.approx(178 + 28 * 1.1 / 1.6, abs=0.1)
    given = enthalpies.merge({"one": potential([-10, -4, -1, 1])}, DFT, (195.5, 5.0))
    dft = given.sel(source=enthalpies.DFT, phase="R-3m")
    assert (dft.crossing, dft.crossing_stderr) == (195.5, 5.0)
    assert given.sel(source="one", phase="R-3m").crossing == pytest.approx(225.0)
    # The error of the difference over the slope: 0.2 to 0.3 meV/atom at 0.057 meV/atom/GPa.
    assert 3 < dft.crossing_stderr < 8


@pytest.mark.parametrize(
    ("difference", "comment"),
    [([-4.0, -3.0, -2.0], "below Fm-3m from 100 to 200 GPa"),
     ([4.0, 3.0, 2.0], "above Fm-3m from 100 to 200 GPa"),
     ([np.nan] * 3, "relaxes to another phase at all pressures")],
)  # fmt: skip
def test_no_crossing_has_a_reason(difference, comment):
    found = enthalpies.crossing(PRESSURES[:3], np.array(difference), np.full(3, 0.1), ["R-3m"] * 3)
    assert np.isnan(found[:2]).all() and found[2] == comment
    one = enthalpies.crossing(np.array([151.993]), np.array([-3.8]), np.array([0.3]), ["R-3m"])
    assert one[2] == "below Fm-3m at 152 GPa"


def test_dataset_and_table_are_written(tmp_path):
    potential([-10, -4, -1, 1]).to_netcdf(tmp_path / "one.nc")
    enthalpies.write({"one": tmp_path / "one.nc"}, DFT, tmp_path / "e.nc", tmp_path / "e.md")
    with xr.open_dataset(tmp_path / "e.nc") as data:
        assert data.attrs["potential_sha256_one"] == "a" * 64
        assert data.enthalpy_difference.attrs["units"] == "meV"
    text = (tmp_path / "e.md").read_text(encoding="utf-8")
    assert "| 150 | -4.00 (-0.36) |" in text
    assert "| 152.0 | -3.80 ± 0.28 |" in text
    assert "| one | R-3m | 225.0" in text
    with pytest.raises(UserError, match=r"two\.nc.*snakemake enthalpies"):
        enthalpies.write({"two": tmp_path / "two.nc"}, [], tmp_path / "e.nc", tmp_path / "e.md")
