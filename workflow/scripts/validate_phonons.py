"""Rule validate_phonons: phonons of Fm-3m beside DFT."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential import phonons

phonons.validate(
    snakemake.input.model,
    snakemake.input.static,
    snakemake.input.forces,
    snakemake.output.table,
    snakemake.output.figures,
    threads=snakemake.threads,
)
