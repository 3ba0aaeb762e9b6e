"""Rule phonon_dft: forces of GPAW in the displaced crystals."""

from lah10 import logs

logs.start(snakemake.log[0], libraries=True)

import os
from pathlib import Path

# Read when the libraries of linear algebra are loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(snakemake.threads)

from lah10.potential.labels import label_all
from lah10.potential.settings import Gpaw

folder = Path(snakemake.params.scratch)
folder.mkdir(parents=True, exist_ok=True)
with open(snakemake.log[0], "a") as text:
    label_all(
        snakemake.input[0],
        Gpaw.model_validate_json(snakemake.params.settings),
        folder,
        snakemake.output[0],
        text,
    )
