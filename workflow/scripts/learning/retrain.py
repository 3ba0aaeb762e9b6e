"""Rule retrain: one model goes on from the round before, or from its last checkpoint."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.io.json import read_json
from lah10.potential.training import inputs, training

params = snakemake.params
content = inputs.training_input(
    read_json(snakemake.input.template, "make it again: `snakemake learn`"),
    snakemake.input.index,
    params.steps,
    params.seed,
    params.checkpoint_steps,
    params.shares,
)
training.train(
    [content],
    snakemake.input.index,
    params.scratch,
    snakemake.log[0],
    threads=snakemake.threads,
    device=params.device,
    start=snakemake.input.start[0],
)
training.publish(params.scratch, [content], snakemake.output.training, snakemake.output.curve)
training.freeze(training.stage_folder(params.scratch, 0), snakemake.output.model, snakemake.log[0])
