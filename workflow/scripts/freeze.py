"""Rule freeze: the last checkpoint as one graph."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.training import freeze, stage_folder

last = stage_folder(snakemake.params.scratch, snakemake.params.last)
freeze(last, snakemake.output[0], snakemake.log[0])
