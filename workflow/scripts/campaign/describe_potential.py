"""Rule describe_potential: the card of the campaign's potential."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import potential
from lah10.io import html

potential.describe(
    snakemake.params.model, snakemake.params.model_sha256, snakemake.output.text
)
html.write(snakemake.output.text, snakemake.output.page)
