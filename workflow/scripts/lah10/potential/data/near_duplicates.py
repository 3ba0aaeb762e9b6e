"""Frames that are the same structure: those trained on are no test of a potential.

A structure is identified by what stays when the crystal is moved, wrapped, turned, mirrored or
repeated and its atoms are renumbered: the volume per atom and, around every atom, the distances to
its nearest neighbours of each element. Where no atom moves by more than d, none of these distances
changes by more than 2 d.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.potential.data.neighbours import with_images
from lah10.potential.data.systems import System

#: Neighbours of each element around an atom, and the distance, Å, beyond which all are alike.
NEIGHBOURS, CUTOFF = 8, 4.5
#: Å by which atoms differ: up to the first, two frames are one; up to the second they are reported.
SAME, NEAR = 1e-3, 0.05
#: Added to the environments of another element, Å: more than distances differ by.
APART = 100.0


@dataclass(frozen=True)
class NearCopy:
    """A frame to test with that hardly differs from one to train on.

    Attributes
    ----------
    frame, of : str
        Where the frame to test with and the nearest one to train on come from.
    distance : float
        Å; some atom is displaced by at least that much.
    """

    frame: str
    of: str
    distance: float


def find(training: Sequence[System], testing: Sequence[System]) -> list[NearCopy]:
    """Frames to test with that lie within `NEAR` of one to train on; of each the nearest.

    Raises
    ------
    UserError
        A frame to test with is also one to train on, to within `SAME`.
    """
    known = [
        (frame, environments(system, i))
        for system in training
        for i, frame in enumerate(system.frames)
    ]
    if not known:
        return []
    signatures = cKDTree([_signature(around) for _, around in known])
    found = []
    for system in testing:
        for i, frame in enumerate(system.frames):
            around = environments(system, i)
            near = signatures.query_ball_point(_signature(around), 2 * NEAR, p=np.inf)
            pairs = [(distance(around, known[k][1]), known[k][0]) for k in near]
            nearest, of = min(pairs, default=(np.inf, ""))
            if nearest <= SAME:
                raise UserError(
                    f"{frame}: the same structure as {of}, which is trained on; hold both out, or "
                    "neither"
                )
            if nearest <= NEAR:
                found.append(NearCopy(frame, of, nearest))
    return found


def environments(system: System, frame: int) -> np.ndarray:
    """(n, 2 + elements × NEIGHBOURS) what surrounds each atom, sorted distances in Å.

    The first two columns are the atom's element (times `APART`) and the length of a cube with the
    volume per atom. Distances are those to the nearest atoms of each element, at most `CUTOFF`.
    """
    inside, padded, origin = with_images(system, frame, CUTOFF)
    side = np.cbrt(system.volumes[frame] / system.n_atoms)
    columns = [system.types * APART, np.full(system.n_atoms, side)]
    for element in range(len(ELEMENTS)):
        of_kind = padded[system.types[origin] == element]
        distances = np.full((system.n_atoms, NEIGHBOURS + 1), CUTOFF)
        if len(of_kind):
            distances, _ = cKDTree(of_kind).query(inside, k=NEIGHBOURS + 1)
        # The nearest of its own kind is the atom itself.
        own = (system.types == element)[:, None]
        columns.append(np.where(own, distances[:, 1:], distances[:, :-1]).clip(max=CUTOFF))
    return np.column_stack(columns).astype(np.float32)


def _signature(around: np.ndarray) -> np.ndarray:
    """Least, mean and largest of the environments' columns for each element, in one row.

    As far apart as the environments at most, and quicker to compare.
    """
    rows = []
    for element in range(len(ELEMENTS)):
        own = around[around[:, 0] == element * APART, 1:].astype(float)
        if not len(own):
            own = np.full((1, around.shape[1] - 1), -APART)
        rows += [own.min(axis=0), own.mean(axis=0), own.max(axis=0)]
    return np.concatenate(rows)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Å by which some atom at least has to move to turn one frame into the other.

    Half the largest difference between an atom's environment in one frame and the most similar in
    the other; infinite above `NEAR`.
    """
    result = 0.0
    for a, b in ((one, other), (other, one)):
        nearest, _ = cKDTree(b).query(a, p=np.inf, distance_upper_bound=2 * NEAR)
        result = max(result, float(nearest.max()) / 2)
    return result
