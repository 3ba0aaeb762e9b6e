"""Typical trajectories of protons, after the source paper's Fig. 4: no exchange, one, several.

The classes are by the exchanges (closed rings, `lah10.analysis.hops`) that a proton takes part in;
one whose hops do not close to a ring is in no class. The typical proton of a class is its median:
by the mean square distance from its mean position over the run; of an even number the lower of the
two in the middle.

With it go the protons whose sites it took and those that took its own, the La nearest to its first
and to its last site on the way, and the sites of the cage round the first of these. All are in the
frame of the La lattice and in the mean cell, as displacements are elsewhere, each by the periodic
image that is nearest to the proton.
"""

from itertools import product

import numpy as np
from ase import Atoms

from lah10.analysis.dataset import Coordinates
from lah10.crystal.periodic import images, nearest_image, wrap
from lah10.crystal.trajectory import Trajectory
from lah10.schema import EXCHANGE_CLASSES

#: Frames that are kept, at most, and protons that changed places with the typical one.
FRAMES, PARTNERS = 500, 6
#: Sites of H in a cage.
CORNERS = 32

COORDINATES: Coordinates = {
    "exchange_class": (None, "exchanges of a proton", EXCHANGE_CLASSES),
    "typical_atom": (None, "atom of a typical trajectory", ()),
    "typical_frame": ("ps", "time since the start of production", ()),
    "corner": (None, "H site of a cage", range(CORNERS)),
    "vector": (None, "cell vector", ("a", "b", "c")),
}


def classes(lists: dict, template: Atoms) -> np.ndarray:
    """Class of every atom, (n,): 0 no hop, 1 one exchange, 2 several; −1 for La and for protons
    whose hops do not all belong to exchanges.

    lists : values of `lah10.schema.HOPS` (`lah10.analysis.exchanges.measure`).
    """
    found = np.where(template.numbers == 1, 0, -1)
    event, atom = np.asarray(lists["hop_event"], int), np.asarray(lists["hop_atom"], int)
    closed = np.asarray(lists["event_closed"], bool)
    for mover in np.unique(atom):
        taken = np.unique(event[atom == mover])
        if found[mover] == 0:
            found[mover] = min(len(taken), 2) if closed[taken].all() else -1
    return found


