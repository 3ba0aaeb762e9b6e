"""Rule plan: what the campaign costs, as a table on the terminal."""

from pathlib import Path

from lah10.config import validate
from lah10.logs import job_log
from lah10.planning import Plan, read_rates, table

with job_log(snakemake.log[0]):
    config = validate(snakemake.config, "configuration")
    outputs = snakemake.params.outputs
    print(
        table(
            Plan(config, read_rates(snakemake.params.rates)),
            finished=lambda stage: sum(Path(path).exists() for path in outputs[stage]),
        )
    )
