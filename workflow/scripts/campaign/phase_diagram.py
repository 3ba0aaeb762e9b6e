"""Rule phase_diagram: the summaries of all points in one dataset."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])

from lah10.campaign.merge import merge, unreadable

distorted = snakemake.input.get("distorted", [])  # none with one start
merged = merge(
    [
        (*point, path)
        for point, path in zip(snakemake.params.points, snakemake.input.summaries, strict=True)
    ],
    snakemake.output[0],
    harmonic=snakemake.input.harmonic,
    distorted=[
        (*point, path)
        for point, path in zip(snakemake.params.points, distorted, strict=bool(distorted))
    ],
    attrs={"campaign": snakemake.config["campaign"], "config": snakemake.config},
)
for line in unreadable(merged):
    print(line, file=sys.stderr)