def measure(trajectory: Trajectory, template: Atoms, lists: dict, cell: np.ndarray) -> dict:
    """Values of `lah10.schema.TYPICAL` and their `COORDINATES`.

    Parameters
    ----------
    trajectory, template
        Of the same atoms, from whose first frame on hops were counted.
    lists : dict
        Hops and events of the run.
    cell : ndarray, shape (3, 3)
        The mean cell, Å.
    """
    of_class = classes(lists, template)
    la = np.flatnonzero(template.numbers == 57)
    drift = _drift(trajectory, la)
    square = _squares(trajectory, drift, cell)
    typical = [_median(np.flatnonzero(of_class == k), square) for k in range(3)]
    step = max(1, -(-len(trajectory) // FRAMES))
    frames = np.arange(0, len(trajectory), step)
    scaled = template.get_scaled_positions(wrap=False)
    hydrogen = np.flatnonzero(template.numbers == 1)
    rows, cages = [], np.full((len(EXCHANGE_CLASSES), CORNERS, 3), np.nan)
    for k, proton in enumerate(typical):
        if proton is None:
            continue
        partners, ends = _company(proton, lists, template)
        own = (trajectory.history([proton])[:, 0] - drift) @ cell
        local = _nearest(scaled, la, scaled[ends], cell)
        middle = own.mean(axis=0)
        for role, atoms in enumerate(([proton], partners, local)):
            for atom in atoms:
                path = (trajectory.history([atom])[:, 0] - drift) @ cell
                apart = path.mean(axis=0) - middle
                path += _shortest(apart @ np.linalg.inv(cell), cell) - apart
                rows.append((k, role, atom, path[frames]))
        # Centres of cages are where their La is on average.
        centre = next(path for c, role, _, path in rows if (c, role) == (k, 2)).mean(axis=0)
        cages[k] = centre + _corners(scaled, hydrogen, scaled[local[0]], cell)
    return {
        "typical_atom": np.arange(len(rows)),
        "typical_frame": trajectory.time[frames],
        "typical_position": np.array([path for *_, path in rows]).reshape(-1, len(frames), 3),
        "typical_class": np.array([k for k, *_ in rows]),
        "typical_role": np.array([role for _, role, _, _ in rows]),
        "typical_index": np.array([atom for _, _, atom, _ in rows]),
        "typical_cage": cages,
        "class_size": np.array([(of_class == k).sum() for k in range(3)]),
        "mean_cell": cell,
    }


def _drift(trajectory: Trajectory, la: np.ndarray) -> np.ndarray:
    """Mean fractional displacement of La since the first frame, (frames, 3)."""
    path = np.zeros((len(trajectory), 3))
    for atoms, scaled in trajectory.histories():
        mine = np.isin(np.arange(atoms.start, atoms.stop), la)
        path += scaled[:, mine].sum(axis=1) / len(la)
    return path - path[0]


def _squares(trajectory: Trajectory, drift: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Mean square distance of every atom from its mean position, (n,), Å²."""
    found = []
    for _, scaled in trajectory.histories():
        moves = (scaled - drift[:, None]) @ cell
        found.append(((moves - moves.mean(axis=0)) ** 2).sum(axis=2).mean(axis=0))
    return np.concatenate(found)


def _median(members: np.ndarray, square: np.ndarray) -> int | None:
    """The median member by its mean square distance; None for none."""
    if not len(members):
        return None
    order = members[np.argsort(square[members], kind="stable")]
    return int(order[(len(order) - 1) // 2])


def _company(proton: int, lists: dict, template: Atoms) -> tuple[list[int], list[int]]:
    """The protons that it changed places with, the first ones, and its first and last site."""
    atom, event, origin, target = (
        np.asarray(lists[name], int) for name in ("hop_atom", "hop_event", "hop_from", "hop_to")
    )
    mine = np.flatnonzero(atom == proton)
    if not len(mine):
        return [], [proton]
    mine = mine[np.argsort(np.asarray(lists["hop_time"])[mine])]
    partners: list[int] = []
    for hop in mine:
        same = (event == event[hop]) & (atom != proton)
        partners += atom[same & ((origin == target[hop]) | (target == origin[hop]))].tolist()
    ends = [int(origin[mine[0]]), int(target[mine[-1]])]
    return list(dict.fromkeys(partners))[:PARTNERS], list(dict.fromkeys(ends))


def _nearest(scaled: np.ndarray, la: np.ndarray, places: np.ndarray, cell: np.ndarray) -> list[int]:
    """The La nearest to each of the places, in their order, none twice."""
    found = []
    for place in places:
        apart = _shortest(scaled[la] - place, cell)
        found.append(int(la[np.argmin(np.linalg.norm(apart, axis=1))]))
    return list(dict.fromkeys(found))


def _shortest(scaled: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Shortest Cartesian vectors (..., 3) of fractional differences (..., 3), in any cell."""
    around = np.array(list(product((-1, 0, 1), repeat=3)))
    candidates = (nearest_image(scaled)[..., None, :] + around) @ cell
    best = np.linalg.norm(candidates, axis=-1).argmin(axis=-1)
    return np.take_along_axis(candidates, best[..., None, None], axis=-2)[..., 0, :]


def _corners(
    scaled: np.ndarray, hydrogen: np.ndarray, la: np.ndarray, cell: np.ndarray
) -> np.ndarray:
    """The sites of H nearest to a La, relative to it, (32, 3)."""
    positions, _, _ = images(scaled[hydrogen], cell, margin=4.0)
    apart = positions - wrap(la[None], cell)[0]
    return apart[np.argsort(np.linalg.norm(apart, axis=1))[:CORNERS]]
