"""Rule phase_diagram: the summaries of all points in one dataset."""

from lah10.logs import job_log
from lah10.phase_diagram import merge

with job_log(snakemake.log[0]):
    merge(
        [
            (*point, path)
            for point, path in zip(snakemake.params.points, snakemake.input.summaries, strict=True)
        ],
        snakemake.output[0],
        attrs={"campaign": snakemake.config["campaign"], "config": snakemake.config},
    )
