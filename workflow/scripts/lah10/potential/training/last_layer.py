"""Energy differences learnt by the last fitting layer alone: a ridge regression.

A potential's energy is linear in the weights w of the last layer of its fitting nets,

    E = Σ_k w_k Φ_k + constants,    Φ_k = Σ_i h_k(D_i),

with h the values of the layer before, summed over the atoms of one element. So are its forces and
virials. Errors of a few meV/atom between crystals, which a training by gradient descent hardly sees
beside forces, are then a linear problem, and its solution is unique:

    min over δw   Σ |(ΔE_DFT − ΔE − ΔΦ·δw) / N σ_E|²        differences of energy within a group
                + Σ |(F_DFT − F − J·δw) / σ_G|²              forces of the groups' crystals
                + Σ |(F_DFT − F − J·δw) / σ_F|²              forces, along random directions
                + Σ |(P_DFT − P − K·δw) / σ_P|²              stress
                + α Σ_k s_k² δw_k²                           ridge

with s_k² the diagonal of the normal matrix of forces and stress: the change is weighed by what it
does to them (A. E. Hoerl, R. W. Kennard, Technometrics 12, 55 (1970)). Only differences from the
mean of a group enter, so that groups (one cell, one mesh) need no common zero of energy.

J along a direction u is −dΦ/dR·u, by central differences: some directions of each frame give as
many rows, and no derivative of the graph is needed. The model keeps its form and its speed.
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
from lah10.io import child
from lah10.potential.data.systems import System
from lah10.potential.evaluate import write_question
from lah10.potential.training import frozen_graph
from lah10.units import EV_PER_A3_IN_GPA

#: Weights of the last fitting layer, by the number of the element.
MATRIX = "final_layer_type_{}/matrix"
#: Å, and strain: steps of the central differences.
DISPLACEMENT, STRAIN = 0.01, 1e-3
#: Elements of a symmetric tensor, in the order of `Response.virials`.
VOIGT = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


@dataclass(frozen=True)
class Response:
    """How a system's energies, forces and virials follow from the m weights.

    Attributes
    ----------
    energies : (f, m) Φ; energies are Φ·w and constants, eV.
    directions : (f, q, n, 3) unit vectors of all atoms together.
    forces : (f, q, m) force along a direction, eV/Å, is this times w.
    virials : (f, 6, m) virial (`VOIGT`), eV, positive when compressed, is this times w.
    """

    energies: np.ndarray
    directions: np.ndarray
    forces: np.ndarray
    virials: np.ndarray


@dataclass(frozen=True)
class Errors:
    """Standard errors of the labels, and the strength of the ridge.

    Attributes
    ----------
    energy : float
        meV/atom, of differences within a group.
    group_force : float
        eV/Å, along a direction, of the crystals of the groups: where R-3m comes to rest depends on
        them.
    force : float
        eV/Å, along a direction.
    pressure : float
        GPa, of an element of the stress.
    ridge : float
        α.
    """

    energy: float = 0.05
    group_force: float = 0.02
    force: float = 0.1
    pressure: float = 0.5
    ridge: float = 1.0


def responses(
    model: str | os.PathLike, systems: Sequence[System], directions: int = 24, seed: int = 0
) -> tuple[np.ndarray, list[Response]]:
    """The weights (m,) of a frozen graph's last layer, and the response of each system to them.

    A quarter of the directions move the first element's atoms alone: there are few of them.

    Raises
    ------
    UserError
        The graph is compressed or of another kind, and has no such layer.
    """
    with tempfile.TemporaryDirectory(prefix="lah10-last-layer-") as folder:
        question, answer = Path(folder, "question.npz"), Path(folder, "answer.npz")
        write_question(question, systems)
        complaint = f"{model}: has no last fitting layer to change"
        child.run_module(
            __name__,
            [model, question, answer, str(directions), str(seed)],
            complaint,
            CUDA_VISIBLE_DEVICES="",
        )
        with np.load(answer) as data:
            found = [
                Response(*(data[f"{name}{i}"] for name in Response.__annotations__))
                for i in range(len(systems))
            ]
            return data["weights"], found


def solve(
    training: Sequence[tuple[System, Response]],
    groups: Sequence[tuple[System, Response]],
    weights: np.ndarray,
    errors: Errors = Errors(),
) -> np.ndarray:
    """Change δw (m,) of the weights; see the module for what it minimises.

    Parameters
    ----------
    training
        Systems whose forces and virials the model is held to; NaN is left out.
    groups
        Systems whose frames' differences of energy, and forces, are learnt, a group each; with two
        frames or more. Their virials are not: they have another reference.

    Raises
    ------
    UserError
        There is no group, or one of a single frame.
    """
    if not groups:
        raise UserError("no groups of frames whose energies could be compared, expected one")
    for system, _ in groups:
        if len(system) < 2:
            raise UserError(
                f"{system.name}: one frame has no difference of energy, expected two or more of "
                "one cell and mesh"
            )
    held = np.zeros((len(weights), len(weights)))
    right = np.zeros(len(weights))
    for system, response in training:
        for rows, rest in (
            _force_rows(system, response, weights, errors.force),
            _virial_rows(system, response, weights, errors.pressure),
        ):
            held += rows.T @ rows
            right += rows.T @ rest
    matrix = held + errors.ridge * np.diag(np.diag(held))
    for system, response in groups:
        for rows, rest in (
            _energy_rows(system, response, weights, errors.energy),
            _force_rows(system, response, weights, errors.group_force),
        ):
            matrix += rows.T @ rows
            right += rows.T @ rest
    # A feature that no frame sees has no equation; it stays.
    seen = np.diag(matrix) > 0
    change = np.zeros(len(weights))
    scale = np.sqrt(np.diag(matrix)[seen])
    scaled = matrix[np.ix_(seen, seen)] / np.outer(scale, scale)
    change[seen] = np.linalg.lstsq(scaled, right[seen] / scale, rcond=1e-13)[0] / scale
    return change


def _energy_rows(system: System, response: Response, weights: np.ndarray, error: float):
    per = 1e3 / system.n_atoms / error
    rows = per * (response.energies - response.energies.mean(axis=0))
    rest = per * (system.energies - system.energies.mean()) - rows @ weights
    return rows, rest


def _force_rows(system: System, response: Response, weights: np.ndarray, error: float):
    reference = np.einsum("fqni,fni->fq", response.directions, system.forces)
    rows = response.forces.reshape(-1, len(weights)) / error
    return _known(rows, reference.ravel() / error - rows @ weights)


def _virial_rows(system: System, response: Response, weights: np.ndarray, error: float):
    per = (EV_PER_A3_IN_GPA / system.volumes / error)[:, None]
    reference = np.stack([system.virials[:, i, j] for i, j in VOIGT], axis=1) * per
    rows = (response.virials * per[..., None]).reshape(-1, len(weights))
    return _known(rows, reference.ravel() - rows @ weights)


def _known(rows: np.ndarray, rest: np.ndarray):
    known = np.isfinite(rest)
    return rows[known], rest[known]


def difference_errors(
    groups: Sequence[tuple[System, Response]], weights: np.ndarray
) -> list[np.ndarray]:
    """Of each group (f,): energy of the model less the label's, from the group's mean, meV/atom."""
    return [-_energy_rows(system, response, weights, 1.0)[1] for system, response in groups]


def force_errors(parts: Sequence[tuple[System, Response]], weights: np.ndarray) -> np.ndarray:
    """Label less model of the forces along all directions, eV/Å."""
    return np.concatenate([_force_rows(*part, weights, 1.0)[1] for part in parts] or [[]])


def stress_errors(parts: Sequence[tuple[System, Response]], weights: np.ndarray) -> np.ndarray:
    """Label less model of the elements of the stress, GPa."""
    return np.concatenate([_virial_rows(*part, weights, 1.0)[1] for part in parts] or [[]])


def write(model: str | os.PathLike, output: str | os.PathLike, weights: np.ndarray) -> None:
    """Write the graph `model` with these weights (m,) in its last layer."""
    parts = np.split(np.asarray(weights), len(ELEMENTS))
    frozen_graph.replace(
        model, output, {MATRIX.format(kind): part[:, None] for kind, part in enumerate(parts)}
    )


# ---------------------------------------------------------------------------------- child


def main(model: str, question: str, answer: str, directions: str, seed: str) -> None:
    """Write the responses of the structures in `question` to `answer` (both .npz)."""
    from deepmd.infer import DeepPot

    potential = DeepPot(model)
    evaluator = potential.deep_eval
    graph, session = evaluator.sess.graph, evaluator.sess
    layers = {
        name: operation
        for operation in graph.get_operations()
        for name in [operation.name.rpartition("final_layer_type_")[2]]
        if "final_layer_type_" in operation.name
    }
    kinds = range(len(ELEMENTS))
    inputs = [layers[f"{kind}/MatMul"].inputs[0] for kind in kinds]
    weights = [session.run(layers[f"{kind}/matrix"].outputs[0]).astype(float) for kind in kinds]
    names = potential.get_type_map()
    if names != list(ELEMENTS):
        raise ValueError(f"expected a model of {ELEMENTS}, got one of {names}")

    def features(types, boxes, coordinates):
        frames = len(boxes)
        feed = evaluator._prepare_feed_dict(
            coordinates.reshape(frames, -1), boxes.reshape(frames, 9), np.tile(types, (frames, 1))
        )[0]
        return np.concatenate(
            [
                values.astype(float).reshape(frames, -1, values.shape[1]).sum(axis=1)
                for values in session.run(inputs, feed)
            ],
            axis=1,
        )

    rng = np.random.default_rng(int(seed))
    found = {"weights": np.concatenate([matrix.ravel() for matrix in weights])}
    with np.load(question) as data:
        for i in range(int(data["count"])):
            types = data[f"types{i}"]
            parts = [
                _frame(
                    lambda boxes, coordinates, types=types: features(types, boxes, coordinates),
                    box, coordinates, types, int(directions), rng,
                )
                for box, coordinates in zip(
                    data[f"boxes{i}"], data[f"coordinates{i}"], strict=True
                )
            ]  # fmt: skip
            for name, values in zip(
                Response.__annotations__, zip(*parts, strict=True), strict=True
            ):
                found[f"{name}{i}"] = np.array(values)
    np.savez(answer, **found)


def _frame(features, box, coordinates, types, directions, rng):
    """`Response` of one frame, from features(boxes, coordinates)."""
    moves = rng.normal(size=(directions, len(types), 3))
    moves[: directions // 4, types != 0] = 0.0
    moves /= np.linalg.norm(moves, axis=(1, 2))[:, None, None]
    shifted = np.concatenate(
        [coordinates[None], coordinates + DISPLACEMENT * moves, coordinates - DISPLACEMENT * moves]
    )
    values = features(np.broadcast_to(box, (len(shifted), 3, 3)), shifted)
    plus, minus = np.split(values[1:], 2)
    strains = np.zeros((len(VOIGT), 3, 3))
    for strain, (i, j) in zip(strains, VOIGT, strict=True):
        strain[i, j] += 0.5
        strain[j, i] += 0.5
    deformations = np.concatenate([np.eye(3) + s * STRAIN * strains for s in (1, -1)])
    more, less = np.split(features(box @ deformations, coordinates @ deformations), 2)
    return (
        values[0],
        moves,
        -(plus - minus) / (2 * DISPLACEMENT),
        -(more - less) / (2 * STRAIN),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
