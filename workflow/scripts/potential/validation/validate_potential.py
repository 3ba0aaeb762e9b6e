"""Rule validate_potential: errors on the held-out sets, and the parity figure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.structures import build_supercell, read_crystal
from lah10.figures.parity import draw
from lah10.potential.validation.held_out import validate

validate(
    snakemake.input.model,
    snakemake.input.index,
    build_supercell(read_crystal(snakemake.input.crystal), "conventional", (1, 1, 1)),
    snakemake.output.table,
    snakemake.output.frames,
    threads=snakemake.threads,
    name=snakemake.wildcards.validated,
)
draw(snakemake.output.frames, snakemake.output.parity)
