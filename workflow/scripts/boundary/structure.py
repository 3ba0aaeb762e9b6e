"""Rule boundary_structure: the supercell at one angle of its cell, at the same volume."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.angle import sheared
from lah10.crystal.structures import read_supercell, write_supercell
from lah10.dynamics.lammps_input import write_data

crystal = sheared(read_supercell(snakemake.input.supercell), float(snakemake.wildcards.angle))
write_supercell(snakemake.output.supercell, crystal)
write_data(crystal, snakemake.output.data)
