"""Rule convert_outputs: DeePMD systems from outputs of VASP or Quantum ESPRESSO."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.potential.data.dft_outputs import convert

convert(snakemake.input, snakemake.output[0])
