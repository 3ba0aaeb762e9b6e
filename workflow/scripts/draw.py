"""Rule draw: the figures of one campaign."""

from pathlib import Path

from lah10.figures import draw_all
from lah10.logs import job_log

with job_log(snakemake.log[0]):
    phase_diagram = Path(snakemake.input.phase_diagram)
    draw_all(phase_diagram, phase_diagram.parent / "points", Path(snakemake.output[0]).parent)
