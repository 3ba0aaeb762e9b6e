"""Frames of the same atoms, with labels or without.

A `System` is in DeePMD's units: Å, eV, eV/Å, and the virial in eV, positive when the crystal is
compressed (virial / volume is the pressure; ASE's stress is its negative).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms

from lah10 import ELEMENTS
from lah10.crystal.structures import right_handed
from lah10.units import EV_PER_A3_IN_GPA


@dataclass(frozen=True)
class System:
    """Frames of the same atoms.

    Attributes
    ----------
    name : str
        Source and set, such as "ly-ceperley/ensemble3/150GPa".
    types : (n,) int
        Index into `lah10.ELEMENTS` of each atom.
    boxes : (f, 3, 3) float
        Cell vectors as rows, Å; made right-handed if they are not.
    coordinates : (f, n, 3) float
        Å.
    energies : (f,) float
        eV, of the whole cell; all NaN where they are not to be learnt.
    forces : (f, n, 3) float
        eV/Å.
    virials : (f, 3, 3) float
        eV, positive when compressed.
    frames : tuple of str
        Where each frame came from: "…/set.003 frame 4", counted from 0.
    """

    name: str
    types: np.ndarray
    boxes: np.ndarray
    coordinates: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    virials: np.ndarray
    frames: tuple[str, ...]

    def __post_init__(self):
        # In a left-handed cell a potential gives forces of the wrong sign. Coordinates are
        # Cartesian, so that other vectors of the same lattice change nothing else.
        object.__setattr__(self, "boxes", right_handed(self.boxes))

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def source(self) -> str:
        """Name of its source, the first part of its own."""
        return source_of(self.name)

    @property
    def n_atoms(self) -> int:
        return len(self.types)

    @property
    def volumes(self) -> np.ndarray:
        """(f,) Å3."""
        return np.abs(np.linalg.det(self.boxes))

    @property
    def pressures(self) -> np.ndarray:
        """(f,) GPa."""
        return pressures(self.virials, self.volumes)

    def select(self, frames: Sequence[int] | np.ndarray) -> "System":
        """The frames with these indices (or a mask of booleans)."""
        index = np.arange(len(self))[np.asarray(frames)]
        arrays = ("boxes", "coordinates", "energies", "forces", "virials")
        return replace(
            self,
            frames=tuple(self.frames[i] for i in index),
            **{name: getattr(self, name)[index] for name in arrays},
        )


def source_of(name: str) -> str:
    """The source's name in that of one of its systems."""
    return name.split("/")[0]


def pressures(virials: np.ndarray, volumes: np.ndarray | float) -> np.ndarray:
    """(f,) GPa, a third of the trace of virials (f, 3, 3) in eV over the volumes (f,) in Å3."""
    return np.trace(virials, axis1=1, axis2=2) / 3 / volumes * EV_PER_A3_IN_GPA


def unlabelled_frames(frames: Sequence[Atoms]) -> System:
    """`unlabelled` of crystals with the same atoms in the same order."""
    boxes = np.array([atoms.cell.array for atoms in frames])
    return unlabelled(frames[0], boxes, np.array([atoms.positions for atoms in frames]))


def unlabelled(crystal: Atoms, boxes: np.ndarray, coordinates: np.ndarray) -> System:
    """Structures of a crystal's atoms to ask a model about: a `System` whose labels are zero."""
    f, n = coordinates.shape[:2]
    return System(
        name="structures",
        types=np.array([ELEMENTS.index(s) for s in crystal.get_chemical_symbols()]),
        boxes=boxes,
        coordinates=coordinates,
        energies=np.zeros(f),
        forces=np.zeros((f, n, 3)),
        virials=np.zeros((f, 3, 3)),
        frames=tuple(f"frame {k}" for k in range(f)),
    )
