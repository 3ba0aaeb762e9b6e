"""What a command line names is looked at before Snakemake does, which answers less kindly."""

import argparse
import sys
from collections.abc import Sequence

from lah10.config import read_yaml
from lah10.errors import UserError


def check(arguments: Sequence[str]) -> None:
    """End the process with one line and status 1 where a file of `--configfile` is no YAML."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    given, _ = parser.parse_known_args(arguments)
    try:
        for path in given.configfile:
            read_yaml(path)
    except UserError as error:
        sys.exit(str(error))
