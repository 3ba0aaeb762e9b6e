"""Rule train: one model, from its last checkpoint if there is one."""

from lah10 import logs

logs.start(snakemake.log[0])

import json
import shutil
from pathlib import Path

from lah10.files import atomic_path
from lah10.potential import training

params = snakemake.params
stages = [
    training.training_input(
        json.loads(Path(template).read_text()),
        snakemake.input.index,
        steps,
        params.seed,
        params.checkpoint_steps,
        params.shares,
    )
    for template, steps in zip(snakemake.input.templates, params.steps, strict=True)
]
training.train(
    stages,
    snakemake.input.index,
    params.scratch,
    snakemake.log[0],
    threads=snakemake.threads,
    device=params.device,
)
with atomic_path(snakemake.output.training) as aside:
    content = {"stages": [training.without_paths(stage) for stage in stages]}
    aside.write_text(json.dumps(content, indent=1) + "\n")
with atomic_path(snakemake.output.curve) as aside:
    last = training.stage_folder(params.scratch, len(stages) - 1)
    shutil.copyfile(last / training.CURVE, aside)
