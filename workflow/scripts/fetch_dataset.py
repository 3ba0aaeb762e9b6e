"""Rule fetch_dataset: a public data set at its pinned commit, verified."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.fetch import fetch
from lah10.potential.settings import Source

fetch(
    Source.model_validate_json(snakemake.params.source),
    snakemake.input.manifest,
    snakemake.output[0],
    local=snakemake.params.local,
)
