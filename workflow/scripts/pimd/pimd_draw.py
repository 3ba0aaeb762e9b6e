"""Rule pimd_draw: the figure of one point at which path integrals were run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.figures.pimd import draw_point

draw_point(
    snakemake.input.comparison,
    snakemake.wildcards.pressure,
    snakemake.wildcards.temperature,
    list(snakemake.output),
)
