"""Rule ship_potential: a trained model takes the place of the shipped one."""

from lah10 import logs

logs.start(snakemake.log[0])

import shutil
from pathlib import Path

from lah10.files import atomic_path
from lah10.potential.card import write
from lah10.potential.settings import load_split

folder = Path(snakemake.params.folder)
files = [(file, Path(file).name) for file in snakemake.input.files]
files += [(file, "comparison.json") for file in snakemake.input.comparison]
for file, name in files:
    with atomic_path(folder / name) as aside:
        shutil.copyfile(file, aside)
write(folder, load_split(snakemake.params.split))
