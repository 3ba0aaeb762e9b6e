"""Rule label: energy, forces and stress of one structure by GPAW."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0], libraries=True)

import os

# Read when the libraries of linear algebra are loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(snakemake.threads)

from lah10.config.training import Gpaw
from lah10.errors import UserError
from lah10.potential.data.labels import label
from lah10.potential.data.structures import read_structures

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
