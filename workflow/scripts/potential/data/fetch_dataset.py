"""Rule fetch_dataset: a public data set at its pinned commit, verified."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.config.training import Source
from lah10.potential.data.fetch import fetch

fetch(
    Source.model_validate_json(snakemake.params.source),
    snakemake.input.manifest,
    snakemake.output[0],
    local=snakemake.params.local,
)
