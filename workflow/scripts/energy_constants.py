"""Rule energy_constants: by how much each set's energies lie off a common scale."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential import dataset
from lah10.potential.preparation import energy_constants, write_constants
from lah10.potential.settings import load_split

names = load_split(snakemake.input.split).sources
systems = [
    system
    for name, folder in zip(names, snakemake.input.folders, strict=True)
    for system in dataset.read(folder, name)
]
constants = energy_constants(snakemake.input.model, systems, snakemake.threads)
write_constants(constants, snakemake.input.model, snakemake.output[0])
