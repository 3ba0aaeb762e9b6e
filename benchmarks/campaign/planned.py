"""What `snakemake plan` foresaw of a campaign, beside what it took.

    python benchmarks/campaign/planned.py --configfile config/demo.yaml --cores 2 [--wall 742]

Nothing is run: the campaign was, whole and in one go. Times of jobs come from the benchmark files
that Snakemake wrote, times their cores. Rates are those of `snakemake plan`, or of `--rates`.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This checkout's package comes first.
sys.path.insert(0, str(ROOT / "workflow/scripts"))

import yaml
from efficiency import measured

from lah10.campaign.plan import Plan, read_rates
from lah10.config.reading import validate
from lah10.io.text import aligned

#: Share by which a plan may be wrong.
ALLOWED = 0.3
#: Rates in the order in which `snakemake plan` looks for them.
RATES = "config/rates.yaml", "resources/rates.yaml"
#: Rules that a plan counts with another one's name.
COUNTED_AS = {"supercell": "structures"}


def compare(plan: Plan, campaign: Path, wall: float | None, cores: int) -> list[tuple[str, ...]]:
    """Rows of a table: planned and measured core-seconds by stage, of all, and the wall time."""
    rules, _ = measured(campaign)
    took = {COUNTED_AS.get(rule, rule): row[1] for rule, row in rules.items()}
    rows = [("stage", "jobs", "planned, core-s", "measured, core-s", "planned / measured")]

    def row(name: str, jobs: str, planned: float, seconds: float) -> None:
        share = f"{planned / seconds:.2f}" if seconds else ""
        rows.append((name, jobs, f"{planned:.0f}", f"{seconds:.0f}", share))

    costs = [cost for cost in plan.costs() if cost.stage not in ("pimd", "boundary")]
    for cost in costs:
        row(cost.stage, f"{cost.jobs}", 3600 * cost.core_hours, took.get(cost.stage, 0.0))
    everything = sum(took.values())
    row("all", "", 3600 * sum(cost.core_hours for cost in costs), everything)
    if wall:
        row("wall time, s", "", plan.wall_seconds(max(1, cores // plan.ranks)), wall)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configfile", type=Path, default=Path("config/demo.yaml"))
    parser.add_argument("--rates", type=Path, help=f"default: {' or '.join(RATES)}")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="that it had")
    parser.add_argument("--wall", type=float, help="seconds that the whole campaign took")
    given = parser.parse_args()
    os.chdir(ROOT)
    rates = given.rates or next(path for path in map(Path, RATES) if path.exists())
    # As Snakemake merges them.
    content = yaml.safe_load(Path("config/config.yaml").read_text())
    content |= yaml.safe_load(given.configfile.read_text())
    config = validate(content, str(given.configfile))
    folder = Path("results", config.campaign)
    if not list((folder / "benchmarks").rglob("*.tsv")):
        sys.exit(f"{folder}: no benchmark files; run the campaign first")
    rows = compare(Plan(config, read_rates(rates), given.cores), folder, given.wall, given.cores)
    print(f"{folder}, rates of {rates}")
    print("\n".join(aligned(rows)))
    share = float(rows[-1][-1])
    if abs(share - 1) > ALLOWED:
        sys.exit(f"{rows[-1][0]}: {share:.2f}, expected within {ALLOWED:.0%} of 1")
