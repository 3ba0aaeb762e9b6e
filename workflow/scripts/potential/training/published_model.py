"""Rule published_model: the published potential at its pinned commit, upgraded and compressed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.config.training import Source
from lah10.potential.training.published import get

get(
    Source.model_validate_json(snakemake.params.source),
    snakemake.input.manifest,
    snakemake.input.labelled,
    snakemake.output[0],
    snakemake.log[0],
)
