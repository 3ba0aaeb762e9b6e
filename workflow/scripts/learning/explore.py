"""Rule explore: one point of the grid that active learning looks at."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.learning.explore import explore

bath, pressure, temperature = snakemake.params.point
explore(
    {
        "campaign": "learn",
        "bath": bath,
        "pressure_GPa": pressure,
        "temperature_K": temperature,
        "supercell": snakemake.input.supercell,
        "supercell_data": snakemake.input.supercell_data,
        "potential": {"model": snakemake.input.model},
        "seed": snakemake.params.seed,
    },
    snakemake.params.options,
    dict(snakemake.output.items()),
    snakemake.params.scratch,
    snakemake.log[0],
)
