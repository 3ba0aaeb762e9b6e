"""The source paper, number by number, beside a campaign: what agrees, what does not, and why.

The paper's numbers, and how each is compared, are data: resources/paper.yaml. Ours come from the
campaign's files by the functions in `lah10.campaign.paper_found.MEASURES`. The verdict follows from
both:

| verdict | when |
|---|---|
| agrees | ours lies within the paper's range, or within `AGREE` standard errors of it |
| disagrees | ours lies `DISAGREE` or more standard errors outside the range |
| cannot tell | all else (below) |

All else: between these; no result of ours; a state other than the paper's; an error that is unknown
or hides any difference; a quantum bath that is not within its limits.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import yaml

from lah10 import nuclides
from lah10.campaign import paper_phases, paper_potential, paper_protons  # noqa: F401  they fill MEASURES
from lah10.campaign.paper_found import MEASURES, Campaign, Found
from lah10.errors import UserError
from lah10.io import netcdf
from lah10.io.files import atomic_path
from lah10.io.text import markdown, plus_minus

AGREES, DISAGREES, CANNOT_TELL = "agrees", "disagrees", "cannot tell"
#: As CF flags.
VERDICTS = {CANNOT_TELL: 0, AGREES: 1, DISAGREES: 2}
#: Standard errors within which a value agrees, and from which on it does not.
AGREE, DISAGREE = 2.0, 3.0
#: Error, in units of what it is compared with (the value or the width of the range), above which
#: nothing would be found to disagree.
TOO_LARGE = 0.5
HEADER = ("place", "quantity", "source paper", "here", "verdict", "why")
_NEEDED = ("id", "place", "quotation", "quantity", "unit")


def load(path: str | os.PathLike) -> list[dict[str, Any]]:
    """The entries of paper.yaml.

    Raises
    ------
    UserError
        The file cannot be read; an entry lacks a key or names no known measure.
    """
    try:
        entries = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(
            f"{path}: cannot be read ({' '.join(str(error).split())}); restore it from git"
        ) from None
    seen = set()
    for number, entry in enumerate(entries or [], start=1):
        where = f"{path}: entry {number}"
        if not isinstance(entry, dict):
            raise UserError(f"{where}: expected a mapping, got {type(entry).__name__}")
        lacking = [key for key in _NEEDED if key not in entry]
        if lacking:
            name = entry.get("id", "without id")
            raise UserError(f"{where} ({name}): lacks the key {lacking[0]}")
        where = f"{where} ({entry['id']})"
        if entry["id"] in seen:
            raise UserError(f"{where}: expected another id than that of an entry before it")
        seen.add(entry["id"])
        if ("measure" in entry) == ("not_compared" in entry):
            raise UserError(f"{where}: expected either measure or not_compared")
        if "measure" in entry and entry["measure"] not in MEASURES:
            raise UserError(
                f"{where}: measure {entry['measure']} is not known; use one of "
                f"{', '.join(sorted(MEASURES))}"
            )
    return entries or []


def bounds(entry: Mapping[str, Any]) -> tuple[float, float]:
    """Lower and upper end of what the paper has, tolerance included; infinite where open."""
    tolerance = float(entry.get("tolerance", 0.0))
    if "value" in entry:
        return float(entry["value"]) - tolerance, float(entry["value"]) + tolerance
    low, high = float(entry.get("at_least", -np.inf)), float(entry.get("at_most", np.inf))
    return low - tolerance, high + tolerance


def judge(entry: Mapping[str, Any], found: Found) -> tuple[str, str]:
    """Verdict on one entry and the reason for it, in one line."""
    low, high = bounds(entry)
    if found.reason:
        return CANNOT_TELL, found.reason
    if not np.isfinite([low, high]).any():
        return CANNOT_TELL, "the paper gives no number"
    verdict, reason = _by_number(low, high, found, bool(entry.get("strict")))
    if verdict != CANNOT_TELL and found.elsewhere:
        return CANNOT_TELL, f"the campaign has no such state; nearest: {found.place}"
    if verdict != CANNOT_TELL and found.caveat:
        return CANNOT_TELL, f"the number alone {verdict}, but {found.caveat}"
    return verdict, reason


def _by_number(low: float, high: float, found: Found, strict: bool) -> tuple[str, str]:
    value, error = found.value, found.error
    if found.bound == "below":  # only an upper limit is known
        if value < low:
            return DISAGREES, f"the upper limit lies below {_sizes(value, low)}"
        return CANNOT_TELL, "there is an upper limit only, which does not exclude the paper's value"
    if found.bound == "above":
        if value >= high:
            return DISAGREES, f"the lower limit of {value:g} is above {high:g}"
        return CANNOT_TELL, "there is a lower limit only, which does not exclude the paper's value"
    if np.isnan(error):
        return CANNOT_TELL, "the error of our value is unknown"
    outside = max(low - value, value - high, 0.0)
    if error == 0:
        inside = outside == 0 and not (strict and value in (low, high))
        if inside:
            return AGREES, "within the range"
        return DISAGREES, _difference(value, low, high)
    sigmas = outside / error
    if sigmas >= DISAGREE:
        return DISAGREES, f"{_difference(value, low, high)}, {sigmas:.1f} standard errors"
    if sigmas > AGREE:
        return CANNOT_TELL, f"{sigmas:.1f} standard errors outside the range; a longer run decides"
    one_sided = not np.isfinite([low, high]).all()
    if one_sided:
        margin = min(abs(value - end) for end in (low, high) if np.isfinite(end)) / error
        if outside > 0 or margin < AGREE:
            return CANNOT_TELL, f"only {margin:.1f} standard errors from the end of the range"
        return AGREES, f"within the range by {margin:.1f} standard errors"
    scale = max(abs(low + high) / 2, high - low)
    if scale > 0 and error > TOO_LARGE * scale:
        return CANNOT_TELL, "our error is too large to find a difference"
    return AGREES, "within the range" if outside == 0 else f"{sigmas:.1f} standard errors off"


def _sizes(value: float, other: float) -> str:
    return f"the paper's value, by a factor of {other / value:.0f}" if value > 0 else "it"


def _difference(value: float, low: float, high: float) -> str:
    middle = (low + high) / 2
    if np.isfinite(middle) and middle != 0:
        ratio = value / middle
        if ratio > 0 and not 0.2 < ratio < 5:
            return f"ours is {ratio:.2g} times the paper's"
        return f"ours differs by {100 * (ratio - 1):+.2g} %"
    end = low if value < low or not np.isfinite(high) else high
    size = f"{abs(value - end):.3g}" if abs(value - end) < 1000 else f"{abs(value - end):.0f}"
    return f"ours lies {size} {'below' if value < end else 'above'} {end:g}"


def compare(entries: Sequence[Mapping[str, Any]], campaign: Campaign) -> xr.Dataset:
    """The comparison as a dataset, an entry a row.

    Returns
    -------
    Dataset
        By `entry`: paper_low, paper_high (infinite where open), ours, ours_stderr (0 where exact,
        NaN where unknown) in the entry's `unit`; `ours_is`: "value", "upper limit", "lower limit"
        or ""; `verdict` (CF flag), `why`, and the texts place, quotation, quantity, compared_at.
    """
    rows, isotopes = [], nuclides.of_attributes(campaign.dataset.attrs)
    for entry in entries:
        if "not_compared" in entry:
            found = Found(reason=entry["not_compared"])
        else:
            found = MEASURES[entry["measure"]](campaign, entry)
        if isotopes:
            crystal = nuclides.formula(isotopes)
            found = replace(found, caveat=f"ours is {crystal}, and the paper's is LaH10")
        verdict, why = judge(entry, found)
        rows.append((entry, found, verdict, why))
    kinds = {None: "value", "below": "upper limit", "above": "lower limit"}
    ends = np.array([bounds(entry) for entry, *_ in rows]).reshape(-1, 2)
    result = xr.Dataset(coords={"entry": [entry["id"] for entry, *_ in rows]})
    result["paper_low"] = ("entry", ends[:, 0], {"long_name": "least that the paper has"})
    result["paper_high"] = ("entry", ends[:, 1], {"long_name": "most that the paper has"})
    for name, long_name in (("value", "ours"), ("error", "standard error: ours")):
        values = [getattr(found, name) for _, found, _, _ in rows]
        target = "ours" if name == "value" else "ours_stderr"
        result[target] = ("entry", np.array(values, float), {"long_name": long_name})
    for name, texts in {
        "unit": [entry["unit"] for entry, *_ in rows],
        "place": [entry["place"] for entry, *_ in rows],
        "quotation": [str(entry["quotation"]) for entry, *_ in rows],
        "quantity": [entry["quantity"] for entry, *_ in rows],
        "paper": [paper_text(entry) for entry, *_ in rows],
        "compared_at": [found.place for _, found, _, _ in rows],
        "ours_is": ["" if np.isnan(found.value) else kinds[found.bound] for _, found, _, _ in rows],
        "why": [why for *_, why in rows],
    }.items():
        result[name] = ("entry", np.array(texts, dtype=object))
    flags = np.array([VERDICTS[verdict] for _, _, verdict, _ in rows], np.int8)
    result["verdict"] = ("entry", flags, {
        "long_name": "whether ours agrees with the source paper",
        "flag_values": np.array(list(VERDICTS.values()), np.int8),
        "flag_meanings": " ".join(text.replace(" ", "_") for text in VERDICTS),
    })
    result.attrs |= {"campaign": campaign.name,
                     "potential": str(campaign.dataset.attrs.get("potential", "")),
                     "potential_sha256": str(campaign.dataset.attrs.get("potential_sha256", ""))}
    return result


def paper_text(entry: Mapping[str, Any]) -> str:
    """What the paper has, to read."""
    unit = "" if entry["unit"] == "1" else f" {entry['unit']}"
    if "value" in entry:
        return f"{entry['value']:g}{unit}"
    ends = [f"{sign} {entry[key]:g}{unit}" for sign, key in (("≥", "at_least"), ("≤", "at_most"))
            if key in entry]  # fmt: skip
    if entry.get("strict"):
        ends = [end.replace("≥", ">").replace("≤", "<") for end in ends]
    return ", ".join(ends)


def our_text(row: xr.Dataset) -> str:
    """Ours, to read."""
    value, error = row.ours.item(), row.ours_stderr.item()
    if np.isnan(value):
        return ""
    unit = "" if row.unit.item() == "1" else f" {row.unit.item()}"
    sign = {"upper limit": "< ", "lower limit": "> "}.get(row.ours_is.item(), "")
    small = 0 < abs(value) < 1e-3
    power = int(np.floor(np.log10(abs(value)))) if small else 0
    scaled = value / 10.0**power
    if sign:
        text = f"{scaled:.2g}" if small else f"{value:g}"
    elif error == 0:
        text = f"{scaled:.5g}"
    else:
        text = plus_minus(scaled, error / 10.0**power)
    if small:
        text = f"({text})·10^{power}" if "±" in text else f"{text}·10^{power}"
    at = row.compared_at.item()
    return f"{sign}{text}{unit}" + (f" ({at})" if at else "")


def table(comparison: xr.Dataset) -> str:
    """The comparison in Markdown, below a line that counts the verdicts."""
    words = {flag: text for text, flag in VERDICTS.items()}
    lines = []
    for i in range(comparison.sizes["entry"]):
        row = comparison.isel(entry=i)
        lines.append((
            row.place.item(), row.quantity.item(), row.paper.item(), our_text(row),
            words[int(row.verdict)], row.why.item(),
        ))  # fmt: skip
    counts = [
        f"{int((comparison.verdict == VERDICTS[text]).sum())} {text}"
        for text in (AGREES, DISAGREES, CANNOT_TELL)
    ]
    head = (
        f"# The source paper beside campaign {comparison.attrs['campaign']}\n\n"
        f"{comparison.sizes['entry']} numbers and ranges: {', '.join(counts)}. Errors are standard "
        f"errors. A value agrees within {AGREE:g} of them and disagrees from {DISAGREE:g} on. "
        "Where a quantum bath is not within its limits, or the state is another one than the "
        "paper's, no number decides."
    )
    escaped = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return f"{head}\n\n{markdown(HEADER, escaped)}\n"


def write(
    phase_diagram: str | os.PathLike,
    numbers: str | os.PathLike,
    text: str | os.PathLike,
    dataset: str | os.PathLike,
) -> xr.Dataset:
    """Compare a campaign with the paper and write the table (Markdown) and the dataset (NetCDF).

    Parameters
    ----------
    phase_diagram : path
        The campaign's; the other files of the campaign lie beside it, those of its potential
        beside the model.
    numbers : path
        paper.yaml.

    Raises
    ------
    UserError
        A file cannot be read.
    """
    result = compare(load(numbers), Campaign.read(phase_diagram))
    netcdf.write(result, dataset, "the source paper beside a campaign")
    with atomic_path(text) as aside:
        Path(aside).write_text(table(result), encoding="utf-8")
    return result
