"""Rule prepare_dataset: checked DeePMD folders to train on and to test with."""

from lah10 import logs

logs.start(snakemake.log[0])

from pathlib import Path

from lah10.potential.preparation import prepare, read_constants
from lah10.potential.settings import load_split

split = load_split(snakemake.input.split)
constants = snakemake.input.get("constants")
prepare(
    split,
    dict(zip(split.sources, snakemake.input.folders, strict=True)),
    Path(snakemake.output[0]).parent,
    read_constants(constants) if constants else None,
)
