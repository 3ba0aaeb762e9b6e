"""Hops and exchanges of atoms, from the map of atoms to sites.

**Hop.** An atom is settled on a site when it stays there for `SETTLE` without a break. Where two
consecutive settled sites of an atom differ, it hopped, half-way between the last frame on the one
and the first frame on the other. Shorter stays do not count: an atom that comes back at once made
no hop, and one that passes over a site on its way made one hop, not two. Nor do the short
vacancies and double occupancies of sites matter, which such passages leave in the map.

**Exchange.** The k-th atom that settles on a site takes the place of the k-th that left it. Hops
linked in this way, each within `CLOSURE` of the next, are one event. The event is an exchange if it
closes: every place that was left was taken, so that the hops permute the atoms in a ring. What does
not close (at an end of the run, or round a vacancy) is an event too.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

#: ps an atom has to stay on a site to be settled there: a period of the slowest optical modes,
#: several of the vibrations of H. A single frame never settles an atom, however far apart they are.
SETTLE = 0.1
#: ps between two hops of one event, at most.
CLOSURE = 0.5


@dataclass(frozen=True)
class Changes:
    """A map from atoms to sites over frames, as its changes.

    Attributes
    ----------
    frames : int
        Number of frames.
    first_site : (n,) int, the site of every atom in the first frame; −1 for none.
    first_image : (n, 3) int, the periodic image of that site.
    frame, atom, site : (changes,) int; from `frame` on `atom` is on `site` (−1: on none). Sorted
        by frame.
    image : (changes, 3) int.
    """

    frames: int
    first_site: np.ndarray
    first_image: np.ndarray
    frame: np.ndarray
    atom: np.ndarray
    site: np.ndarray
    image: np.ndarray

    @classmethod
    def of_map(cls, sites: np.ndarray, shifts: np.ndarray | None = None) -> "Changes":
        """From the site of every atom in every frame.

        Parameters
        ----------
        sites : ndarray of int, shape (frames, n)
            −1 where an atom is on no site. Several atoms may share one.
        shifts : ndarray of int, shape (frames, n, 3), optional
            Periodic images of the sites; default: the home cell.
        """
        sites = np.asarray(sites)
        shifts = np.zeros((*sites.shape, 3), int) if shifts is None else np.asarray(shifts)
        frame, atom = np.nonzero(np.diff(sites, axis=0))
        frame = frame + 1
        found = sites[frame, atom], shifts[frame, atom]
        return cls(len(sites), sites[0].copy(), shifts[0].copy(), frame, atom, *found)


class SiteHistory:
    """Records a map from atoms to sites frame by frame, in memory that goes with its changes."""

    def __init__(self):
        self._first = self._now = None
        self._frames = 0
        self._changes: list[tuple[np.ndarray, ...]] = []
        self._recorded: Changes | None = None

    def add(self, atom_of_site: np.ndarray, image_of_site: np.ndarray) -> None:
        """Take in one frame: the atom on every site (n,), and the image of the site (n, 3) where
        it is (`lah10.crystal.sites.SiteMap`)."""
        site = np.empty(len(atom_of_site), np.int32)
        site[atom_of_site] = np.arange(len(site), dtype=np.int32)
        if self._first is None:
            self._first = site, image_of_site[site].astype(np.int16)
        else:
            atom = np.flatnonzero(site != self._now).astype(np.int32)
            if len(atom):
                frame = np.full(len(atom), self._frames, np.int32)
                image = image_of_site[site[atom]].astype(np.int16)
                self._changes.append((frame, atom, site[atom], image))
        self._now = site
        self._frames += 1
        self._recorded = None

    def changes(self) -> Changes:
        """What was recorded, of one frame at least."""
        if self._recorded is None:
            none = (*[np.empty(0, np.int32)] * 3, np.empty((0, 3), np.int16))
            parts = zip(*[none, *self._changes], strict=True)
            joined = [np.concatenate(part) for part in parts]
            self._recorded = Changes(self._frames, *self._first, *joined)
        return self._recorded

    def site_of_atom(self, frame: int) -> np.ndarray:
        """The site of every atom in a frame, (n,)."""
        changes = self.changes()
        site = changes.first_site.copy()
        upto = np.searchsorted(changes.frame, frame, side="right")
        site[changes.atom[:upto]] = changes.site[:upto]  # of several the last one stays
        return site


@dataclass(frozen=True)
class Hops:
    """Hops between settled sites, in the order of atoms and then of time.

    Attributes
    ----------
    atom, origin, target : (hops,) int; the atom, the site that it left and the one that it reached.
    time : (hops,) ps.
    shift : (hops, 3) int; target − origin = sites[target] + shift − sites[origin], fractional.
    first : (n,) int; the first settled site of every atom.
    exposure : float
        ps in which a hop would have been seen; 0 if the run is too short for any.
    """

    atom: np.ndarray
    origin: np.ndarray
    target: np.ndarray
    time: np.ndarray
    shift: np.ndarray
    first: np.ndarray
    exposure: float


def find_hops(changes: Changes, time: np.ndarray, settle: float = SETTLE) -> Hops:
    """Hops of all atoms between the sites on which they settle.

    Parameters
    ----------
    changes : Changes
    time : ndarray, shape (frames,)
        ps, of two frames at least, equally spaced.
    settle : float
        ps.

    Raises
    ------
    ValueError
        Fewer than two frames, or another number of times.
    """
    if changes.frames < 2 or len(time) != changes.frames:
        raise ValueError(
            f"hops need two frames at least and a time for each, not {changes.frames} frames and "
            f"{len(time)} times"
        )
    interval = (time[-1] - time[0]) / (len(time) - 1)
    needed = max(2, int(np.ceil(settle / interval - 1e-6)))
    exposure = max(0, changes.frames - 2 * needed + 1) * interval
    first = changes.first_site.copy()

    # Stays of the atoms that ever move, in the order of atoms and then of time.
    movers = np.unique(changes.atom)
    atom = np.concatenate([movers, changes.atom])
    begin = np.concatenate([np.zeros(len(movers), int), changes.frame])
    site = np.concatenate([changes.first_site[movers], changes.site])
    image = np.concatenate([changes.first_image[movers], changes.image]).astype(int)
    order = np.lexsort((begin, atom))
    atom, begin, site, image = atom[order], begin[order], site[order], image[order]
    last = np.append(atom[1:] != atom[:-1], True)[: len(atom)]
    end = np.where(last, changes.frames, np.append(begin[1:], 0)[: len(atom)])

    settled = (end - begin >= needed) & (site >= 0)
    atom, begin, end, site, image = (values[settled] for values in (atom, begin, end, site, image))
    here, starts = np.unique(atom, return_index=True)
    first[here] = site[starts]
    same = atom[1:] == atom[:-1]
    moved = same & ((site[1:] != site[:-1]) | (image[1:] != image[:-1]).any(axis=1))
    k = np.flatnonzero(moved)
    # A stay that was broken and taken up again ends with its last part.
    middle = 0.5 * (time[end[k] - 1] + time[begin[k + 1]])
    return Hops(
        atom[k], site[k], site[k + 1], middle, image[k + 1] - image[k], first, float(exposure)
    )


def find_events(hops: Hops, closure: float = CLOSURE) -> tuple[np.ndarray, np.ndarray]:
    """Events that hops belong to.

    Parameters
    ----------
    hops : Hops
    closure : float
        ps.

    Returns
    -------
    event : ndarray of int, shape (hops,)
        Events are numbered in the order of their mean times.
    closed : ndarray of bool, shape (events,)
        Whether the hops of an event permute its atoms in a ring, of two at least.
    """
    count = len(hops.atom)
    if count == 0:
        return np.empty(0, int), np.empty(0, bool)
    sites, places = np.unique(np.concatenate([hops.origin, hops.target]), return_inverse=True)
    origin, target = places[:count], places[count:]
    settled = hops.first[hops.first >= 0]
    occupants = np.bincount(settled, minlength=sites[-1] + 1)[sites]
    left, reached = _rank(origin, hops.time), _rank(target, hops.time)
    # The first to come takes the place of the first to leave, if there was one to leave.
    wanted = target * (2 * count) + reached + occupants[target] - 1
    offered = origin * (2 * count) + left
    order = np.argsort(offered)
    found = order[np.minimum(np.searchsorted(offered[order], wanted), count - 1)]
    linked = (offered[found] == wanted) & (reached + occupants[target] >= 1)
    linked &= np.abs(hops.time - hops.time[found]) <= closure

    one = np.flatnonzero(linked)
    graph = coo_array((np.ones(len(one)), (one, found[one])), shape=(count, count))
    number, event = connected_components(graph, directed=False)
    size = np.bincount(event)
    mean = np.bincount(event, hops.time) / size
    rank = np.empty(number, int)
    rank[np.argsort(mean, kind="stable")] = np.arange(number)
    event = rank[event]
    # A place has one predecessor and one successor: hops that are all linked form a ring.
    closed = np.bincount(event, linked) == np.bincount(event)
    return event, closed & (np.bincount(event) > 1)


def _rank(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Place of every value among those of its group, from 0."""
    order = np.lexsort((values, group))
    sorted_group = group[order]
    starts = np.flatnonzero(np.append(True, sorted_group[1:] != sorted_group[:-1]))
    lengths = np.diff(np.append(starts, len(group)))
    rank = np.empty(len(group), int)
    rank[order] = np.arange(len(group)) - np.repeat(starts, lengths)
    return rank
