"""Rule validate_statics: Table I and the equation of state beside DFT."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential import alignment, statics

scale = alignment.read(snakemake.input.alignment).pressures if snakemake.input.alignment else {}
statics.validate(
    snakemake.input.model,
    snakemake.input.dft,
    snakemake.output.table,
    snakemake.output.figures,
    offset=scale.get(snakemake.params.source, 0.0),
    pulay=snakemake.params.pulay,
    threads=snakemake.threads,
)
