"""The last fitting layer on differences: the regression, and on the shipped graph."""

from dataclasses import replace

import numpy as np
import pytest

from campaigns import REPOSITORY
from lah10.crystal.rhombohedral import Rhombohedral
from lah10.errors import UserError
from lah10.potential.data.systems import System, unlabelled_frames
from lah10.potential.evaluate import evaluate
from lah10.potential.training import last_layer
from lah10.potential.training.last_layer import Errors, Response

FIRST, SECOND = (
    REPOSITORY / f"resources/potentials/{name}/frozen.pb" for name in ("lah10", "lah10-2")
)
M = 6


def linear(rng, frames=5, n=3, q=4) -> tuple[np.ndarray, System, Response]:
    """A system whose labels follow from known weights."""
    truth = rng.normal(size=M)
    directions = rng.normal(size=(frames, q, n, 3))
    phi, force, virial = (rng.normal(size=(frames, *s, M)) for s in ((), (n, 3), (6,)))
    boxes = np.broadcast_to(3.0 * np.eye(3), (frames, 3, 3))
    full = np.zeros((frames, 3, 3))
    for k, (i, j) in enumerate(last_layer.VOIGT):
        full[:, i, j] = full[:, j, i] = virial[:, k] @ truth
    system = System(
        "made/up", np.array([0, 1, 1]), boxes, np.zeros((frames, n, 3)), phi @ truth + 7.0,
        force @ truth, full, tuple("abcdefghi")[:frames],
    )  # fmt: skip
    forces = np.einsum("fqni,fnim->fqm", directions, force)
    return truth, system, Response(phi, directions, forces, virial)


def energies_alone(system: System) -> System:
    """The same without forces and virials."""
    return replace(
        system, forces=np.full_like(system.forces, np.nan),
        virials=np.full_like(system.virials, np.nan),
    )  # fmt: skip


def test_true_weights_are_found_from_any_start():
    truth, system, response = linear(np.random.default_rng(1))
    start = truth + 0.3
    change = last_layer.solve(
        [(system, response)], [(system, response)], start, Errors(ridge=1e-12)
    )
    np.testing.assert_allclose(start + change, truth, atol=1e-6)
    # The common constant of 7 eV is no error.
    (rest,) = last_layer.difference_errors([(system, response)], truth)
    np.testing.assert_allclose(rest, 0, atol=1e-9)


def test_differences_alone_move_what_forces_do_not_see():
    rng = np.random.default_rng(2)
    truth, system, response = linear(rng, frames=9)
    # A feature without forces or stress, and one that nothing sees.
    response.forces[..., :2] = response.virials[..., :2] = 0
    response.energies[:, 1] = 0
    system = replace(system, energies=response.energies @ truth)
    start = truth + np.array([0.5, 0.5, 0, 0, 0, 0])
    consistent = energies_alone(system)
    change = last_layer.solve([(consistent, response)], [(consistent, response)], start)
    assert change[0] == pytest.approx(-0.5, abs=1e-6)
    assert change[1] == 0


def test_forces_of_the_crystals_compared_are_learnt():
    rng = np.random.default_rng(5)
    truth, system, response = linear(rng, frames=9)
    # Seen by forces of the crystals alone: by no energy, nor by other systems.
    response.energies[:, 0] = 0
    system = replace(system, energies=response.energies @ truth)
    other = replace(response, forces=response.forces.copy(), virials=response.virials.copy())
    other.forces[..., 0] = other.virials[..., 0] = 0
    start = truth + np.array([0.5, 0, 0, 0, 0, 0])
    unseen = energies_alone(system)
    change = last_layer.solve([(unseen, other)], [(system, response)], start)
    assert change[0] == pytest.approx(-0.5, abs=1e-6)


def test_ridge_holds_the_weights():
    truth, system, response = linear(np.random.default_rng(3))
    start = truth + 0.3
    sizes = [
        np.linalg.norm(
            last_layer.solve([(system, response)], [(system, response)], start, Errors(ridge=r))
        )
        for r in (1e-6, 1e3, 1e6)
    ]
    assert sizes[0] > 1.5 * sizes[2]
    assert sizes == sorted(sizes, reverse=True)


def test_one_frame_has_no_difference():
    _, system, response = linear(np.random.default_rng(4), frames=1)
    with pytest.raises(UserError, match="made/up: one frame has no difference of energy"):
        last_layer.solve([(system, response)], [(system, response)], np.zeros(M))
    with pytest.raises(UserError, match="no groups"):
        last_layer.solve([(system, response)], [], np.zeros(M))


def path(volume: float, model) -> System:
    """Crystals between Fm-3m and R-3m, labelled by a model."""
    cubic = Rhombohedral.cubic(volume, 0.1205)
    distorted = Rhombohedral(volume, 62.6, 0.2594, 0.0973, -0.1062, 0.3861)
    frames = [cubic.towards(distorted, x, x).atoms() for x in (0, 0.25, 0.5, 0.75, 1)]
    system = replace(unlabelled_frames(frames), name=f"path/{volume:g}")
    (found,) = evaluate(model, [system])
    return replace(system, energies=found.energies, forces=found.forces, virials=found.virials)


@pytest.mark.slow
def test_another_models_differences_are_learnt_and_forces_kept(tmp_path):
    """The second shipped model's differences in the first; an unseen volume shows it."""
    learnt = [path(volume, SECOND) for volume in (30.0, 32.0, 34.0, 36.0)]
    unseen = path(33.0, SECOND)
    own = [path(volume, FIRST) for volume in (30.0, 33.0, 36.0)]
    every = [*learnt, unseen, *own]
    weights, found = last_layer.responses(FIRST, every, directions=8)
    pairs = list(zip(every, found, strict=True))
    # What the regression calls the model's forces and virials are the model's.
    for system, response in pairs[-3:]:
        rows = np.einsum("fqni,fni->fq", response.directions, system.forces)
        np.testing.assert_allclose(response.forces @ weights, rows, atol=5e-3)
        virials = np.stack([system.virials[:, i, j] for i, j in last_layer.VOIGT], axis=1)
        np.testing.assert_allclose(response.virials @ weights, virials, atol=5e-2)
    before = last_layer.difference_errors(pairs[:5], weights)
    assert np.sqrt(np.mean(np.square(before))) > 0.3
    change = last_layer.solve(pairs[-3:], pairs[:4], weights, Errors(energy=0.03))
    last_layer.write(FIRST, tmp_path / "new.pb", weights + change)
    (after, new) = evaluate(tmp_path / "new.pb", [unseen, own[1]])
    rest = (after.energies - unseen.energies) / 11 * 1e3
    assert (rest - rest.mean()).std() < 0.25 * np.sqrt(np.mean(np.square(before[4])))
    assert abs(new.forces - own[1].forces).max() < 0.1
