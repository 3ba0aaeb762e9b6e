"""The one-to-one assignment of points to sites with the least sum of squared distances.

Squared distances are those of the nearest periodic images. The result is exact, although only near
pairs are looked at: linear programming duality bounds what any other pair could gain. With c_ij
the squared distance of point i and site j and σ(i) the site of i, numbers v_j with

    c_ij ≥ u_i + v_j,  u_i = c_iσ(i) − v_σ(i),  for all i and j

prove that σ is optimal (H. W. Kuhn, Nav. Res. Logist. Q. 2, 83 (1955)). For pairs in the list the
inequality is solved for v by label correction (Bellman–Ford); for a pair that is not, it holds as
soon as the search round point i reached as far as √(u_i + max_j v_j). The v_j exist if and only if
no cycle of reassignments within the list lowers the sum. Where some do, the labels run into them:
they are then cycles of the graph that leads from every site to the one its label came from, and as
such have no site in common. All of them are carried out, and v is solved for again.

scipy's solver for sparse problems serves for a first guess alone: for some costs that nearly tie
its row reduction takes as many steps as the tie has digits, which is for ever.
"""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching
from scipy.spatial import cKDTree

from lah10.crystal.periodic import images, nearest_image, wrap

#: First radius of the search, in mean spacings of the sites: about 4 sites lie within it.
REACH = 1.0
#: The same where there is no assignment to start from; by which the radius grows in vain.
COLD_REACH, GROWTH = 1.5, 1.5
#: Pairs per point above which a start is too far off to be of use.
MOST_PAIRS = 60
#: Å²; differences below are round-off.
TOLERANCE = 1e-10
#: Steps of the label correction after which cycles are looked for.
STEPS = 4
#: Å²; to which costs are rounded for the first guess, so that their ties are exact.
COARSE = 1e-3


