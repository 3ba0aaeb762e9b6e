"""Rule compress: tabulated embedding networks, checked against the frozen graph."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import logging

from lah10.io.json import read_json
from lah10.potential.data.preparation import closest_folder, samples
from lah10.potential.training.compression import compress

change = compress(
    snakemake.input.frozen,
    snakemake.output[0],
    read_json(snakemake.input.training, "train again")["stages"][-1],
    closest_folder(snakemake.input.index),
    samples(snakemake.input.index),
    snakemake.log[0],
)
logging.info(
    "compression changed forces by %.1e eV/Å and energies by %.1e eV/atom at most",
    change["force"],
    change["energy"],
)
