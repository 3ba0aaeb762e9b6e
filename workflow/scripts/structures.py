"""Rule structures: the perfect supercell in LAMMPS orientation, for analysis and for LAMMPS."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.dynamics.lammps_input import write_data
from lah10.structures import build_supercell, read_crystal, write_supercell

crystal = read_crystal(snakemake.input[0])
supercell = build_supercell(crystal, snakemake.params.cell, snakemake.params.repeat)
write_supercell(snakemake.output.supercell, supercell)
write_data(supercell, snakemake.output.data)
