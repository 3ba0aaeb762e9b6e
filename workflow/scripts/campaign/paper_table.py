"""Rule paper_table: every campaign below results/ beside the source paper."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import paper
from lah10.errors import UserError

phase_diagrams = sorted(Path("results").rglob("phase_diagram.nc"))
if not phase_diagrams:
    raise UserError("results: no phase_diagram.nc in it to compare; run `make demo` first")
for phase_diagram in phase_diagrams:
    folder = phase_diagram.parent
    paper.write(phase_diagram, snakemake.params.numbers, folder / "paper.md", folder / "paper.nc")
    print(folder / "paper.md")
