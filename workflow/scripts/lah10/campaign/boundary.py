"""The phase boundary of a campaign: windows of all states to free energies, and the line ΔG = 0.

One curve belongs to one potential, one kind of nuclei and one state (P, T); its ΔG is
`lah10.analysis.free_energy.integrate`'s. Potentials have zeros of energy of their own, so only
differences within one curve are taken, each from its own cubic crystal.

The line ΔG = 0 is `lah10.analysis.phase_line`'s. A check that uses other data of the same runs is
the Clausius–Clapeyron slope of the lines of constant ΔG, dP/dT = ΔS/ΔV = (ΔH − ΔG)/(T ΔV).
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from lah10 import nuclides
from lah10.analysis.free_energy import KINK, Window, even_difference, from_dataset, integrate
from lah10.analysis.phase_line import fit, line
from lah10.errors import UserError
from lah10.io.files import atomic_path
from lah10.io.text import markdown, plus_minus
from lah10.units import EV_PER_A3_IN_GPA

NUCLEI = ("classical", "pimd")
#: What became of a curve.
CURVE_STATUS = ("missing", "ok", "cubic", "beyond", "too_few_windows", "kinked")
#: What became of a window; what else stopped a run is "failed", and its reason is printed.
WINDOW_STATUS = ("missing", "ok", "drifts", "left_basin", "too_short", "failed")
#: Points of the line.
LINE_POINTS = 25
#: Standard errors that ΔV needs for a slope by Clausius and Clapeyron, in whose denominator it is.
LEAST_VOLUME = 2.0
#: Atoms in a formula unit.
FORMULA = 11
#: What windows of one curve must have in common.
SHARED = ("potential_sha256", "timestep_fs", "versions", "beads", "friction_per_ps", "isotopes")
#: Of windows that are older than an attribute.
FORMERLY = {"isotopes": nuclides.NATURAL}

_STATE = ("potential", "nuclei", "pressure", "temperature")
VARIABLES = {
    "gradient": ((*_STATE, "angle"), "meV/degree", "dG/d(angle) per atom"),
    "volume_per_formula": ((*_STATE, "angle"), "angstrom3", "volume per formula unit"),
    "enthalpy": ((*_STATE, "angle"), "meV", "enthalpy per atom less that of the window at the "
                 "smallest angle"),
    "free_energy": ((*_STATE, "angle"), "meV", "free energy per atom less that of the cubic "
                    "crystal"),
    "delta_g": (_STATE, "meV", "free energy per atom of the distorted phase less that of the cubic "
                "one"),
    "minimum_angle": (_STATE, "degree", "conventional cell angle of the distorted phase less 90"),
    "delta_v": (_STATE, "angstrom3", "volume per formula unit of the distorted phase less that of "
                "the cubic one"),
    "delta_h": (_STATE, "meV", "enthalpy per atom of the distorted phase less that of the cubic "
                "one"),
    "clapeyron_slope": (_STATE, "GPa/K", "dP/dT at constant delta_g, (delta_h - delta_g)/(T "
                        "delta_v)"),
    "line_pressure": (("potential", "nuclei", "line_temperature"), "GPa", "pressure at which both "
                      "phases have one free energy"),
    "line_slope": (("potential", "nuclei"), "GPa/K", "dP/dT of the line at its middle"),
}  # fmt: skip
#: Without an error of their own.
PLAIN = {
    "delta_g_integration_error": (_STATE, "meV", "error of the integration over the angle: "
                                  "largest change of delta_g by leaving a window out, beyond "
                                  "noise"),
    "delta_g_spread": (("nuclei", "pressure", "temperature"), "meV", "largest less smallest "
                       "delta_g among the potentials that have this state: a systematic error"),
    "line_chi2": (("potential", "nuclei"), "1", "chi squared of the fit per degree of freedom"),
    "beads": (("nuclei", "pressure", "temperature"), "1", "beads of every atom"),
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """What one curve belongs to; P and T in GPa and K."""

    potential: str
    nuclei: str
    pressure: float
    temperature: float

    def __str__(self) -> str:
        return f"{self.potential}, {self.nuclei}, {self.pressure:g} GPa, {self.temperature:g} K"


def read_windows(files: Iterable[tuple[Sequence, str | os.PathLike]]) -> dict[State, list[Window]]:
    """Windows by state, from (potential, nuclei, pressure, temperature) and a file each.

    Raises
    ------
    UserError
        Windows of one curve differ in potential, time step, beads, friction or isotopes: they share
        no reference, and their integral would mean nothing.
    """
    states: dict[State, list[Window]] = defaultdict(list)
    for (potential, nuclei, pressure, temperature), path in files:
        with xr.open_dataset(path) as data:
            window = from_dataset(data.load())
        states[State(potential, nuclei, float(pressure), float(temperature))].append(window)
    for state, windows in states.items():
        for name in SHARED:
            values = {str(window.attrs.get(name, FORMERLY.get(name))) for window in windows}
            if len(values) > 1:
                raise UserError(
                    f"boundary at {state}: windows differ in {name} ({', '.join(sorted(values))}) "
                    "and share no reference; expected one value: run the older ones again with "
                    "--forcerun boundary_measure"
                )
    return dict(states)


def merge(states: Mapping[State, Sequence[Window]]) -> xr.Dataset:
    """The campaign's `boundary.nc`.

    Returns
    -------
    Dataset
        `VARIABLES`, each with `_stderr`, and `PLAIN`; `window_status` and `curve_status` are CF
        flags; what was not run or failed is NaN.
    """
    coords = {
        "potential": list(dict.fromkeys(state.potential for state in states)),
        "nuclei": [n for n in NUCLEI if any(state.nuclei == n for state in states)],
        "pressure": sorted({state.pressure for state in states}),
        "temperature": sorted({state.temperature for state in states}),
        "angle": sorted({_angle(w) for windows in states.values() for w in windows}),
    }
    low, high = coords["temperature"][0], coords["temperature"][-1]
    coords["line_temperature"] = np.linspace(low, high, LINE_POINTS if high > low else 1)
    data = xr.Dataset(coords=coords)
    for name, (dims, _, _) in (VARIABLES | PLAIN).items():
        shape = [data.sizes[dim] for dim in dims]
        data[name] = (dims, np.full(shape, np.nan))
        if name in VARIABLES:
            data[f"{name}_stderr"] = (dims, np.full(shape, np.nan))
    data["window_status"] = ((*_STATE, "angle"), np.zeros(data["gradient"].shape, np.int8))
    data["curve_status"] = (_STATE, np.zeros(data["delta_g"].shape, np.int8))
    for state, windows in states.items():
        _add_curve(data, state, sorted(windows, key=_angle))
    for nuclei in coords["nuclei"]:
        for potential in coords["potential"]:
            _add_line(data, potential, nuclei)
    several = (data["delta_g"].notnull().sum("potential") > 1)
    spread = data["delta_g"].max("potential") - data["delta_g"].min("potential")
    data["delta_g_spread"] = spread.where(several).transpose(*data["delta_g_spread"].dims)
    return _described(data, states)


def _angle(window: Window) -> float:
    return float(window.attrs["angle_degree"])


def _add_curve(data: xr.Dataset, state: State, windows: Sequence[Window]) -> None:
    at = dict(zip(_STATE, (state.potential, state.nuclei, state.pressure, state.temperature),
                  strict=True))  # fmt: skip
    angle = np.array([_angle(window) for window in windows])
    measured = {
        name: np.array([window.values[name] for window in windows]).T
        for name in ("gradient", "volume", "enthalpy")
    }
    finite = np.flatnonzero(np.isfinite(measured["enthalpy"][0]))
    if len(finite):
        measured["enthalpy"][0] -= measured["enthalpy"][0][finite[0]]
    for window, number in zip(windows, range(len(windows)), strict=True):
        here = at | {"angle": angle[number]}
        for name, of in (("gradient", "gradient"), ("volume_per_formula", "volume"),
                         ("enthalpy", "enthalpy")):  # fmt: skip
            data[name].loc[here], data[f"{name}_stderr"].loc[here] = measured[of][:, number]
        known = window.status if window.status in WINDOW_STATUS else "failed"
        data["window_status"].loc[here] = WINDOW_STATUS.index(known)
    at_zero = (angle == 0) & np.isfinite(measured["gradient"][0])
    stress, its_error = measured["gradient"][:, at_zero]
    kinked = bool((abs(stress) > KINK * its_error).any())
    curve = integrate(angle, *measured["gradient"], cubic=not kinked)
    data["curve_status"].loc[at] = CURVE_STATUS.index(curve.status)
    for node, value, error in zip(curve.angle, curve.free_energy, curve.free_energy_error,
                                  strict=True):  # fmt: skip
        if node in angle:
            here = at | {"angle": node}
            data["free_energy"].loc[here], data["free_energy_stderr"].loc[here] = value, error
    if state.nuclei == "pimd":
        beads = {k: v for k, v in at.items() if k != "potential"}
        data["beads"].loc[beads] = windows[0].attrs.get("beads", np.nan)
    _set(data, "delta_g", at, curve.difference, curve.error)
    _set(data, "minimum_angle", at, curve.minimum, curve.minimum_error)
    data["delta_g_integration_error"].loc[at] = curve.integration_error
    volume = even_difference(angle, *measured["volume"], curve.minimum)
    # H − G = TS is smoother than H, whose fourth order is as large as that of G.
    energies = dict(zip(curve.angle, curve.free_energy, strict=True))
    heat = measured["enthalpy"][0] - np.array([energies.get(x, np.nan) for x in angle])
    heat, heat_error = even_difference(angle, heat, measured["enthalpy"][1], curve.minimum)
    _set(data, "delta_v", at, *volume)
    _set(data, "delta_h", at, curve.difference + heat, np.hypot(heat_error, curve.error))
    entropy, entropy_error = heat / state.temperature, heat_error / state.temperature
    if np.isfinite(entropy) and entropy and abs(volume[0]) > LEAST_VOLUME * volume[1]:
        slope = 1e-3 * FORMULA * entropy / volume[0] * EV_PER_A3_IN_GPA
        relative = np.hypot(entropy_error / entropy, volume[1] / volume[0])
        _set(data, "clapeyron_slope", at, slope, abs(slope) * relative)


def _set(data: xr.Dataset, name: str, at: Mapping, value: float, error: float) -> None:
    data[name].loc[at], data[f"{name}_stderr"].loc[at] = value, error


# ------------------------------------------------------------------------------------- line


def _add_line(data: xr.Dataset, potential: str, nuclei: str) -> None:
    here = data.sel(potential=potential, nuclei=nuclei)
    stacked = here[["gradient", "gradient_stderr", "curve_status"]].stack(
        window=("pressure", "temperature", "angle")
    )
    known = (stacked["gradient"].notnull() & (stacked["angle"] > 0)).values
    known &= (stacked["gradient_stderr"] > 0).values
    # Where atoms are distorted in the cubic cell G has a kink, which no expansion in δ has.
    known &= (stacked["curve_status"] != CURVE_STATUS.index("kinked")).values
    if not known.any():
        return
    columns = [stacked[name].values[known] for name in ("angle", "pressure", "temperature",
                                                        "gradient", "gradient_stderr")]  # fmt: skip
    model = fit(*columns)
    if model is None:
        return
    at = {"potential": potential, "nuclei": nuclei}
    temperatures = data["line_temperature"].values
    values, errors, slope, slope_error = line(model, temperatures)
    measured = np.unique(columns[2])
    # Not beyond the temperatures of these nuclei: others may reach further.
    outside = (temperatures < measured[0]) | (temperatures > measured[-1])
    values[outside] = errors[outside] = np.nan
    data["line_pressure"].loc[at], data["line_pressure_stderr"].loc[at] = values, errors
    data["line_chi2"].loc[at] = model.chi2
    _set(data, "line_slope", at, slope, slope_error)


def _described(data: xr.Dataset, states: Mapping[State, Sequence[Window]]) -> xr.Dataset:
    for name, (_, units, meaning) in (VARIABLES | PLAIN).items():
        data[name].attrs = {"units": units, "long_name": meaning}
        if name in VARIABLES:
            data[f"{name}_stderr"].attrs = {
                "units": units, "long_name": f"standard error: {meaning}",
            }  # fmt: skip
    for name, flags, meaning in (
        ("window_status", WINDOW_STATUS, "what became of a window"),
        ("curve_status", CURVE_STATUS, "what became of a curve; cubic: G has no minimum at an "
         "angle above 0; beyond: it still falls at the last window; kinked: the window at 0 has a "
         "shear stress, so that atoms are distorted in the cubic cell, and delta_g counts from "
         "that crystal"),
    ):  # fmt: skip
        data[name].attrs = {
            "long_name": meaning,
            "flag_values": np.arange(len(flags), dtype=np.int8),
            "flag_meanings": " ".join(flags),
        }
    for name, units, meaning in (
        ("pressure", "GPa", "pressure"),
        ("temperature", "K", "temperature"),
        ("line_temperature", "K", "temperature of the line"),
        ("angle", "degree", "conventional cell angles less 90"),
    ):
        data[name].attrs = {"units": units, "long_name": meaning}
    first = next(iter(states.values()))[0].attrs
    data.attrs = {name: first[name] for name in ("campaign", "config", "versions") if name in first}
    isotopes = nuclides.of_attributes(first)
    data.attrs |= {"formula": nuclides.formula(isotopes), "isotopes": nuclides.text(isotopes)}
    models = {
        state.potential: str(windows[0].attrs.get("potential_sha256", ""))
        for state, windows in states.items()
    }
    data.attrs["potential_sha256"] = " ".join(f"{k}={v}" for k, v in models.items())
    data.attrs["problems"] = "\n".join(problems(states))
    return data


def problems(states: Mapping[State, Sequence[Window]]) -> list[str]:
    """One line for every window whose values do not count, or count with a doubt."""
    return [
        f"{state}, {_angle(window):g} degree: {window.status}: {window.message}"
        for state, windows in states.items()
        for window in sorted(windows, key=_angle)
        if window.status != "ok"
    ]


# ------------------------------------------------------------------------------------ table

HEADER = (
    "potential", "nuclei", "P (GPa)", "T (K)", "ΔG (meV/atom)", "integration (meV/atom)",
    "minimum, angle − 90 (°)", "ΔV (Å³ per LaH10)", "ΔH (meV/atom)", "dP/dT at ΔG (GPa/K)", "note",
)  # fmt: skip
_NOTES = {
    "ok": "",
    "missing": "not run",
    "cubic": "no minimum but the cubic one",
    "beyond": "G still falls at the largest angle; wider angles are needed",
    "too_few_windows": "too few windows are left",
    "kinked": "atoms are distorted in the cubic cell; ΔG counts from there",
}


def table(data: xr.Dataset) -> str:
    """ΔG of every state and the lines ΔG = 0, as Markdown."""
    rows = []
    for potential in data["potential"].values:
        for nuclei in data["nuclei"].values:
            for pressure in data["pressure"].values:
                for temperature in data["temperature"].values:
                    here = data.sel(potential=potential, nuclei=nuclei, pressure=pressure,
                                    temperature=temperature)  # fmt: skip
                    status = CURVE_STATUS[int(here["curve_status"])]
                    if status == "missing":
                        continue
                    notes = [_NOTES[status]] if _NOTES[status] else []
                    flags = here["window_status"].values
                    bad = int((flags > WINDOW_STATUS.index("ok")).sum())
                    if bad:
                        of = "window" if bad == 1 else "windows"
                        notes.append(f"{bad} {of} in doubt or lost")
                    if nuclei == "pimd":
                        notes.insert(0, f"{int(here['beads'])} beads")
                    integration = float(here["delta_g_integration_error"])
                    rows.append(
                        (
                            str(potential), str(nuclei), f"{pressure:g}", f"{temperature:g}",
                            _value(here, "delta_g", 2),
                            f"{integration:.2f}" if np.isfinite(integration) else "",
                            _value(here, "minimum_angle", 2), _value(here, "delta_v", 3),
                            _value(here, "delta_h", 2), _value(here, "clapeyron_slope", 3),
                            "; ".join(notes),
                        )
                    )
    isotopes = nuclides.of_attributes(data.attrs)
    head = [nuclides.renamed(cell, isotopes) for cell in HEADER]
    lines = [markdown(head, rows), "", *_lines(data)]
    if data.attrs.get("problems"):
        lines += ["", "Windows in doubt or lost:", ""]
        lines += [f"- {problem}" for problem in data.attrs["problems"].splitlines()]
    return "\n".join(lines) + "\n"


def _lines(data: xr.Dataset) -> list[str]:
    found = []
    for potential in data["potential"].values:
        for nuclei in data["nuclei"].values:
            here = data.sel(potential=potential, nuclei=nuclei)
            known = here["line_pressure"].notnull().values
            if not known.any():
                continue
            ends = [here.isel(line_temperature=i) for i in np.flatnonzero(known)[[0, -1]]]
            where = " and ".join(
                f"{_value(end, 'line_pressure', 1)} GPa at {float(end.line_temperature):g} K"
                for end in (ends if known.sum() > 1 else ends[:1])
            )
            sentence = f"ΔG = 0 ({potential}, {nuclei}): {where}"
            if np.isfinite(here["line_slope"]):
                sentence += f"; dP/dT {_value(here, 'line_slope', 3)} GPa/K"
            chi2 = float(here["line_chi2"])
            found.append(f"{sentence}; χ² per degree of freedom {chi2:.1f}.")
    return found or ["ΔG = 0: no line; it needs states on both sides of it, at two pressures."]


def _value(data: xr.Dataset, name: str, digits: int) -> str:
    return plus_minus(float(data[name]), float(data[f"{name}_stderr"]), digits)


def write_table(data: xr.Dataset, path: str | os.PathLike) -> None:
    """Write `table` to a file, which appears whole."""
    with atomic_path(path) as aside:
        aside.write_text(table(data), encoding="utf-8")


