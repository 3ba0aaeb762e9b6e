"""Points that ran from two crystals, Fm-3m and R-3m: do they agree?"""

import os
from collections.abc import Iterable

import numpy as np
import xarray as xr

from lah10 import schema
from lah10.analysis import dataset as datasets
from lah10.analysis.distortion import phase
from lah10.campaign.grid import Grid
from lah10.campaign.harmonic_reference import JUDGED, judge_phases, static_deviation
from lah10.io.files import atomic_path
from lah10.io.text import markdown, plus_minus
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


#: Of the table of path integrals from two starts; θ is of centroids.
PIMD_HEADER = ("P (GPa)", "T (K)", "beads", "from Fm-3m", "θ deviation (°)", "from R-3m",
               "θ deviation (°)", "hysteresis")  # fmt: skip


def write_pimd_table(
    runs: Iterable[tuple[tuple[str, str, int], str | os.PathLike, str | os.PathLike,
                         str | os.PathLike]],
    output: str | os.PathLike,
) -> None:
    """Phases of path integrals from both starts in Markdown, a line a point.

    Parameters
    ----------
    runs : iterable of ((pressure, temperature, beads), path, path, path)
        Summaries of the runs from Fm-3m and from R-3m, and the pressure's harmonic.nc.
    """
    rows = []
    for (pressure, temperature, beads), *files, harmonic in runs:
        with xr.open_dataset(harmonic) as phonons:
            wanted = static_deviation(phonons)
        second = _judged(files[1], wanted)
        if second[0] == PHASE["distorted"]:
            wanted = second[1]
        first = _judged(files[0], wanted)
        flag = int(hysteresis(np.array(first[0]), np.array(second[0])))
        rows.append((
            pressure, temperature, str(beads), *_cells(first), *_cells(second),
            _meaning(HYSTERESIS, flag).replace("_", " "),
        ))  # fmt: skip
    with atomic_path(output) as aside:
        aside.write_text(markdown(PIMD_HEADER, rows, aligned=True) + "\n", encoding="utf-8")


def _judged(path: str | os.PathLike, wanted: float) -> tuple[int, float, float]:
    """Phase of a run, its θ deviation and the error; undetermined where the run failed."""
    summary = datasets.read(path, "a run's summary", "delete it and run the analysis again")
    deviation, error = (float(summary[f"theta_deviation{end}"]) for end in ("", "_stderr"))
    if int(summary.status) != STATUS["ok"]:
        return PHASE["undetermined"], deviation, error
    return phase({name: summary[name].values for name in JUDGED}, wanted)[0], deviation, error


def _cells(judged: tuple[int, float, float]) -> tuple[str, str]:
    flag, deviation, error = judged
    return _meaning(PHASE, flag), plus_minus(deviation, error, 2)


def _meaning(flags: dict[str, int], flag: int) -> str:
    return next(text for text, value in flags.items() if value == flag)
