"""Rule draw: the figures of one campaign."""

from lah10 import logs

logs.start(snakemake.log[0])

from pathlib import Path

from lah10.figures import draw_all

phase_diagram = Path(snakemake.input.phase_diagram)
draw_all(phase_diagram, phase_diagram.parent / "points", Path(snakemake.output[0]).parent)
