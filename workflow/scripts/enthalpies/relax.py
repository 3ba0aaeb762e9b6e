"""Rule relax_phases: the phases at rest by one potential, with their zero-point energies."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.potential.validation import enthalpies

highest = snakemake.params.highest
enthalpies.launch(
    snakemake.input.model,
    list(zip(snakemake.params.phases, snakemake.input.crystals, strict=True)),
    None if highest is None else float(highest),
    snakemake.output.dataset,
    snakemake.output.crystals,
    snakemake.log[0],
    snakemake.threads,
)
