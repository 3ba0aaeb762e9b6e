"""Crystal sites: the cages of the perfect crystal, and the map from atoms to sites.

Observables such as θ are properties of sites, whoever occupies them: they stay defined when
protons exchange. The template is the perfect Fm-3m supercell in which atom i starts on site i.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree

from lah10.crystal.assignment import assign
from lah10.crystal.periodic import images, nearest_image, wrap

#: Faces of a cage: the six quadrilaterals, by the cubic axis they stand on and its sign.
FACES = ("+x", "-x", "+y", "-y", "+z", "-z")


@dataclass(frozen=True)
class Cages:
    """The quadrilaterals of the 32-H cage round every La, in a template supercell.

    Attributes
    ----------
    la : (n,) site of the La.
    corners : (n, 6, 4) site of every corner; faces in the order of `FACES`. The corners run round
        the square, anticlockwise seen from outside, and corners 0 and 2 lie on the diagonal along
        which the two other cubic coordinates have equal signs.
    shifts : (n, 6, 4, 3) int; the corner is the image (scaled[site] + shift) @ cell, for the La
        at scaled[la] @ cell.
    axes : (3, 3) the conventional cubic axes as fractional vectors of the supercell:
        conventional cell = axes @ cell, in any cell into which the supercell deforms.
    """

    la: np.ndarray
    corners: np.ndarray
    shifts: np.ndarray
    axes: np.ndarray


def find_cages(template: Atoms) -> Cages:
    """Find the quadrilaterals of all cages in a perfect Fm-3m supercell in any orientation.

    A quadrilateral is the face, towards the La, of one of the six H8 cubes that surround it: the
    four 32f sites nearest to the point 0.38 a from La along a cubic axis.

    Raises
    ------
    ValueError
        The template is not a perfect Fm-3m supercell.
    """
    cell, scaled = template.cell.array, template.get_scaled_positions(wrap=False)
    site = template.arrays["site"]
    la, inner = np.flatnonzero(site == "4b"), np.flatnonzero(site == "32f")
    axes = _cubic_axes(scaled[la], cell)
    vectors = axes @ cell
    a = np.linalg.norm(vectors, axis=1).mean()

    home = np.floor(scaled[la])
    points, index, shift = images(scaled[inner], cell, margin=a)
    tree = cKDTree(points)
    corners = np.empty((len(la), 6, 4), dtype=int)
    shifts = np.empty((len(la), 6, 4, 3), dtype=int)
    for face in range(6):
        k, sign = face // 2, 1 - 2 * (face % 2)
        centres = wrap(scaled[la], cell) + sign * 0.38 * vectors[k]
        distance, found = tree.query(centres, k=4)
        if distance.max() > 0.25 * a:
            raise ValueError("the template is not a perfect Fm-3m LaH10 supercell")
        from_centre = (points[found] - centres[:, None]) @ vectors.T / a**2
        i, j = (k + 1) % 3, (k + 2) % 3
        turn = np.arctan2(from_centre[..., j], from_centre[..., i])  # (−−), (+−), (++), (−+)
        order = np.argsort(turn, axis=1)
        if sign < 0:
            order = order[:, [0, 3, 2, 1]]
        found = np.take_along_axis(found, order, axis=1)
        corners[:, face] = inner[index[found]]
        shifts[:, face] = shift[found] + home[:, None].astype(int)
    return Cages(la, corners, shifts, axes)


def _cubic_axes(scaled_la: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Conventional axes as fractional vectors, from the twelve La neighbours of one La.

    Two perpendicular neighbour vectors ½⟨110⟩ add up to an axis. Of the 24 right-handed choices,
    the one whose x axis lies most along x, and then y along y.
    """
    volume_per_la = abs(np.linalg.det(cell)) / len(scaled_la)
    a = (4 * volume_per_la) ** (1 / 3)
    points, _, _ = images(scaled_la, cell, margin=a)
    vectors = points - wrap(scaled_la[:1], cell)
    length = np.linalg.norm(vectors, axis=1)
    near = vectors[abs(length - a / np.sqrt(2)) < 0.02 * a]
    if len(near) != 12:
        raise ValueError("the La sites of the template are not face-centred cubic")
    i, j = np.nonzero(np.triu(abs(near @ near.T) < 0.01 * a**2, k=1))
    candidates = np.unique((near[i] + near[j]).round(6), axis=0)
    x = max(candidates, key=lambda v: tuple(v.round(4)))
    upright = candidates[abs(candidates @ x) < 0.01 * a**2]
    y = max(upright, key=lambda v: tuple(v[[1, 2, 0]].round(4)))
    axes = np.array([x, y, np.cross(x, y) / a])
    # Axes are sums of lattice vectors of La, so exact multiples of 1/(number of La).
    n = len(scaled_la)
    return np.round(axes @ np.linalg.inv(cell) * 2 * n) / (2 * n)


