"""Training on parameters that learn evenly.

The components of the descriptor se_e2_a vary little around large means and are nearly collinear:
the eigenvalues of their covariance fall by ten orders of magnitude. And a step of the optimiser
(Adam) moves all weights of a neuron by about the learning rate at once, so that the argument of a
neuron with 128 inputs moves by a hundred times as much. Trained as it stands, the network learns
few directions, and at rates at which it learns more its neurons saturate and stay as they are.
Two remedies leave the form of the model, and so its speed, as they are:

* The first fitting layer is trained in the coordinates x = Tᵀ(D − m), with m the mean of the
  descriptor D of an element and T = V (Λ + ε)^−1/2 from the eigenvectors V and eigenvalues Λ of its
  covariance (ε damps what hardly varies).
* Weights are trained in units of 1/√inputs (A. Jacot, F. Gabriel, C. Hongler, "Neural tangent
  kernel", NeurIPS 2018), those of the embedding nets in smaller ones (`rate`): the coordinates hold
  only while the descriptor stays near what it was.

Both need embedding nets that know something already, so a stage that is conditioned goes on from
another one. Weights are linear functions of what is trained, so `fold` turns the result into an
ordinary model of deepmd-kit. A training's input asks for this by `"_conditioned": "kept"`, or
`"new"` for a fitting net that is drawn anew (deepmd-kit passes over keys that begin with an
underscore). Whatever needs TensorFlow runs in a child, which is this module's `main`.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.files import atomic_path
from lah10.potential.dataset import System
from lah10.potential.evaluate import run_child, write_question

#: Key of a training's input that asks for it.
KEY = "_conditioned"
#: Name of the environment variable by which the child that trains learns of the transformation.
TRANSFORMATION = "LAH10_TRANSFORMATION"
#: What a training's input may say: go on with the fitting net, or draw it anew.
FITTING = ("kept", "new")
#: The damping ε over the largest eigenvalue.
DAMPING = 0.05
#: Units of the parameters of the embedding nets and of the first fitting layer (`rate`).
EMBEDDING_RATE, FIRST_RATE = 0.3, 0.35
#: Frames on which the descriptor's mean and covariance are taken, at most.
FRAMES = 250


def asked_for(content: Mapping) -> str | None:
    """What a training's input asks for: one of `FITTING`, or None.

    Raises
    ------
    UserError
        It asks in a way that is not understood, or for a descriptor that this is not made for.
    """
    value = content.get(KEY)
    if value is None:
        return None
    if value not in FITTING:
        raise UserError(
            f"training input: {KEY}: {value!r} is not allowed; {' or '.join(FITTING)} is"
        )
    kind = content.get("model", {}).get("descriptor", {})
    if kind.get("type") != "se_e2_a" or kind.get("type_one_side", False):
        raise UserError(
            f"training input: {KEY}: {value} is not allowed with the descriptor "
            f"{kind.get('type')}; se_e2_a without type_one_side is needed"
        )
    return value


def sample(systems: Sequence[System], frames: int = FRAMES) -> list[System]:
    """About so many frames, evenly from all systems; at least one of each."""
    total = sum(len(system) for system in systems)
    result = []
    for system in systems:
        take = min(len(system), max(1, round(frames * len(system) / total)))
        mask = np.zeros(len(system), bool)
        mask[np.linspace(0, len(system) - 1, take).round().astype(int)] = True
        result.append(system.select(mask))
    return result


def whitening(descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean m and transformation T of an element's descriptors: Tᵀ(D − m) is uncorrelated.

    Its variances are λ/(λ + ε), with λ the eigenvalues of the covariance.

    Parameters
    ----------
    descriptors : (atoms, d) float

    Returns
    -------
    (d,) and (d, d) float
    """
    mean = descriptors.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(descriptors, rowvar=False))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    return mean, vectors / np.sqrt(values + (DAMPING * values[0] or 1.0))


def transformation(
    model: str | os.PathLike, systems: Sequence[System], fitting: str
) -> dict[str, np.ndarray]:
    """Coordinates in which the first fitting layer is trained.

    Parameters
    ----------
    model : path
        Frozen graph, not compressed, that the training starts from.
    fitting : str
        One of `FITTING`.

    Returns
    -------
    dict
        mean{k} (d,) and transform{k} (d, d) of element number k (`whitening`), and `fitting`.
    """
    result = {"fitting": np.array(fitting)}
    for kind, descriptors in enumerate(_descriptors(model, sample(systems))):
        result[f"mean{kind}"], result[f"transform{kind}"] = whitening(descriptors)
    return result


def rate(name: str, shape: Sequence[int]) -> float:
    """Unit in which the parameter `name` ("layer_1_type_0/matrix") is trained."""
    scope, _, part = name.rpartition("/")
    embedding = scope.startswith("filter_type_")
    matrix = part.startswith("matrix")
    if scope.startswith("layer_0_type_"):
        return FIRST_RATE if matrix else 1.0
    result = EMBEDDING_RATE if embedding else 1.0
    return result / float(np.sqrt(shape[0])) if matrix else result


