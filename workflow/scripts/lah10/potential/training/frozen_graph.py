"""A frozen TensorFlow graph: read its numbers, put others into their place, fix its sums' order.

TensorFlow is loaded in a child, which is this module's `main`.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.io import child
from lah10.io.files import atomic_path
from lah10.potential.data.systems import System
from lah10.potential.evaluate import write_question

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


def replace_text(model: str | os.PathLike, name: str, text: str) -> None:
    """Write another text into a graph's constant `name`, if it has one."""
    with atomic_path(model) as aside:
        _run("replace_text", model, name, text, aside)


def order_sums(model: str | os.PathLike) -> None:
    """Make a graph's results independent of when TensorFlow ran which operation.

    AddN of three and more tensors begins with one that it may overwrite, and which that is depends
    on what else was computed before (`forward_input_to_output_with_shape` in TensorFlow's
    aggregate_ops.cc): the same process may find other last bits a moment later, and a run that
    goes on from a checkpoint ends elsewhere. Such sums are stacked and summed along the new axis
    here, always in the same order.
    """
    with atomic_path(model) as aside:
        _run("order_sums", model, aside)


def descriptors(model: str | os.PathLike, systems: Sequence[System]) -> list[np.ndarray]:
    """(atoms, d) descriptors of each element."""
    with tempfile.TemporaryDirectory(prefix="lah10-graph-") as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        write_question(question, systems)
        _run("descriptors", model, question, answer)
        with np.load(answer) as data:
            return [data[f"descriptors{kind}"].astype(float) for kind in range(len(ELEMENTS))]


def _run(task: str, model: str | os.PathLike, *arguments: str | os.PathLike) -> None:
    complaint = f"{model}: cannot be read or changed"
    child.run_module(__name__, [task, model, *arguments], complaint, CUDA_VISIBLE_DEVICES="")


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


def _write_text(path: str, name: str, text: str, output: str) -> None:
    tf, graph = _graph(path)
    for node in graph.node:
        if node.name == name:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(text))
    Path(output).write_bytes(graph.SerializeToString())


def _write_ordered_sums(path: str, output: str) -> None:
    tf, graph = _graph(path)
    nodes = list(graph.node)
    ordered = tf.GraphDef()
    ordered.CopyFrom(graph)
    del ordered.node[:]
    for node in nodes:
        if node.op != "AddN" or sum(not name.startswith("^") for name in node.input) < 3:
            ordered.node.append(node)
            continue
        axis = ordered.node.add(op="Const", name=f"{node.name}/axis")
        axis.attr["dtype"].type = tf.int32.as_datatype_enum
        axis.attr["value"].tensor.CopyFrom(tf.make_tensor_proto([0], tf.int32))
        stack = ordered.node.add(op="Pack", name=f"{node.name}/terms", input=node.input)
        stack.attr["axis"].i = 0
        total = ordered.node.add(op="Sum", name=node.name, input=[stack.name, axis.name])
        total.attr["Tidx"].type = tf.int32.as_datatype_enum
        total.attr["keep_dims"].b = False
        for new, keys in ((stack, ("T", "N")), (total, ("T",))):
            for key in keys:
                new.attr[key].CopyFrom(node.attr[key])
    Path(output).write_bytes(ordered.SerializeToString())


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
        "replace_text": _write_text,
        "order_sums": _write_ordered_sums,
        "descriptors": _write_descriptors,
    }
    tasks[task](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
