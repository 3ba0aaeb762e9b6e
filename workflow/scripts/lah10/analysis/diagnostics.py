"""Did the quantum bath do what quantum statistics demand, and does the potential know the place?

Verdicts, the first with its reasons. The bath's limits are conventions, wide enough for what a
quantum thermal bath cannot help and narrow enough for what makes its numbers worthless. A run too
short for a verdict gets none.
"""

from collections.abc import Mapping

import numpy as np

from lah10 import ELEMENTS
from lah10.analysis.statistics import student_factor
from lah10.bath.adaptive import MAX_FRICTION_DRIFT, unsettled

#: Spectral segments after equilibration: with fewer no error bar of the spectra means anything.
MIN_BLOCKS = 5
#: What vibrations of some frequencies hold too much and of others too little, of all that an
#: element's hold, even if their sum is right. For plain QTB this is the integrated size of Δ(ω)
#: over the dissipated power.
MAX_ENERGY_MISMATCH = 0.10
#: Kinetic energy of an element that is missing from, or in excess of, what its modes should hold.
MAX_RATIO_ERROR = 0.10
#: Share of the crystal's kinetic energy that friction added and deconvolution took away again, by
#: the bath's correction. Without one, positions are too narrow by about as much, which no
#: deconvolution reaches: beyond 0.10 that is no small matter. With the noise corrected for the
#: potential energy positions are right within 0.4 % up to 20/ps (`bath.spectra`), where the
#: kinetic energy of LaH10 has a share of 0.10 at 100 GPa; what 0.20 bounds is the correction of
#: the kinetic energy and pressure.
MAX_FRICTION_SHARE = {"none": 0.10, "potential": 0.20}
#: Share of an element's motion at which a γ_r at its limit is worth naming as a reason.
MIN_SATURATED = 0.02
#: Temperature of the cell's motion relative to the bath's: the cell is classical. Below
#: LEAST_CELL_TEMPERATURE, K, a few kelvin are no fault, and 0 K is no yardstick.
MAX_CELL_TEMPERATURE = 2.0
LEAST_CELL_TEMPERATURE = 10.0
#: eV/Å, largest force deviation of an atom within the committee above which a frame is beyond what
#: the models learnt: in the held-out frames of the project's own the two shipped models deviate
#: by 0.35 at most.
MAX_MODEL_DEVIATION = 0.5
#: Share of such frames that makes a point an extrapolation.
MAX_EXTRAPOLATED_SHARE = 0.05
#: Standard errors by which a value must lie off its limit.
SIGNIFICANCE = 2.0


def quantum_bath(
    bath: str, summary: Mapping, temperature: float, correction: str = "none"
) -> tuple[int, str]:
    """Verdict on the bath of a point.

    A value within its limit by `SIGNIFICANCE` standard errors is in order, one beyond it by as much
    is not; in between a longer run has to decide. So it has where the adaptation of an adaptive
    bath has not settled, whatever production says. As errors come from few spectral segments, their
    factor is that of Student's t distribution.

    Parameters
    ----------
    bath : str
        "classical" has nothing to judge.
    summary : mapping
        Values of the point's summary (`energetics.measure`), with standard errors; empty where a
        run failed.
    temperature : float
        K, of the bath.
    correction : {"none", "potential"}
        Of the bath's noise (`bath.spectra.noise_energy`).

    Returns
    -------
    flag : int
        1 in order, 0 not in order, 2 undetermined, -1 not applicable: a classical bath or a run
        without results.
    reason : str
        What is not in order; if all may be, what is undetermined; "" if nothing.
    """
    if bath == "classical" or "spectral_blocks" not in summary:
        return -1, ""
    bad, open_ = [], []
    blocks = int(summary["spectral_blocks"])
    if blocks < MIN_BLOCKS:
        segments = "1 segment" if blocks == 1 else f"{blocks} segments"
        open_.append(f"{segments} of the spectra after equilibration, fewer than {MIN_BLOCKS}")
    factor = student_factor(SIGNIFICANCE, max(blocks, 2))

    def judge(value: float, error: float, limit: float, text: str) -> None:
        if blocks < MIN_BLOCKS and not np.isfinite([value, error]).all():
            return  # for want of segments, which is the reason already
        margin = factor * error if np.isfinite(error) else np.inf
        if np.isnan(value) or value - margin > limit:
            bad.append(text)
        elif not value + margin <= limit:
            open_.append(f"{text}, error {error:.2g}")

    off = np.abs(summary["kinetic_energy_ratio"] - 1)
    for name, values, limit, of_what in (
        ("spectral_energy_mismatch", summary["spectral_energy_mismatch"], MAX_ENERGY_MISMATCH, ""),
        ("kinetic_energy_ratio", off, MAX_RATIO_ERROR, " away from 1"),
    ):
        errors = summary[f"{name}_stderr"]
        for element, value, error in zip(ELEMENTS, values, errors, strict=True):
            judge(value, error, limit, f"{element}: {name} {value:.2f}{of_what}, limit {limit:g}")

    mean = summary["kinetic_temperature_mean"]
    share = mean / summary["kinetic_temperature_mean_deconvolved"] - 1
    # Both share their noise.
    limit = MAX_FRICTION_SHARE[correction]
    judge(abs(share), 0.0, limit, f"friction {share:.2f} of the kinetic energy, limit {limit:g}")
    cell = summary["cell_temperature"]
    limit = MAX_CELL_TEMPERATURE * max(temperature, LEAST_CELL_TEMPERATURE)
    text = f"cell temperature {cell:.0f} K, limit {limit:.0f} K"
    judge(cell, summary["cell_temperature_stderr"], limit, text)
    drift = np.asarray(summary.get("friction_drift", np.nan))
    if (drift > MAX_FRICTION_DRIFT).any():
        open_.append(unsettled(drift))
        # It explains what is not in order.
        bad += open_[-1:] if bad else []
    saturated = np.asarray(summary.get("gamma_r_saturated_share", np.full(len(ELEMENTS), np.nan)))
    for element, share in zip(ELEMENTS, saturated, strict=True):
        for found in (bad, open_):
            if share > MIN_SATURATED and any(text.startswith(f"{element}: ") for text in found):
                found.append(
                    f"γ_r is next to nothing where {share:.0%} of {element}'s motion is; a larger "
                    "bath.friction may drain what leaks there"
                )
    if bad:
        return 0, "; ".join(bad)
    return (2, "; ".join(open_)) if open_ else (1, "")


def extrapolated(deviations: np.ndarray) -> float:
    """Share of the frames beyond what the models learnt; (f,) force deviations, eV/Å."""
    return float(np.mean(deviations > MAX_MODEL_DEVIATION))


def extrapolation(summary: Mapping) -> int:
    """1 if a point is an extrapolation of the potential, 0 if not; -1 without a committee, or where
    the run stopped before its frames could be judged."""
    share = summary.get("extrapolated_share", np.nan)
    return -1 if np.isnan(share) else int(share > MAX_EXTRAPOLATED_SHARE)
