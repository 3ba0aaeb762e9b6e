"""Checkpoint select_structures: judge a round's frames, choose what is labelled."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.learning import explore, select

params = snakemake.params
runs = zip(snakemake.input.thermo, snakemake.input.trajectory, strict=True)
exploration = explore.read_exploration(
    dict(zip(params.points, runs, strict=True)), snakemake.input.supercell, params.frames
)
select.select(
    exploration,
    select.deviations(snakemake.input.models, exploration.system, snakemake.threads),
    *params.bounds,
    params.share,
    params.labels,
    int(snakemake.wildcards.round),
    snakemake.input.models,
    dict(snakemake.output.items()),
)
