"""Rule analyse: everything that is measured at one point."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.analysis.summary import analyse_point

analyse_point(
    snakemake.input.trajectory,
    snakemake.input.thermo,
    snakemake.input.spectra,
    snakemake.input.supercell,
    **{f"{name}_out": path for name, path in snakemake.output.items()},
    window=snakemake.params.window_ps,
    seed=snakemake.params.seed,
)
