"""Energies, kinetic temperatures, the vibrational density of states and the baths' accuracy.

Degrees of freedom: the dynamics removes the total momentum in proportion to mass, so N atoms have
3N − 3 modes, and atoms of mass m in a cell of mass M have 3 (1 − m/M) degrees of freedom each
(equipartition with the constraint Σ m v = 0). These numbers stand wherever the paper writes 3N;
in a cell of 88 atoms the difference is 1 %, for La alone 12 %.
"""

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, units
from lah10.analysis import statistics
from lah10.analysis.dataset import Coordinates, Table

#: THz; Δ(ω) is averaged over bands of this width before its size is taken: noise adds to a size.
FDT_BAND = 2.0
#: Richardson–Lucy iterations; the integrals below change by less than 0.1 % with further ones.
DECONVOLUTION_STEPS = 100

COORDINATES: Coordinates = {
    "time": ("ps", "time since the start of production", ()),
    "element": (None, "element", ELEMENTS),
    "frequency": ("THz", "frequency", ()),
}

VARIABLES: Table = {
    "energy_per_mode_series": (("time",), "K", "energy above the static crystal per mode over k_B"),
    "kinetic_temperature_series": (("time", "element"), "K", "kinetic temperature by element"),
    "volume_series": (("time",), "angstrom3", "volume per formula unit LaH10"),
    "vdos": (("frequency",), "THz-1", "vibrational density of states, normalised to 1 over the "
             "modes"),
    "vdos_element": (("element", "frequency"), "THz-1", "share of an element in the vibrational "
                     "density of states"),
    "vdos_deconvolved": (("frequency",), "THz-1", "vibrational density of states freed of the "
                         "broadening by the bath's friction"),
    "vdos_modes": ((), "1", "integral of the density of states before normalisation over the "
                   "number of modes; 1 where every mode holds the energy of the bath"),
    "fdt_difference": (("element", "frequency"), "eV ps-1 THz-1", "Re C_vF - m gamma_r C_vv; "
                       "positive where energy is missing"),
}  # fmt: skip


def measure(thermo: xr.Dataset, spectra: xr.Dataset, begin: float) -> tuple[dict, dict]:
    """Numbers and arrays of a point from its time series and spectra.

    Parameters
    ----------
    thermo, spectra : Dataset
        thermo.nc and spectra.nc of the production run.
    begin : float
        ps; samples and spectral blocks that begin earlier are not used.

    Returns
    -------
    summary : values of the point's summary, with standard errors.
    arrays : values of `VARIABLES` and `COORDINATES`.
    """
    summary, arrays = _energies(thermo, begin)
    spectral_summary, spectral_arrays = _spectra(thermo, spectra, begin)
    return summary | spectral_summary, arrays | spectral_arrays


