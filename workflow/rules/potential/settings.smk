"""The potential: published and own labels to a trained, compressed and validated model.

Nothing here runs unless asked for: campaigns read the shipped model. `snakemake potential` trains
anew; `snakemake ship_potential` then puts the models in the shipped ones' places.
"""

import json

import lah10.config.training

try:
    TRAINING, SPLIT = lah10.config.training.load(CONFIG.training)
except UserError as error:
    sys.exit(str(error))

POTENTIAL_LOGS = "logs/potential"
MODELS = {f"model{seed}": seed for seed in TRAINING.seeds}


wildcard_constraints:
    model="|".join(MODELS),
