"""Rule harmonic: phonons of LaH10, relaxed with the campaign's potential at one pressure."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.phonons import launch

launch.run(
    snakemake.input.model,
    snakemake.input.crystals,
    float(snakemake.wildcards.pressure),
    snakemake.output[0],
    snakemake.log[0],
    snakemake.threads,
    snakemake.params.get("isotopes", {}),
)
