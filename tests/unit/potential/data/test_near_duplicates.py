"""A frame is found again however it is written down, and no other is taken for it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import labelled
from lah10.errors import UserError
from lah10.potential.data import near_duplicates

TRAINING = labelled.system("toy/a", frames=4)
OTHERS = labelled.system("toy/b", frames=4, seed=2)


def turned(system):
    turn = Rotation.from_rotvec([0.3, -1.0, 0.7]).as_matrix()
    return replace(system, boxes=system.boxes @ turn, coordinates=system.coordinates @ turn)


def moved_and_wrapped(system):
    inverse = np.linalg.inv(system.boxes)
    inside = (system.coordinates + np.array([0.7, 1.9, -3.1])) @ inverse % 1.0
    return replace(system, coordinates=inside @ system.boxes)


def renumbered(system):
    order = np.random.default_rng(5).permutation(system.n_atoms)
    return replace(system, types=system.types[order], coordinates=system.coordinates[:, order])


def repeated(system):
    boxes = system.boxes * [[2], [1], [1]]
    twice = np.concatenate([system.coordinates, system.coordinates + system.boxes[:, :1]], axis=1)
    return replace(system, types=np.tile(system.types, 2), boxes=boxes, coordinates=twice)


def other_vectors(system):
    change = np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]])
    return replace(system, boxes=change @ system.boxes)


WRITTEN = {
    "as it is": lambda system: system,
    "turned": turned,
    "mirrored": lambda s: replace(s, boxes=-s.boxes, coordinates=-s.coordinates),
    "moved and wrapped": moved_and_wrapped,
    "renumbered": renumbered,
    "repeated": repeated,
    "other cell vectors": other_vectors,
    "all": lambda system: repeated(renumbered(turned(moved_and_wrapped(system)))),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_a_frame_is_known_again(write):
    copy = write(replace(TRAINING.select([2]), name="toy/c", frames=("toy/c frame 0",)))
    assert near_duplicates.find([TRAINING], [OTHERS]) == []
    with pytest.raises(UserError, match="toy/c frame 0: the same structure as toy/a frame 2"):
        near_duplicates.find([TRAINING], [OTHERS, copy])
    with pytest.raises(UserError, match="toy/a frame 2: the same structure as toy/c frame 0"):
        near_duplicates.find([OTHERS, copy], [TRAINING])


def displaced(distance):
    """Frame 2, every atom moved by `distance` Å."""
    step = np.random.default_rng(3).normal(size=(1, TRAINING.n_atoms, 3))
    step *= distance / np.linalg.norm(step, axis=-1, keepdims=True)
    one = TRAINING.select([2])
    return turned(replace(one, coordinates=one.coordinates + step, frames=("near",)))


@pytest.mark.parametrize("distance", [0.003, 0.02, 0.045])
def test_a_near_copy_is_told_with_its_distance(distance):
    (found,) = near_duplicates.find([OTHERS, TRAINING], [displaced(distance)])
    assert (found.frame, found.of) == ("near", "toy/a frame 2")
    assert 0.5 * distance < found.distance <= distance + 1e-5


def test_nearer_than_a_thousandth_is_the_same_and_farther_than_a_twentieth_is_not():
    with pytest.raises(UserError, match="near: the same structure as toy/a frame 2"):
        near_duplicates.find([TRAINING], [displaced(0.9e-3)])
    assert near_duplicates.find([TRAINING], [displaced(0.2)]) == []


def test_another_volume_or_other_elements_are_another_structure():
    other = replace(TRAINING, types=1 - TRAINING.types)
    assert near_duplicates.find([TRAINING], [other]) == []
    larger = replace(TRAINING, boxes=1.2 * TRAINING.boxes, coordinates=1.2 * TRAINING.coordinates)
    assert near_duplicates.find([TRAINING], [larger]) == []


def test_with_nothing_to_train_on_nothing_is_found():
    assert near_duplicates.find([], [OTHERS]) == []
