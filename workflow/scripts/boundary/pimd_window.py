"""Rule boundary_pimd: one window of path integrals."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import json

from ase.io import read

from lah10.dynamics.lammps_input import held_shape
from lah10.dynamics.stop import exit_file
from lah10.pimd.job import described
from lah10.pimd.launch import run_pimd

wildcards, params = snakemake.wildcards, snakemake.params
atoms = len(read(snakemake.input.supercell))
job = described(
    (wildcards.gpa, wildcards.kelvin),
    int(wildcards.beads),
    dict(snakemake.input.items()),
    highest_THz=params.highest_THz,
    dynamics=params.dynamics,
    held_shape=held_shape(wildcards.angle, params.volume_period_ps, atoms, wildcards.kelvin),
    seed=params.seed,
    campaign=snakemake.config["campaign"],
    config_json=json.dumps(snakemake.config, sort_keys=True),
    outputs=dict(snakemake.output.items()),
    scratch=params.scratch,
)
run_pimd(
    job,
    snakemake.log[0],
    runtime_minutes=snakemake.resources.get("runtime"),
    exit_file=exit_file(snakemake.config["campaign"]),
)
