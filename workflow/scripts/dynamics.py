"""Rules equilibrate and produce: one stage of molecular dynamics, in a process of its own."""

import json

from lah10.dynamics.launch import run_stage
from lah10.logs import job_log

job = {
    "stage": snakemake.rule,
    "campaign": snakemake.config["campaign"],
    "config_json": json.dumps(snakemake.config, sort_keys=True),
    "bath": snakemake.wildcards.bath,
    "pressure_GPa": float(snakemake.wildcards.pressure),
    "temperature_K": float(snakemake.wildcards.temperature),
    "supercell": snakemake.input.supercell,
    "restart_in": snakemake.input.get("restart"),
    "outputs": dict(snakemake.output.items()),
    "scratch": snakemake.params.scratch,
    "potential": {
        "model": snakemake.input.model,
        "committee": list(snakemake.input.get("committee", [])),
    },
    "bath_options": snakemake.params.bath_options,
    "dynamics": snakemake.params.dynamics,
    "seed": snakemake.params.seed,
    "mpi_ranks": snakemake.threads,
}

with job_log(snakemake.log[0]):
    run_stage(job, snakemake.log[0])
