"""Rule figures: the figures of every campaign whose phase diagram lies below results/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.errors import UserError
from lah10.figures.campaign import draw_all

phase_diagrams = sorted(Path("results").rglob("phase_diagram.nc"))
if not phase_diagrams:
    raise UserError("results: no phase_diagram.nc in it to draw; run `make demo` first")
for phase_diagram in phase_diagrams:
    campaign = phase_diagram.parent
    for figure in draw_all(phase_diagram, campaign / "points", campaign / "figures"):
        print(figure)
