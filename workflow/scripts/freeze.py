"""Rule freeze: the last checkpoint as one graph."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.training import freeze

freeze(snakemake.params.scratch, snakemake.output[0], snakemake.log[0])
