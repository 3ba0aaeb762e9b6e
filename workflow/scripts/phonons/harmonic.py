"""Rule harmonic: phonons of LaH10, relaxed with the campaign's potential at one pressure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0], libraries=True)

import os

# TensorFlow takes every core it sees, and has no option on the way from ASE.
os.environ["DP_INTRA_OP_PARALLELISM_THREADS"] = str(snakemake.threads)
os.environ["DP_INTER_OP_PARALLELISM_THREADS"] = "1"

from lah10.phonons.reference import compute

compute(
    snakemake.input.model,
    snakemake.input.crystals,
    float(snakemake.wildcards.pressure),
    snakemake.output[0],
)
