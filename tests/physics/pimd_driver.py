"""The deep potential as i-PI sees it. Not a test: called by the tests in a process of its own."""

from pathlib import Path

import numpy as np
from ase.io import read
from ipi.utils.units import unit_to_internal

from lah10.crystal.structures import build_supercell, read_crystal, write_supercell
from lah10.pimd.deep_potential import DeepPotential

ROOT = Path(__file__).parents[2]


def derivatives():
    """Forces and virial of a distorted crystal, beside differences of the energy: along the forces,
    and with strain. The model computes in single precision, so steps are not too small."""
    crystal = read_crystal(ROOT / "resources/structures/Fm-3m.cif")
    atoms = build_supercell(crystal, "primitive", (2, 1, 1))
    write_supercell("supercell.xyz", atoms)
    surface = DeepPotential(ROOT / "resources/potentials/lah10/lah10.pb", "supercell.xyz")
    bohr = unit_to_internal("length", "angstrom", 1.0)
    rng = np.random.default_rng(0)
    cell = atoms.cell.array.T * bohr
    at = atoms.positions * bohr + rng.normal(scale=0.1, size=(len(atoms), 3))

    energy, force, virial, _ = surface(cell, at)
    along, step = force / np.linalg.norm(force), 0.02
    up, down = (surface(cell, at + sign * step * along)[0] for sign in (1, -1))

    strained = np.zeros((3, 3))
    for i, j in np.ndindex(3, 3):
        strain = np.zeros((3, 3))
        strain[i, j] = strain[j, i] = 1e-3
        more, less = (
            surface((np.eye(3) + s * strain) @ cell, at @ (np.eye(3) + s * strain).T)[0]
            for s in (1, -1)
        )
        strained[i, j] = -(more - less) / 2e-3 / (1 if i == j else 2)

    both = surface([cell, 1.01 * cell], [at, 1.01 * at])
    alone = [energy, surface(1.01 * cell, 1.01 * at)[0]]
    return {
        "force": float(np.linalg.norm(force)),
        "force_numerical": float(down - up) / (2 * step),
        "virial": virial.tolist(),
        "virial_numerical": strained.tolist(),
        "together": [float(one[0]) for one in both],
        "alone": [float(one) for one in alone],
    }


def write_restart(crystal: str, restart: str) -> dict:
    """Write the restart file of a sheared crystal with displaced atoms, some over the edge.

    Returns
    -------
    dict
        positions (n, 3), Å, and the cell's lengths and angles.
    """
    from ase.geometry import cell_to_cellpar

    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.engine import Engine

    atoms = read(crystal)
    rng = np.random.default_rng(3)
    atoms.rattle(0.05, rng=rng)
    cell = atoms.cell.array.copy()
    cell[1, 0] = 0.1
    atoms.set_cell(cell, scale_atoms=True)
    data = f"{restart}.data"
    script.write_data(atoms, data)
    engine = Engine("none")
    engine.execute(
        [
            *script.header(),
            *script.crystal(data),
            "pair_style zero 2.0",
            "pair_coeff * *",
            f"write_restart {restart}",
        ]
    )
    return {
        "positions": engine.positions().tolist(),
        "parameters": cell_to_cellpar(engine.cell()).tolist(),
    }
