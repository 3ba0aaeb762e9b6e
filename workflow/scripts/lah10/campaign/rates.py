"""Rates of a machine: measured from a campaign that was run there, and kept for its plans.

Nothing is run here: speed comes from the attributes of each point's thermo.nc, start-up and memory
from the benchmark files that Snakemake wrote: medians over points, and the largest memory.
"""

import copy
import csv
import json
import statistics
from collections.abc import Mapping
from pathlib import Path

import xarray as xr
import yaml

from lah10.errors import UserError
from lah10.io.files import atomic_path

#: Fewer atoms than this are analysed in less time than the analysis takes to start.
ANALYSED = 2000
#: Columns of a benchmark file: seconds, peak memory in MB, per cent of a core.
WANTED = ("s", "max_rss", "mean_load")
#: Stages of a point, and the file whose attributes tell how fast it went.
DYNAMICS = {"equilibrate": "equilibration.nc", "produce": "thermo.nc"}


def benchmark(path: Path) -> dict[str, float]:
    """Numbers of a benchmark file: seconds `s`, peak memory `max_rss` in MB, and others."""
    with open(path, newline="") as handle:
        (row,) = csv.DictReader(handle, delimiter="\t")
    return {key: float(value) for key, value in row.items() if key in WANTED}


def measured(campaign: Path) -> dict:
    """Medians over the points of a campaign.

    Parameters
    ----------
    campaign : path
        results/<campaign>.

    Raises
    ------
    UserError
        There is no finished point in it.
    """
    speed, startup, memory, busy = [], {}, {}, []
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
            busy.append(table["mean_load"] / 100 / ranks)
            memory.setdefault(stage, []).append(table["max_rss"])
        else:
            with xr.open_dataset(point / "trajectory.nc", decode_times=False) as data:
                frames = data.sizes["frame"]
            table = benchmark(tables / "analyse.tsv")
            analysed.append(atoms * frames / table["s"])
            startup.setdefault("analyse", []).append(table["s"])
            memory.setdefault("analyse", []).append(table["max_rss"])
    if not speed or not analysed:
        raise UserError(
            f"{campaign}: no finished point with its trajectory; run a campaign first"
        )
    return {
        "atoms": atoms,
        "ranks": ranks,
        "points": len(speed),
        "load": round(statistics.median(busy), 2),
        "dynamics": {"atom_steps_per_second": round(statistics.median(speed))},
        "analysis": {"atom_frames_per_second": round(statistics.median(analysed))},
        "startup_seconds": {
            stage: round(statistics.median(seconds)) for stage, seconds in startup.items()
        },
        "memory_mb": {stage: round(max(peaks)) for stage, peaks in memory.items()},
    }


def updated(rates: Mapping, measured: Mapping, source: str) -> dict:
    """A table of rates (resources/rates.yaml) with what was measured in its place.

    Parameters
    ----------
    rates
        The table so far. What was measured with cells of other sizes stays.
    measured
        As `measured` gives it.
    source
        Where and how it was measured.
    """
    new = copy.deepcopy(dict(rates))
    cpu, atoms = new["dynamics"]["cpu"], measured["atoms"]
    sizes = cpu.get("by_atoms", {}) if cpu.get("calibrated") else {}
    cpu["by_atoms"] = dict(
        sorted((sizes | {atoms: measured["dynamics"]["atom_steps_per_second"]}).items())
    )
    cpu["calibrated"], cpu["source"] = True, source
    if atoms > ANALYSED:
        new["analysis"] = measured["analysis"] | {"source": source}
    else:
        new["startup_seconds"] |= measured["startup_seconds"]
    return new


def write(path: str | Path, rates: Mapping) -> None:
    """Write a table of rates."""
    with atomic_path(path) as aside:
        aside.write_text(
            "# Measured rates of this machine, by `snakemake calibrate`; `snakemake plan` takes\n"
            "# them before resources/rates.yaml. Remove the file to forget them.\n"
            + yaml.safe_dump(rates, sort_keys=False, allow_unicode=True),
            encoding="utf-8",
        )
