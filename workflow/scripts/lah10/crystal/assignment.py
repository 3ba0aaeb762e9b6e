"""The one-to-one assignment of points to sites with the least sum of squared distances.

Squared distances are those of the nearest periodic images. The result is exact, although only near
pairs are looked at: linear programming duality bounds what any other pair could gain. With c_ij
the squared distance of point i and site j and σ(i) the site of i, numbers v_j with

    c_ij ≥ u_i + v_j,  u_i = c_iσ(i) − v_σ(i),  for all i and j

prove that σ is optimal (H. W. Kuhn, Nav. Res. Logist. Q. 2, 83 (1955)). For pairs in the list the
inequality is solved for v; for a pair that is not, it holds as soon as the search round point i
reached as far as √(u_i + max_j v_j). The v_j exist if and only if no round of reassignments within
the list lowers the sum. Where one does, v falls without end along it, and along nothing far from
it: the assignment is solved anew for those sites alone.
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
#: Steps of the label correction after which rounds that lower the sum are looked for.
STEPS = 8


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
        """An assignment from nothing: the best one among near pairs."""
        radius = COLD_REACH * self.spacing
        while True:
            self.extend(np.arange(self.n), radius)
            try:
                return _solve(self.row, self.column, self.cost, self.n)
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
    """The best assignment among the pairs, from a good one: site and squared distance of every
    point and the dual variable v ≤ 0 of every site."""
    steps = STEPS
    squared = pairs.cost_of(site)
    while True:
        v, settled = _dual(pairs, site, squared, steps)
        if settled:
            return site, squared, v
        # Every round that lowers the sum can be entered such that all its partial sums are
        # negative: once the labels went round, all of its sites have v < 0.
        owner = np.empty_like(site)
        owner[site] = np.arange(pairs.n)
        columns = np.flatnonzero(v < 0)
        number = np.full(pairs.n, -1)
        number[columns] = np.arange(len(columns))
        row, column = number[site[pairs.row]], number[pairs.column]
        inside = (row >= 0) & (column >= 0)
        chosen = _solve(row[inside], column[inside], pairs.cost[inside], len(columns))
        better = site.copy()
        better[owner[columns]] = columns[chosen]
        costs = pairs.cost_of(better)
        if costs.sum() < squared.sum() - TOLERANCE:
            site, squared = better, costs
        elif steps > pairs.n:
            return site, squared, v  # what is left is round-off
        else:
            steps *= 4  # labels had not gone round yet


def _dual(
    pairs: _Pairs, site: np.ndarray, squared: np.ndarray, steps: int
) -> tuple[np.ndarray, bool]:
    """Solve v_j ≤ c_ij − u_i, u_i = c_iσ(i) − v_σ(i), by label correction (Bellman–Ford), in at
    most `steps` steps; and whether it is solved."""
    v = np.zeros(pairs.n)
    own = site[pairs.row]
    slack = pairs.cost - squared[pairs.row]
    here = np.arange(len(slack))
    changed = np.empty(pairs.n, bool)
    for _ in range(steps):
        limit = slack[here] + v[own[here]]
        column = pairs.column[here]
        worse = limit < v[column] - TOLERANCE
        if not worse.any():
            return v, True
        column = column[worse]
        np.minimum.at(v, column, limit[worse])
        changed[:] = False
        changed[column] = True
        here = np.flatnonzero(changed[own])
    return v, False


def _solve(row: np.ndarray, column: np.ndarray, cost: np.ndarray, n: int) -> np.ndarray:
    """Column of every row in the cheapest full assignment of sparse pairs, (n,).

    Raises
    ------
    ValueError
        There is none.
    """
    # A weight of zero would mean "no pair"; a constant changes no assignment.
    graph = csr_array((cost + 1.0, (row, column)), shape=(n, n))
    return min_weight_full_bipartite_matching(graph)[1]
