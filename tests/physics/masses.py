"""What LAMMPS itself has as masses.

Not a test: called by the tests in a process that can load LAMMPS.
"""

from lah10.dynamics import lammps_input as script
from lah10.dynamics.engine import Engine


def of_restart(restart):
    """Masses (g/mol) by type in a restart file."""
    engine = Engine("none")
    engine.execute([*script.header()[-1:], *script.restart(restart)])
    mass = engine.lmp.extract_atom("mass")
    return [mass[kind] for kind in (1, 2)]