def fold(
    trained: str | os.PathLike,
    template: str | os.PathLike,
    transform: Mapping[str, np.ndarray],
    output: str | os.PathLike,
) -> None:
    """Write `trained`, frozen as it was trained, as the ordinary graph that `template` is."""
    found, plain = _constants(trained), _constants(template)
    # What both hold and is a number: weights, energy offsets, statistics of the descriptor.
    new = {
        name: value.astype(float)
        for name, value in found.items()
        if name in plain and value.dtype.kind == "f" and value.shape == plain[name].shape
    }
    for name, value in new.items():
        if name.startswith(("filter_type_", "layer_", "final_layer_")):
            new[name] = value * rate(name, value.shape)
    for kind in range(len(ELEMENTS)):
        matrix, bias = (f"layer_0_type_{kind}/{part}" for part in ("matrix", "bias"))
        new[matrix] = transform[f"transform{kind}"] @ new[matrix]
        new[bias] -= transform[f"mean{kind}"] @ new[matrix]
    _replace(template, output, new)


# --------------------------------------------------------------------------------- children


def command(arguments: Sequence[str]) -> list[str]:
    """Command line that runs `dp --tf` on conditioned parameters.

    The transformation's file (.npz) stands in the environment variable `TRANSFORMATION`.
    """
    return [sys.executable, "-m", __name__, "dp", "--tf", *arguments]


def _run(task: str, model: str | os.PathLike, *arguments: str | os.PathLike) -> None:
    complaint = f"{model}: cannot be prepared for training"
    run_child(__name__, [task, model, *arguments], complaint, CUDA_VISIBLE_DEVICES="")


def _constants(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """All numbers that a frozen graph holds, by name."""
    with tempfile.TemporaryDirectory(prefix="lah10-conditioning-") as folder:
        _run("constants", path, Path(folder, "out.npz"))
        with np.load(Path(folder, "out.npz")) as data:
            return dict(data)


def _replace(
    template: str | os.PathLike, output: str | os.PathLike, values: Mapping[str, np.ndarray]
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="lah10-conditioning-") as folder,
        atomic_path(output) as aside,
    ):
        np.savez(Path(folder, "in.npz"), **values)
        _run("replace", template, Path(folder, "in.npz"), aside)


def _descriptors(model: str | os.PathLike, systems: Sequence[System]) -> list[np.ndarray]:
    """(atoms, d) descriptors of each element."""
    with tempfile.TemporaryDirectory(prefix="lah10-conditioning-") as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        write_question(question, systems)
        _run("descriptors", model, question, answer)
        with np.load(answer) as data:
            return [data[f"descriptors{kind}"].astype(float) for kind in range(len(ELEMENTS))]


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


class _Conditioned:
    """TensorFlow as deepmd-kit's networks see it, whose variables are functions of others."""

    def __init__(self, tensorflow, transform: Mapping[str, np.ndarray]) -> None:
        self._tensorflow, self._transform = tensorflow, transform
        # By scope: the first layer's matrix as it starts, and as the network uses it.
        self._start: dict[str, np.ndarray] = {}
        self._used: dict = {}

    def __getattr__(self, name: str):
        return getattr(self._tensorflow, name)

    def get_variable(self, name, shape, dtype, initializer, **options):
        tf = self._tensorflow
        scope = tf.get_variable_scope().name
        unit = rate(f"{scope}/{name}", shape)
        first = scope.removeprefix("layer_0_type_") if scope.startswith("layer_0_") else None
        drawn = not hasattr(initializer, "value")
        if drawn:
            random = np.random.default_rng(initializer.seed)
            value = random.normal(initializer.mean, initializer.stddev, shape)
        else:
            value = np.asarray(initializer.value, float).reshape(shape)
        if first is not None:
            mean, transform = (self._transform[f"{part}{first}"] for part in ("mean", "transform"))
            # What is drawn, is drawn in these coordinates.
            if not drawn and name == "matrix":
                self._start[scope] = value
                value = np.linalg.solve(transform, value)
            elif not drawn:
                value = value + mean @ self._start[scope]
        variable = tf.get_variable(
            name, shape, dtype, tf.constant_initializer(value / unit), **options
        )
        used = variable * tf.constant(unit, dtype)
        if first is not None:
            if name == "matrix":
                used = self._used[scope] = tf.matmul(tf.constant(transform, dtype), used)
            else:
                centre = tf.constant(mean[None, :], dtype)
                used = used - tf.reshape(tf.matmul(centre, self._used[scope]), [-1])
        return used


def _dp(arguments: Sequence[str]) -> None:
    """`dp` with the parameters of the networks as `rate` and the transformation say."""
    import deepmd.tf.fit.ener as energy
    from deepmd.main import main as dp
    from deepmd.tf.utils import network

    with np.load(os.environ[TRANSFORMATION]) as data:
        transform = dict(data)
    network.tf = _Conditioned(network.tf, transform)
    if transform["fitting"] == "new":
        layer = energy.one_layer_deepmd

        def drawn_anew(*inputs, **options):
            return layer(*inputs, **(options | {"initial_variables": None}))

        energy.one_layer_deepmd = drawn_anew
    dp(list(arguments))


def main(task: str, *arguments: str) -> None:
    """One of the tasks that need TensorFlow."""
    if task == "dp":
        _dp(arguments)
    else:
        tasks = {
            "constants": _write_constants,
            "replace": _write_replaced,
            "descriptors": _write_descriptors,
        }
        tasks[task](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
