"""Rule label: energy, forces and stress of one structure by GPAW."""

from lah10 import logs

logs.start(snakemake.log[0], libraries=True)

import os

# Read when the libraries of linear algebra are loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(snakemake.threads)

from lah10.errors import UserError
from lah10.potential.labels import label, read_structures
from lah10.potential.settings import Gpaw

name = snakemake.wildcards.structure
structures = read_structures(snakemake.input.structures)
if name not in structures:
    raise UserError(f"{snakemake.input.structures}: {name} is no longer there; start anew")
with open(snakemake.log[0], "a") as text:
    label(
        structures[name],
        Gpaw.model_validate_json(snakemake.params.settings),
        snakemake.output[0],
        text,
    )
