"""Rule validate_phases: enthalpies of the phases at rest."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.structures import read_crystal
from lah10.potential.validation import phases

crystals = {
    name: read_crystal(path)
    for name, path in zip(snakemake.params.phases, snakemake.input.crystals, strict=True)
}
found = phases.enthalpies(snakemake.input.model, crystals, threads=snakemake.threads)
phases.write(found, snakemake.output[0])
