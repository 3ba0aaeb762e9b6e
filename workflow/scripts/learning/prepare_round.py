"""Rule prepare_round: what a round trains on, with the labels of all rounds so far."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.config.training import load_split
from lah10.learning.prepare import prepare
from lah10.potential.data import alignment

split = load_split(snakemake.input.split)
aligned = snakemake.input.get("alignment")
prepare(
    split,
    dict(zip(split.sources, snakemake.input.folders, strict=True)),
    snakemake.input.labelled,
    Path(snakemake.output[0]).parent,
    alignment.read(aligned) if aligned else None,
    snakemake.params.scale,
    snakemake.input.get("model") or None,
)