def degrees_of_freedom(numbers: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Degrees of freedom of each element without the total momentum; they sum to 3N − 3."""
    return 3 * numbers * (1 - masses / (numbers * masses).sum())


def _energies(thermo: xr.Dataset, begin: float) -> tuple[dict, dict]:
    numbers, masses = thermo.n_atoms.values, thermo.mass.values
    freedom = degrees_of_freedom(numbers, masses)
    kinetic = thermo.kinetic_energy.transpose("time", "element").values
    energy = thermo.potential_energy.values + kinetic.sum(axis=1) - float(thermo.static_energy)
    temperature = 2 * kinetic / (freedom * units.BOLTZMANN)
    arrays = {
        "time": thermo.time.values,
        "energy_per_mode_series": energy / (freedom.sum() * units.BOLTZMANN),
        "kinetic_temperature_series": temperature,
        "volume_series": thermo.volume.values / numbers[0],
    }
    used = thermo.time.values >= begin
    series = {
        "energy_per_mode": arrays["energy_per_mode_series"],
        "volume_per_formula": arrays["volume_series"],
        "kinetic_temperature_mean": 2 * kinetic.sum(axis=1) / (freedom.sum() * units.BOLTZMANN),
        # six degrees of freedom of a flexible cell
        "cell_temperature": thermo.cell_kinetic_energy.values / (3 * units.BOLTZMANN),
    }
    if "model_deviation" in thermo:
        series["model_deviation"] = thermo.model_deviation.values
    summary = {}
    for name, values in series.items():
        summary[name], summary[f"{name}_stderr"] = statistics.mean_error(values[used])
    by_element = np.array([statistics.mean_error(column) for column in temperature[used].T])
    summary["kinetic_temperature"], summary["kinetic_temperature_stderr"] = by_element.T
    return summary, arrays


def _spectra(thermo: xr.Dataset, spectra: xr.Dataset, begin: float) -> tuple[dict, dict]:
    frequency = spectra.frequency.values
    velocity = spectra.velocity_spectrum.transpose("block", "element", "frequency").values
    force = spectra.force_velocity_spectrum.transpose("block", "element", "frequency").values
    if len(velocity) == 0:
        return {}, {}
    # Block i spans [i, i + 1) times the segment, whose length is the inverse of the spacing.
    blocks = np.arange(len(velocity)) / (frequency[1] - frequency[0]) >= begin - 1e-9
    blocks[-1] = True
    velocity, force = velocity[blocks], force[blocks]

    numbers, masses = thermo.n_atoms.values, thermo.mass.values
    modes = degrees_of_freedom(numbers, masses).sum()
    bath = spectra.bath_energy.values
    friction = float(spectra.attrs["friction_per_ps"])
    cutoff = float(spectra.attrs["cutoff_THz"])
    random_friction = spectra.random_friction.transpose("element", "frequency").values
    step = frequency[1] - frequency[0]
    # Above the noise's cut-off there is no vibration, only round-off over a large Θ.
    used = (frequency < cutoff) & (bath > 0)

    def densities(velocity):
        """Density of states by element (element, frequency), in modes per THz."""
        density = 2 * velocity * (3 * numbers * masses * units.MVV2E)[:, None]
        return np.where(used, density / np.where(used, bath * units.BOLTZMANN, 1), 0.0)

    def quantities(velocity, force):
        by_element = densities(velocity)
        total = by_element.sum()
        vdos = by_element.sum(axis=0) / (total * step)
        sharp = np.zeros_like(vdos)
        sharp[used] = deconvolve(vdos[used], frequency[used], friction)
        power = units.MVV2E * masses[:, None] * random_friction * velocity
        difference = force - power
        band = _bands(np.where(used, difference, 0.0), max(1, round(FDT_BAND / step)))
        scale = power[:, used].sum(axis=1)
        zero_point = 0.5 * units.PLANCK * frequency / units.BOLTZMANN
        return {
            "zero_point_temperature": (vdos * zero_point).sum() * step,
            "zero_point_temperature_deconvolved": (sharp * zero_point).sum() * step,
            "kinetic_temperature_mean_deconvolved": (sharp * bath).sum() * step,
            "fdt_deviation": abs(band).sum(axis=1) / scale,
            "fdt_deviation_signed": difference[:, used].sum(axis=1) / scale,
            "vdos": vdos,
            "vdos_element": by_element / (total * step),
            "vdos_deconvolved": sharp,
            "vdos_modes": total * step / modes,
            "fdt_difference": difference,
        }

    values = quantities(velocity.mean(axis=0), force.mean(axis=0))
    rest = [
        quantities(v, f)
        for v, f in zip(
            statistics.leave_one_out(velocity), statistics.leave_one_out(force), strict=True
        )
    ]
    for name in list(values):
        values[f"{name}_stderr"] = statistics.jackknife(np.array([one[name] for one in rest]))
    arrays = {name: v for name, v in values.items() if name.removesuffix("_stderr") in VARIABLES}
    summary = {name: v for name, v in values.items() if name not in arrays}
    return summary, arrays | {"frequency": frequency}


def _bands(values: np.ndarray, width: int) -> np.ndarray:
    """Sums over bands of `width` bins along the last axis; the last band may be narrower."""
    return np.add.reduceat(values, np.arange(0, values.shape[-1], width), axis=-1)


def broadening(frequency: np.ndarray, friction: float) -> np.ndarray:
    """How a bath of friction γ (1/ps) spreads a mode over frequencies, (frequency, mode).

    The velocity of a mode ω₀ under a force of spectrum 2mγΘ(ω) has the spectrum
    Θ(ω)/m · 2γω² / [(ω² − ω₀²)² + γ²ω²]; over Θ and in THz, the column of ω₀ integrates to 1
    (Rossi, Kapil and Ceriotti, J. Chem. Phys. 148, 102301 (2018)). The friction enters with at
    least the width of a bin, which no finer structure can be told from.
    """
    omega = 2 * np.pi * frequency
    friction = max(friction, omega[1] - omega[0])
    square = (friction * omega)[:, None] ** 2
    response = (
        friction
        * omega[:, None] ** 2
        / ((omega[:, None] ** 2 - omega**2) ** 2 + np.maximum(square, 1e-12))
    )
    return 4 * response


def deconvolve(vdos: np.ndarray, frequency: np.ndarray, friction: float) -> np.ndarray:
    """Density of states without the broadening by the friction, by Richardson–Lucy iterations.

    vdos : (frequency,) normalised density at equidistant frequencies. What the friction has moved
    beyond them is taken into account. The result is normalised and not negative.
    """
    step = frequency[1] - frequency[0]
    kernel = broadening(frequency, friction) * step
    arrived = np.maximum(kernel.sum(axis=0), 1e-12)
    sharp = np.maximum(vdos, 0.0)
    for _ in range(DECONVOLUTION_STEPS):
        model = np.maximum(kernel @ sharp, 1e-12)
        sharp = sharp * (kernel.T @ (np.maximum(vdos, 0.0) / model)) / arrived
    total = sharp.sum() * step
    return sharp / total if total > 0 else sharp
