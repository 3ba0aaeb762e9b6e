"""R-3m LaH10 of 11 atoms by six numbers, and the path that leads from Fm-3m to it.

In rhombohedral axes with La at (½,½,½) the hydrogen atoms are at ±(u,u,u), ±(t,t,t) and
±(x,x,z) with its cyclic images. Fm-3m is the case α = 60°, u = ¼, x = −t, z = 3t. Every crystal on
the way has the twelve operations of R-3m, so its k-points are a twelfth of the mesh.
"""

from dataclasses import astuple, dataclass

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell

from lah10.crystal.angle import sheared
from lah10.crystal.sites import find_cages

#: Degree: the angle of the primitive cell of a cubic face-centred crystal.
CUBIC_ANGLE = 60.0
#: Step of the numerical derivatives: degree for the angle, fractional for coordinates.
_STEP = 1e-4
#: Å, and fractional: a crystal that is as near as this to another is that one; files round.
_SAME = 1e-5


@dataclass(frozen=True)
class Rhombohedral:
    """A crystal LaH10 in R-3m.

    Attributes
    ----------
    volume : float
        Å3 per formula unit.
    angle : float
        Of the rhombohedral cell, degree; 60 in Fm-3m.
    u, t, x, z : float
        Fractional coordinates of H, see the module.
    """

    volume: float
    angle: float
    u: float
    t: float
    x: float
    z: float

    @classmethod
    def cubic(cls, volume: float, t: float) -> "Rhombohedral":
        """Fm-3m; `t` is x of H 32f (0.12) with La at (½,½,½)."""
        return cls(volume, CUBIC_ANGLE, 0.25, t, -t, 3 * t)

    def atoms(self) -> Atoms:
        """The crystal, La first; lengths in Å."""
        fractional = [(0.5, 0.5, 0.5)]
        for site in (
            (self.u, self.u, self.u),
            (self.t, self.t, self.t),
            (self.x, self.x, self.z),
            (self.z, self.x, self.x),
            (self.x, self.z, self.x),
        ):
            fractional += [np.array(site), -np.array(site)]
        cell = cellpar_to_cell([1, 1, 1, self.angle, self.angle, self.angle])
        cell *= (self.volume / abs(np.linalg.det(cell))) ** (1 / 3)
        crystal = Atoms("LaH10", cell=cell, pbc=True)
        crystal.set_scaled_positions(np.array(fractional) % 1.0)
        return crystal

    @property
    def free(self) -> np.ndarray:
        """Angle and coordinates at a fixed volume, shape (5,)."""
        return np.array(astuple(self)[1:])

    def at(self, free: np.ndarray) -> "Rhombohedral":
        """The crystal of this volume with other `free` numbers."""
        return Rhombohedral(self.volume, *(float(value) for value in free))

    def towards(self, other: "Rhombohedral", angle: float, internal: float) -> "Rhombohedral":
        """A crystal of this volume: its angle and its coordinates a share of the way to `other`."""
        share = np.array([angle] + [internal] * 4)
        return self.at(self.free + share * (other.free - self.free))

    def gradient(self, forces: np.ndarray, stress: np.ndarray) -> np.ndarray:
        """Derivatives of the energy by `free` at this volume, shape (5,).

        Parameters
        ----------
        forces : array (11, 3)
            eV/Å, of the atoms of `atoms`.
        stress : array (3, 3)
            eV/Å3, of ASE's sign.

        Returns
        -------
        array
            eV per degree and per fractional unit. The part of the stress that changes the volume
            alone, and with it the Pulay stress, does not enter.
        """
        crystal = self.atoms()
        inverse = np.linalg.inv(crystal.cell.array)
        result = np.empty(5)
        for i in range(5):
            step = np.zeros(5)
            step[i] = _STEP
            ahead, behind = self.at(self.free + step).atoms(), self.at(self.free - step).atoms()
            strain = inverse @ (ahead.cell.array - behind.cell.array) / (2 * _STEP)
            fractional = ahead.get_scaled_positions() - behind.get_scaled_positions()
            fractional = (fractional - np.round(fractional)) / (2 * _STEP)
            moves = fractional @ crystal.cell.array
            result[i] = crystal.get_volume() * np.sum(stress * strain) - np.sum(forces * moves)
        return result


def numbers(atoms: Atoms) -> Rhombohedral:
    """The six numbers of a crystal whose axes and atoms are those of `Rhombohedral.atoms`.

    A shift of all atoms is taken out.

    Raises
    ------
    ValueError
        `atoms` is another crystal, or the same in other axes or in another order.
    """
    scaled = atoms.get_scaled_positions(wrap=False)
    if len(atoms) != 11 or atoms.numbers.argmax() != 0:
        raise ValueError("expected LaH10 of 11 atoms, La first")
    away = scaled[1:] - scaled[0] + 0.5
    away -= np.round(away)
    one, two, three, *_ = (away[::2] - away[1::2]) / 2
    found = Rhombohedral(
        atoms.get_volume(), float(atoms.cell.angles().mean()), one[0], two[0], three[0], three[2]
    )
    same = found.atoms()
    gap = same.get_scaled_positions()[1:] - 0.5 - (scaled[1:] - scaled[0])
    gap -= np.round(gap)
    if np.abs(same.cell.array - atoms.cell.array).max() > _SAME or np.abs(gap).max() > _SAME:
        raise ValueError("expected R-3m in rhombohedral axes, atoms as `Rhombohedral.atoms` has")
    return found


def distorted(template: Atoms, crystal: Atoms) -> Atoms:
    """A cubic supercell with the angle and the displacements that a crystal in R-3m has.

    Parameters
    ----------
    template : Atoms
        Fm-3m, as `build_supercell` makes it. Atom i of the result is on its site i.
    crystal : Atoms
        R-3m, 11 atoms in rhombohedral axes, in any order and with any origin.

    Returns
    -------
    Atoms
        At the volume of the template, with a along x and b in the xy plane.

    Raises
    ------
    ValueError
        `crystal` is no R-3m LaH10 next to Fm-3m: its atoms do not fall on the sites one by one.
    """
    conventional = find_cages(template).axes @ template.cell.array
    primitive = 0.5 * (conventional[[1, 2, 0]] + conventional[[2, 0, 1]])
    lanthanum = int(np.argmax(template.numbers))
    sites = (template.positions - template.positions[lanthanum]) @ np.linalg.inv(primitive)
    atoms = crystal.get_scaled_positions()
    atoms = atoms - atoms[int(np.argmax(crystal.numbers))]
    away = atoms[None] - sites[:, None]
    away -= np.round(away)
    far = np.linalg.norm(away @ primitive, axis=-1)
    far[template.numbers[:, None] != crystal.numbers] = np.inf
    nearest = far.argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(crystal))
    if len(crystal) != 11 or (counts != len(template) // 11).any():
        raise ValueError("expected R-3m LaH10 of 11 atoms, each next to one site of Fm-3m")
    moved = away[np.arange(len(template)), nearest] @ primitive @ np.linalg.inv(template.cell.array)
    # Conventional axes of the crystal, and the angle between them.
    own = crystal.cell.array
    one, other = own[1] + own[2] - own[0], own[2] + own[0] - own[1]
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    result = sheared(template, float(np.degrees(np.arccos(cosine))) - 90.0)
    result.set_scaled_positions(result.get_scaled_positions(wrap=False) + moved)
    return result
