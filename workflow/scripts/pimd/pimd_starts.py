"""Rule pimd_starts: path integrals from Fm-3m and from R-3m at the same points, as a table."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign.starts import write_pimd_table

files = snakemake.input
write_pimd_table(
    list(
        zip(snakemake.params.runs, files.cubic, files.distorted, files.harmonic, strict=True)
    ),
    snakemake.output[0],
)
