"""deepmd-kit's `dp` with networks that it does not have.

Run as `python -m lah10.potential.training.dp_child`.

What is changed stands, as JSON, in an environment variable: features of the descriptor
(`multipoles`), coordinates in which is trained (`preconditioning`), a fitting net drawn anew.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lah10.potential.training import preconditioning
from lah10.potential.training.multipoles import Multipoles, install

#: Name of the environment variable.
CHANGES = "LAH10_DP_CHANGES"


@dataclass(frozen=True)
class Changes:
    """What is to be different.

    Attributes
    ----------
    multipoles : Multipoles or None
        Features added to the descriptor.
    coordinates : path or None
        File (.npz) of `preconditioning.transformation`.
    new_fitting : bool
        Whether a model that is started from gives no weights to the fitting net.
    """

    multipoles: Multipoles | None = None
    coordinates: str | os.PathLike | None = None
    new_fitting: bool = False

    def __bool__(self) -> bool:
        return self != Changes()


def command(arguments: Sequence[str]) -> list[str]:
    """Command line that runs `dp --tf` with the changes of `environment`."""
    return [sys.executable, "-m", __name__, "--tf", *arguments]


def environment(changes: Changes) -> dict[str, str]:
    """The variable by which the child learns of the changes."""
    content = {
        "multipoles": changes.multipoles and asdict(changes.multipoles),
        "coordinates": changes.coordinates and str(Path(changes.coordinates).resolve()),
        "new_fitting": changes.new_fitting,
    }
    return {CHANGES: json.dumps(content)}


def main(arguments: Sequence[str]) -> None:
    """`dp`, changed."""
    from deepmd.main import main as dp

    changes = json.loads(os.environ[CHANGES])
    if changes["multipoles"]:
        install(Multipoles(**changes["multipoles"]))
    if changes["coordinates"]:
        with np.load(changes["coordinates"]) as data:
            preconditioning.install(dict(data))
    if changes["new_fitting"]:
        _draw_fitting_anew()
    dp(list(arguments))


def _draw_fitting_anew() -> None:
    import deepmd.tf.fit.ener as energy

    layer = energy.one_layer_deepmd

    def drawn_anew(*inputs, **options):
        return layer(*inputs, **(options | {"initial_variables": None}))

    energy.one_layer_deepmd = drawn_anew


if __name__ == "__main__":
    main(sys.argv[1:])
