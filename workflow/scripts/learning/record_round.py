"""Rule record_round: what a round found and did."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.learning.record import record

found = snakemake.input
record(
    found.selection,
    found.get("labels", []),
    found.get("before", []),
    found.get("after", []),
    found.get("index"),
    snakemake.output[0],
    snakemake.threads,
)
