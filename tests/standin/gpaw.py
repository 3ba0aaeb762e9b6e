"""In GPAW's place where it is not installed: the shipped potential as the reference to learn from.

A folder to put on PYTHONPATH, with as much of GPAW's interface as `gpaw_calculation` uses.
Where the variable STANDIN_FAILS names a file that is not there, the first calculation writes it and
does not converge.
"""

import os
from pathlib import Path

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from lah10.potential.data.systems import unlabelled
from lah10.potential.evaluate import evaluate

MODEL = "resources/potentials/lah10/lah10.pb"


class ConvergenceError(Exception):
    pass


def PW(cutoff):
    return cutoff


class GPAW(Calculator):
    implemented_properties = ("energy", "free_energy", "forces", "stress")

    def __init__(self, **settings):
        super().__init__()

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        fails = os.environ.get("STANDIN_FAILS")
        if fails and not Path(fails).exists():
            Path(fails).touch()
            raise ConvergenceError
        system = unlabelled(atoms, atoms.cell.array[None], atoms.positions[None])
        (found,) = evaluate(MODEL, [system])
        stress = -found.virials[0] / atoms.get_volume()
        energy = float(found.energies[0])
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": found.forces[0],
            "stress": ((stress + stress.T) / 2).ravel()[[0, 4, 8, 5, 2, 1]],
        }
        assert np.isfinite(energy)
