"""Rule calibrate: this machine's rates, measured by short runs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign.calibrate import calibrate
from lah10.campaign.plan import read_rates

calibrate(
    dict(snakemake.config),
    read_rates(snakemake.params.rates),
    snakemake.params.output,
    snakemake.params.cores,
)
