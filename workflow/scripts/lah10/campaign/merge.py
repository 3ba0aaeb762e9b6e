"""The dataset of a campaign: the summaries of its points on one (bath, pressure, temperature) grid.

Every variable of `lah10.schema.SUMMARY` is in the dataset, whatever happened to the points: a point
that failed, is missing, or whose summary cannot be read holds NaN, and `status` (a CF flag) gives
the reason. Variables that have
changed their names are in the file under both for one release (`lah10.schema.FORMER`).
"""

import datetime
import json
import logging
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import __version__, nuclides, schema
from lah10.analysis import dataset
from lah10.analysis.distortion import false_positive_rate
from lah10.campaign.grid import Grid
from lah10.campaign.harmonic_reference import add_harmonic, judge_phases
from lah10.campaign.history import History
from lah10.campaign.starts import add_distorted
from lah10.config.quantities import canonical
from lah10.errors import UserError
from lah10.io import netcdf

TITLE = (
    "Phase diagram of {} from molecular dynamics with classical and quantum thermal baths"
)


def merge(
    summaries: Iterable[Sequence],
    output: str | os.PathLike,
    attrs: dict | None = None,
    harmonic: Iterable[str | os.PathLike] = (),
    distorted: Iterable[Sequence] = (),
) -> xr.Dataset:
    """Merge the summaries of a campaign's points into one compressed netCDF-4 dataset.

    Points are read one after another and only their few numbers are kept, so the memory does not
    grow with what a point holds.

    Parameters
    ----------
    summaries : iterable of (bath, pressure, temperature, path)
        Pressure in GPa and temperature in K (text or number). A `path` that is None or does not
        exist makes a missing point, and a file that is no summary of the point an unreadable one
        (a warning in the log; `status_message` names the file). The grid is the full product of the
        values that occur.
    output : path
        phase_diagram.nc; appears whole.
    attrs : dict, optional
        Global attributes; dictionaries and lists are written as JSON. What the points carry
        (configuration, versions, potential, seed) is added.
    harmonic : iterable of paths
        harmonic.nc files (`lah10.phonons.reference`), one a pressure; adds the variables of
        `lah10.phonons.expectation.expectation`, empty at pressures without a file.
    distorted : iterable of (bath, pressure, temperature, path)
        As `summaries`, of runs at points among them that started from R-3m (`campaign.starts`).

    Returns
    -------
    xarray.Dataset
        What was written, without the aliases of former names.

    Raises
    ------
    UserError
        No points; a point given twice; points run with different potentials or parameters; an
        unknown bath.
    """
    points = [(bath, canonical(p), canonical(t), path) for bath, p, t, path in summaries]
    if not points:
        raise UserError("phase diagram: no points to merge; the campaign's grid is empty")
    unknown = sorted({point[0] for point in points} - set(schema.BATHS))
    if unknown:
        raise UserError(
            f"phase diagram: unknown bath {unknown[0]!r}; known are {', '.join(schema.BATHS)}"
        )
    baths = [bath for bath in schema.BATHS if bath in {point[0] for point in points}]
    pressures = sorted({point[1] for point in points}, key=float)
    temperatures = sorted({point[2] for point in points}, key=float)

    history = History()
    grid = _filled(Grid(baths, pressures, temperatures), points, history)
    merged = grid.dataset()
    merged.attrs = _global_attributes(history, attrs or {})
    harmonic = [Path(path) for path in harmonic]
    if harmonic:
        merged = add_harmonic(merged, harmonic, history)
    twice = [(bath, canonical(p), canonical(t), path) for bath, p, t, path in distorted]
    if twice:
        second = _filled(Grid(baths, pressures, temperatures), twice, history)
        merged = add_distorted(merged, second.dataset())
    else:
        judge_phases(merged)
    merged.attrs["phase_false_positives"] = false_positives(merged)
    netcdf.write(schema.with_former_names(merged), output, TITLE.format(merged.formula))
    return merged


def _filled(grid: Grid, points: Sequence[tuple], history: History) -> Grid:
    """The grid with what the summaries of the points hold; each is given once."""
    seen = set()
    for bath, pressure, temperature, path in points:
        if (bath, pressure, temperature) in seen:
            raise UserError(
                f"phase diagram: point {bath} {pressure} GPa {temperature} K is given twice"
            )
        seen.add((bath, pressure, temperature))
        if path is None or not Path(path).exists():
            continue
        found = netcdf.read_arrays(path)
        fits = found is not None and grid.fits(found[0])
        try:
            if fits:
                summary, own = found
            else:
                summary = dataset.read(
                    path, "a point's summary", "delete it and run the analysis again", small=True
                )
                own = summary.attrs
            _check_identity(summary, bath, pressure, temperature, path)
        except UserError as error:
            logging.getLogger(__name__).warning("%s", error)
            grid.flag((bath, pressure, temperature), "unreadable", str(error))
            continue
        history.add(own, path)
        put = grid.put_arrays if fits else grid.put
        put((bath, pressure, temperature), summary, own, path)
    return grid


def false_positives(merged: xr.Dataset) -> float:
    """Points of the whole table that would be called distorted by chance if all were cubic."""
    return float((merged.status == schema.STATUS["ok"]).sum()) * false_positive_rate()


def unreadable(merged: xr.Dataset) -> list[str]:
    """What is wrong with the files that were not merged, a line each."""
    flagged = merged.status.values == schema.STATUS["unreadable"]
    return [str(line) for line in merged.status_message.values[flagged]]


def _check_identity(summary: Mapping, bath: str, pressure: str, temperature: str, path) -> None:
    for name, expected in (("bath", bath), ("pressure", pressure), ("temperature", temperature)):
        if name not in summary:
            raise UserError(
                f"{path}: has no coordinate {name}, expected a point's summary; delete it and run "
                "the analysis again"
            )
        found = summary[name].item()
        same = found == expected if name == "bath" else float(found) == float(expected)
        if not same:
            raise UserError(
                f"{path}: belongs to {name} {found}, not {expected}; it was copied or moved, "
                "analyse the point again"
            )


def _global_attributes(history: History, attrs: dict) -> dict:
    first = history.first
    if history.first_path is not None and "potential_sha256" in attrs \
            and attrs["potential_sha256"] != first.get("potential_sha256"):
        raise UserError(
            f"{history.first_path}: was run with the potential {first.get('potential_sha256')}, "
            f"but the campaign's is {attrs['potential_sha256']} now; run the points again, or name "
            "another campaign"
        )
    versions = {name: found[0] if len(found) == 1 else found
                for name, found in history.versions.items()}
    versions |= {"lah10": __version__, "xarray": xr.__version__, "numpy": np.__version__,
                 "python": platform.python_version()}
    result = {
        "source": "molecular dynamics with a deep potential; quantum thermal bath: Dammak et al., "
                  "Phys. Rev. Lett. 103, 190601 (2009)",
        "theta_definition": schema.THETA_DEFINITION,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions,
    }
    isotopes = nuclides.of_attributes(first)
    result |= {"formula": nuclides.formula(isotopes), "isotopes": nuclides.text(isotopes)}
    for key in ("campaign", "config", "potential", "potential_sha256", "seed"):
        if key in first:
            result[key] = first[key]
    if history.committees:  # a line a committee, where points have several
        result["committee_sha256"] = "\n".join(history.committees)
    result |= {key: value for key, value in attrs.items() if value is not None}
    return {key: json.dumps(value, sort_keys=True) if isinstance(value, dict | list | tuple)
            else value for key, value in result.items()}
