"""Rule validate_potential: errors on the held-out sets, and the parity figure."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.parity import draw
from lah10.potential.validation import validate
from lah10.structures import build_supercell, read_crystal

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