class SiteMap:
    """Follows which atom sits on which site along a trajectory.

    Atoms of an element are assigned to its sites with the least sum of squared displacements.
    The assignment is solved anew only for a frame in which some atom is nearer to another site
    than to its own; otherwise the present map is the exact optimum already.

    Attributes
    ----------
    atom_of_site : (n,) atom on every site in the frame seen last.
    image_of_site : (n, 3) int, periodic image of the site that its occupant is at, in that frame,
        up to one constant for all sites and frames; of unwrapped positions alone of any meaning.
    """

    def __init__(self, template: Atoms):
        self.sites = template.get_scaled_positions(wrap=False)
        self.atom_of_site = np.arange(len(template))
        self.image_of_site = np.zeros((len(template), 3), dtype=int)
        self._last_drift = None
        symbols = np.array(template.get_chemical_symbols())
        self._la = np.flatnonzero(symbols == "La")
        self._species = [
            _Species(members, self.sites, template.cell.array)
            for members in (self._la, np.flatnonzero(symbols == "H"))
        ]

    def displacements(self, scaled: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """Fractional displacement of every site's occupant from the site, (n, 3), in the frame of
        the La lattice (the mean displacement of La is zero). Updates the map.

        Parameters
        ----------
        scaled : (n, 3) fractional coordinates of the atoms, wrapped or not.
        cell : (3, 3) Å.
        """
        drift = self._drift(scaled)
        for species in self._species:
            here = species.members
            displacement = nearest_image(scaled[self.atom_of_site[here]] - self.sites[here] - drift)
            if not species.all_nearest(displacement, cell):
                atoms = self.atom_of_site[here]
                stay = np.arange(len(here))
                site, _ = assign(scaled[atoms] - drift, self.sites[here], cell, stay)
                self.atom_of_site[here[site]] = atoms
        displacement = scaled[self.atom_of_site] - self.sites - drift
        folded = nearest_image(displacement)
        self.image_of_site = np.rint(displacement - folded).astype(int)
        return folded

    def _drift(self, scaled: np.ndarray) -> np.ndarray:
        """Mean fractional displacement of La, free of jumps between images."""
        difference = scaled[self.atom_of_site[self._la]] - self.sites[self._la]
        first = difference[0]
        drift = first + nearest_image(difference - first).mean(axis=0)
        # Another La on the first site may have come from another image of the cell.
        if self._last_drift is not None:
            drift = drift - np.rint(drift - self._last_drift)
        self._last_drift = drift
        return drift


class _Species:
    """The sites of one element and their neighbours of the same element."""

    #: Neighbours kept per site; beyond their distance the test below gives up and solves.
    NEIGHBOURS = 32

    def __init__(self, members: np.ndarray, sites: np.ndarray, cell: np.ndarray):
        self.members = members
        spacing = (abs(np.linalg.det(cell)) / len(members)) ** (1 / 3)
        positions, _, _ = images(sites[members], cell, margin=2 * spacing)
        home = wrap(sites[members], cell)
        distance, found = cKDTree(positions).query(home, k=min(self.NEIGHBOURS, len(positions)))
        vectors = positions[found[:, 1:]] - home[:, None]
        self._vectors = vectors @ np.linalg.inv(cell)
        self._reach = distance[:, -1].min()
        self._nearest = self._vectors[np.arange(len(members)), 0]

    def all_nearest(self, displacement: np.ndarray, cell: np.ndarray) -> bool:
        """Whether every atom is nearer to its own site than to any other of its element.

        displacement : (n, 3) fractional, from the own site.
        """
        displacement = displacement @ cell
        squared = (displacement**2).sum(axis=1)
        # Strained, another site may be the nearest and the table less complete: allow for 5 %.
        safe = ((0.5 * 0.95 * self._nearest @ cell) ** 2).sum(axis=1).min()
        far = np.flatnonzero(squared > safe)
        if len(far) == 0:
            return True
        if 4 * squared.max() > (0.95 * self._reach) ** 2:
            return False
        others = self._vectors[far] @ cell
        projections = (displacement[far][:, None] * others).sum(axis=-1)
        return bool((2 * projections < (others**2).sum(axis=-1)).all())


def mean_structure(template: Atoms, frames: Iterable) -> Atoms:
    """Time-averaged structure, site by site whoever occupies it, in the time-averaged cell.

    Parameters
    ----------
    template : the perfect supercell.
    frames : iterable of (time, cell, positions): ps, (3, 3) Å and (n, 3) Å, unwrapped.

    Raises
    ------
    ValueError
        There is no frame.
    """
    follow, count = SiteMap(template), 0
    displacement, cells = np.zeros((len(template), 3)), np.zeros((3, 3))
    for _, cell, positions in frames:
        scaled = np.asarray(positions, dtype=float) @ np.linalg.inv(cell)
        displacement += follow.displacements(scaled, cell)
        cells += cell
        count += 1
    if count == 0:
        raise ValueError("a mean structure needs at least one frame")
    mean = template.copy()
    mean.set_cell(cells / count)
    mean.set_scaled_positions(follow.sites + displacement / count)
    return mean
