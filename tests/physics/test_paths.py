"""LAMMPS itself, with files in folders and of names that need quotes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from lah10.crystal.structures import build_supercell, read_crystal
from lah10.dynamics import lammps_input as script
from lah10.io.child import environment

RESOURCES = Path(__file__).parents[2] / "resources"
RUN = """
import json, sys
from lammps import lammps
with open(sys.argv[1]) as file:
    lines = json.load(file)
lmp = lammps(cmdargs=["-screen", "none", "-log", "none", "-nocite"])
for line in lines:
    lmp.command(line)
print(f"atoms {lmp.get_natoms()}, {lmp.get_thermo('pe')}")
"""


def test_a_committee_with_blanks_in_its_paths_runs(tmp_path):
    folder = tmp_path / "my models #1"
    folder.mkdir()
    models = [folder / "a b.pb", folder / "$c.pb"]
    for model in models:
        shutil.copy(RESOURCES / "potentials/lah10/lah10.pb", model)
    crystal = build_supercell(
        read_crystal(RESOURCES / "structures/Fm-3m.cif"), "primitive", (2, 2, 2)
    )
    data, restart, deviation = (folder / name for name in ("a b.data", "a b.restart", "d e.out"))
    script.write_data(crystal, data)
    interaction = script.interaction(models[0], models[1:], deviation, 1)
    commands = [
        *script.header(),
        *script.crystal(data),
        *interaction,
        "run 0",
        *script.keep(restart),
        "clear",
        *script.header()[-1:],
        *script.restart(restart),
        *interaction,
        "thermo 1",
        "run 1",
    ]
    (folder / "commands.json").write_text(json.dumps(commands))
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder / "commands.json")],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert f"atoms {len(crystal)}, -" in done.stdout
    assert script.read_deviation(deviation, [0])[0] < 1e-6  # one model twice
