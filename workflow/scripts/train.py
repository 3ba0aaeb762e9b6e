"""Rule train: one model, from its last checkpoint if there is one."""

from lah10 import logs

logs.start(snakemake.log[0])

import json
import shutil
from pathlib import Path

from lah10.files import atomic_path
from lah10.potential import training

template = json.loads(Path(snakemake.input.template).read_text())
params = snakemake.params
content = training.training_input(
    template, snakemake.input.index, params.steps, params.seed, params.checkpoint_steps
)
training.train(
    content,
    snakemake.input.index,
    params.scratch,
    snakemake.log[0],
    threads=snakemake.threads,
    device=params.device,
)
with atomic_path(snakemake.output.training) as aside:
    aside.write_text(json.dumps(training.without_paths(content), indent=1) + "\n")
with atomic_path(snakemake.output.curve) as aside:
    shutil.copyfile(Path(params.scratch, training.CURVE), aside)
