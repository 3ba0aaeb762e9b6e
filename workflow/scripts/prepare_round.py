"""Rule prepare_round: what a round trains on, with the labels of all rounds so far."""

from lah10 import logs

logs.start(snakemake.log[0])

from pathlib import Path

from lah10.potential import alignment
from lah10.potential.learning import prepare
from lah10.potential.settings import load_split

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
