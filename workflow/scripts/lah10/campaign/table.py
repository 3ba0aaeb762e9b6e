"""A campaign's dataset as a table to read."""

import json
import os

import numpy as np
import xarray as xr

from lah10 import nuclides, schema
from lah10.analysis import dataset as datasets
from lah10.io.files import atomic_path
from lah10.io.text import markdown, plus_minus

#: Unit of the column of diffusion coefficients, cm²/s, and its head.
DIFFUSION_UNIT = 1e-6
DIFFUSION = "D of H (10⁻⁶ cm²/s, by the bath's approximate dynamics)"

HEADER = (
    "bath",
    "P (GPa)",
    "T (K)",
    "phase",
    "space group",
    "θ deviation (°)",
    "cubic null (°)",
    "distorted above (°)",
    "kinetic temperature (K)",
    "γ-deconvolved (K)",
    "harmonic, at γ (K)",
    "quantum bath",
    "volume (Å³ per LaH10)",
    DIFFUSION,
)


#: What the signs in the table stand for.
LEGEND = (
    "±: standard error; beside the cubic null, the spread of a cubic crystal's deviation with this "
    "noise. A deviation above *distorted above* is a distortion; below it the crystal is cubic "
    "only if that limit is below R-3m's own deviation, else undetermined."
)


def rows(dataset: xr.Dataset) -> list[tuple[str, ...]]:
    """A line of text a point, in the dataset's order, with `HEADER`.

    A point without numbers has its status in place of its phase.
    """
    found = []
    for bath in dataset.bath.values:
        for pressure in dataset.pressure.values:
            for temperature in dataset.temperature.values:
                point = dataset.sel(bath=bath, pressure=pressure, temperature=temperature)
                head = (str(bath), f"{pressure:g}", f"{temperature:g}")
                status = _meaning("status", point.status)
                if status != "ok":
                    found.append((*head, status, *[""] * (len(HEADER) - 4)))
                    continue
                found.append(
                    (
                        *head,
                        _meaning("phase", point.phase),
                        str(point.space_group.item()) if "space_group" in point else "",
                        _number(point, "theta_deviation", 2),
                        _number(point, "theta_null", 2),
                        _number(point, "theta_threshold", 2, with_error=False),
                        _number(point, "kinetic_temperature_mean", 1),
                        _number(point, "kinetic_temperature_mean_deconvolved", 1),
                        _number(point, "harmonic_temperature_raw", 1),
                        _meaning("quantum_bath_ok", point.quantum_bath_ok)
                        .replace("not_applicable", "")
                        .replace("_", " "),
                        _number(point, "volume_per_formula", 3),
                        diffusion(point),
                    )
                )
    return found


def extrapolations(dataset: xr.Dataset) -> str:
    """A sentence on where the potential extrapolates, by the disagreement of its committee."""
    known = int((dataset.extrapolation >= 0).sum()) if "extrapolation" in dataset else 0
    if not known and not _has_committee(dataset):
        return "Beyond the potential's data: unknown, the campaign has no committee."
    if not known:
        return (
            "Beyond the potential's data: unknown, no point has frames that the committee judged."
        )
    points = dataset.stack(point=("bath", "pressure", "temperature"))
    beyond = points.isel(point=np.flatnonzero(points.extrapolation.values == 1))
    others = dataset.extrapolation.size - known
    rest = f" {others} without frames that the committee judged." if others else ""
    if not beyond.point.size:
        return f"Beyond the potential's data: none of {known} points.{rest}"
    named = [
        f"{bath} {pressure:g} GPa {temperature:g} K ({100 * share:.0f} % of its frames)"
        for (bath, pressure, temperature), share in zip(
            beyond.point.values, beyond.extrapolated_share.values, strict=True
        )
    ]
    return f"Beyond the potential's data: {', '.join(named)}.{rest}"


