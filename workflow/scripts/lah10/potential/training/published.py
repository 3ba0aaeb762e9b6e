"""The published deep potential of Ly and Ceperley, fetched, upgraded and compressed."""

import os
import tempfile
from pathlib import Path

from lah10.config.training import Source
from lah10.potential.data import dataset, deepmd_folders, preparation
from lah10.potential.data.fetch import fetch
from lah10.potential.training import compression, dp

#: Folder of the authors' repository that has the model, and its file.
FOLDER, GRAPH = "model/full", "graph.pb"
#: GPa, of the data that it was trained on.
PRESSURES = (75.0, 215.0)
#: Its own input, in the words of deepmd-kit 3; axis_neuron is the default of its time.
INPUT = {
    "model": {
        "type_map": ["La", "H"],
        "descriptor": {
            "type": "se_e2_a",
            "sel": [15, 150],
            "rcut": 4.0,
            "rcut_smth": 2.0,
            "neuron": [25, 50, 100],
            "axis_neuron": 4,
        },
        "fitting_net": {"neuron": [240, 240, 240]},
    },
    "learning_rate": {"type": "exp", "decay_steps": 5000, "start_lr": 0.001, "stop_lr": 3.51e-8},
    "loss": {"type": "ener"},
    "training": {"numb_steps": 1000000},
}


def compress(
    graph: str | os.PathLike,
    output: str | os.PathLike,
    labelled: str | os.PathLike,
    log: str | os.PathLike,
) -> None:
    """Upgrade the graph (`dp convert-from 1.3`) and compress it; the output appears whole.

    Parameters
    ----------
    labelled : path
        Structures whose shortest distance bounds the compressed model's tables.
    log : path
        Of deepmd-kit.
    """
    with tempfile.TemporaryDirectory(prefix="lah10-published-") as folder:
        scratch = Path(folder)
        upgraded = scratch / "upgraded.pb"
        dp.run_dp(
            ["convert-from", "1.3", "-i", str(Path(graph).resolve()), "-o", str(upgraded)],
            scratch,
            log,
        )
        closest = preparation.closest(dataset.read(labelled))
        folder = scratch / "closest"
        deepmd_folders.write_deepmd(closest, folder)
        compression.compress(upgraded, output, INPUT, folder, [closest], log, step=0.01)


def get(
    source: Source,
    manifest: str | os.PathLike,
    labelled: str | os.PathLike,
    output: str | os.PathLike,
    log: str | os.PathLike,
    local: str | os.PathLike | None = None,
) -> None:
    """Fetch the graph at the source's pinned commit, believe it by its checksum, and `compress` it.

    Parameters
    ----------
    source : Source
        Of the published data: the same repository and commit.
    local : path, optional
        A copy of the repository's folder `FOLDER`, in place of the network.

    Raises
    ------
    UserError
        git is absent, the repository cannot be reached, or the file differs.
    """
    with tempfile.TemporaryDirectory(prefix="lah10-published-") as folder:
        fetched = Path(folder, "model")
        fetch(source.model_copy(update={"folder": FOLDER}), manifest, fetched, local)
        compress(fetched / GRAPH, output, labelled, log)
