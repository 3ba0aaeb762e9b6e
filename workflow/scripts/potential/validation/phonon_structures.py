"""Rule phonon_structures: the displaced crystals whose forces give the phonons of Fm-3m."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.potential.validation import phonons

phonons.write_structures(snakemake.input.dft, snakemake.output[0])
