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
underscore). `dp_child` trains that way.
"""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import scipy.linalg

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.potential.data.systems import System
from lah10.potential.training import frozen_graph

#: Key of a training's input that asks for it.
KEY = "_conditioned"
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
            f"training input: {KEY}: expected {' or '.join(FITTING)}, got {value!r}"
        )
    kind = content.get("model", {}).get("descriptor", {})
    if kind.get("type") != "se_e2_a" or kind.get("type_one_side", False):
        raise UserError(
            f"training input: {KEY}: {value}: expected the descriptor se_e2_a without "
            f"type_one_side, got {kind.get('type')}"
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
    model: str | os.PathLike, systems: Sequence[System], blocks: Sequence[int]
) -> dict[str, np.ndarray]:
    """Coordinates in which the first fitting layer is trained.

    Parameters
    ----------
    model : path
        Frozen graph, not compressed, that the training starts from.
    blocks : sequence of int
        Sizes of the parts of the descriptor (`multipoles.blocks`). Each is whitened for itself:
        next to features of another size, all of a part's would count as hardly varying.

    Returns
    -------
    dict
        mean{k} (d,) and transform{k} (d, d) of element number k (`whitening`).
    """
    ends = np.cumsum(blocks)[:-1]
    result = {}
    for kind, descriptors in enumerate(frozen_graph.descriptors(model, sample(systems))):
        parts = [whitening(part) for part in np.split(descriptors, ends, axis=1)]
        result[f"mean{kind}"] = np.concatenate([mean for mean, _ in parts])
        result[f"transform{kind}"] = scipy.linalg.block_diag(*(t for _, t in parts))
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
    found, plain = frozen_graph.variables(trained), frozen_graph.variables(template)
    new = {
        name: value.astype(float)
        for name, value in found.items()
        if name in plain and value.shape == plain[name].shape
    }
    for name, value in new.items():
        if name.startswith(("filter_type_", "layer_", "final_layer_")):
            new[name] = value * rate(name, value.shape)
    for kind in range(len(ELEMENTS)):
        matrix, bias = (f"layer_0_type_{kind}/{part}" for part in ("matrix", "bias"))
        new[matrix] = transform[f"transform{kind}"] @ new[matrix]
        new[bias] -= transform[f"mean{kind}"] @ new[matrix]
    frozen_graph.replace(template, output, new)


# ------------------------------------------------------- inside a child, TensorFlow at hand


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


def install(transform: Mapping[str, np.ndarray]) -> None:
    """Have deepmd-kit train so, in this process, in the coordinates of `transformation`."""
    from deepmd.tf.utils import network

    network.tf = _Conditioned(network.tf, transform)
