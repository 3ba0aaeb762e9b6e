"""Path integrals beside the baths at the same points, in one dataset.

One column holds the same quantity for all: θ and g(r) of particles (a bath's atoms, a ring's
beads), kinetic temperatures without the centre of mass. The reference of a point is its
path-integral run with most beads. `lah10.pimd.judgement` judges the differences,
`lah10.pimd.report` makes the table to read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, nuclides
from lah10.analysis import correlations
from lah10.analysis import dataset as datasets
from lah10.errors import UserError
from lah10.phonons import expectation
from lah10.pimd.beads import harmonic_error
from lah10.schema import BATH_OK, COMPARISON, PROVENANCE, STATUS, uncertainty

ROWS = ("row",)

#: Differences, expectations and counts, which know no error.
WITHOUT_ERROR = ("bead_error", "spectral_blocks", "g_difference", "g_difference_noise")

#: Where a method's summary has these under another name: path integrals tell beads from centroids.
OF_PARTICLES = ("theta_small", "theta_large", "theta_deviation", "theta_null")


@dataclass(frozen=True)
class Result:
    """One method at one point.

    Attributes
    ----------
    method : str
        A bath, or "pimd".
    beads : int
        0 for baths.
    pressure, temperature : str
        GPa and K, canonical.
    summary, correlations : path
        The files of the run.
    """

    method: str
    beads: int
    pressure: str
    temperature: str
    summary: str | Path
    correlations: str | Path

    @property
    def label(self) -> str:
        return f"pimd, {self.beads} beads" if self.method == "pimd" else self.method


def compare(
    results: Iterable[Result],
    phonons: Mapping[str, str | Path],
    thermo: Mapping[tuple[str, str, int], str | Path],
) -> xr.Dataset:
    """One row for each result, and one for the harmonic crystal at each point.

    Parameters
    ----------
    results : iterable of Result
    phonons : mapping of pressure to path
        The harmonic crystals (`lah10.phonons.reference`).
    thermo : mapping of (pressure, temperature, beads) to path
        thermo.nc of the path-integral runs, which names their springs.

    Raises
    ------
    UserError
        The crystals are not of the same isotopes.
    """
    results = sorted(
        results, key=lambda x: (float(x.pressure), float(x.temperature), x.beads, x.method)
    )
    crystals = {pressure: xr.load_dataset(path) for pressure, path in phonons.items()}
    rows, heads = [], []
    for point in dict.fromkeys((x.pressure, x.temperature) for x in results):
        here = [x for x in results if (x.pressure, x.temperature) == point]
        values = [_row(x) for x in here]
        crystal = crystals[point[0]]
        for result, row in zip(here, values, strict=True):
            if result.method == "pimd":
                with xr.open_dataset(thermo[(*point, result.beads)]) as file:
                    springs = file.spring_frequency.values
                row["bead_error"] = np.array(
                    [
                        harmonic_error(_average(crystal, e), float(point[1]), springs)
                        for e in ELEMENTS
                    ]
                )
        _differences(here, values)
        rows += [*values, _harmonic(crystal, float(point[1]))]
        heads += [(x.method, x.beads, x.label, *point) for x in here]
        heads += [("harmonic", 0, "harmonic crystal", *point)]
    comparison = _dataset(rows, heads)
    comparison.attrs |= _crystal(results, thermo, phonons)
    return comparison


def _crystal(results: Iterable[Result], *others: Mapping[object, str | Path]) -> dict[str, str]:
    """Attributes `formula` and `isotopes`, the same of all results, runs and phonons.

    Raises
    ------
    UserError
        They differ.
    """
    found: dict[str, str | Path] = {}
    for path in (*(x.summary for x in results), *(p for paths in others for p in paths.values())):
        with xr.open_dataset(path) as file:
            found.setdefault(nuclides.text(nuclides.of_attributes(file.attrs)), path)
    if len(found) > 1:
        (one, here), (other, there), *_ = found.items()
        raise UserError(
            f"{there}: was run with isotopes {other}, but {here} with {one}; one campaign has one "
            "crystal: run these points again"
        )
    isotopes = next(iter(found), nuclides.NATURAL)
    of = nuclides.of_attributes({"isotopes": isotopes})
    return {"formula": nuclides.formula(of), "isotopes": isotopes}


def _average(crystal: xr.Dataset, element: str) -> Callable:
    return lambda function: expectation.average(crystal, function, element)


def _row(result: Result) -> dict:
    """Values of one result; only its flags and their reason where the run failed."""
    summary = datasets.read(result.summary, "a point's summary", "analyse the point again")
    with xr.open_dataset(result.correlations) as pairs:
        row = {"status": int(summary.status)} | _own_verdict(summary)
        if row["status"] != STATUS["ok"]:
            return row
        for name in COMPARISON:
            source = name
            if result.method == "pimd":
                if name in OF_PARTICLES:
                    source = name.replace("theta_", "theta_beads_")
                source = source.replace("theta_centroid_", "theta_")
            for ours, theirs in ((name, source), (uncertainty(name), uncertainty(source))):
                if theirs in summary:
                    row[ours] = summary[theirs].values
        for name in ("g", "g_stderr"):
            row[name] = pairs[name].sel(pair=["-".join(pair) for pair in correlations.PAIRS]).values
    return row


def _own_verdict(summary: xr.Dataset) -> dict:
    """Verdict on the bath in its own summary; nothing where there is none."""
    flag = float(summary.get("quantum_bath_ok", np.nan))
    if not np.isfinite(flag):  # a flag that was given a fill value comes back as NaN
        return {}
    reason = str(summary.attrs.get("quantum_bath_reason", ""))
    return {"quantum_bath_ok": int(flag), "quantum_bath_reason": reason}


def _differences(results: Sequence[Result], rows: Sequence[dict]) -> None:
    """Compare g(r) of all rows of a point with the reference's."""
    reference = max(
        (i for i, x in enumerate(results) if x.method == "pimd" and "g" in rows[i]),
        key=lambda i: results[i].beads,
        default=None,
    )
    if reference is None:
        return
    g, error = rows[reference]["g"], rows[reference]["g_stderr"]
    scale = np.sqrt((g**2).sum(axis=-1))
    for i, row in enumerate(rows):
        if i == reference or "g" not in row:
            continue
        row["g_difference"] = np.sqrt(((row["g"] - g) ** 2).sum(axis=-1)) / scale
        noise = row["g_stderr"] ** 2 + error**2
        row["g_difference_noise"] = np.sqrt(noise.sum(axis=-1)) / scale


