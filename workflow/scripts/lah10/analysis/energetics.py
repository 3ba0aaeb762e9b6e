"""Energies, kinetic temperatures, the vibrational density of states and the baths' accuracy.

Degrees of freedom: the dynamics removes the total momentum in proportion to mass, so N atoms have
3N − 3 modes, and atoms of mass m in a cell of mass M have 3 (1 − m/M) degrees of freedom each
(equipartition with the constraint Σ m v = 0). These numbers stand wherever the paper writes 3N;
in a cell of 88 atoms the difference is 1 %, for La alone 12 %.
"""

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, schema, units
from lah10.analysis import statistics
from lah10.analysis.dataset import Coordinates
from lah10.analysis.diagnostics import extrapolated
from lah10.bath.adaptive import EXHAUSTED, fdt_deviation
from lah10.bath.deconvolution import BathParameters, Deconvolution, pressure_shift

#: THz; what differs by frequency is averaged over bands of this width before its size is taken.
BAND = 2.0

COORDINATES: Coordinates = {
    "time": ("ps", "time since the start of production", ()),
    "element": (None, "element", ELEMENTS),
    "frequency": ("THz", "frequency", ()),
}



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
    arrays : values of `lah10.schema.ENERGETICS` and `COORDINATES`.
    """
    summary, arrays = _energies(thermo, begin)
    spectral_summary, spectral_arrays = _spectra(thermo, spectra, begin)
    if spectral_summary:
        freedom = degrees_of_freedom(thermo.n_atoms.values, thermo.mass.values)
        volume = float(thermo.volume.values[thermo.time.values >= begin].mean())
        summary |= _without_friction(summary, spectral_summary, freedom, volume)
    return summary | spectral_summary, arrays | spectral_arrays


def degrees_of_freedom(numbers: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Degrees of freedom of each element without the total momentum; they sum to 3N − 3.

    numbers, masses, result : (elements,), number of atoms and g/mol.
    """
    return 3 * numbers * (1 - masses / (numbers * masses).sum())


def _without_friction(summary: dict, spectral: dict, freedom: np.ndarray, volume: float) -> dict:
    """Kinetic temperatures and pressure without the friction's share.

    The spectra say by which factor the friction raises an element's kinetic energy; the energy
    itself is known better from all atoms at all times.

    summary : kinetic temperatures (elements,) and their mean, K, with errors.
    spectral : has friction_factor (elements,) and its error, which are taken out of it.
    freedom : (elements,) degrees of freedom.
    volume : Å³.
    """
    factor, error = (spectral.pop(f"friction_factor{end}") for end in ("", "_stderr"))
    raw, raw_error = summary["kinetic_temperature"], summary["kinetic_temperature_stderr"]
    sharp = raw * factor
    excess_error = raw * error
    total = freedom.sum()
    mean = freedom @ sharp / total
    mean_error = np.hypot(
        summary["kinetic_temperature_mean_stderr"] * mean / summary["kinetic_temperature_mean"],
        np.sqrt(((freedom * excess_error) ** 2).sum()) / total,
    )
    one_degree = pressure_shift(np.ones(len(freedom)), 0.0, freedom, volume)  # GPa/K
    return {
        "kinetic_temperature_deconvolved": sharp,
        "kinetic_temperature_deconvolved_stderr": np.hypot(raw_error * factor, excess_error),
        "kinetic_temperature_mean_deconvolved": mean,
        "kinetic_temperature_mean_deconvolved_stderr": mean_error,
        "pressure_shift": pressure_shift(raw, sharp, freedom, volume),
        "pressure_shift_stderr": one_degree
        * np.sqrt(((freedom * excess_error) ** 2).sum())
        / total,
    }


def _energies(thermo: xr.Dataset, begin: float) -> tuple[dict, dict]:
    """Values of the summary and arrays over time (rows,) or (rows, elements), from `begin`, ps."""
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
        arrays["model_deviation_series"] = series["model_deviation"]
    summary = {}
    for name, values in series.items():
        known = used & np.isfinite(values)  # the committee is asked at frames only
        summary[name], summary[f"{name}_stderr"] = statistics.mean_error(values[known])
        if name == "model_deviation" and known.any():
            summary["model_deviation_largest"] = values[known].max()
            summary["extrapolated_share"] = extrapolated(values[known])
    by_element = np.array([statistics.mean_error(column) for column in temperature[used].T])
    summary["kinetic_temperature"], summary["kinetic_temperature_stderr"] = by_element.T
    return summary, arrays


