"""Rule pimd_analyse: everything that is measured in one path-integral run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.pimd.analysis import analyse_run

analyse_run(
    snakemake.input.thermo,
    snakemake.input.centroids,
    snakemake.input.beads,
    snakemake.input.supercell,
    **{f"{name}_out": path for name, path in snakemake.output.items()},
    window=snakemake.params.window_ps,
    seed=snakemake.params.seed,
)
