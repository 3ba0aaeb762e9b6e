"""The cage of hydrogen round a La: its 32 atoms, edges and quadrilaterals, in any phase of LaH10.

`lah10.crystal.sites.find_cages` knows the cages of the perfect cubic crystal, by which runs are
analysed. Here no symmetry is used, for crystals that were relaxed to another phase: the cage ends
where the distances from La have their widest gap. Three faces meet in a corner of a cage, so every
corner has three neighbours at least: they are what lies within the least distance that gives them.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from lah10.crystal.periodic import images, wrap
from lah10.errors import UserError

#: Distances (Å) among which the cage's edge is looked for, and the longest bond within it.
NEAR, BOND = 4.2, 2.0


@dataclass(frozen=True)
class Cage:
    """A cage.

    Attributes
    ----------
    positions : (n, 3) float
        H atoms relative to their La, Å; n is 32 in LaH10.
    index : (n,) int
        Their indices in the crystal.
    edges : (k, 2) int
        Pairs of neighbours in the cage.
    quadrilaterals : (m, 4) int
        Rings of four neighbours, in the order round the ring.
    """

    positions: np.ndarray
    index: np.ndarray
    edges: np.ndarray
    quadrilaterals: np.ndarray

    @property
    def hexagons(self) -> int:
        """Faces that are not quadrilaterals: a closed surface has 2 + edges − corners of them all
        (Euler)."""
        return 2 + len(self.edges) - len(self.positions) - len(self.quadrilaterals)

    @property
    def angles(self) -> np.ndarray:
        """Angles (degree) between the outward normals of adjacent quadrilaterals.

        A normal is that of the plane with the least squared distances from the four corners;
        adjacent are those whose normals are nearer to 90° than to 180°.
        """
        normals = []
        for ring in self.quadrilaterals:
            corners = self.positions[ring]
            normal = np.linalg.svd(corners - corners.mean(axis=0))[2][2]
            normals.append(normal * np.sign(normal @ corners.mean(axis=0)))
        cosines = np.array([a @ b for a, b in combinations(normals, 2)])
        angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
        return angles[angles < 135.0]


    def upright(self) -> "Cage":
        """The cage turned so that its quadrilaterals face x, y and z, as nearly as they do.

        By the rotation nearest to the three directions of opposite quadrilaterals (singular value
        decomposition); as it is if it has not six of them.
        """
        if len(self.quadrilaterals) != 6:
            return self
        centres = self.positions[self.quadrilaterals].mean(axis=1)
        centres /= np.linalg.norm(centres, axis=1)[:, None]
        first = centres[0]
        across = centres[np.argsort(np.abs(centres @ first), kind="stable")[:4]]
        second = across[0]
        third = across[np.argmin(np.abs(across @ second))]
        axes = np.array([first, second, third])
        axes[2] *= np.sign(np.linalg.det(axes))
        left, _, right = np.linalg.svd(axes)
        return replace(self, positions=self.positions @ (left @ right).T)


def find_cage(crystal: Atoms, la: int | None = None) -> Cage:
    """The cage round a La, the first one by default.

    Raises
    ------
    UserError
        No cage is found: the H atoms next to La have no gap in their distances.
    """
    cell = crystal.cell.array
    scaled = crystal.get_scaled_positions(wrap=False)
    la = int(np.flatnonzero(crystal.numbers == 57)[0]) if la is None else la
    hydrogen = np.flatnonzero(crystal.numbers == 1)
    positions, index, _ = images(scaled[hydrogen], cell, margin=NEAR)
    centre = wrap(scaled[[la]], cell)[0]
    found = cKDTree(positions).query_ball_point(centre, NEAR)
    relative = positions[found] - centre
    distance = np.linalg.norm(relative, axis=1)
    order = np.argsort(distance)
    if len(order) < 2:
        raise UserError(f"atom {la}: no hydrogen within {NEAR:g} Å, so it has no cage")
    gap = int(np.argmax(np.diff(distance[order])))
    members = order[: gap + 1]
    return connect(relative[members], hydrogen[index[np.array(found)[members]]], f"atom {la}")


def connect(relative: np.ndarray, index: np.ndarray | None = None, what: str = "cage") -> Cage:
    """The cage that hydrogen at positions (n, 3) relative to La makes; `index` as of `Cage`.

    Raises
    ------
    UserError
        No atom is a neighbour of another.
    """
    index = np.arange(len(relative)) if index is None else index
    between = np.linalg.norm(relative[:, None] - relative, axis=2)
    limit = np.sort(between, axis=1)[:, 3].max() if len(relative) > 3 else np.inf
    if not limit < BOND:
        raise UserError(f"{what}: the hydrogen atoms round La are no neighbours of one another")
    pairs = np.array(list(combinations(range(len(relative)), 2)))
    edges = pairs[between[tuple(pairs.T)] <= limit + 1e-9]
    return Cage(relative, index, edges, _rings_of_four(len(relative), edges))


def _rings_of_four(count: int, edges: np.ndarray) -> np.ndarray:
    neighbours: list[set[int]] = [set() for _ in range(count)]
    for i, j in edges.tolist():
        neighbours[i].add(j)
        neighbours[j].add(i)
    rings = {}
    for i, j in combinations(range(count), 2):
        if j in neighbours[i]:
            continue
        for k, m in combinations(sorted(neighbours[i] & neighbours[j]), 2):
            rings.setdefault(frozenset((i, j, k, m)), (i, k, j, m))
    return np.array(sorted(rings.values()), int).reshape(-1, 4)
