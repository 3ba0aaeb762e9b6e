"""Rule collect_labels: what active learning had labelled becomes part of the data set."""

from lah10 import logs

logs.start(snakemake.log[0])

from pathlib import Path

from lah10.potential.labels import collect

for folder, structures in snakemake.params.rounds.items():
    collect(structures, folder, snakemake.params.path, {"round": Path(folder).parent.name})
