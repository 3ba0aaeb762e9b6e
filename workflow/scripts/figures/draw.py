"""Rule draw: the figures of one campaign."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.figures.campaign import draw_all

phase_diagram = Path(snakemake.input.phase_diagram)
draw_all(phase_diagram, phase_diagram.parent / "points", Path(snakemake.output[0]).parent)
