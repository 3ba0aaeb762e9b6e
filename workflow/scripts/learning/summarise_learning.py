"""Rule summarise_learning: all rounds in one table."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.learning.record import summarise

summarise(
    snakemake.input.records,
    snakemake.input.get("models", []),
    snakemake.output.table,
    snakemake.output.text,
)
