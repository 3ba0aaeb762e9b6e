"""Rule validate_phonons: phonons of Fm-3m beside DFT."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.figures.phonons import draw
from lah10.potential.validation import phonons

_, curves = phonons.validate(
    snakemake.input.model,
    snakemake.input.static,
    snakemake.input.forces,
    snakemake.output.table,
    threads=snakemake.threads,
)
draw(curves, snakemake.output.figures)
