"""A deep potential as i-PI's potential-energy surface (`pes` "custom" of `ffdirect`).

i-PI loads this file by its path and calls it in its own process with all beads at once, so that
TensorFlow starts once and sees them as one batch: no sockets, no second process.
"""

from functools import cache

import numpy as np
from ase.io import read
from ipi.pes.dummy import Dummy_driver
from ipi.utils.units import unit_to_internal, unit_to_user

__DRIVER_NAME__ = "deep_potential"
__DRIVER_CLASS__ = "DeepPotential"


@cache
def load(model: str):
    """The frozen graph; kept while the process lives, for i-PI is set up anew at checkpoints."""
    from deepmd.infer import DeepPot

    return DeepPot(model)


class DeepPotential(Dummy_driver):
    """Energies, forces and virials of the beads.

    Parameters
    ----------
    model : path
        Frozen DeePMD graph.
    template : path
        Structure file with the atoms' order.
    """

    def __init__(self, model, template, **kwargs):
        self.model, self.template = str(model), str(template)
        super().__init__(**kwargs)

    def check_parameters(self):
        """Load the graph, and say by number which atom is what, (n,).

        Raises
        ------
        ValueError
            The template holds an element that the graph does not know.
        """
        self.potential = load(self.model)
        known = self.potential.get_type_map()
        self.types = [known.index(symbol) for symbol in read(self.template).get_chemical_symbols()]

    def compute_structure(self, cell, pos):
        """One structure, cell (3, 3) and pos (n, 3): its item of `compute`."""
        return self.compute([cell], [pos])[0]

    def compute(self, cell, pos):
        """Atomic units throughout, as i-PI wants them.

        Parameters
        ----------
        cell : list of (3, 3) arrays
            Cell vectors as columns.
        pos : list of (n, 3) arrays

        Returns
        -------
        list of (float, ndarray (n, 3), ndarray (3, 3), "")
            Energy, forces and virial of each structure. The virial is −dE/dε, positive when
            compressed.
        """
        if not isinstance(cell, list):
            return self.compute_structure(cell, pos)
        boxes = unit_to_user("length", "angstrom", np.array([h.T for h in cell]))
        positions = unit_to_user("length", "angstrom", np.array(pos))
        frames = len(positions)
        energies, forces, virials = self.potential.eval(
            positions.reshape(frames, -1), boxes.reshape(frames, 9), self.types
        )[:3]
        energies = unit_to_internal("energy", "electronvolt", np.asarray(energies, float))
        forces = unit_to_internal("force", "ev/ang", np.asarray(forces, float))
        virials = unit_to_internal("energy", "electronvolt", np.asarray(virials, float))
        virials = virials.reshape(frames, 3, 3)
        virials = 0.5 * (virials + virials.swapaxes(1, 2))
        return [
            (float(energy), force, virial, "")
            for energy, force, virial in zip(energies.ravel(), forces, virials, strict=True)
        ]
