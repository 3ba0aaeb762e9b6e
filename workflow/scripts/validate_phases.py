"""Rule validate_phases: enthalpies of the phases at rest."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential import phases
from lah10.structures import read_crystal

crystals = {
    name: read_crystal(path)
    for name, path in zip(snakemake.params.phases, snakemake.input.crystals, strict=True)
}
found = phases.enthalpies(snakemake.input.model, crystals, threads=snakemake.threads)
phases.write(found, snakemake.output[0])
