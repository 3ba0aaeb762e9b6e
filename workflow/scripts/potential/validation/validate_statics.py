"""Rule validate_statics: Table I and the equation of state beside DFT."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.figures.equation_of_state import draw
from lah10.potential.data import alignment
from lah10.potential.validation import equation_of_state

scale = alignment.read(snakemake.input.alignment).pressures if snakemake.input.alignment else {}
_, dft, model = equation_of_state.validate(
    snakemake.input.model,
    snakemake.input.dft,
    snakemake.output.table,
    offset=scale.get(snakemake.params.source, 0.0),
    pulay=snakemake.params.pulay,
    threads=snakemake.threads,
)
draw(dft, model, snakemake.output.figures)
