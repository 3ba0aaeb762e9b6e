"""Rule pimd_run: path integrals at one point, with one number of beads."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import json

from lah10.dynamics.stop import exit_file
from lah10.pimd.launch import run_pimd

run_pimd(
    {
        "campaign": snakemake.config["campaign"],
        "config_json": json.dumps(snakemake.config, sort_keys=True),
        "pressure_GPa": float(snakemake.wildcards.pressure),
        "temperature_K": float(snakemake.wildcards.temperature),
        "beads": int(snakemake.wildcards.beads),
        "highest_THz": snakemake.params.highest_THz,
        "start": snakemake.input.supercell,
        "restart": snakemake.input.get("restart"),
        "equilibration": snakemake.input.get("equilibration"),
        "driver_options": {
            "model": snakemake.input.model,
            "template": snakemake.input.supercell,
        },
        "outputs": dict(snakemake.output.items()),
        "scratch": snakemake.params.scratch,
        "dynamics": snakemake.params.dynamics,
        "seed": snakemake.params.seed,
    },
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
