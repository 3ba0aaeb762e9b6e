"""A cell of 44,000 atoms: on two ranks against one, and the whole chain of a point.

    python benchmarks/campaign/large_cell.py            # hours on two cores; --repeat 2 rehearses

1. The same start on one rank and on two: energies of every sample, the forces of all atoms at the
   first and the last step, and the random force, which depends on seed, atom and step alone and
   must be the same to the bit. What differs is rounding.
2. `snakemake calibrate`, then one point of the same size from equilibration to figures: what each
   stage took, and how far off `snakemake plan` was with the rates so measured.
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
from lah10.dynamics.job import Job
from lah10.dynamics.lammps_input import write_data
from lah10.dynamics.launch import mpiexec, write_job
from lah10.io import child
from lah10.io.text import aligned

MODEL = ROOT / "resources/potentials/lah10/lah10.pb"
#: Of a sum of single-precision energies: half a last digit of each, relative (tests/physics).
ENERGY = 3e-6
#: eV/Å at the first step, where positions are the same: the model's forces in single precision.
FORCE = 1e-3


def record_forces(job: str, output: str, *steps: str) -> int:
    """Run a job, a rank of it, and keep forces (eV/Å, by atom) of some steps in `output` (.npz)."""
    from lah10.dynamics import run
    from lah10.dynamics.engine import Engine

    wanted, found = {int(step) for step in steps}, {}
    push = Engine._push

    def recording(engine, step, n_local, tags, out):
        push(engine, step, n_local, tags, out)
        if step in wanted:
            everyone = np.zeros((len(engine.bath.masses), 3))
            everyone[tags[:n_local] - 1] = engine.lmp.numpy.extract_atom("f")[:n_local]
            if engine.comm is not None:
                everyone = engine.comm.allreduce(everyone)
            found[f"force{step}"] = everyone
            found[f"random{step}"] = engine.bath.random_force(step).copy()

    Engine._push = recording
    ended = run.main(job)
    if "mpi4py.MPI" not in sys.modules or sys.modules["mpi4py.MPI"].COMM_WORLD.rank == 0:
        np.savez(output, **found)
    return ended


def compare_ranks(folder: Path, repeat: int, steps: int) -> list[tuple[str, ...]]:
    """Rows of a table: one and two ranks, and by how much they differ."""
    atoms = build_supercell(
        read_crystal(ROOT / "resources/structures/Fm-3m.cif"), "conventional", (repeat,) * 3
    )
    write_supercell(folder / "supercell.xyz", atoms)
    write_data(atoms, folder / "supercell.data")
    head = "ranks", "atoms", "seconds", "memory of a rank, MB", "energy, relative"
    rows = [(*head, "force, step 1, eV/Å", f"force, step {steps}, eV/Å", "random force, eV/Å")]
    series, forces = [], []
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
                "cell_period_ps": 0.6, "spectrum_interval_fs": 2.0,
                "spectrum_segment_ps": 0.01, "spectrum_atoms": 100,
            },
            "seed": 1, "campaign": "large", "mpi_ranks": ranks,
        }  # fmt: skip
        description = Job(**job)
        command = [sys.executable, __file__, "--record", str(write_job(description))]
        command += [str(out / "forces.npz"), "1", str(steps)]
        if ranks > 1:
            command = [mpiexec(), "-n", str(ranks), *command]
        out.mkdir(exist_ok=True)
        began = time.monotonic()
        child.follow(command, folder / f"log{ranks}", f"the run on {ranks} ranks", threads=1)
        took = time.monotonic() - began
        with xr.open_dataset(job["outputs"]["thermo"]) as thermo:
            series.append(thermo["potential_energy"].values)
        with np.load(out / "forces.npz") as data:
            forces.append({name: data[name] for name in data})
        # Of the largest process so far; of two ranks each has half the atoms.
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        differences = [
            np.max(abs(series[-1] / series[0] - 1)),
            *(np.max(abs(forces[-1][f"force{n}"] - forces[0][f"force{n}"])) for n in (1, steps)),
            np.max([abs(forces[-1][f"random{n}"] - forces[0][f"random{n}"]) for n in (1, steps)]),
        ]
        rows.append(
            (f"{ranks}", f"{len(atoms)}", f"{took:.0f}", f"{peak:.0f}",
             *(f"{value:.1e}" for value in differences))
        )  # fmt: skip
    return rows


def chain(repeat: int, cores: int) -> None:
    """Rates by calibration, then a point of 4/3 its length from equilibration to figures."""
    paper = yaml.safe_load((ROOT / "config/paper.yaml").read_text())
    paper["structure"]["repeat"] = [repeat] * 3
    atoms = 44 * repeat**3
    config = ROOT / f"results/large-{atoms}.yaml"
    config.parent.mkdir(exist_ok=True)
    config.write_text(yaml.safe_dump(paper))
    snakemake = [sys.executable, "-m", "snakemake", "--cores", str(cores), "--quiet", "all"]

    def run(configfile: Path, *targets: str) -> float:
        began = time.monotonic()
        command = [*snakemake, "--configfile", str(configfile), "--", *targets]
        subprocess.run(command, cwd=ROOT, check=True)
        return time.monotonic() - began

    run(config, "calibrate")
    point = yaml.safe_load((ROOT / f"results/calibration-{atoms}-atoms/config.yaml").read_text())
    point["campaign"] = f"large-{atoms}"
    point["temperature"]["values"] = point["temperature"]["values"][:1]
    produce = float(point["dynamics"]["produce"].split()[0]) * 4 / 3
    point["dynamics"] |= {
        "produce": f"{produce:.10g} ps", "checkpoint_interval": f"{produce:.10g} ps"
    }  # fmt: skip
    config.write_text(yaml.safe_dump(point))
    wall = run(config, "all")
    results = ROOT / "results" / point["campaign"]
    print(f"{results}: {len(list((results / 'figures').glob('*.png')))} figures in {wall:.0f} s")
    shown = (
        ["efficiency.py", str(results), "--wall", f"{wall:.0f}", "--cores", str(cores)],
        ["planned.py", "--configfile", str(config), "--wall", f"{wall:.0f}", "--cores", str(cores)],
    )
    for script, *options in shown:
        command = [sys.executable, str(Path(__file__).with_name(script)), *options]
        subprocess.run(command, check=False)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        sys.exit(record_forces(*sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=10, help="cell of N x N x N x 44 atoms")
    parser.add_argument("--steps", type=int, default=100, help="of the comparison of ranks")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--ranks-only", action="store_true", help="leave out the chain")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = compare_ranks(Path(folder), given.repeat, given.steps)
    print("\n".join(aligned(rows)), flush=True)
    energy, force, _, random = (float(value) for value in rows[-1][-4:])
    if energy > ENERGY or force > FORCE or random > 0:
        sys.exit(
            f"two ranks differ from one: allowed are {ENERGY:g} of the energy, {FORCE:g} eV/Å of a "
            "force at the first step, nothing of the random force"
        )
    if not given.ranks_only:
        chain(given.repeat, given.cores)
