"""Rule merge: the summaries that are there in one dataset, whatever became of the other points."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.campaign.grid import point_folder
from lah10.campaign.merge import merge, unreadable

points = [
    (*point, point_folder(snakemake.params.folder, *point) / "summary.nc")
    for point in snakemake.params.points
]
distorted = [
    (*point, point_folder(Path(snakemake.params.folder, "distorted"), *point) / "summary.nc")
    for point in snakemake.params.points
]
harmonic = [path for path in snakemake.params.harmonic if Path(path).is_file()]
merged = merge(
    points,
    snakemake.params.output,
    harmonic=harmonic,
    distorted=[point for point in distorted if point[-1].is_file()],
    attrs={"campaign": snakemake.config["campaign"], "config": snakemake.config},
)
missing = sum(not path.is_file() for *_, path in points)
bad = unreadable(merged)
print(*bad, sep="\n", end="\n" * bool(bad), file=sys.stderr)
print(
    f"{snakemake.params.output}: {len(points) - missing - len(bad)} points, {missing} missing, "
    f"{len(bad)} unreadable"
)