def _spectra(thermo: xr.Dataset, spectra: xr.Dataset, begin: float) -> tuple[dict, dict]:
    """Values of the summary, (elements,) or single, and arrays over frequency (F,) or
    (elements, F), of the blocks from `begin`, ps; empty without a block."""
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
    freedom = degrees_of_freedom(numbers, masses)
    bath = BathParameters.of(spectra)
    deconvolution = Deconvolution(frequency, bath)
    step, used = deconvolution.step, deconvolution.used
    width = max(1, round(BAND / step))
    # Above the noise's cut-off there is no vibration, only round-off over a large Θ.
    driven = np.where(used, bath.noise(frequency), 1.0)
    random_friction = spectra.random_friction.transpose("element", "frequency").values
    zero_point = 0.5 * units.PLANCK * frequency / units.BOLTZMANN

    def quantities(velocity, force):
        # Of mean spectra (elements, F): m S_vv as it is, and as it were if every frequency held the
        # energy of the bath.
        held = velocity * masses[:, None] * units.MVV2E
        wanted = force / random_friction
        by_element = np.where(used, 6 * numbers[:, None] * held / driven, 0.0)
        total = by_element.sum()
        vdos = by_element.sum(axis=0) / (total * step)
        raw, sharp = deconvolution.energies(held)
        expected_raw, expected = deconvolution.energies(wanted)
        modes = np.zeros_like(velocity)
        modes[:, deconvolution.used] = numbers[:, None] * deconvolution.modes_of(wanted)
        modes /= modes.sum() * step
        difference = fdt_deviation(velocity, force, random_friction, masses)
        scale = (force - difference)[:, used].sum(axis=1)
        band = _bands(np.where(used, difference, 0.0), width)
        return {
            "zero_point_temperature": (vdos * zero_point).sum() * step,
            "zero_point_temperature_deconvolved": (modes * zero_point).sum() * step,
            "friction_factor": sharp / raw,
            "kinetic_temperature_expected": expected * 3 * numbers / freedom / units.BOLTZMANN,
            "kinetic_energy_ratio": raw / expected_raw,
            "fdt_deviation": abs(band).sum(axis=1) / scale,
            "fdt_deviation_signed": difference[:, used].sum(axis=1) / scale,
            "vdos": vdos,
            "vdos_element": by_element / (total * step),
            "vdos_deconvolved": modes.sum(axis=0),
            "vdos_deconvolved_element": modes,
            "vdos_modes": total * step / freedom.sum(),
            "response_modes": 6 * numbers * (wanted / driven)[:, used].sum(axis=1) * step / freedom,
            "fdt_difference": difference,
        }

    values = quantities(velocity.mean(axis=0), force.mean(axis=0))
    rest = [
        quantities(v, f)
        for v, f in zip(
            statistics.leave_one_out(velocity), statistics.leave_one_out(force), strict=True
        )
    ]
    errors = {name: statistics.jackknife(np.array([one[name] for one in rest])) for name in values}
    held = np.where(used, velocity * masses[:, None] * units.MVV2E, 0.0)
    should_hold = np.where(used, force / random_friction, 0.0)
    name = "spectral_energy_mismatch"
    values[name], errors[name] = spectral_energy_mismatch(
        _bands(held, width), _bands(should_hold, width)
    )
    values |= {f"{name}_stderr": error for name, error in errors.items()}
    values["spectral_blocks"] = len(velocity)
    if bath.name == "adqtb":
        idle = random_friction < EXHAUSTED * bath.friction
        values["gamma_r_saturated_share"] = np.where(idle, held.mean(axis=0), 0.0).sum(axis=1)
        values["gamma_r_saturated_share"] /= held.mean(axis=0).sum(axis=1)
    if "friction_drift" in spectra:
        values["friction_drift"] = spectra["friction_drift"].values
    arrays = {name: v for name, v in values.items() if schema.measured(name) in schema.ENERGETICS}
    summary = {name: v for name, v in values.items() if name not in arrays}
    return summary, arrays | {"frequency": frequency}


def spectral_energy_mismatch(held: np.ndarray, should_hold: np.ndarray) -> tuple:
    """Size of what bands hold too much or too little, of all that they hold, and its error.

    Σ_b |h_b − s_b|/Σ_b h_b with the noise kept out: a band's sign is that of all blocks but one,
    and multiplies the difference in that one, which knows nothing of it. Noise alone then makes 0
    in the mean, of either sign, where a sum of absolute values or squares only ever grows by it;
    a difference beyond its noise counts in full. Unlike Δ(ω), which has the factor γ_r, this sees
    an excess also where an adaptive bath has turned its random force off.

    Parameters
    ----------
    held, should_hold : ndarray, shape (blocks, elements, bands)
        Kinetic energy by spectral block: m C_vv and Re C_vF/γ_r, in any unit.

    Returns
    -------
    value, error : ndarray, shape (elements,)
        NaN with fewer than two blocks.
    """
    blocks, difference = len(held), held - should_hold
    if blocks < 2:
        return np.full(held.shape[1], np.nan), np.full(held.shape[1], np.nan)
    sign = np.sign(difference.sum(axis=0) - difference)
    each = (sign * difference).sum(axis=2) / held.mean(axis=0).sum(axis=1)
    # A pair of blocks meets twice, each giving the other its sign, so that where noise decides on
    # signs the variance is twice that of independent blocks.
    return each.mean(axis=0), each.std(axis=0, ddof=1) * np.sqrt(2 / blocks)


def _bands(values: np.ndarray, width: int) -> np.ndarray:
    """Sums over bands of `width` bins along the last axis; the last band may be narrower."""
    return np.add.reduceat(values, np.arange(0, values.shape[-1], width), axis=-1)
