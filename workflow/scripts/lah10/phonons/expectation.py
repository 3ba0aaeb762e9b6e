"""What a bath should give if the atoms moved in a harmonic potential.

The mean of Θ(ω, T)/k_B over the modes is the temperature that a bath without friction shows in a
harmonic crystal: the number that the QTB's kinetic temperature is compared with.

A mode of imaginary frequency has no harmonic energy. Here it counts as ω = 0, the value it passes
on its way to instability: energy k_B T, no zero-point energy, so that the mean goes over all 3N
modes at every pressure.
"""

import functools
from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from lah10 import ELEMENTS
from lah10.bath.spectra import bath_energy, oscillator_energies
from lah10.bath.timestep import kinetic_share
from lah10.phonons.phonons import weighted_mean
from lah10.units import BOLTZMANN, PLANCK

#: Frequencies (THz) at which the effect of friction is computed; between them, splines.
FRICTION_GRID = np.concatenate((np.geomspace(0.05, 5.0, 20), np.arange(6.0, 121.0, 3.0)))


def average(dataset: xr.Dataset, function, element: str | None = None) -> float:
    """Mean of function(frequency in THz) over all modes but translations; imaginary ones as 0.

    With an element, modes count by its share in them.
    """
    weight = dataset.weight * dataset.counted
    if element is not None:
        weight = weight * dataset.element_weight.sel(element=element)
    frequency = np.maximum(dataset.frequency, 0.0)
    return weighted_mean(frequency.copy(data=function(frequency.values)), weight)


def mean_temperature(dataset: xr.Dataset, bath: str, temperature: float,
                     element: str | None = None) -> float:
    """Mean of Θ(ω, T)/k_B over the modes, K: kinetic temperature and energy per mode alike."""
    return average(dataset, lambda f: bath_energy(bath, f, temperature) / BOLTZMANN, element)


def zero_point_temperature(dataset: xr.Dataset) -> float:
    """Mean of ½ħω/k_B over the modes, K."""
    return average(dataset, lambda f: 0.5 * PLANCK * f / BOLTZMANN)


def raw_temperature(dataset: xr.Dataset, bath: str, temperature: float, friction: float,
                    cutoff: float, element: str | None = None, correction: str = "none",
                    timestep: float = 0.0) -> float:
    """Mean of 2E_kin/k_B over the modes in a bath of finite friction, K.

    Each mode is an independent oscillator in the coloured noise (`oscillator_energies`): what a
    run shows before its kinetic energy is deconvolved. In the classical bath T/(1 + ½γΔt)
    (`lah10.bath.timestep`).

    Parameters
    ----------
    friction : float
        γ, 1/ps.
    cutoff : float
        THz, of the noise.
    correction : {"none", "potential"}
        Of the noise, see `noise_energy`; "potential" needs the time step.
    timestep : float
        ps; the classical bath and the correction depend on it.
    """
    if bath == "classical":
        return float(temperature) * kinetic_share(friction, timestep)
    if correction == "none":
        timestep = 0.0
    spline = _kinetic_spline(bath, float(temperature), float(friction), float(cutoff), correction,
                             float(timestep))
    return average(dataset, lambda f: spline(np.clip(f, *FRICTION_GRID[[0, -1]])), element)


@functools.lru_cache(maxsize=4096)
def _kinetic_spline(bath: str, temperature: float, friction: float, cutoff: float,
                    correction: str, timestep: float) -> CubicSpline:
    """2E_kin/k_B of one oscillator against its frequency; the same at all pressures."""
    kinetic = [oscillator_energies(bath, f, temperature, friction, cutoff, points=2**16,
                                   correction=correction, timestep=timestep)[0]
               for f in FRICTION_GRID]
    return CubicSpline(FRICTION_GRID, 2.0 * np.array(kinetic) / BOLTZMANN)


def expectation(dataset: xr.Dataset, baths: Sequence[str], temperatures: Sequence[float],
                friction: float | None = None, cutoff: float | None = None,
                correction: str = "none", timestep: float = 0.0) -> xr.Dataset:
    """Harmonic expectations of one pressure on a campaign's baths and temperatures.

    Parameters
    ----------
    friction, cutoff, correction, timestep
        Of the campaign's baths, see `raw_temperature`.

    Returns
    -------
    xarray.Dataset
        harmonic_temperature (bath, temperature), harmonic_temperature_element (.., element),
        harmonic_temperature_raw (at finite friction; NaN without one) and
        harmonic_zero_point_temperature, K; harmonic_imaginary_share; harmonic_structure, the space
        group; the scalar coordinate `pressure`.
    """
    shape = (len(baths), len(temperatures))
    total, raw = np.full(shape, np.nan), np.full(shape, np.nan)
    by_element = np.full((*shape, len(ELEMENTS)), np.nan)
    for i, bath in enumerate(baths):
        for j, temperature in enumerate(temperatures):
            total[i, j] = mean_temperature(dataset, bath, temperature)
            by_element[i, j] = [mean_temperature(dataset, bath, temperature, element)
                                for element in ELEMENTS]
            if friction and cutoff:
                raw[i, j] = raw_temperature(dataset, bath, temperature, friction, cutoff,
                                            correction=correction, timestep=timestep)
    grid = ("bath", "temperature")
    numbers = {
        "harmonic_temperature": (grid, total, "mean of Theta(omega, T)/k_B, harmonic crystal"),
        "harmonic_temperature_raw": (
            grid, raw, "kinetic temperature at the bath's finite friction, harmonic crystal"
        ),
        "harmonic_temperature_element": (
            (*grid, "element"), by_element,
            "mean of Theta(omega, T)/k_B by element, harmonic crystal",
        ),
        "harmonic_zero_point_temperature": (
            (), zero_point_temperature(dataset),
            "zero-point energy per mode over k_B, harmonic crystal",
        ),
        "harmonic_imaginary_share": (
            (), float(dataset.imaginary_share),
            "share of imaginary modes (taken as zero), harmonic crystal",
        ),
    }
    variables = {
        name: (dims, values, {"units": "1" if name.endswith("share") else "K", "long_name": text})
        for name, (dims, values, text) in numbers.items()
    }
    variables["harmonic_structure"] = (
        (), np.array(dataset.attrs.get("structure", ""), dtype=object),
        {"units": "1", "long_name": "space group of the harmonic crystal"},
    )
    return xr.Dataset(
        variables,
        {"bath": list(baths), "temperature": list(temperatures), "element": list(ELEMENTS),
         "pressure": float(dataset.pressure)},
    )
