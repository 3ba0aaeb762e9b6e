"""A cell of 44,000 atoms: on two ranks against one, and the whole chain of a point.

    python benchmarks/campaign/large_cell.py            # hours on two cores; --repeat 2 rehearses

1. The same start on one rank and on two: energies of every sample. The random force is the same (it
   depends on seed, atom and step); what differs is rounding.
2. `snakemake calibrate` on one point: equilibrate, produce, analyse, and what each took.
3. That point merged and drawn.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This checkout's package comes first.
sys.path.insert(0, str(ROOT / "workflow/scripts"))

import numpy as np
import xarray as xr
import yaml

from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.dynamics.lammps_input import write_data
from lah10.dynamics.launch import run_stage
from lah10.io.text import aligned

MODEL = ROOT / "resources/potentials/lah10/lah10.pb"
#: Of a sum of single-precision energies: half a last digit of each, relative (tests/physics).
ENERGY = 3e-6


def compare_ranks(folder: Path, repeat: int, steps: int) -> list[tuple[str, ...]]:
    """Rows of a table: one and two ranks, and by how much they differ."""
    atoms = build_supercell(
        read_crystal(ROOT / "resources/structures/Fm-3m.cif"), "conventional", (repeat,) * 3
    )
    write_supercell(folder / "supercell.xyz", atoms)
    write_data(atoms, folder / "supercell.data")
    rows, series = [("ranks", "atoms", "seconds", "peak memory, MB", "energy, relative")], []
    for ranks in (1, 2):
        out = folder / f"ranks{ranks}"
        job = {
            "stage": "equilibrate", "bath": "qtb", "pressure_GPa": 150.0, "temperature_K": 100.0,
            "supercell": str(folder / "supercell.xyz"),
            "supercell_data": str(folder / "supercell.data"),
            "outputs": {name: str(out / name) for name in ("thermo", "restart", "commands")},
            "scratch": str(out / "scratch"),
            "potential": {"model": str(MODEL), "committee": []},
            "bath_options": {"friction_per_ps": 10.0, "cutoff_THz": 200.0},
            "dynamics": {
                "timestep_fs": 0.5, "duration_ps": steps * 5e-4, "thermo_interval_fs": 5.0,
                "frame_interval_fs": 10.0, "checkpoint_interval_ps": steps * 5e-4,
                "barostat_damping_ps": 0.5, "spectrum_interval_fs": 2.0,
                "spectrum_segment_ps": 0.01, "spectrum_atoms": 100,
            },
            "seed": 1, "campaign": "large", "mpi_ranks": ranks,
        }  # fmt: skip
        began = time.monotonic()
        run_stage(job, folder / "log")
        took = time.monotonic() - began
        with xr.open_dataset(job["outputs"]["thermo"]) as thermo:
            series.append(thermo["potential_energy"].values)
        # Of the largest process so far; two ranks have half the atoms each.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        difference = float(np.max(abs(series[-1] / series[0] - 1)))
        rows.append(
            (f"{ranks}", f"{len(atoms)}", f"{took:.0f}", f"{peak:.0f}", f"{difference:.1e}")
        )
    return rows


def chain(repeat: int, cores: int) -> None:
    """One point from equilibration to figures, through Snakemake."""
    paper = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    paper["structure"]["repeat"] = [repeat] * 3
    config = ROOT / f"results/large-{repeat}.yaml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(yaml.safe_dump(paper))
    own = Path("results", f"calibration-{44 * repeat**3}-atoms")
    snakemake = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--quiet", "all"]
    for file, target in ((config, ["calibrate"]), (ROOT / own / "config.yaml", ["all"])):
        subprocess.run([*snakemake, "--configfile", str(file), "--", *target], cwd=ROOT, check=True)
    print(f"{own}: {len(list((ROOT / own / 'figures').glob('*.png')))} figures")
    subprocess.run(
        [sys.executable, str(Path(__file__).with_name("efficiency.py")), str(ROOT / own)],
        check=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=10, help="cell of N x N x N x 44 atoms")
    parser.add_argument("--steps", type=int, default=100, help="of the comparison of ranks")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = compare_ranks(Path(folder), given.repeat, given.steps)
    print("\n".join(aligned(rows)), flush=True)
    if float(rows[-1][-1]) > ENERGY:
        sys.exit(f"energies differ by more than {ENERGY:g}")
    chain(given.repeat, given.cores)
