"""Rule prepare_dataset: checked DeePMD folders to train on and to test with."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.config.training import load_split
from lah10.potential.data import alignment
from lah10.potential.data.preparation import prepare

split = load_split(snakemake.input.split)
aligned = snakemake.input.get("alignment")
prepare(
    split,
    dict(zip(split.sources, snakemake.input.folders, strict=True)),
    Path(snakemake.output[0]).parent,
    alignment.read(aligned) if aligned else None,
    snakemake.input.get("model") or None,
)
