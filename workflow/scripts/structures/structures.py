"""Rule structures: the perfect supercell in LAMMPS orientation, for analysis and for LAMMPS."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.structures import campaign_supercell, write_supercell
from lah10.dynamics.lammps_input import write_data

params = snakemake.params
supercell = campaign_supercell(
    snakemake.input[0], params.cell, params.repeat, params.get("isotopes", {})
)
write_supercell(snakemake.output.supercell, supercell)
write_data(supercell, snakemake.output.data)
