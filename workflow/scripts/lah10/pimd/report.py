"""The comparison of path integrals with the baths, as a table and sentences to read."""

from pathlib import Path

import numpy as np
import xarray as xr

from lah10 import ELEMENTS, nuclides
from lah10.config.quantities import canonical
from lah10.io.files import atomic_path
from lah10.io.text import markdown, plus_minus
from lah10.pimd.beads import converged
from lah10.pimd.comparison import points
from lah10.pimd.judgement import judge, pairs
from lah10.schema import BATH_OK, STATUS, uncertainty

HEADER = (
    "",
    "T_kin La (K)",
    "T_kin H (K)",
    "same, deconvolved",
    "expected",
    "V (Å³ per LaH₁₀)",
    "θ (°)",
    "cubic null (°)",
    "Δg La–H",
    "Δg H–H",
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
    isotopes = nuclides.of_attributes(comparison.attrs)
    head = [nuclides.renamed(cell, isotopes) for cell in HEADER]
    lines = ["# Path integrals and thermal baths", "", NOTES]
    for pressure, temperature, rows in points(comparison):
        lines += [f"## {canonical(pressure)} GPa, {canonical(temperature)} K", ""]
        lines.append(markdown(head, (_cells(rows.isel(row=i)) for i in range(rows.sizes["row"]))))
        said = [*_verdict(rows), *_judgement(rows)]
        lines += ["", *(nuclides.renamed(line, isotopes) for line in said), ""]
    return "\n".join(lines)


def write_table(comparison: xr.Dataset, path: str | Path) -> None:
    """Write `table` to a file, which appears whole."""
    with atomic_path(path) as aside:
        aside.write_text(table(comparison), encoding="utf-8")


def _cells(row: xr.Dataset) -> tuple[str, ...]:
    """A line of the table, with `HEADER`."""
    label = str(row.label.values)
    if int(row.status) != STATUS["ok"]:
        outcome = next(name for name, flag in STATUS.items() if flag == int(row.status))
        return (label, outcome, *[""] * (len(HEADER) - 2))
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
    return (
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


def _number(row: xr.Dataset, name: str) -> str:
    """Value ± uncertainty; the value alone where the uncertainty is unknown; "" for NaN."""
    error = row[uncertainty(name)].item()
    return plus_minus(row[name].item(), error if error > 0 else None)


def _finished_runs(rows: xr.Dataset) -> xr.Dataset:
    """The path-integral runs of a point that came to their end, by their number of beads."""
    used = (rows.method == "pimd") & (rows.status == STATUS["ok"])
    return rows.isel(row=np.flatnonzero(used.values)).sortby("beads")


def _verdict(rows: xr.Dataset) -> list[str]:
    """Lines on the number of beads at a point."""
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
        for pair in pairs(runs.isel(row=-2), last):
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
        for pair in pairs(bath, runs.isel(row=-1)):
            tolerance = pair.tolerance.of(pair.reference)
            said = judge(pair.difference, pair.error, tolerance, str(pair.tolerance), pair.factor)
            difference = plus_minus(pair.difference, pair.error, sign="+")
            lines.append(
                f"- {label} − PIMD, {pair.title}: {difference} {pair.unit}{pair.share}: {said}."
            )
    return lines
