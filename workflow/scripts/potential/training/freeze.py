"""Rule freeze: the last checkpoint as one graph."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.potential.training.training import freeze, stage_folder

last = stage_folder(snakemake.params.scratch, snakemake.params.last)
freeze(last, snakemake.output[0], snakemake.log[0])
