"""Rule train: one model, from its last checkpoint if there is one."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.io.json import read_json
from lah10.potential.training import inputs, training

params = snakemake.params
stages = [
    inputs.training_input(
        read_json(template, "mend the template"),
        snakemake.input.index,
        steps,
        params.seed,
        params.checkpoint_steps,
        shares,
    )
    for template, steps, shares in zip(
        snakemake.input.templates, params.steps, params.shares, strict=True
    )
]
training.train(
    stages,
    snakemake.input.index,
    params.scratch,
    snakemake.log[0],
    threads=snakemake.threads,
    device=params.device,
)
training.publish(params.scratch, stages, snakemake.output.training, snakemake.output.curve)
