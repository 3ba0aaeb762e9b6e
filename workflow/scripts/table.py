"""Rule table: the numbers of the campaign's points, to read."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10 import tables

tables.write(snakemake.input.phase_diagram, snakemake.output[0])
