"""Rule phase_structures: crystals whose labels decide between phases."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import functools

from deepmd.calculator import DP

from lah10.crystal.structures import write_frames
from lah10.potential.data import phase_structures

calculator = DP(snakemake.input.model)
ends = functools.cache(functools.partial(phase_structures.relaxed, calculator))
made = {
    snakemake.output.path: phase_structures.path_grid(ends),
    snakemake.output.pairs: phase_structures.thermal_pairs(
        ends, calculator, **dict(snakemake.params.items())
    ),
}
for path, frames in made.items():
    write_frames(path, frames)