def assign(
    points: np.ndarray, sites: np.ndarray, cell: np.ndarray, start: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Assign n points to n sites so that the sum of squared distances is least.

    Parameters
    ----------
    points, sites : ndarray, shape (n, 3)
        Fractional coordinates, wrapped or not.
    cell : ndarray, shape (3, 3)
        Cell vectors as rows, Å.
    start : ndarray of int, shape (n,), optional
        A permutation: the site of every point in a good assignment. It changes the time that the
        solution takes, not the solution.

    Returns
    -------
    site : ndarray of int, shape (n,)
        The site of every point.
    squared : ndarray, shape (n,)
        Squared distances, Å².

    Raises
    ------
    ValueError
        A coordinate is not finite: such a point is nowhere. Or `start` is no permutation.
    """
    n = len(sites)
    if n == 0:
        return np.empty(0, dtype=int), np.empty(0)
    if not (np.isfinite(points).all() and np.isfinite(sites).all()):
        raise ValueError("a coordinate is not finite: there is no assignment of such points")
    if start is not None and not np.array_equal(np.sort(start), np.arange(n)):
        raise ValueError(f"start has to be a permutation of 0 … {n - 1}")
    pairs = _Pairs(points, sites, cell)
    site = pairs.cold() if start is None else pairs.warm(np.asarray(start))
    while True:
        site, squared, v = _optimum(pairs, site)
        needed = squared - v[site] + v.max()
        short = np.flatnonzero((needed > pairs.reach**2) & ~pairs.complete())
        if not len(short):
            return site, squared
        pairs.extend(short, 1.001 * np.sqrt(needed[short].max()))


class _Pairs:
    """Pairs of points and sites with their squared distances, complete within a radius a point.

    Attributes
    ----------
    row, column, cost : arrays over pairs, sorted by row and then by column; Å².
    reach : (n,) Å; radius within which a point's pairs are complete.
    """

    def __init__(self, points: np.ndarray, sites: np.ndarray, cell: np.ndarray):
        self._scaled, self._sites, self._cell = points, sites, cell
        self._points = wrap(points, cell)
        self.n = len(sites)
        self.spacing = (abs(np.linalg.det(cell)) / self.n) ** (1 / 3)
        self.row = self.column = np.empty(0, dtype=np.intp)
        self.cost = np.empty(0)
        self.reach = np.zeros(self.n)
        self._tree, self._margin = None, 0.0

    def cold(self) -> np.ndarray:
        """An assignment from nothing, of near pairs."""
        radius = COLD_REACH * self.spacing
        while True:
            self.extend(np.arange(self.n), radius)
            try:
                return _guess(self.row, self.column, self.cost, self.n)
            except ValueError:  # no full assignment among so few pairs
                radius *= GROWTH

    def warm(self, start: np.ndarray) -> np.ndarray:
        """`start`, if the pairs that it needs are not too many; an assignment from nothing else."""
        difference = nearest_image(self._scaled - self._sites[start]) @ self._cell
        # In a narrow cell another image may be nearer, none farther.
        distance = 1.001 * np.sqrt((difference**2).sum(axis=1))
        near = REACH * self.spacing
        far = np.flatnonzero(distance > near)
        volumes = 4.2 * (distance[far].max(initial=0) / self.spacing) ** 3
        if len(far) * volumes > MOST_PAIRS * self.n:
            return self.cold()
        self.extend(np.flatnonzero(distance <= near), near)
        if len(far):
            self.extend(far, distance[far].max())
        return start

    def complete(self) -> np.ndarray:
        """Whether a point has every site among its pairs, (n,)."""
        return np.bincount(self.row, minlength=self.n) == self.n

    def extend(self, rows: np.ndarray, radius: float) -> None:
        """Complete the pairs of some points within a radius, Å."""
        if self._tree is None or radius > self._margin:
            positions, self._index, _ = images(self._sites, self._cell, radius)
            self._tree, self._margin = cKDTree(positions), radius
        found = cKDTree(self._points[rows]).sparse_distance_matrix(
            self._tree, radius, output_type="ndarray"
        )
        known = np.ones(self.n, bool)
        known[rows] = False
        known = known[self.row]
        row = np.concatenate([self.row[known], rows[found["i"]]])
        column = np.concatenate([self.column[known], self._index[found["j"]]])
        cost = np.concatenate([self.cost[known], found["v"] ** 2])
        order = np.argsort(row * self.n + column, kind="stable")
        key = (row * self.n + column)[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        self.row, self.column = row[order][first], column[order][first]
        # Of several images of a site the nearest.
        self.cost = np.minimum.reduceat(cost[order], first) if len(first) else cost
        self.reach[rows] = radius

    def cost_of(self, site: np.ndarray) -> np.ndarray:
        """Squared distance of every point from its site, (n,), Å²."""
        key = np.arange(self.n) * self.n + site
        return self.cost[np.searchsorted(self.row * self.n + self.column, key)]


def _optimum(pairs: _Pairs, site: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best assignment among the pairs, from another one: site and squared distance of every
    point and the dual variable v ≤ 0 of every site."""
    site = site.copy()
    while True:
        squared = pairs.cost_of(site)
        v, cycles = _labels(pairs, site, squared)
        if cycles is None:
            return site, squared, v
        # The point on the one site of a step moves to the other.
        old, new = cycles
        owner = np.empty_like(site)
        owner[site] = np.arange(pairs.n)
        site[owner[old]] = new


def _labels(
    pairs: _Pairs, site: np.ndarray, squared: np.ndarray
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """Solve v_j ≤ c_ij − u_i, u_i = c_iσ(i) − v_σ(i), by label correction.

    Returns
    -------
    v : (n,), solved if there are no cycles.
    cycles : None, or the sites before and after each step of cycles of reassignments that lower
        the sum.
    """
    v = np.zeros(pairs.n)
    before = np.full(pairs.n, -1)
    own = site[pairs.row]
    slack = pairs.cost - squared[pairs.row]
    here = np.flatnonzero(slack < 0)
    changed = np.empty(pairs.n, bool)
    # Without cycles labels are settled after as many steps as there are sites.
    for step in range(1, pairs.n + STEPS):
        limit = slack[here] + v[own[here]]
        worse = limit < v[pairs.column[here]] - TOLERANCE
        if not worse.any():
            break
        here, limit = here[worse], limit[worse]
        order = np.lexsort((limit, pairs.column[here]))
        here, limit = here[order], limit[order]
        column = pairs.column[here]
        best = np.append(True, column[1:] != column[:-1])
        column = column[best]
        v[column], before[column] = limit[best], own[here[best]]
        if step % STEPS == 0:
            new = _on_cycles(before)
            if len(new):
                return v, (before[new], new)
        changed[:] = False
        changed[column] = True
        here = np.flatnonzero(changed[own])
    return v, None


def _on_cycles(before: np.ndarray) -> np.ndarray:
    """Nodes on cycles of a graph in which every node leads to one other at most (−1: to none)."""
    leads = np.append(before, -1)  # where −1 leads, too
    for _ in range(int(np.ceil(np.log2(len(before) + 1)))):
        leads = leads[leads]  # twice as far
    reached = np.unique(leads)
    return reached[reached >= 0]


def _guess(row: np.ndarray, column: np.ndarray, cost: np.ndarray, n: int) -> np.ndarray:
    """Column of every row in a cheap full assignment of sparse pairs, (n,).

    Raises
    ------
    ValueError
        There is none.
    """
    # A weight of zero would mean "no pair"; a constant changes no assignment.
    weight = np.round(cost / COARSE) + 1.0
    return min_weight_full_bipartite_matching(csr_array((weight, (row, column)), shape=(n, n)))[1]
