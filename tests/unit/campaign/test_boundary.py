"""States to a phase boundary: a known line is found, with its error, and checked by its slope."""

import numpy as np
import pytest

from lah10.analysis.free_energy import Window, to_dataset
from lah10.campaign import boundary
from lah10.errors import UserError
from lah10.io.netcdf import write
from lah10.units import EV_PER_A3_IN_GPA

ANGLES = (0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4)
ERROR = 0.05


def coefficients(p, t):
    """a, b, c of a first-order transition at 200 − 0.2 (T − 200) GPa."""
    b, c = -1.5, 2.0
    on_the_line = b**2 / (4.5 * c)
    return on_the_line + 0.02 * (p - 200 + 0.2 * (t - 200)), b, c


def line_at(t):
    return 200 - 0.2 * (t - 200)


def window(p, t, angle, rng=None, status="ok", **attrs):
    """A window of a crystal whose G has these coefficients, with ΔV and ΔH that belong to it."""
    a, b, c = coefficients(p, t)
    noise = 0.0 if rng is None else ERROR * rng.normal()
    # G = a δ²/2 + …: V = dG/dP and H = G − T dG/dT, in Å³ a formula and meV/atom.
    energy = angle**2 * (a / 2 + b * angle / 3 + c * angle**2 / 4)
    volume = 33.0 + 0.02 * angle**2 / 2 * 1e-3 * 11 * EV_PER_A3_IN_GPA
    enthalpy = 7.0 + energy - t * 0.02 * 0.2 * angle**2 / 2
    values = {
        "gradient": (a * angle + b * angle**2 + c * angle**3 + noise, ERROR),
        "volume": (volume, 1e-4),
        "enthalpy": (enthalpy, 1e-3),
    }
    if status not in ("ok", "drifts"):
        values = {name: (np.nan, np.nan) for name in values}
    common = {
        "angle_degree": angle, "potential_sha256": "abc", "timestep_fs": 0.5, "versions": "{}",
        "campaign": "c", "config": "{}",
    }  # fmt: skip
    return Window(common | attrs, status, "why" if status != "ok" else "", values)


def states(pressures=(180, 190, 200, 210), temperatures=(100, 200, 300), rng=None, **change):
    return {
        boundary.State("own", "classical", float(p), float(t)): [
            window(p, t, angle, rng, **change) for angle in ANGLES
        ]
        for p in pressures
        for t in temperatures
    }


def test_line_of_a_known_crystal():
    data = boundary.merge(states()).sel(potential="own", nuclei="classical")
    np.testing.assert_allclose(data["line_pressure"], line_at(data["line_temperature"]), atol=1e-6)
    assert float(data["line_slope"]) == pytest.approx(-0.2, abs=1e-9)
    assert float(data["line_chi2"]) < 1e-10


def test_clapeyron_slope_of_a_state_is_that_of_the_line():
    """ΔV and ΔH of the same runs, which the line's fit does not use."""
    data = boundary.merge(states()).sel(potential="own", nuclei="classical")
    here = data.sel(pressure=190, temperature=200)
    assert float(here["delta_g"]) < 0
    assert float(here["clapeyron_slope"]) == pytest.approx(-0.2, rel=1e-3)


def test_one_state_makes_no_line():
    data = boundary.merge(states((190,), (200,)))
    assert data["line_pressure"].isnull().all()
    assert float(data["delta_g"].squeeze()) < 0
    assert "no line" in boundary.table(data)


def test_two_states_that_differ_in_both_make_no_line():
    two = states((190,), (200,)) | states((210,), (300,))
    assert boundary.merge(two)["line_pressure"].isnull().all()


def test_states_at_one_temperature_make_one_point():
    data = boundary.merge(states((190, 210), (200,)))
    assert float(data["line_pressure"].squeeze()) == pytest.approx(200.0)
    assert data["line_slope"].isnull().all()


def test_line_stays_within_the_temperatures_of_its_nuclei():
    both = states() | {
        boundary.State("own", "pimd", s.pressure, s.temperature + 100): w
        for s, w in states(temperatures=(200, 300)).items()
    }
    data = boundary.merge(both).sel(nuclei="classical", potential="own")
    assert data["line_pressure"].where(data.line_temperature > 300).isnull().all()
    assert data["line_pressure"].where(data.line_temperature < 300).notnull().any()


