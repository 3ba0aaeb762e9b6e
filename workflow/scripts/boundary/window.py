"""Rules boundary_equilibrate and boundary_produce: one window of classical nuclei."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import json

from ase.io import read

from lah10.dynamics.lammps_input import volume_damping
from lah10.dynamics.launch import run_stage
from lah10.dynamics.stop import exit_file

wildcards, params = snakemake.wildcards, snakemake.params
temperature = float(wildcards.kelvin)
atoms = len(read(snakemake.input.supercell))
job = {
    "stage": snakemake.rule.removeprefix("boundary_"),
    "campaign": snakemake.config["campaign"],
    "config_json": json.dumps(snakemake.config, sort_keys=True),
    "bath": "classical",
    "pressure_GPa": float(wildcards.gpa),
    "temperature_K": temperature,
    "supercell": snakemake.input.supercell,
    "supercell_data": snakemake.input.supercell_data,
    "restart_in": snakemake.input.get("restart"),
    "equilibration": snakemake.input.get("equilibration"),
    "outputs": dict(snakemake.output.items()),
    "scratch": params.scratch,
    "potential": {"model": snakemake.input.model, "committee": []},
    "bath_options": params.bath_options,
    "dynamics": params.dynamics,
    "held_shape": {
        "angle_degree": float(wildcards.angle),
        "volume_damping_ps": volume_damping(params.volume_period_ps, atoms, temperature),
    },
    "seed": params.seed,
    "mpi_ranks": snakemake.threads,
}

run_stage(
    job,
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