def _harmonic(crystal: xr.Dataset, temperature: float) -> dict:
    kept = crystal.volume_per_formula.sel(candidate=crystal.attrs["kept"])
    return {
        "status": STATUS["ok"],
        "kinetic_temperature": np.array(
            [expectation.mean_temperature(crystal, "qtb", temperature, e) for e in ELEMENTS]
        ),
        "volume_per_formula": np.array(float(kept)),
    }


def _dataset(rows: Sequence[Mapping], heads: Sequence[tuple]) -> xr.Dataset:
    middles = 0.5 * (correlations.EDGES[1:] + correlations.EDGES[:-1])
    pairs = ["-".join(pair) for pair in correlations.PAIRS]
    sizes = {"element": len(ELEMENTS), "pair": len(pairs), "r": len(middles)}
    values = {}
    for name, (dims, _, _) in COMPARISON.items():
        empty = np.full([sizes[dim] for dim in dims[1:]], np.nan)
        for each in (name,) if name in WITHOUT_ERROR else (name, uncertainty(name)):
            values[each] = np.array([row.get(each, empty) for row in rows])
    result = datasets.assemble(
        {
            "element": (None, "element", ELEMENTS),
            "pair": (None, "elements of the pair", pairs),
            "r": ("angstrom", "distance, middle of the bin", middles),
            "row": (None, "result", np.arange(len(rows))),
        },
        COMPARISON,
        values,
    )
    columns = zip(*heads, strict=True)
    for name, column in zip(
        ("method", "beads", "label", "pressure", "temperature"), columns, strict=True
    ):
        numbers = name in ("pressure", "temperature")
        result.coords[name] = ("row", [float(x) for x in column] if numbers else list(column))
    result.pressure.attrs["units"], result.temperature.attrs["units"] = "GPa", "K"
    for name in ("status", "quantum_bath_ok"):
        found = [row.get(name, BATH_OK["not_applicable"]) for row in rows]
        result[name] = datasets.flag(name, found, ROWS)
    name = "quantum_bath_reason"
    _, unit, long_name = PROVENANCE[name]
    reasons = np.array([row.get(name, "") for row in rows], dtype=object)
    result[name] = ("row", reasons, {"units": unit, "long_name": long_name})
    return result


def points(comparison: xr.Dataset) -> list[tuple[float, float, xr.Dataset]]:
    """(pressure, temperature, rows of that point), in the order of the rows."""
    keys = dict.fromkeys(
        zip(comparison.pressure.values, comparison.temperature.values, strict=True)
    )
    return [
        (p, t, comparison.isel(row=(comparison.pressure.values == p)
                               & (comparison.temperature.values == t)))
        for p, t in keys
    ]  # fmt: skip
