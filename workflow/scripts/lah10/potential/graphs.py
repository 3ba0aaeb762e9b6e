"""The numbers in a frozen TensorFlow graph: read them, put others into their place.

TensorFlow is loaded in a child, which is this module's `main`.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.files import atomic_path
from lah10.potential.dataset import System
from lah10.potential.evaluate import run_child, write_question

#: Weights of the first fitting layer, by the number of the element.
FIRST_MATRIX = "layer_0_type_{}/matrix"
#: How the last part of a variable's name begins; other numbers belong to operations, and how these
#: are counted depends on what else the graph holds.
VARIABLES = ("matrix", "bias", "idt", "t_")


def constants(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """All numbers that a frozen graph holds, by name."""
    with tempfile.TemporaryDirectory(prefix="lah10-graph-") as folder:
        _run("constants", path, Path(folder, "out.npz"))
        with np.load(Path(folder, "out.npz")) as data:
            return dict(data)


def variables(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Weights, energy offsets and statistics of the descriptor of a frozen graph, by name."""
    return {
        name: value
        for name, value in constants(path).items()
        if value.dtype.kind == "f" and name.rpartition("/")[2].startswith(VARIABLES)
    }


def replace(
    template: str | os.PathLike, output: str | os.PathLike, values: Mapping[str, np.ndarray]
) -> None:
    """Write the graph `template` with other numbers, named and shaped as they are there."""
    with (
        tempfile.TemporaryDirectory(prefix="lah10-graph-") as folder,
        atomic_path(output) as aside,
    ):
        np.savez(Path(folder, "in.npz"), **values)
        _run("replace", template, Path(folder, "in.npz"), aside)


def descriptors(model: str | os.PathLike, systems: Sequence[System]) -> list[np.ndarray]:
    """(atoms, d) descriptors of each element."""
    with tempfile.TemporaryDirectory(prefix="lah10-graph-") as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        write_question(question, systems)
        _run("descriptors", model, question, answer)
        with np.load(answer) as data:
            return [data[f"descriptors{kind}"].astype(float) for kind in range(len(ELEMENTS))]


def _run(task: str, model: str | os.PathLike, *arguments: str | os.PathLike) -> None:
    complaint = f"{model}: its numbers cannot be read or replaced"
    run_child(__name__, [task, model, *arguments], complaint, CUDA_VISIBLE_DEVICES="")


# --------------------------------------------------------------------------------- children


def _graph(path: str):
    import tensorflow.compat.v1 as tf

    graph = tf.GraphDef()
    graph.ParseFromString(Path(path).read_bytes())
    return tf, graph


def _write_constants(path: str, output: str) -> None:
    tf, graph = _graph(path)
    values = {}
    for node in graph.node:
        if node.op == "Const":
            value = tf.make_ndarray(node.attr["value"].tensor)
            if value.dtype.kind in "fiu":
                values[node.name] = value
    np.savez(output, **values)


def _write_replaced(path: str, values: str, output: str) -> None:
    tf, graph = _graph(path)
    with np.load(values) as data:
        missing = set(data.files)
        for node in graph.node:
            if node.name in missing and node.op == "Const":
                missing.remove(node.name)
                kind = tf.make_ndarray(node.attr["value"].tensor).dtype
                tensor = tf.make_tensor_proto(data[node.name].astype(kind))
                node.attr["value"].tensor.CopyFrom(tensor)
    if missing:
        raise ValueError(f"the graph has no {', '.join(sorted(missing))}")
    Path(output).write_bytes(graph.SerializeToString())


def _write_descriptors(model: str, question: str, output: str) -> None:
    from deepmd.infer import DeepPot

    potential = DeepPot(model)
    found: list[list[np.ndarray]] = [[] for _ in ELEMENTS]
    with np.load(question) as data:
        for i in range(int(data["count"])):
            types = data[f"types{i}"]
            for box, coordinates in zip(data[f"boxes{i}"], data[f"coordinates{i}"], strict=True):
                values = potential.eval_descriptor(
                    coordinates.reshape(1, -1), box.reshape(1, 9), types
                ).reshape(len(types), -1)
                for kind, rows in enumerate(found):
                    rows.append(values[types == kind])
    np.savez(output, **{f"descriptors{kind}": np.concatenate(r) for kind, r in enumerate(found)})


def main(task: str, *arguments: str) -> None:
    """One of the tasks that need TensorFlow."""
    tasks = {
        "constants": _write_constants,
        "replace": _write_replaced,
        "descriptors": _write_descriptors,
    }
    tasks[task](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
