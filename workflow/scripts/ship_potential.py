"""Rule ship_potential: a trained model takes the place of the shipped one."""

from lah10 import logs

logs.start(snakemake.log[0])

import shutil
from pathlib import Path

from lah10.files import atomic_path
from lah10.potential.card import write
from lah10.potential.settings import load_split

for file in map(Path, snakemake.input):
    with atomic_path(Path(snakemake.params.folder, file.name)) as aside:
        shutil.copyfile(file, aside)
write(snakemake.params.folder, load_split(snakemake.params.split))
