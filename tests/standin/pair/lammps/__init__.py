"""LAMMPS for tests of what surrounds the potential: a pair potential in place of the deep one.

A folder to put on PYTHONPATH (`campaigns.PAIR`). What is imported is LAMMPS itself, but for the
commands of the deep potential, which are replaced as `INSTEAD` has it. Its library is not loaded
and nor is TensorFlow: that takes ten times as long as a short run. The program that drives LAMMPS
is the shipped one, and the commands that it writes are those that it gave.

STANDIN_PAUSE : seconds of sleep before every run of some steps, for tests that interrupt one.
"""

import importlib.machinery
import importlib.util
import os
import sys
import time
import types
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
#: Beginnings of commands and what is given for them: a pair potential (eV, Å) whose crystal has
#: about the volume of LaH10 at 150 GPa, by lengths near the La–La, La–H and H–H distances.
INSTEAD = {
    "pair_style deepmd": ["pair_style lj/cut 4.5"],
    "pair_coeff * * La H": [
        "pair_coeff 1 1 0.5 3.5",
        "pair_coeff 1 2 0.3 1.95",
        "pair_coeff 2 2 0.3 1.08",
        "pair_modify shift yes",
    ],
}
PAUSE = float(os.environ.get("STANDIN_PAUSE", 0))

os.environ.pop("LAMMPS_PLUGIN_PATH", None)
_others = [path for path in sys.path if Path(path).resolve() != HERE]
_spec = importlib.machinery.PathFinder.find_spec(__name__, _others)
real = importlib.util.module_from_spec(_spec)
sys.modules[__name__] = real
# It looks for plugins, and so imports TensorFlow.
sys.modules[f"{__name__}.executable"] = types.ModuleType(f"{__name__}.executable")
_spec.loader.exec_module(real)


class PairPotential(real.lammps):
    """LAMMPS with `INSTEAD` for the deep potential."""

    def command(self, cmd):
        if PAUSE and cmd.startswith("run "):
            time.sleep(PAUSE)
        lines = (lines for beginning, lines in INSTEAD.items() if cmd.startswith(beginning))
        for line in next(lines, [cmd]):
            super().command(line)


real.lammps = PairPotential
