"""Rule pimd_draw: the figure of one point at which path integrals were run."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.pimd.figure import draw_point

draw_point(
    snakemake.input.comparison,
    snakemake.wildcards.pressure,
    snakemake.wildcards.temperature,
    list(snakemake.output),
)
