"""Rule alignment: by how much sets and sources lie off a common scale."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.alignment import estimate, write
from lah10.potential.preparation import read
from lah10.potential.settings import load_split

split = load_split(snakemake.input.split)
folders = dict(zip(split.sources, snakemake.input.folders, strict=True))
alignment = estimate(snakemake.input.model, read(split, folders)["train"], split, snakemake.threads)
write(alignment, snakemake.input.model, snakemake.output[0])
