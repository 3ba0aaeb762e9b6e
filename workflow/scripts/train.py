"""Rule train: one model, from its last checkpoint if there is one."""

from lah10 import logs

logs.start(snakemake.log[0])

import json
from pathlib import Path

from lah10.potential import training

params = snakemake.params
stages = [
    training.training_input(
        json.loads(Path(template).read_text()),
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
