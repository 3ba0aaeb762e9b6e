"""Rule validate_conservation: the drift of the energy without a thermostat."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential import conservation
from lah10.structures import build_supercell, read_crystal

conservation.validate(
    snakemake.input.model,
    build_supercell(read_crystal(snakemake.input.crystal), "primitive", (2, 2, 2)),
    snakemake.output[0],
)
