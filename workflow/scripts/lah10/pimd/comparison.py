"""Path integrals beside the baths at the same points: one dataset, and a table to read.

What stands in one column is the same quantity for all: θ and g(r) of particles (a bath's atoms, a
ring's beads), kinetic temperatures without the centre of mass. The reference of a point is its
path-integral run with most beads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS
from lah10.analysis import correlations
from lah10.analysis import dataset as datasets
from lah10.analysis.statistics import MIN_BLOCKS, student_factor
from lah10.campaign.merge import BATH_OK, FLAGS, MEANINGS, PROVENANCE, STATUS
from lah10.config.quantities import canonical
from lah10.io.files import atomic_path
from lah10.phonons import harmonic
from lah10.pimd.beads import converged, harmonic_error

#: Standard errors, if they are known, by which a bath must be off to differ.
SIGMAS = 2.0
#: Blocks that the error of a mean over time, or of θ, is taken to be known from. Summaries do not
#: say; this is the number of long blocks in `lah10.analysis.statistics`, which make the error where
#: the autocorrelation does not see the slow part of the noise. Path integrals of a few ps hold some
#: ten independent volumes: chance then passes two standard errors in one comparison of ten, and
#: Student's factor for this number in one of twenty. Long runs know their errors better than that.
BLOCKS = MIN_BLOCKS


@dataclass(frozen=True)
class Tolerance:
    """A difference that counts as none.

    Attributes
    ----------
    size : float
    unit : str
        "%" of the reference, or the quantity's own unit.
    """

    size: float
    unit: str

    def of(self, reference: float) -> float:
        """The tolerance in the unit of `reference`, the value that it is judged by."""
        return abs(reference) * self.size / 100 if self.unit == "%" else self.size

    def __str__(self) -> str:
        return f"{self.size:g}{self.unit}"


#: What a comparison must be able to tell before "agree" says anything; between the last two numbers
#: of beads, the change that counts as none. All that quantum nuclei add to the volume is 1.5 %, and
#: R-3m deviates from 90° by 1.7° (`lah10.analysis.distortion.RESOLVED`).
TOLERANCES = {
    "kinetic_temperature": Tolerance(1, "%"),
    "volume_per_formula": Tolerance(0.2, "%"),
    "theta_deviation": Tolerance(0.3, "°"),
}

ROWS = ("row",)
VARIABLES: datasets.Table = {
    "kinetic_temperature": (("row", "element"), "K", "kinetic temperature by element"),
    "kinetic_temperature_deconvolved": (("row", "element"), "K", "the same freed of the bath's "
                                        "friction"),
    "kinetic_temperature_expected": (("row", "element"), "K", "what a bath's vibrations should "
                                     "hold, by their response to the random force"),
    "bead_error": (("row", "element"), "K", "what the finite number of beads adds to the kinetic "
                   "temperature of the harmonic crystal"),
    "spectral_blocks": (ROWS, "1", "spectral segments behind the expected kinetic temperature of a "
                        "bath and what it is freed of"),
    "volume_per_formula": (ROWS, "angstrom3", "volume per formula unit LaH10"),
    "theta_small": (ROWS, "degree", "smallest class mean of the distortion angle, of particles"),
    "theta_large": (ROWS, "degree", "largest class mean of the distortion angle, of particles"),
    "theta_deviation": (ROWS, "degree", "largest deviation of the distortion angle from 90 degree, "
                        "of particles"),
    "theta_null": (ROWS, "degree", "deviation expected of a cubic crystal with the same noise"),
    "theta_centroid_small": (ROWS, "degree", "smallest class mean of the distortion angle, of "
                             "centroids"),
    "theta_centroid_large": (ROWS, "degree", "largest class mean of the distortion angle, of "
                             "centroids"),
    "theta_centroid_deviation": (ROWS, "degree", "largest deviation of the distortion angle from "
                                 "90 degree, of centroids"),
    "theta_centroid_null": (ROWS, "degree", "the same of a cubic crystal with that noise"),
    "lindemann": (("row", "element"), "1", "rms displacement from the site over the nearest-"
                  "neighbour distance"),
    "g": (("row", "pair", "r"), "1", "partial radial distribution function"),
    "g_difference": (("row", "pair"), "1", "root mean square difference of g(r) from the "
                     "reference over the root mean square of the reference"),
    "g_difference_noise": (("row", "pair"), "1", "what the statistical errors alone make of it"),
}  # fmt: skip

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
        The harmonic crystals (`lah10.phonons.harmonic`).
    thermo : mapping of (pressure, temperature, beads) to path
        thermo.nc of the path-integral runs, which names their springs.
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
    return _dataset(rows, heads)


def _average(crystal: xr.Dataset, element: str) -> Callable:
    return lambda function: harmonic.average(crystal, function, element)


def _row(result: Result) -> dict:
    """Values of one result; only its flags and their reason where the run failed."""
    with (
        xr.open_dataset(result.summary) as summary,
        xr.open_dataset(result.correlations) as pairs,
    ):
        row = {"status": int(summary.status)} | _own_verdict(summary)
        if row["status"] != STATUS["ok"]:
            return row
        for name in VARIABLES:
            source = name
            if result.method == "pimd":
                if name in OF_PARTICLES:
                    source = name.replace("theta_", "theta_beads_")
                source = source.replace("theta_centroid_", "theta_")
            for suffix in ("", "_stderr"):
                if source + suffix in summary:
                    row[name + suffix] = summary[source + suffix].values
        for name in ("g", "g_stderr"):
            row[name] = pairs[name].sel(pair=["-".join(pair) for pair in correlations.PAIRS]).values
    return row


def _own_verdict(summary: xr.Dataset) -> dict:
    """What the summary of a bath says of the bath; nothing where it says nothing."""
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
            [harmonic.mean_temperature(crystal, "qtb", temperature, e) for e in ELEMENTS]
        ),
        "volume_per_formula": np.array(float(kept)),
    }


def _dataset(rows: Sequence[Mapping], heads: Sequence[tuple]) -> xr.Dataset:
    middles = 0.5 * (correlations.EDGES[1:] + correlations.EDGES[:-1])
    pairs = ["-".join(pair) for pair in correlations.PAIRS]
    sizes = {"element": len(ELEMENTS), "pair": len(pairs), "r": len(middles)}
    values = {}
    for name, (dims, _, _) in VARIABLES.items():
        empty = np.full([sizes[dim] for dim in dims[1:]], np.nan)
        for suffix in ("",) if name in WITHOUT_ERROR else ("", "_stderr"):
            values[name + suffix] = np.array([row.get(name + suffix, empty) for row in rows])
    result = datasets.assemble(
        {
            "element": (None, "element", ELEMENTS),
            "pair": (None, "elements of the pair", pairs),
            "r": ("angstrom", "distance, middle of the bin", middles),
            "row": (None, "result", np.arange(len(rows))),
        },
        VARIABLES,
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
        flags = FLAGS[name]
        described = {
            "units": "1",
            "long_name": MEANINGS[name],
            "flag_values": np.array(list(flags.values()), np.int8),
            "flag_meanings": " ".join(flags),
        }
        found = [row.get(name, BATH_OK["not_applicable"]) for row in rows]
        result[name] = ("row", np.array(found, np.int8), described)
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


# ------------------------------------------------------------------------------------- table

HEAD = (
    "| | T_kin La (K) | T_kin H (K) | same, deconvolved | expected | V (Å³ per LaH₁₀) | θ (°) | "
    "cubic null (°) | Δg La–H | Δg H–H |\n|---|---|---|---|---|---|---|---|---|---|"
)
NOTES = """\
T_kin: kinetic temperature 2K/k_B per degree of freedom, for path integrals by the centroid-virial
estimator; deconvolved: a bath's, freed of what its friction adds; expected: what its vibrations
should hold by the fluctuation-dissipation theorem, from their response to the random force. θ:
smallest and largest class mean of the distortion angle of particles (atoms, beads; in brackets of
centroids); cubic null: the deviation from 90° that a cubic crystal with the same noise shows. Δg:
root mean square difference of g(r) from that of the run with most beads, of its own root mean
square; in brackets what noise makes of it. ±: one standard error; errors of the potential are in
none of them, for all rows share it. Bath − PIMD: the bath's value less that of the run with most
beads; its ± also holds, for T_kin, what that number of beads changes in the harmonic crystal and,
for θ, what unequal nulls make of it. They differ beyond two standard errors, and agree only where
two are less than the tolerance: 1 % of T_kin, 0.2 % of the volume, 0.3° of θ (R-3m deviates by
1.7°). As errors come from few blocks, two standard errors are as many (2.4σ, 2.9σ, …) as chance
passes as rarely, by Student's t. A bath's own verdict: `quantum_bath_ok` of its point, with the
reason. Quantum thermal baths are approximate, path integrals exact but for noise, time step and
number of beads.
"""


def table(comparison: xr.Dataset) -> str:
    """The comparison as Markdown, one table a point."""
    lines = ["# Path integrals and thermal baths", "", NOTES]
    for pressure, temperature, rows in points(comparison):
        lines += [f"## {canonical(pressure)} GPa, {canonical(temperature)} K", "", HEAD]
        lines += [_table_row(rows.isel(row=i)) for i in range(rows.sizes["row"])]
        lines += ["", *_verdict(rows), *_judgement(rows), ""]
    return "\n".join(lines)


def write_table(comparison: xr.Dataset, path: str | Path) -> None:
    with atomic_path(path) as aside:
        aside.write_text(table(comparison), encoding="utf-8")


def _table_row(row: xr.Dataset) -> str:
    label = str(row.label.values)
    if int(row.status) != STATUS["ok"]:
        outcome = next(name for name, flag in STATUS.items() if flag == int(row.status))
        return f"| {label} | {outcome} | | | | | | | | |"
    la, h = (row.sel(element=element) for element in ELEMENTS)
    theta = f"{_number(row, 'theta_small')}, {_number(row, 'theta_large')}"
    if row.theta_centroid_small.notnull():
        centroids = (_number(row, f"theta_centroid_{word}") for word in ("small", "large"))
        theta += f" ({', '.join(centroids)})"
    differences = []
    for pair in ("La-H", "H-H"):
        one = row.sel(pair=pair)
        value, noise = float(one.g_difference), float(one.g_difference_noise)
        differences.append("" if np.isnan(value) else f"{value:.3f} ({noise:.3f})")
    deconvolved, expected = (
        ", ".join(filter(None, (_number(x, f"kinetic_temperature_{word}") for x in (la, h))))
        for word in ("deconvolved", "expected")
    )
    cells = (
        label,
        _number(la, "kinetic_temperature"),
        _number(h, "kinetic_temperature"),
        deconvolved,
        expected,
        _number(row, "volume_per_formula"),
        theta.strip(", "),
        _number(row, "theta_null"),
        *differences,
    )
    return "| " + " | ".join(cells) + " |"


def _number(row: xr.Dataset, name: str) -> str:
    """ "12.34 ± 0.05": two digits of the error; the value alone without one; "" for NaN."""
    value = float(row[name])
    error = float(row[f"{name}_stderr"])
    if np.isnan(value):
        return ""
    if not error > 0:
        return f"{value:.4g}"
    return _rounded(value, error)


def _rounded(value: float, error: float, sign: str = "") -> str:
    """ "12.34 ± 0.05": two digits of the error; the value with its sign where `sign` is "+"."""
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:{sign}.{decimals}f} ± {error:.{decimals}f}"


def _finished_runs(rows: xr.Dataset) -> xr.Dataset:
    """The path-integral runs of a point that came to their end, by their number of beads."""
    used = (rows.method == "pimd") & (rows.status == STATUS["ok"])
    return rows.isel(row=np.flatnonzero(used.values)).sortby("beads")


def _verdict(rows: xr.Dataset) -> list[str]:
    """What is to be said on the number of beads at a point."""
    runs = _finished_runs(rows)
    if runs.sizes["row"] == 0:
        return ["No path-integral run finished here."]
    last = runs.isel(row=-1)
    errors = ", ".join(f"{e} {float(last.bead_error.sel(element=e)):+.1f} K" for e in ELEMENTS)
    lines = [
        f"- {int(last.beads)} beads: in the harmonic crystal their number changes T_kin by "
        f"{errors}."
    ]
    if runs.sizes["row"] > 1:
        numbers = " and ".join(str(int(x)) for x in runs.beads.values[-2:])
        for pair in _compared(runs.isel(row=-2), last):
            if not np.isfinite(pair.difference):
                continue
            # The error is that of the difference: all of it on one side.
            answer = converged(
                [pair.value, pair.reference],
                [pair.error, 0.0],
                pair.tolerance.of(pair.reference),
                pair.factor,
            )
            said = {True: "agree", False: "differ by more", None: "are too noisy to tell"}[answer]
            lines.append(
                f"- {pair.title} with {numbers} beads: {said} "
                f"(tolerance {pair.tolerance}, {pair.factor:.2g}σ)."
            )
    if runs.sizes["row"] == 1:
        lines.append("- One number of beads only: no convergence run.")
    return lines


def judge(
    difference: float, error: float, tolerance: float, named: str = "", factor: float = SIGMAS
) -> str:
    """What a difference says: "agree" only where the tolerance would have been seen.

    Parameters
    ----------
    difference, error : float
        Of two results, and its standard error; NaN where it is unknown.
    tolerance : float
        In the same unit.
    named : str
        The tolerance for the reader, with its unit or in per cent.
    factor : float
        Standard errors that count as noise.
    """
    if abs(difference) > factor * error:
        return f"differ by more than {factor:.2g}σ"
    if factor * error <= tolerance:
        return f"agree within {factor:.2g}σ"
    return f"too noisy to tell at {named or f'{tolerance:g}'} with {factor:.2g}σ"


def _judgement(rows: xr.Dataset) -> list[str]:
    """Of every bath its own verdict, and a line a quantity: the bath minus the path-integral run
    with most beads."""
    runs, lines = _finished_runs(rows), []
    judged = (rows.status.values == STATUS["ok"]) & ~np.isin(
        rows.method.values, ["pimd", "harmonic"]
    )
    for index in np.flatnonzero(judged):
        bath = rows.isel(row=index)
        label, flag = bath.label.item(), int(bath.quantum_bath_ok)
        if flag != BATH_OK["not_applicable"]:
            verdict = next(name for name, value in BATH_OK.items() if value == flag)
            reason = str(bath.quantum_bath_reason.item())
            lines.append(
                f"- {label}: its own verdict is *{verdict.replace('_', ' ')}*"
                f"{': ' if reason else ''}{reason}."
            )
        if runs.sizes["row"] == 0:
            continue
        for pair in _compared(bath, runs.isel(row=-1)):
            tolerance = pair.tolerance.of(pair.reference)
            said = judge(pair.difference, pair.error, tolerance, str(pair.tolerance), pair.factor)
            lines.append(
                f"- {label} − PIMD, {pair.title}: {_pm(pair.difference, pair.error)} "
                f"{pair.unit}{pair.share}: {said}."
            )
    return lines


def noise_factor(errors: Iterable[tuple[float, float]]) -> float:
    """Standard errors of a sum that chance passes as rarely as `SIGMAS` known ones.

    By Student's t, with the degrees of freedom that a sum of errors has which are not equally well
    known (B. L. Welch, Biometrika 34, 28 (1947)).

    Parameters
    ----------
    errors : iterable of (float, float)
        Independent standard errors, and from how many samples each is known: infinity for a bound,
        or where nothing is known of it. NaN for an unknown error, whose factor is `SIGMAS`.
    """
    errors = list(errors)
    total = sum(error**2 for error, _ in errors) ** 2
    doubt = sum(error**4 / (max(samples, 2.0) - 1) for error, samples in errors)
    return student_factor(SIGMAS, 1 + total / doubt) if doubt > 0 else SIGMAS


@dataclass(frozen=True)
class _Pair:
    """One quantity of two results: their values in `unit`, and the independent errors of their
    difference as `noise_factor` takes them."""

    title: str
    unit: str
    tolerance: Tolerance
    value: float
    reference: float
    errors: tuple[tuple[float, float], ...]

    @property
    def difference(self) -> float:
        return self.value - self.reference

    @property
    def error(self) -> float:
        """Standard error of the difference; NaN if a part of it is not known."""
        return float(np.sqrt(sum(error**2 for error, _ in self.errors)))

    @property
    def factor(self) -> float:
        return noise_factor(self.errors)

    @property
    def share(self) -> str:
        """The difference in per cent of the reference, where the tolerance is; "" elsewhere."""
        if self.tolerance.unit != "%" or not np.isfinite(self.difference):
            return ""
        return f" ({self.difference / self.reference:+.{1 if self.tolerance.size >= 1 else 2}%})"


def _compared(one: xr.Dataset, reference: xr.Dataset) -> Iterator[_Pair]:
    """What is compared of a bath, or a run with fewer beads, and the reference."""
    method = one.method.item()
    quantum = method not in ("classical", "pimd")
    # Without the number (an older summary) their errors are taken as they stand.
    segments = float(one.spectral_blocks)
    segments = np.inf if np.isnan(segments) else segments
    name = "kinetic_temperature"
    for element in reversed(ELEMENTS):
        of, to = (row.sel(element=element) for row in (one, reference))
        title = f"T_kin of {element}"
        # The reference is no closer to quantum nuclei than its number of beads lets it be. Between
        # two runs of beads just that is asked.
        bound = 0.0 if method == "pimd" else float(to.bead_error)
        # What friction adds in a quantum bath is known, and no mistake of the bath.
        sharp, expected = f"{name}_deconvolved", f"{name}_expected"
        if quantum and np.isfinite(of[sharp]):
            # A mean over time, times a factor from the spectra.
            blocks = min(BLOCKS, segments)
            yield _pair(f"{title}, deconvolved", "K", of, to, name, bound, sharp, blocks)
        else:
            yield _pair(title, "K", of, to, name, bound)
        if quantum and np.isfinite(of[expected]):
            yield _pair(f"{title}, expected", "K", of, to, name, bound, expected, segments)
    yield _pair("volume", "Å³", one, reference, "volume_per_formula")
    # A noisier run deviates more from 90° without being more distorted.
    unequal = float(one.theta_null - reference.theta_null)
    yield _pair("deviation of θ from 90°", "°", one, reference, "theta_deviation", unequal)


def _pair(
    title: str,
    unit: str,
    one: xr.Dataset,
    reference: xr.Dataset,
    name: str,
    bound: float = 0.0,
    source: str = "",
    blocks: float = BLOCKS,
) -> _Pair:
    """The pair of the variable `name`; of `one` it is `source`, whose error rests on `blocks`.

    bound : a difference, of either sign, that is no mistake of `one`.
    """
    source = source or name
    errors = (
        (float(one[f"{source}_stderr"]), blocks),
        (float(reference[f"{name}_stderr"]), BLOCKS),
        (abs(bound), np.inf),
    )
    values = float(one[source]), float(reference[name])
    return _Pair(title, unit, TOLERANCES[name], *values, errors)


def _pm(value: float, error: float) -> str:
    """ "+1.2 ± 0.5": two digits of the error; "?" for one that is not known."""
    if not error > 0:
        return f"{value:+.4g} ± ?"
    return _rounded(value, error, "+")
