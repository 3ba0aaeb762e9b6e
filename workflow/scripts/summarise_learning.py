"""Rule summarise_learning: all rounds in one table."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.learning import summarise

summarise(
    snakemake.input.records,
    snakemake.input.get("models", []),
    snakemake.output.table,
    snakemake.output.text,
)