def test_potentials_are_compared_where_both_have_a_state():
    """Each from its own cubic crystal: zeros of energy do not matter."""
    other = {
        boundary.State("other", "classical", s.pressure, s.temperature): [
            window(s.pressure - 10, s.temperature, a, potential_sha256="def") for a in ANGLES
        ]
        for s in states((180, 190))
    }
    data = boundary.merge(states() | other).sel(nuclei="classical")
    spread = data["delta_g_spread"].sel(temperature=200)
    difference = data["delta_g"].sel(temperature=200).diff("potential").squeeze()
    expected = abs(float(difference.sel(pressure=190)))
    assert float(spread.sel(pressure=190)) == pytest.approx(expected)
    assert np.isnan(spread.sel(pressure=210))
    assert "own=abc other=def" in data.attrs["potential_sha256"]


def test_lost_windows_are_flagged_and_told():
    lost = states((190,), (200,))
    windows = next(iter(lost.values()))
    windows[-1] = window(190, 200, 2.4, status="left_basin")
    windows[3] = window(190, 200, 1.2, status="drifts")
    data = boundary.merge(lost)
    flags = data["window_status"].squeeze().values
    assert [boundary.WINDOW_STATUS[i] for i in flags[[2, 3, 6]]] == ["ok", "drifts", "left_basin"]
    text = boundary.table(data)
    assert "2 windows in doubt or lost" in text
    assert "own, classical, 190 GPa, 200 K, 2.4 degree: left_basin: why" in text


def test_a_stress_in_the_cubic_cell_is_told():
    """Atoms that are distorted there already: the exact zero does not hold."""
    kinked = states((190,), (200,))
    first = next(iter(kinked.values()))[0]
    first.values["gradient"] = (-0.5, ERROR)
    data = boundary.merge(kinked)
    assert boundary.CURVE_STATUS[int(data["curve_status"].squeeze())] == "kinked"
    assert "atoms are distorted in the cubic cell" in boundary.table(data)


def test_too_few_windows_left_make_no_difference():
    few = states((190,), (200,))
    state, windows = next(iter(few.items()))
    few[state] = [w if i < 4 else window(190, 200, ANGLES[i], status="volume")
                  for i, w in enumerate(windows)]  # fmt: skip
    data = boundary.merge(few)
    assert np.isnan(float(data["delta_g"].squeeze()))
    assert "too few windows are left" in boundary.table(data)
    assert boundary.WINDOW_STATUS[int(data["window_status"].squeeze()[-1])] == "failed"


@pytest.mark.parametrize("change", [{"potential_sha256": "other"}, {"timestep_fs": 0.25}])
def test_windows_without_a_common_reference_are_refused(tmp_path, change):
    files = []
    for i, angle in enumerate(ANGLES):
        path = tmp_path / f"{i}.nc"
        write(to_dataset(window(190, 200, angle, **(change if i == 2 else {}))), path, "w")
        files.append((("own", "classical", "190", "200"), path))
    with pytest.raises(UserError, match=f"windows differ in {next(iter(change))}"):
        boundary.read_windows(files)
    read = boundary.read_windows(files[:2])
    assert len(next(iter(read.values()))) == 2


def test_every_variable_has_unit_and_meaning(tmp_path):
    data = boundary.merge(states())
    write(data, tmp_path / "boundary.nc", "made up")
    for name, variable in data.variables.items():
        if name not in ("potential", "nuclei"):
            assert variable.attrs["long_name"], name
            assert "units" in variable.attrs or "flag_values" in variable.attrs, name
    for name in boundary.VARIABLES:
        assert f"{name}_stderr" in data


def test_windows_of_isotopes(tmp_path):
    """Older windows have no such attribute; one curve has one crystal."""
    state = ("own", "classical", "180", "100")
    paths = []
    for i, attrs in enumerate(({}, {"isotopes": "natural"}, {"isotopes": "H: D"})):
        write(to_dataset(window(180, 100, 0.4 * i, **attrs)), tmp_path / f"{i}.nc", "made up")
        paths.append((state, tmp_path / f"{i}.nc"))
    assert len(boundary.read_windows(paths[:2])) == 1
    with pytest.raises(UserError, match=r"windows differ in isotopes \(H: D, natural\)"):
        boundary.read_windows(paths)
    merged = boundary.merge(states(isotopes="H: D"))
    assert (merged.attrs["formula"], merged.attrs["isotopes"]) == ("LaD10", "H: D")
    head = boundary.table(merged).splitlines()[0]
    assert "Å³ per LaD10" in head and "ΔH (meV/atom)" in head
