"""Rule record_round: what a round found and did."""

from lah10 import logs

logs.start(snakemake.log[0])

from lah10.potential.learning import record

found = snakemake.input
record(
    found.selection,
    found.get("labels", []),
    found.get("before", []),
    found.get("after", []),
    found.get("index"),
    snakemake.output[0],
    snakemake.threads,
)
