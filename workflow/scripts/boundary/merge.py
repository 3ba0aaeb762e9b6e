"""Rule boundary_merge: windows to free energies and the phase boundary."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign.boundary import merge, read_windows, write_table
from lah10.io import html, netcdf

windows = snakemake.params.windows  # of each curve, one curve after another
curves = [curve for curve in snakemake.params.curves for _ in range(windows)]
boundary = merge(read_windows(zip(curves, snakemake.input.windows, strict=True)))
netcdf.write(boundary, snakemake.output.dataset, "Free energies along the cell's angle")
write_table(boundary, snakemake.output.table)
html.write(snakemake.output.table, snakemake.output.page)
