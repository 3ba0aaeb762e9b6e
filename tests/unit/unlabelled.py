"""Crystals without labels, and a calculator in the place of GPAW."""

import ase
import ase.io
import numpy as np

from campaigns import REPOSITORY
from lah10 import ELEMENTS
from lah10.config import training as settings
from lah10.potential.data import gpaw_calculation

OWN_FRAMES = REPOSITORY / "resources/dataset/lah10-gpaw-pbe/snapshots.xyz"
GPAW = settings.Gpaw()


def without_labels(system, frame=0, **changes):
    arguments = {"cell": system.boxes[frame], "positions": system.coordinates[frame], "pbc": True}
    return ase.Atoms([ELEMENTS[t] for t in system.types], **(arguments | changes))


class MadeUp:
    """In GPAW's place: the labels of a system, and a record of what it was asked."""

    def __init__(self, system):
        self.system, self.asked = system, []

    def __call__(self, atoms, asked_settings, text):
        distance = np.abs(self.system.coordinates - atoms.positions).max(axis=(1, 2))
        i = int(distance.argmin())
        assert distance[i] < 1e-6
        self.asked.append(i)
        stress = -self.system.virials[i] / self.system.volumes[i]
        return self.system.energies[i], self.system.forces[i], stress


def fails(atoms, asked_settings, text):
    raise gpaw_calculation.CalculationFailed("not converged within 333 iterations\n(SomeError)")
