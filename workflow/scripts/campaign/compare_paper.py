"""Rule compare_paper: the campaign beside the source paper, number by number."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import paper
from lah10.io import html

paper.write(
    snakemake.input.phase_diagram,
    snakemake.input.numbers,
    snakemake.output.text,
    snakemake.output.dataset,
)
html.write(snakemake.output.text, snakemake.output.page)
