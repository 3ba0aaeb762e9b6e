"""Rule phonon_structures: the displaced crystals whose forces give the phonons of Fm-3m."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential import phonons

phonons.write_structures(snakemake.input.dft, snakemake.output[0])
