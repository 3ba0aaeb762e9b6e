"""Rule path_hessians: second derivatives of the energy on the path from Fm-3m to R-3m."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.potential.validation import path_hessians

models = {Path(model).parent.name: model for model in snakemake.input.models}
ends = path_hessians.ends(snakemake.input.labels)
found = path_hessians.make(models, ends, threads=snakemake.threads)
path_hessians.write(found, models, snakemake.output[0])