def _runs(dataset: xr.Dataset) -> list[str]:
    """How large the cell and how long the runs were, from the campaign's configuration."""
    try:
        config = json.loads(dataset.attrs["config"])
        shape, times = config["structure"], config["dynamics"]
        cells = " × ".join(str(count) for count in shape["repeat"])
        return [
            f"{cells} {shape['cell']} cells of {os.path.basename(shape['file'])}; "
            f"{times['equilibrate']} of equilibration and {times['produce']} of production a point."
        ]
    except (ValueError, KeyError, TypeError):
        return []  # a dataset of another origin


def _has_committee(dataset: xr.Dataset) -> bool:
    """Whether the campaign's configuration names a committee."""
    try:
        config = json.loads(dataset.attrs.get("config", "{}"))
        return bool(config["potential"]["committee"])
    except (ValueError, KeyError, TypeError):
        return False


def notes(dataset: xr.Dataset, table: str) -> list[str]:
    """What the reader of the table needs besides, a line each."""
    found = [*_runs(dataset), LEGEND, extrapolations(dataset)]
    if "± ?" in table:
        found.append(
            "± ?: the standard error is unknown, for want of independent samples or spectral "
            "segments; a longer dynamics.produce gives one."
        )
    if "phase_false_positives" in dataset.attrs:
        expected = float(dataset.attrs["phase_false_positives"])
        points = int((dataset.status == schema.STATUS["ok"]).sum())
        found.append(
            f"By chance, {expected:.2g} of the {points} points would be called distorted by theta "
            "if all were cubic; a distortion is excluded at two standard errors (2 %)."
        )
    undetermined = (dataset.status == schema.STATUS["ok"]) & (
        dataset.phase == schema.PHASE["undetermined"]
    )
    if undetermined.any() and "phase_reason" in dataset:
        found.append("Undetermined: phase_reason in phase_diagram.nc gives the reason of a point.")
    bad = dataset.status.values == schema.STATUS["unreadable"]
    found += [f"Unreadable: {line}" for line in dataset.status_message.values[bad]]
    return found


def _meaning(name: str, flag: xr.DataArray) -> str:
    return next(text for text, value in schema.FLAGS[name].items() if value == int(flag))


def diffusion(point: xr.Dataset) -> str:
    """D of H in `DIFFUSION_UNIT`; its upper limit and what was seen instead where too few exchanges
    were seen for a value."""
    if "diffusion" not in point:
        return ""
    proton = point.sel(element="H")
    limit = float(proton.get("diffusion_limit", np.nan)) / DIFFUSION_UNIT
    if np.isfinite(limit):
        events = float(proton.get("exchange_events", 0))
        seen = "no hop" if not events > 0 else "1 event" if events == 1 else f"{events:.0f} events"
        return f"< {limit:.2g} ({seen}, 95 %)"
    scaled = proton[["diffusion", "diffusion_stderr"]] / DIFFUSION_UNIT
    return _number(scaled, "diffusion", 2)


def _number(point: xr.Dataset, name: str, places: int, with_error: bool = True) -> str:
    """Value ± standard error ("?" where it is unknown); empty where there is no value."""
    if name not in point:
        return ""
    error = point.get(schema.uncertainty(name)) if with_error else None
    return plus_minus(point[name].item(), None if error is None else error.item(), places)


def write(dataset: str | os.PathLike, output: str | os.PathLike) -> None:
    """The table of phase_diagram.nc in Markdown, its columns in line for a terminal, and below it
    a line on where the potential extrapolates and other notes.

    Raises
    ------
    UserError
        The dataset cannot be read.
    """
    data = datasets.read(dataset, "a phase diagram", "merge the campaign's points again")
    isotopes = nuclides.of_attributes(data.attrs)
    head = [nuclides.renamed(cell, isotopes) for cell in HEADER]
    text = markdown(head, rows(data), aligned=True)
    with atomic_path(output) as aside:
        aside.write_text("\n\n".join([text, *notes(data, text)]) + "\n", encoding="utf-8")
