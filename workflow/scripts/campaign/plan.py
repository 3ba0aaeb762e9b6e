"""Rule plan: what the campaign costs, as a table on the terminal."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package comes first

from lah10.io import logs

logs.start(snakemake.log[0])


from lah10.campaign.isotopes import of_campaign
from lah10.campaign.plan import Plan, read_rates, table
from lah10.config.reading import validate

config = validate(snakemake.config, "configuration")
outputs = snakemake.params.outputs
print(
    table(
        Plan(config, read_rates(snakemake.params.rates), snakemake.params.most_ranks),
        finished=lambda stage: sum(Path(path).exists() for path in outputs[stage]),
        isotopes=of_campaign(config.structure.file, config.structure.isotopes),
        slots=snakemake.params.slots,
        source=snakemake.params.rates,
    )
)
