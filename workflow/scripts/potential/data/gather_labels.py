"""Rule gather_labels: DeePMD systems from the structures that GPAW labelled."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.config.training import Gpaw
from lah10.potential.data.labels import gather

gather(
    snakemake.input,
    Gpaw.model_validate_json(snakemake.params.settings),
    snakemake.output[0],
)
