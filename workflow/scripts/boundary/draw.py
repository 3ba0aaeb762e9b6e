"""Rule boundary_draw: the figure of the free energies and of the phase boundary."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.figures.boundary import draw_file

draw_file(snakemake.input.boundary, list(snakemake.output))
