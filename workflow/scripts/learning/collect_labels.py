"""Rule collect_labels: what active learning had labelled becomes part of the data set."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.potential.data.labels import collect

for folder, structures in snakemake.params.rounds.items():
    collect(structures, folder, snakemake.params.path, {"round": Path(folder).parent.name})
