"""A flexible crystal whose cell's fluctuations are known: `pes_toy.Toy` in LAMMPS, with the cell's
motion as a point of a campaign has it.

Not a test: called by the tests, `fluctuations` in a process that can load LAMMPS.
"""

from pathlib import Path

import numpy as np
import quasiharmonic
from ase import Atoms
from sheared import InLammps

from lah10 import ELEMENTS
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: THz, of La and of every other H: slow, for long steps.
FREQUENCIES = (3.0, 8.0, 12.0)
TEMPERATURE = 300.0
#: ps; of the cell's motion, and of the records.
TIMESTEP, PERIOD, EVERY = 0.002, 0.4, 5
SAMPLES = 400_000


def crystal() -> Atoms:
    """48 atoms."""
    return quasiharmonic.row(2, 10, FREQUENCIES).repeat((1, 2, 2))


def strains(cell: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(n, 5): relative volume, three shears, and the difference of two sides, of cells (n, 3, 3)
    that LAMMPS has: vectors as rows, a along x, b in the xy plane."""
    edges = np.diagonal(cell, axis1=1, axis2=2)
    relative = edges / np.diagonal(reference)
    shears = cell[:, [1, 2, 2], [0, 0, 1]] / edges[:, [1, 2, 2]]
    volume = edges.prod(axis=1) / np.diagonal(reference).prod()
    difference = np.log(relative[:, 0] / relative[:, 1])
    return np.column_stack([volume, shears, difference])


def exact() -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of `strains`: the Boltzmann distribution of six elements of the cell.

    Atoms on springs leave F = −3 γ N k_B T ln V besides the energy of the empty lattice and PV.
    Drawn from the normal distribution of small strains and weighted.
    """
    atoms = crystal()
    reference, thermal = atoms.cell.array, BOLTZMANN * TEMPERATURE
    volume, atoms_number = atoms.get_volume(), len(atoms)
    scale = (quasiharmonic.exact_volume(atoms, TEMPERATURE, "classical") / volume) ** (1 / 3)
    bulk, shear = (x / EV_PER_A3_IN_GPA for x in (quasiharmonic.BULK, quasiharmonic.SHEAR))
    rng = np.random.default_rng(3)
    draw = rng.standard_normal((SAMPLES, 6))
    # A little wider than the distribution, so that no weight is large.
    width = 1.15 * np.sqrt(thermal / (2 * shear * volume))
    strain = width * draw
    cell = np.zeros((SAMPLES, 3, 3))
    for number, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (1, 0), (2, 0), (2, 1))):
        cell[:, i, j] = (i == j) + strain[:, number] * (1 if i == j else 2**0.5)
    cell *= scale
    green = 0.5 * (cell @ cell.swapaxes(1, 2) - np.eye(3))
    trace = np.trace(green, axis1=1, axis2=2)
    deviator = green - trace[:, None, None] / 3 * np.eye(3)
    jacobian = np.diagonal(cell, axis1=1, axis2=2).prod(axis=1)
    energy = volume * (0.5 * bulk * trace**2 + shear * (deviator**2).sum(axis=(1, 2)))
    energy += quasiharmonic.PRESSURE / EV_PER_A3_IN_GPA * volume * jacobian
    energy -= 3 * quasiharmonic.GRUNEISEN * atoms_number * thermal * np.log(jacobian)
    exponent = -energy / thermal + 0.5 * (draw**2).sum(axis=1)
    weight = np.exp(exponent - exponent.max())
    weight /= weight.sum()
    assert 1 / (weight**2).sum() > 0.1 * SAMPLES
    values = strains(reference @ cell, reference)
    mean = weight @ values
    return mean, weight @ (values - mean) ** 2


def fluctuations(folder: str, steps: int, seed: int = 1) -> dict:
    """Means and variances of `strains`, their errors, and the temperature of the cell, K."""
    from pes_toy import Toy

    from lah10.analysis.statistics import inefficiency, mean_error
    from lah10.bath.bath import Bath
    from lah10.dynamics import lammps_input as script
    from lah10.dynamics.cell import CellMotion
    from lah10.dynamics.engine import Engine

    folder, atoms = Path(folder), crystal()
    atoms.write(folder / "crystal.xyz", format="extxyz")
    start = atoms.copy()
    volume = quasiharmonic.exact_volume(atoms, TEMPERATURE, "classical")
    start.set_cell((volume / atoms.get_volume()) ** (1 / 3) * start.cell.array, scale_atoms=True)
    script.write_data(start, folder / "crystal.data")
    engine = Engine("none")
    engine.execute(quasiharmonic.bare(folder / "crystal.data"))
    toy = Toy(template=folder / "crystal.xyz", **quasiharmonic.OPTIONS)
    surface = InLammps(engine, toy)  # atoms may cross a face
    types = np.array([ELEMENTS.index(symbol) for symbol in atoms.symbols])
    for kind in range(len(ELEMENTS)):
        engine.execute([f"mass {kind + 1} {surface.masses[types == kind][0]:.12g}"])
    engine.execute(script.velocities(TEMPERATURE, seed))
    cell = CellMotion(PERIOD, TEMPERATURE, len(atoms), TIMESTEP, seed)
    engine.execute(script.integrator(cell.commands(quasiharmonic.PRESSURE), TIMESTEP, EVERY))
    engine.attach_cell(cell)
    bath = Bath("classical", TEMPERATURE, 5.0, 200.0, surface.masses, types, TIMESTEP, seed)
    engine.attach(bath, None, 0)
    engine.start_segment()
    cells, kinetic, pressure = [], [], []
    for _ in range(steps // EVERY):
        engine.advance(EVERY)
        row = engine.sample()
        cells.append(row["cell"]), kinetic.append(row["cell_kinetic_energy"])
        pressure.append(row["pressure"])
    used = len(cells) // 20
    values = strains(np.array(cells[used:]), atoms.cell.array)
    squares = (values - values.mean(axis=0)) ** 2
    temperature = np.array(kinetic[used:]) / (3 * BOLTZMANN)
    return {
        "mean": values.mean(axis=0).tolist(),
        "variance": squares.mean(axis=0).tolist(),
        "error": [mean_error(column)[1] for column in squares.T],
        "cell_temperature": mean_error(temperature),
        "pressure": np.mean(pressure[used:], axis=0).tolist(),
        "independent": [len(column) / inefficiency(column) for column in values.T],
    }
