"""Rule phase_diagram: the summaries of all points in one dataset."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.phase_diagram import merge

merge(
    [
        (*point, path)
        for point, path in zip(snakemake.params.points, snakemake.input.summaries, strict=True)
    ],
    snakemake.output[0],
    harmonic=snakemake.input.harmonic,
    attrs={"campaign": snakemake.config["campaign"], "config": snakemake.config},
)
