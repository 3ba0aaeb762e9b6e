"""Rule structures_distorted: R-3m on the sites of the supercell, the second start of points."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.rhombohedral import distorted
from lah10.crystal.structures import read_crystal, read_supercell, write_supercell
from lah10.dynamics.lammps_input import write_data

template = read_supercell(snakemake.input.supercell)
crystal = distorted(template, read_crystal(snakemake.input.crystal))
write_supercell(snakemake.output.supercell, crystal)
write_data(crystal, snakemake.output.data)
