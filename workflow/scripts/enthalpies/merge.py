"""Rule merge_enthalpies: potentials and DFT side by side."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign import enthalpies
from lah10.io import html
from lah10.potential.validation import dft_enthalpies, equation_of_state, path_hessians

pulay = snakemake.params.pulay
cubic = equation_of_state.read(snakemake.input.static, pulay)
hessians = path_hessians.read(snakemake.input.hessians)
paths = dft_enthalpies.read_paths(snakemake.input.path, pulay, hessians)
points = dft_enthalpies.points(paths, cubic)
files = dict(zip(snakemake.params.names, snakemake.input.potentials, strict=True))
crossing = dft_enthalpies.curve(paths, cubic).crossing
enthalpies.write(files, points, snakemake.output.dataset, snakemake.output.table, crossing)
html.write(snakemake.output.table, snakemake.output.page)
