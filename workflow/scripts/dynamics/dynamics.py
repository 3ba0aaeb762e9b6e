"""Rules equilibrate and produce: one stage of molecular dynamics, in a process of its own."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import json

from lah10.dynamics.launch import run_stage
from lah10.dynamics.stop import exit_file

job = {
    # A workflow that imports this one may give the rules other names.
    "stage": "equilibrate" if "restart" in snakemake.output.keys() else "produce",
    "campaign": snakemake.config["campaign"],
    "config_json": json.dumps(snakemake.config, sort_keys=True),
    "bath": snakemake.wildcards.bath,
    "pressure_GPa": float(snakemake.wildcards.pressure),
    "temperature_K": float(snakemake.wildcards.temperature),
    "supercell": snakemake.input.supercell,
    "supercell_data": snakemake.input.supercell_data,
    "restart_in": snakemake.input.get("restart"),
    "equilibration": snakemake.input.get("equilibration"),
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

run_stage(
    job,
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
