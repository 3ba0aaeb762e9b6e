"""How much of a campaign's processor time was molecular dynamics.

    python benchmarks/campaign/efficiency.py results/demo --wall 742 --cores 2

Nothing is run. MD time is that of the segments of every run (`wall_seconds`, times its ranks). It
is divided by the time of all jobs (Snakemake's benchmark files) and, where the wall time of the
whole campaign and its cores are given, by their product.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import xarray as xr

from lah10.io.text import aligned

#: Files of the runs of a point, by the rule that makes them.
RUNS = {"equilibrate": "equilibration.nc", "produce": "thermo.nc"}
#: MD time ÷ (wall × cores) that campaigns whose points take five minutes or more should reach.
WANTED = 0.85


def seconds(table: Path) -> float:
    """Wall time in a benchmark file."""
    with open(table, newline="") as handle:
        return float(next(csv.DictReader(handle, delimiter="\t"))["s"])


def measured(campaign: Path) -> tuple[dict[str, list[float]], float]:
    """By rule: number of jobs, their core-seconds, those of MD; and the median point, s."""
    rules: dict[str, list[float]] = {}
    points: dict[Path, float] = {}
    for table in sorted((campaign / "benchmarks").rglob("*.tsv")):
        rule, place = table.stem, table.parent.relative_to(campaign / "benchmarks")
        rule = "harmonic" if place.name == "harmonic" else rule
        took, ranks, moving = seconds(table), 1, 0.0
        if rule in RUNS:
            job = campaign / "scratch" / place / f"{rule}.job.json"
            ranks = json.loads(job.read_text())["mpi_ranks"] if job.exists() else 1
            with xr.open_dataset(campaign / "points" / place / RUNS[rule]) as data:
                moving = data.attrs["wall_seconds"] * ranks
            points[place] = points.get(place, 0.0) + took
        row = rules.setdefault(rule, [0, 0.0, 0.0])
        row[0] += 1
        row[1] += took * ranks
        row[2] += moving
    times = sorted(points.values())
    return rules, times[len(times) // 2] if times else 0.0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("campaign", type=Path, nargs="?", default=Path("results/demo"))
    parser.add_argument("--wall", type=float, help="seconds that the whole campaign took")
    parser.add_argument("--cores", type=int, default=1, help="that it had")
    given = parser.parse_args()
    rules, point = measured(given.campaign)
    if not rules:
        sys.exit(f"{given.campaign}: no benchmark files; run the campaign first")
    jobs, core, moving = (sum(row[i] for row in rules.values()) for i in range(3))
    rows = [("rule", "jobs", "core-seconds", "of which MD")]
    rows += [
        (rule, f"{n:.0f}", f"{c:.0f}", f"{m:.0f}" if m else "") for rule, (n, c, m) in rules.items()
    ]
    rows.append(("all", f"{jobs:.0f}", f"{core:.0f}", f"{moving:.0f}"))
    print("\n".join(aligned(rows)))
    print(f"median point: {point:.0f} s of dynamics jobs")
    print(f"MD / time of all jobs: {moving / core:.2f}")
    if given.wall:
        share = moving / (given.wall * given.cores)
        print(f"MD / (wall x cores): {share:.2f}; wanted for points of 300 s: {WANTED}")
