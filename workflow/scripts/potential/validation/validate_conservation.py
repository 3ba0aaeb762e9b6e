"""Rule validate_conservation: the drift of the energy without a thermostat."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.structures import build_supercell, read_crystal
from lah10.potential.validation import nve_drift

nve_drift.validate(
    snakemake.input.model,
    build_supercell(read_crystal(snakemake.input.crystal), "primitive", (2, 2, 2)),
    snakemake.output[0],
)
