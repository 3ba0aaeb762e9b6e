"""Rule pimd_run: path integrals at one point, with one number of beads."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import jobs
from lah10.config.reading import validate
from lah10.dynamics.stop import exit_file
from lah10.pimd.launch import run_pimd

wildcards = snakemake.wildcards
job = jobs.path_integrals(
    validate(snakemake.config, "configuration"),
    (wildcards.pressure, wildcards.temperature),
    int(wildcards.beads),
    dict(snakemake.input.items()),
)
own = {"outputs": dict(snakemake.output.items()), "scratch": snakemake.params.scratch}
run_pimd(
    job | own,
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
