"""Energies, forces and virials of structures by a deep potential, in a process of its own.

TensorFlow takes seconds to load, keeps its memory, reads its settings once, and does not get along
with everything else that a process may have loaded: so the model runs in a child. The parent calls
`evaluate`; the child is this module's `main`.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io import frozen_model
from lah10.potential.data.dataset import System

#: Folder from which `lah10` is imported.
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Prediction:
    """What a model says of a `System`'s frames, in the same units.

    Attributes
    ----------
    energies : (f,) float
        eV.
    forces : (f, n, 3) float
        eV/Å.
    virials : (f, 3, 3) float
        eV, positive when compressed.
    """

    energies: np.ndarray
    forces: np.ndarray
    virials: np.ndarray


def evaluate(
    model: str | os.PathLike, systems: Sequence[System], threads: int = 1
) -> list[Prediction]:
    """Run the frozen graph `model` over all frames, one prediction a system.

    Parameters
    ----------
    threads : int
        Cores that TensorFlow may use.

    Raises
    ------
    UserError
        The model is absent, no frozen graph, or does not know an element; or the child failed.
    """
    return evaluate_all([model], systems, threads)[0]


def evaluate_all(
    models: Sequence[str | os.PathLike], systems: Sequence[System], threads: int = 1
) -> list[list[Prediction]]:
    """The same for several models: one list of predictions a model."""
    for model in models:
        known = frozen_model.read(model).type_map
        if missing := [element for element in ELEMENTS if element not in known]:
            raise UserError(
                f"{model}: knows {', '.join(known)}; a model that knows {', '.join(ELEMENTS)} is "
                f"allowed (without {', '.join(missing)} it is not)"
            )
    with tempfile.TemporaryDirectory(prefix="lah10-evaluate-") as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        write_question(question, systems)
        complaint = f"{', '.join(map(str, models))}: cannot be run"
        run_child(__name__, [question, answer, *models], complaint, threads)
        with np.load(answer) as data:
            return [
                [
                    Prediction(
                        *(data[f"{key}{k}_{i}"] for key in ("energies", "forces", "virials"))
                    )
                    for i in range(len(systems))
                ]
                for k in range(len(models))
            ]


def write_question(path: str | os.PathLike, systems: Sequence[System]) -> None:
    """Structures for a child (.npz): count, and of each types{i}, boxes{i}, coordinates{i}."""
    arrays = {}
    for i, system in enumerate(systems):
        arrays |= {
            f"types{i}": system.types,
            f"boxes{i}": system.boxes,
            f"coordinates{i}": system.coordinates,
        }
    np.savez(path, count=len(systems), **arrays)


def run_child(
    module: str,
    arguments: Sequence[str | os.PathLike],
    complaint: str,
    threads: int = 1,
    **environment: str,
) -> None:
    """Run a module of this package, which loads TensorFlow, in a process of its own.

    Parameters
    ----------
    complaint : str
        What is said of a failure, before the child's last word.
    environment
        Variables besides `tensorflow_environment`.

    Raises
    ------
    UserError
        The child failed.
    """
    run = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=tensorflow_environment(threads) | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        # Of libraries for GPUs that are not there TensorFlow speaks whenever a process ends.
        told = [line for line in run.stderr.splitlines() if line and "implib-gen" not in line]
        last = (told or ["no message"])[-1]
        raise UserError(f"{complaint} ({last})")


def tensorflow_environment(threads: int = 1) -> dict[str, str]:
    """Environment for a child that runs TensorFlow: its threads, this package, a quiet terminal."""
    path = [str(PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(path),
        "OMP_NUM_THREADS": str(threads),
        "DP_INTRA_OP_PARALLELISM_THREADS": str(threads),
        "DP_INTER_OP_PARALLELISM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def main(question: str, answer: str, *models: str) -> None:
    """Evaluate the structures in `question` and write `answer` (both .npz)."""
    from deepmd.infer import DeepPot

    results = {}
    with np.load(question) as data:
        for k, model in enumerate(models):
            potential = DeepPot(model)
            names = potential.get_type_map()
            to_model = np.array([names.index(element) for element in ELEMENTS])
            for i in range(int(data["count"])):
                boxes, coordinates = data[f"boxes{i}"], data[f"coordinates{i}"]
                f = len(boxes)
                energies, forces, virials = potential.eval(
                    coordinates.reshape(f, -1), boxes.reshape(f, 9), to_model[data[f"types{i}"]]
                )[:3]
                results |= {
                    f"energies{k}_{i}": np.asarray(energies, float).reshape(f),
                    f"forces{k}_{i}": np.asarray(forces, float).reshape(f, -1, 3),
                    f"virials{k}_{i}": np.asarray(virials, float).reshape(f, 3, 3),
                }
    np.savez(answer, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
