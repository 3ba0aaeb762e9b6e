"""Rule ship_potential: trained models take the places of the shipped ones."""

from lah10 import logs

logs.start(snakemake.log[0])

import shutil
from pathlib import Path

from lah10.files import atomic_path
from lah10.potential.card import drop_stale_comparison, write
from lah10.potential.settings import load_split

for model, folder in snakemake.params.folders.items():
    Path(folder).mkdir(exist_ok=True)
    files = [(Path(file), Path(file).name) for file in snakemake.input.files]
    files = [(file, name) for file, name in files if file.parent.name == model]
    files += [(file, "comparison.json") for file in snakemake.input.comparison]
    for file, name in files:
        with atomic_path(Path(folder, name)) as aside:
            shutil.copyfile(file, aside)
    drop_stale_comparison(folder)
    write(folder, load_split(snakemake.params.split))
