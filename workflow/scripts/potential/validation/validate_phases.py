"""Rule validate_phases: enthalpies of the phases at rest, and their differences beside DFT."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.crystal.structures import read_crystal
from lah10.potential.data import alignment
from lah10.potential.validation import phase_energies, phases

crystals = {
    name: read_crystal(path)
    for name, path in zip(snakemake.params.phases, snakemake.input.crystals, strict=True)
}
scale = alignment.read(snakemake.input.alignment).pressures if snakemake.input.alignment else {}
found = phases.enthalpies(snakemake.input.model, crystals, threads=snakemake.threads)
found["dft"] = phase_energies.measure(
    snakemake.input.model,
    found,
    crystals,
    snakemake.input.labels,
    snakemake.input.static,
    snakemake.input.hessians,
    offset=scale.get(snakemake.params.source, 0.0),
    pulay=snakemake.params.pulay,
    learnt=snakemake.input.learnt or None,
    threads=snakemake.threads,
)
phases.write(found, snakemake.output[0])
