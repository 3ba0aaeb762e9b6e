"""Rule alignment: by how much sets and sources lie off a common scale."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.config.training import load_split
from lah10.potential.data.alignment import estimate, write
from lah10.potential.data.preparation import read

split = load_split(snakemake.input.split)
folders = dict(zip(split.sources, snakemake.input.folders, strict=True))
alignment = estimate(snakemake.input.model, read(split, folders)["train"], split, snakemake.threads)
write(alignment, snakemake.input.model, snakemake.output[0])
