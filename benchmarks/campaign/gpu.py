"""Rates of a GPU, and its energies and forces against those of the CPU.

    python benchmarks/campaign/gpu.py [--repeat 4 10] [--steps 100]

Needs an NVIDIA GPU and deepmd-kit[gpu,cu12,lmp] (docs/cluster.md). For each cell one process runs
on the CPU and one on the GPU: the same displaced crystal, then some steps. Ends with status 1 where
they differ by more than the potential's single precision explains.

`--rehearse` runs both on the CPU, which tests the script itself.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This checkout's package comes first.
sys.path.insert(0, str(ROOT / "workflow/scripts"))

import numpy as np

from lah10.io.child import environment
from lah10.io.text import aligned

#: Of energies a unit in the seventh digit, as single precision has; of forces, eV/Å.
ENERGY, FORCE = 1e-6, 1e-3
#: Displacements of the crystal, Å.
DISPLACEMENT = 0.1


def child(model: str, repeat: int, steps: int, output: str) -> None:
    """Energy and forces of one displaced crystal, and the time of some steps."""
    from lah10.crystal.structures import build_supercell, read_crystal
    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.lammps_library import lammps

    crystal = read_crystal(ROOT / "resources/structures/Fm-3m.cif")
    atoms = build_supercell(crystal, "conventional", (repeat,) * 3)
    atoms.rattle(DISPLACEMENT, seed=1)
    data = Path(output).with_suffix(".data")
    script.write_data(atoms, data)
    lmp = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    for line in (*script.header(), *script.crystal(data), *script.interaction(model)):
        lmp.command(line)
    lmp.command("run 0 post no")
    forces = np.ctypeslib.as_array(lmp.gather_atoms("f", 1, 3)).reshape(-1, 3).copy()
    energy = lmp.get_thermo("pe")
    for line in ("velocity all create 900 1", "fix move all nve", "run 10 post no"):
        lmp.command(line)
    began = time.monotonic()
    lmp.command(f"run {steps} post no")
    rate = len(atoms) * steps / (time.monotonic() - began)
    np.save(output, forces)
    print(json.dumps({"atoms": len(atoms), "energy": energy, "rate": rate}))


def run(device: str, model: str, repeat: int, steps: int, output: Path) -> dict:
    """One child; "cpu" hides the GPU from it."""
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if device == "cpu" else {}
    done = subprocess.run(
        [sys.executable, __file__, "--child", model, str(repeat), str(steps), str(output)],
        env=environment() | hidden, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"the run on the {device} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        model, repeat, steps, output = sys.argv[2:]
        child(model, int(repeat), int(steps), output)
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=str(ROOT / "resources/potentials/lah10/lah10.pb"))
    parser.add_argument("--repeat", type=int, nargs="+", default=[2, 4, 10], metavar="N",
                        help="cells of N x N x N x 44 atoms")  # fmt: skip
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rehearse", action="store_true", help="both on the CPU")
    given = parser.parse_args()
    device = "cpu" if given.rehearse else "gpu"
    if device == "gpu":
        if not shutil.which("nvidia-smi") or subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True
        ).returncode:
            sys.exit("no NVIDIA GPU here (nvidia-smi finds none); --rehearse tests the script")
        print(subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True).stdout, end="")
    rows, worst = [("atoms", "CPU atom-steps/s", "GPU", "energy, relative", "force, eV/Å")], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for repeat in given.repeat:
            files = [Path(folder, f"{name}-{repeat}.npy") for name in ("one", "other")]
            cpu = run("cpu", given.model, repeat, given.steps, files[0])
            gpu = run(device, given.model, repeat, given.steps, files[1])
            energy = abs(gpu["energy"] / cpu["energy"] - 1)
            force = float(abs(np.load(files[1]) - np.load(files[0])).max())
            worst = max(worst, energy / ENERGY, force / FORCE)
            rows.append((f"{cpu['atoms']}", f"{cpu['rate']:.0f}", f"{gpu['rate']:.0f}",
                         f"{energy:.1e}", f"{force:.1e}"))  # fmt: skip
    print("\n".join(aligned(rows)))
    print(f"the largest difference is {worst:.2f} times what is allowed ({ENERGY:g}, {FORCE:g})")
    print(f"CPU: {os.environ.get('OMP_NUM_THREADS', '1')} core(s). For plans, put the GPU's rate "
          "into config/rates.yaml: dynamics.gpu.atom_steps_per_second")  # fmt: skip
    return int(worst > 1)


if __name__ == "__main__":
    sys.exit(main())
