"""Rates of a campaign that was run, in the form of resources/rates.yaml.

    python benchmarks/campaign/rates.py results/demo

Nothing is run (`snakemake calibrate` runs what it needs). A campaign of large cells on the machine
that is planned for gives the best rates; in a small one the analysis is all start-up.
"""

import argparse
import sys
from pathlib import Path

# This checkout's package comes first.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "workflow/scripts"))

import yaml

from lah10.campaign.rates import measured
from lah10.errors import UserError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("campaign", type=Path, nargs="?", default=Path("results/demo"))
    try:
        print(yaml.safe_dump(measured(parser.parse_args().campaign), sort_keys=False), end="")
    except UserError as error:
        sys.exit(str(error))
