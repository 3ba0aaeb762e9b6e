"""Rule fit_differences: the last fitting layer learns differences of energy between crystals."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.config.differences import Differences
from lah10.potential.training.differences import fit

fit(
    snakemake.input.model,
    snakemake.input.labels,
    snakemake.input.index,
    Differences.model_validate_json(snakemake.params.section),
    snakemake.output.frozen,
    snakemake.output.record,
)
