"""Rule status: how far the campaign is, on the terminal."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign.status import report

print(report(snakemake.params.folder, snakemake.params.points))
