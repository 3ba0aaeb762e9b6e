"""Rule boundary_pimd: one window of path integrals."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import json

from ase.io import read

from lah10.dynamics.lammps_input import volume_damping
from lah10.dynamics.stop import exit_file
from lah10.pimd.launch import run_pimd

wildcards, params = snakemake.wildcards, snakemake.params
temperature = float(wildcards.kelvin)
atoms = len(read(snakemake.input.supercell))
run_pimd(
    {
        "campaign": snakemake.config["campaign"],
        "config_json": json.dumps(snakemake.config, sort_keys=True),
        "pressure_GPa": float(wildcards.gpa),
        "temperature_K": temperature,
        "beads": int(wildcards.beads),
        "highest_THz": params.highest_THz,
        "start": snakemake.input.supercell,
        "driver_options": {
            "model": snakemake.input.model,
            "template": snakemake.input.supercell,
        },
        "outputs": dict(snakemake.output.items()),
        "scratch": params.scratch,
        "dynamics": params.dynamics,
        "held_shape": {
            "angle_degree": float(wildcards.angle),
            "volume_damping_ps": volume_damping(params.volume_period_ps, atoms, temperature),
        },
        "seed": params.seed,
    },
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
