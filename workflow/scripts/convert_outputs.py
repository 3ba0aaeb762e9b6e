"""Rule convert_outputs: DeePMD systems from outputs of VASP or Quantum ESPRESSO."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.outputs import convert

convert(snakemake.input, snakemake.output[0])
