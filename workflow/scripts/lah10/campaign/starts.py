"""Points that ran from two crystals, Fm-3m and R-3m: do they agree?"""

import numpy as np
import xarray as xr

from lah10 import schema
from lah10.analysis import dataset as datasets
from lah10.campaign.grid import Grid
from lah10.campaign.harmonic_reference import judge_phases
from lah10.schema import HYSTERESIS, PHASE, STATUS

#: What of the distorted start's runs stands beside the cubic one's, as distorted_start_<name>.
BESIDE = ("theta_deviation", "volume_per_formula")


def add_distorted(merged: xr.Dataset, distorted: xr.Dataset) -> xr.Dataset:
    """The dataset with what the runs from R-3m came to, and `hysteresis`.

    Where a run from R-3m stays distorted, its own θ is the one that the run from Fm-3m must exclude
    to be cubic; elsewhere that of R-3m at rest.

    Parameters
    ----------
    merged, distorted : Dataset
        Of the cubic and of the distorted start, on one grid; phases as their summaries have them.
        `merged` may have `static_theta_deviation`.
    """
    static = merged.get("static_theta_deviation")
    if static is not None:
        distorted = distorted.assign(static_theta_deviation=static)
        judge_phases(distorted)
    stays = (distorted.status == STATUS["ok"]) & (distorted.phase == PHASE["distorted"])
    judge_phases(merged, distorted.theta_deviation.where(stays))
    added = {
        "distorted_start_phase": distorted.phase.values,
        "distorted_start_status": distorted.status.values,
        "hysteresis": hysteresis(merged.phase.values, distorted.phase.values),
    }
    merged = merged.assign(
        {name: datasets.flag(name, values, Grid.dims) for name, values in added.items()}
    )
    for name in BESIDE:
        for variable in (name, schema.uncertainty(name)):
            attrs = dict(distorted[variable].attrs)
            attrs["long_name"] = f"{attrs['long_name']}; of the run that started from R-3m"
            values = distorted[variable].values
            merged[f"distorted_start_{variable}"] = (Grid.dims, values, attrs)
    return merged


def hysteresis(cubic: np.ndarray, distorted: np.ndarray) -> np.ndarray:
    """`schema.HYSTERESIS` from the phases of the two starts, arrays of one shape."""
    known = (cubic != PHASE["undetermined"]) & (distorted != PHASE["undetermined"])
    return np.where(
        known, np.where(cubic == distorted, HYSTERESIS["none"], HYSTERESIS["hysteresis"]),
        HYSTERESIS["not_known"],
    )  # fmt: skip
