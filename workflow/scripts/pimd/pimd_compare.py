"""Rule pimd_compare: path integrals and baths at the same points, as a dataset and a table."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.io import html, netcdf
from lah10.pimd.comparison import Result, compare
from lah10.pimd.report import write_table

files, params = snakemake.input, snakemake.params
results = [
    Result("pimd", beads, pressure, temperature, summary, pairs)
    for (pressure, temperature, beads), summary, pairs in zip(
        params.runs, files.summaries, files.correlations, strict=True
    )
]
results += [
    Result(bath, 0, pressure, temperature, summary, pairs)
    for (bath, pressure, temperature), summary, pairs in zip(
        params.baths, files.bath_summaries, files.bath_correlations, strict=True
    )
]
comparison = compare(
    results,
    phonons={Path(path).stem.removeprefix("P"): path for path in files.harmonic},
    thermo=dict(zip(map(tuple, params.runs), files.thermo, strict=True)),
)
netcdf.write(comparison, snakemake.output.dataset, "path integrals beside baths")
write_table(comparison, snakemake.output.table)
html.write(snakemake.output.table, snakemake.output.page)
