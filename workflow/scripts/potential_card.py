"""Rule potential_card: the provenance of a model, from its files."""

from lah10 import logs

logs.start(snakemake.log[0])

from pathlib import Path

from lah10.potential.card import write
from lah10.potential.settings import load_split

write(Path(snakemake.output[0]).parent, load_split(snakemake.input.split))
