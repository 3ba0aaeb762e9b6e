"""Rules equilibrate and produce: one stage of molecular dynamics, in a process of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import jobs
from lah10.config.reading import validate
from lah10.dynamics.launch import run_stage
from lah10.dynamics.stop import exit_file

wildcards = snakemake.wildcards
outputs = dict(snakemake.output.items())
job = jobs.dynamics(
    validate(snakemake.config, "configuration"),
    # A workflow that imports this one may give the rules other names.
    "equilibrate" if "restart" in outputs else "produce",
    (wildcards.bath, wildcards.pressure, wildcards.temperature),
    dict(snakemake.input.items()),
)
own = {
    "outputs": outputs,
    "scratch": snakemake.params.scratch,
    "start": snakemake.params.get("start", "cubic"),
    "mpi_ranks": snakemake.threads,
}
run_stage(
    job | own,
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
