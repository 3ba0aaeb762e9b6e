"""Rule potential_card: the provenance of a model, from its files."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.config.training import load_split
from lah10.potential.validation.card import write

write(Path(snakemake.output[0]).parent, load_split(snakemake.input.split))
