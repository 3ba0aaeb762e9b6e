"""Did the quantum bath do what quantum statistics demand, and does the potential know the place?

Verdicts, the first with its reasons. The bath's limits are conventions, wide enough for what a
quantum thermal bath cannot help and narrow enough for what makes its numbers worthless; each is
compared after the statistical noise is allowed for, so that a short run of few atoms is not called
bad for being short.
"""

from collections.abc import Mapping

import numpy as np

from lah10 import ELEMENTS

#: Spectral segments after equilibration: with fewer no error bar of the spectra means anything.
MIN_BLOCKS = 3
#: Size of Δ(ω), integrated over frequencies, relative to the dissipated power of an element: where
#: modes of some frequency hold too much and others too little, even if their sum is right.
MAX_FDT_DEVIATION = 0.10
#: Kinetic energy of an element that is missing from, or in excess of, what its modes should hold.
MAX_OCCUPATION_ERROR = 0.10
#: Share of the crystal's kinetic energy that friction added and deconvolution took away again;
#: beyond it that is no small correction, and what it cannot reach (structure, diffusion) suffers.
MAX_FRICTION_SHARE = 0.10
#: Temperature of the cell's motion relative to the atoms' mean kinetic temperature.
MAX_CELL_TEMPERATURE = 3.0
#: eV/Å, force deviation of an atom within the committee above which a frame is beyond what the
#: models learnt.
MAX_MODEL_DEVIATION = 1.0
#: Share of such frames that makes a point an extrapolation.
MAX_EXTRAPOLATED_SHARE = 0.05
#: Standard errors by which a value must lie beyond its limit.
SIGNIFICANCE = 2.0


def quantum_bath(bath: str, summary: Mapping) -> tuple[int, str]:
    """Verdict on the bath of a point.

    Parameters
    ----------
    bath : str
        "classical" has nothing to judge.
    summary : mapping
        Values of the point's summary (`energetics.measure`), with standard errors; empty where a
        run failed.

    Returns
    -------
    flag : int
        1 in order, 0 not in order, -1 not applicable: a classical bath or a run without results.
    reason : str
        What is not in order, "" if nothing.
    """
    if bath == "classical" or "spectral_blocks" not in summary:
        return -1, ""
    reasons = []
    blocks = int(summary["spectral_blocks"])
    if blocks < MIN_BLOCKS:
        reasons.append(f"{blocks} spectral segments after equilibration, fewer than {MIN_BLOCKS}")

    deviation = summary["fdt_deviation"] - np.nan_to_num(summary["fdt_deviation_noise"])
    occupation = np.abs(summary["mode_occupation"] - 1)
    for name, values, limit, of_what in (
        ("fdt_deviation", deviation, MAX_FDT_DEVIATION, "above its noise"),
        ("mode_occupation", occupation, MAX_OCCUPATION_ERROR, "away from 1"),
    ):
        errors = np.nan_to_num(summary[f"{name}_stderr"])
        for element, value, error in zip(ELEMENTS, values, errors, strict=True):
            if not value <= limit + SIGNIFICANCE * error:
                reasons.append(f"{element}: {name} {value:.2f} {of_what}, limit {limit:g}")

    mean = summary["kinetic_temperature_mean"]
    share = mean / summary["kinetic_temperature_mean_deconvolved"] - 1
    if not abs(share) <= MAX_FRICTION_SHARE:
        reasons.append(f"friction {share:.2f} of the kinetic energy, limit {MAX_FRICTION_SHARE:g}")
    cell, error = summary["cell_temperature"], np.nan_to_num(summary["cell_temperature_stderr"])
    limit = MAX_CELL_TEMPERATURE * mean
    if not cell <= limit + SIGNIFICANCE * error:
        reasons.append(f"cell temperature {cell:.0f} K, limit {limit:.0f} K")
    return int(not reasons), "; ".join(reasons)


def extrapolated(deviations: np.ndarray) -> float:
    """Share of the frames beyond what the models learnt; (f,) force deviations, eV/Å."""
    return float(np.mean(deviations > MAX_MODEL_DEVIATION))


def extrapolation(summary: Mapping) -> int:
    """1 if a point is an extrapolation of the potential, 0 if not, -1 if no committee was asked."""
    share = summary.get("extrapolated_share", np.nan)
    return -1 if np.isnan(share) else int(share > MAX_EXTRAPOLATED_SHARE)
