"""Rule ship_potential: trained models take the places of the shipped ones."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

import shutil

from lah10.config.training import load_split
from lah10.io.files import atomic_path
from lah10.potential.validation.card import drop_stale_comparison, write

for model, folder in snakemake.params.folders.items():
    Path(folder).mkdir(exist_ok=True)
    files = [(Path(file), Path(file).name) for file in snakemake.input.files]
    files = [(file, name) for file, name in files if file.parent.name == model]
    files += [(file, "comparison.json") for file in snakemake.input.comparison]
    for file, name in files:
        with atomic_path(Path(folder, name)) as aside:
            shutil.copyfile(file, aside)
    if "differences.json" not in {name for _, name in files}:
        Path(folder, "differences.json").unlink(missing_ok=True)  # of the model that was here
    drop_stale_comparison(folder)
    write(folder, load_split(snakemake.params.split))
