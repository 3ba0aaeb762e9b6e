"""Rates of a campaign that was run, in the form of resources/rates.yaml.

    python benchmarks/campaign/rates.py results/demo

Nothing is run: speed comes from the attributes of each point's thermo.nc, start-up and memory from
the benchmark files that Snakemake wrote: medians over points, and the largest memory. A campaign
of large cells on the machine that is planned for gives the best rates; in a small one the analysis
is all start-up.
"""

import argparse
import csv
import json
import statistics
import sys
from pathlib import Path

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import xarray as xr
import yaml

#: Stages of a point, and the file whose attributes tell how fast it went.
DYNAMICS = {"equilibrate": "equilibration.nc", "produce": "thermo.nc"}


def benchmark(path: Path) -> dict[str, float]:
    """Numbers of a benchmark file: seconds `s`, peak memory `max_rss` in MB, and others."""
    with open(path, newline="") as handle:
        (row,) = csv.DictReader(handle, delimiter="\t")
    return {key: float(value) for key, value in row.items() if key in ("s", "max_rss")}


def measured(campaign: Path) -> dict:
    """Medians over the points of a campaign.

    Parameters
    ----------
    campaign : path
        results/<campaign>.

    Raises
    ------
    SystemExit
        There is no finished point in it.
    """
    speed, startup, memory = [], {}, {}
    analysed, atoms, ranks = [], 0, 1
    for summary in sorted(campaign.glob("points/*/P*_T*/summary.nc")):
        point = summary.parent
        name = point.relative_to(campaign / "points")
        tables = campaign / "benchmarks" / name
        for stage, file in DYNAMICS.items():
            with xr.open_dataset(point / file, decode_times=False) as data:
                if data.attrs["status"] != "ok":
                    break
                atoms = int(data.n_atoms.sum())
                done = float(data.time[-1])
                wall = data.attrs["wall_seconds"]
                steps = done * 1e3 / data.attrs["timestep_fs"]
            job = json.loads((campaign / "scratch" / name / f"{stage}.job.json").read_text())
            ranks = job["mpi_ranks"]
            table = benchmark(tables / f"{stage}.tsv")
            if stage == "produce":
                speed.append(atoms * steps / wall / ranks)
            startup.setdefault(stage, []).append(table["s"] - wall)
            memory.setdefault(stage, []).append(table["max_rss"])
        else:
            with xr.open_dataset(point / "trajectory.nc", decode_times=False) as data:
                frames = data.sizes["frame"]
            table = benchmark(tables / "analyse.tsv")
            analysed.append(atoms * frames / table["s"])
            memory.setdefault("analyse", []).append(table["max_rss"])
    if not speed or not analysed:
        sys.exit(f"{campaign}: no finished point with its trajectory; run a campaign first")
    return {
        "atoms": atoms,
        "ranks": ranks,
        "points": len(speed),
        "dynamics": {"atom_steps_per_second": round(statistics.median(speed))},
        "analysis": {"atom_frames_per_second": round(statistics.median(analysed))},
        "startup_seconds": {
            stage: round(statistics.median(seconds)) for stage, seconds in startup.items()
        },
        "memory_mb": {stage: round(max(peaks)) for stage, peaks in memory.items()},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("campaign", type=Path, nargs="?", default=Path("results/demo"))
    print(yaml.safe_dump(measured(parser.parse_args().campaign), sort_keys=False), end="")
