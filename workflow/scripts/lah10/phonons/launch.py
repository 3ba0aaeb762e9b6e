"""Compute the harmonic crystal in a child process, with the libraries that the potential needs.

    python -m lah10.phonons.launch MODEL PRESSURE OUTPUT ISOTOPES CRYSTAL...

ISOTOPES is JSON, such as {"H": "D"}.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lah10.errors import UserError
from lah10.io import child


def run(
    model: str | os.PathLike,
    crystals: Sequence[str | os.PathLike],
    pressure: float,
    output: str | os.PathLike,
    log: str | os.PathLike,
    threads: int,
    isotopes: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """`lah10.phonons.reference.compute` in the environment of `lah10.io.child`; output to `log`.

    Raises
    ------
    UserError
        The user must mend something.
    RuntimeError
        The child broke down; the message names the log.
    """
    command = [sys.executable, "-m", "lah10.phonons.launch", model, pressure, output,
               json.dumps(dict(isotopes)), *crystals]  # fmt: skip
    name = f"the harmonic crystal at {pressure:g} GPa"
    child.follow(command, log, name, threads)


def main(arguments: Sequence[str]) -> int:
    """Compute what the command line names; the exit status for the parent."""
    child.end_with_parent()
    from lah10.phonons.reference import compute

    model, pressure, output, isotopes, *crystals = arguments
    try:
        compute(model, crystals, float(pressure), output, isotopes=json.loads(isotopes))
    except UserError as error:
        child.say(str(error))
        return child.USER_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
