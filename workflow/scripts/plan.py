"""Rule plan: what the campaign costs, as a table on the terminal."""

from lah10 import logs

logs.start(snakemake.log[0])

from pathlib import Path

from lah10.config import validate
from lah10.planning import Plan, read_rates, table

config = validate(snakemake.config, "configuration")
outputs = snakemake.params.outputs
print(
    table(
        Plan(config, read_rates(snakemake.params.rates)),
        finished=lambda stage: sum(Path(path).exists() for path in outputs[stage]),
    )
)
