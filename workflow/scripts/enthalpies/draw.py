"""Rule draw_enthalpies: the enthalpies of the phases, and the phases."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.figures import enthalpies

enthalpies.draw_files(
    snakemake.input.dataset,
    snakemake.input.crystals,
    list(snakemake.output.curves),
    list(snakemake.output.phases),
)
