"""Rule boundary_measure: dG/dδ, volume and enthalpy of one window."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.analysis.free_energy import measure, to_dataset
from lah10.io import netcdf

window = measure(
    snakemake.input.thermo, snakemake.input.trajectory, snakemake.input.supercell
)
netcdf.write(to_dataset(window), snakemake.output[0], "A window at one angle of the cell")
