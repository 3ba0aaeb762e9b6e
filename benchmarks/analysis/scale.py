"""Time and memory of the analysis of one large point, and of merging a campaign of many points.

    PYTHONPATH=workflow/scripts:tests/unit python benchmarks/analysis/scale.py

A trajectory of 44,000 atoms and 500 frames is made up (vibrations, and pairs of protons that change
places), written to a temporary folder, and analysed: all observables of a point. Then its summary,
written out as 1,000 points, is merged. Times are processor times, of one core; memory is the
largest resident set of the process, the making of the trajectory (a frame at a time) included.
With --check the exit status is 1 when a limit is missed.
"""

import argparse
import cProfile
import pstats
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

import made_up_run
from lah10.analysis.summary import analyse_point
from lah10.campaign import merge
from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.crystal.trajectory import write_trajectory
from lah10.io import netcdf

STRUCTURE = "resources/structures/Fm-3m.cif"
#: Limits: minutes and GiB of a point, seconds of the merging.
MINUTES, MEMORY, MERGING = 15.0, 2.0, 30.0
#: Å; amplitudes of La and of quantum protons along a Cartesian axis. ps between frames.
SIGMA, INTERVAL = (0.04, 0.13), 0.02
#: Exchanges of two protons per proton and ps, about that of plain QTB at 5 K.
RATE = 0.002
DETAILS = ("distortion", "diffusion", "energetics", "correlations", "summary")
#: Lines of the table: what is done, and the function (module, name) that does it.
PARTS = (
    ("reading frames", "trajectory.py", "scaled"),
    ("map from atoms to sites", "sites.py", "displacements"),
    ("angles of the cages", "distortion.py", "add"),
    ("amplitudes", "diffusion.py", "add"),
    ("record of the map", "hops.py", "add"),
    ("occupancies", "occupancy.py", "add"),
    ("pair distributions", "correlations.py", "add"),
    ("angles: means and errors", "distortion.py", "reduce"),
    ("MSD", "diffusion.py", "_msd_curves"),
    ("MSD′", "diffusion.py", "_reordered_curve"),
    ("hops and exchanges", "exchanges.py", "measure"),
    ("typical trajectories", "typical.py", "measure"),
    ("energetics", "energetics.py", "measure"),
    ("equilibration", "summary.py", "equilibration_time"),
)


def frames(template, count: int, rng: np.random.Generator):
    """Yield (time, cell, positions) of vibrating atoms, some of which change places."""
    positions, cell = template.get_positions(), template.cell.array
    h = np.flatnonzero(template.numbers == 1)
    sigma = np.where(template.numbers == 1, SIGMA[1], SIGMA[0])[:, None]
    place = np.arange(len(template))
    for frame in range(count):
        for _ in range(rng.poisson(RATE * INTERVAL * len(h))):
            first = rng.integers(len(h) - 1)
            pair = h[[first, first + 1]]
            place[pair] = place[pair[::-1]]
        noise = rng.normal(size=positions.shape) * sigma
        yield INTERVAL * frame, cell, positions[place] + noise


def write_point(folder: Path, repeat: int, count: int) -> dict[str, Path]:
    """Files of a run; thermo and spectra are a small crystal's, which costs the same to analyse."""
    rng = np.random.default_rng(0)
    template = build_supercell(read_crystal(STRUCTURE), "conventional", (repeat,) * 3)
    paths = {name: folder / f"{name}.nc" for name in ("trajectory", "thermo", "spectra")}
    paths["supercell"] = folder / "supercell.xyz"
    write_supercell(paths["supercell"], template)
    write_trajectory(
        paths["trajectory"], template.numbers, frames(template, count, rng), "benchmark"
    )
    small = made_up_run.supercell()
    samples = max(4, round(count * INTERVAL / 0.005))
    netcdf.write(made_up_run.thermo(small, rng, n=samples), paths["thermo"], "benchmark")
    spectra = made_up_run.oscillator_spectra(
        small, (6.0, 40.0), bath="classical", blocks=max(3, count // 50)
    )
    netcdf.write(spectra, paths["spectra"], "benchmark")
    return paths


def merged_seconds(summary: Path, folder: Path, count: int) -> float:
    """Processor time of merging `count` copies of a point at different temperatures."""
    with xr.open_dataset(summary) as file:
        point = file.load()
    points = []
    for number in range(count):
        path = folder / f"{number}.nc"
        point.coords["temperature"] = ((), 100.0 + number, {"units": "K"})
        point.to_netcdf(path)
        points.append(("classical", 150, 100 + number, path))
    begin = time.process_time()
    merge.merge(points, folder / "phase_diagram.nc")
    return time.process_time() - begin


def main() -> int:
    """Print the table; 1 if a limit is missed and that is checked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=10, help="conventional cells along an edge")
    parser.add_argument("--frames", type=int, default=500)
    parser.add_argument("--points", type=int, default=1000, help="points to merge")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_point(folder, options.repeat, options.frames)
        outputs = {f"{detail}_out": folder / f"out_{detail}.nc" for detail in DETAILS}
        profile = cProfile.Profile()
        begin = time.process_time()
        profile.runcall(analyse_point, *paths.values(), **outputs)
        total = time.process_time() - begin
        wall = pstats.Stats(profile).total_tt
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        merging = merged_seconds(outputs["summary_out"], folder, options.points)
    atoms = 44 * options.repeat**3
    print(
        f"{atoms} atoms, {options.frames} frames\n\n| part | share (%) | time (s) |\n|---|---|---|"
    )
    found = pstats.Stats(profile).stats
    for label, module, function in PARTS:
        rows = [row[3] for (file, _, name), row in found.items()
                if name == function and file.endswith(f"/{module}")]  # fmt: skip
        if not rows:
            sys.exit(f"{module} has no function {function} that was called: mend PARTS")
        spent = sum(rows)
        print(f"| {label} | {100 * spent / wall:.1f} | {spent / wall * total:.1f} |")
    missed = 0
    for label, value, limit, unit in (
        ("all of a point", total / 60, MINUTES, "min"),
        ("largest memory", memory, MEMORY, "GiB"),
        (f"merging {options.points} points", merging, MERGING, "s"),
    ):
        missed += value > limit
        print(f"{label}: {value:.3g} {unit} (limit {limit:g})")
    return int(options.check and missed > 0)


if __name__ == "__main__":
    sys.exit(main())
