"""Energies, forces and virials of structures by a deep potential, in a process of its own.

TensorFlow takes seconds to load, keeps its memory, reads its settings once, and does not get along
with everything else that a process may have loaded: so the model runs in a child. The parent calls
`evaluate`; the child is this module's `main`.
"""

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io import child, frozen_model
from lah10.potential.data.systems import System


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
        child.run_module(__name__, [question, answer, *models], complaint, threads)
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
