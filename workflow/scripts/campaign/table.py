"""Rule table: the numbers of the campaign's points, to read."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import table

table.write(snakemake.input.phase_diagram, snakemake.output[0])
