"""Rule gather_labels: DeePMD systems from the structures that GPAW labelled."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.labels import gather
from lah10.potential.settings import Gpaw

gather(
    snakemake.input,
    Gpaw.model_validate_json(snakemake.params.settings),
    snakemake.output[0],
)
