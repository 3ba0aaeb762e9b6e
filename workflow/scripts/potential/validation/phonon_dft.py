"""Rule phonon_dft: forces of GPAW in the displaced crystals."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0], libraries=True)

import os

# Read when the libraries of linear algebra are loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(snakemake.threads)

from lah10.config.training import Gpaw
from lah10.potential.data.labels import label_all

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
