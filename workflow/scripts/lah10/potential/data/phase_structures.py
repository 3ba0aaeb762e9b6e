"""Structures whose labels differ by what decides between phases: paths, and pairs of crystals.

Energies of two phases are compared within one cell and one mesh of k-points, so that their errors
cancel. Three sets: a grid of rhombohedral crystals on and around the path from Fm-3m to R-3m, C2/c
beside both in its own cell, and pairs of thermal crystals that differ by the path alone.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import ase
import numpy as np
from ase.build import make_supercell
from ase.calculators.calculator import Calculator
from scipy import optimize

from lah10.crystal.rhombohedral import Rhombohedral
from lah10.phonons import phonons

if TYPE_CHECKING:
    from phonopy import Phonopy

#: Å3 per formula unit, some 90 to 300 GPa.
VOLUMES = (37.8, 36.2, 34.8, 33.2, 31.7, 30.3, 28.5, 26.8)
#: Shares of the way from Fm-3m to R-3m, of the cell's angle and of the coordinates: the path
#: itself, and what lies beside it.
SHARES = (
    *((share, share) for share in (-0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25)),
    (0.0, 0.5),
    (0.0, 1.0),
    (0.5, 0.0),
    (0.5, 0.25),
    (0.5, 0.75),
    (0.5, 1.0),
    (1.0, 0.5),
    (1.0, 0.75),
    (1.0, 1.25),
    (1.4, 0.5),
    (1.4, 0.75),
    (1.4, 1.0),
    (1.4, 1.25),
)
#: Twice the primitive cell: 22 atoms, which hold the wave vectors Γ and L.
DOUBLED = np.array([[2, 0, 0], [0, 1, 0], [0, 0, 1]])
#: Å, of the atoms from whose forces the harmonic crystal comes.
DISPLACEMENT = 0.01
#: Of a pair's strain, with the volume kept.
STRAIN = 0.01
#: THz; softer modes of the sampled crystal, imaginary ones included, are displaced as if they had
#: this frequency.
SOFTEST = 12.0


def relaxed(
    calculator: Calculator, volume: float, start: Rhombohedral | None = None
) -> tuple[Rhombohedral, Rhombohedral]:
    """Fm-3m and R-3m of one volume (Å3 per formula unit) at rest, by a calculator.

    R-3m is the minimum that is reached from `start`; where there is none it ends in Fm-3m.
    """
    cubic = optimize.minimize_scalar(
        lambda t: _energy(calculator, Rhombohedral.cubic(volume, t))[0],
        bounds=(0.11, 0.13),
        method="bounded",
        options={"xatol": 1e-6},
    )
    start = start or Rhombohedral(volume, 62.2, 0.2575, 0.1046, -0.1101, 0.379)
    scale = np.array([1.0, *4 * [0.01]])

    def energy(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = _energy(calculator, start.at(numbers * scale))
        return value, slope * scale

    found = optimize.minimize(
        energy, start.free / scale, jac=True, method="BFGS", options={"gtol": 1e-4}
    )
    return Rhombohedral.cubic(volume, float(cubic.x)), start.at(found.x * scale)


def _energy(calculator: Calculator, crystal: Rhombohedral) -> tuple[float, np.ndarray]:
    atoms = crystal.atoms()
    atoms.calc = calculator
    slope = crystal.gradient(atoms.get_forces(), atoms.get_stress(voigt=False))
    return float(atoms.get_potential_energy()), slope


def path_grid(
    ends: Callable[[float], tuple[Rhombohedral, Rhombohedral]],
    volumes: Iterable[float] = VOLUMES,
    shares: Sequence[tuple[float, float]] = SHARES,
) -> list[ase.Atoms]:
    """Crystals of 11 atoms on and around the path, by volume and share.

    Parameters
    ----------
    ends : callable
        Fm-3m and R-3m of a volume.
    shares : sequence of (angle, internal)
        Of the way from one to the other.

    Returns
    -------
    list of ase.Atoms
        `info`: `what` ("path"), `volume` (Å3 per formula unit), `angle` and `internal` (shares).
    """
    frames = []
    for volume in volumes:
        cubic, rhombohedral = ends(volume)
        for angle, internal in shares:
            atoms = cubic.towards(rhombohedral, angle, internal).atoms()
            atoms.info = {"what": "path", "volume": volume, "angle": angle, "internal": internal}
            frames.append(atoms)
    return frames


def thermal_pairs(
    ends: Callable[[float], tuple[Rhombohedral, Rhombohedral]],
    calculator: Calculator,
    volumes: Iterable[float],
    kinds: Sequence[tuple[str, float, int]],
    seed: int = 1,
) -> list[ase.Atoms]:
    """Pairs of 22 atoms: the same displacements and strain on Fm-3m and on R-3m.

    Displacements are those of the harmonic crystal Fm-3m of the calculator (phonopy), strains
    random with the volume kept.

    Parameters
    ----------
    kinds : sequence of (statistics, temperature, number)
        "classical" or "quantum", K, and how many pairs of it at each volume.

    Returns
    -------
    list of ase.Atoms
        Fm-3m and R-3m in turn; `info`: `what` ("pair"), `pair` (number), `end`, `volume`,
        `statistics`, `temperature`.
    """
    generator = np.random.default_rng(seed)
    frames = []
    for volume in volumes:
        cubic, rhombohedral = ends(volume)
        work = _phonons(cubic.atoms(), calculator)
        order = _order(work, _doubled(cubic))
        for statistics, temperature, number in kinds:
            work.init_random_displacements(dist_func=statistics, cutoff_frequency=0.01)
            drawn = work.get_random_displacements_at_temperature(
                temperature, number, random_seed=int(generator.integers(2**31))
            )
            for moves in drawn:
                strain = generator.normal(scale=STRAIN, size=(3, 3))
                strain = (strain + strain.T) / 2
                strain -= np.eye(3) * np.trace(strain) / 3
                pair = len(frames) // 2
                for end, crystal in (("Fm-3m", cubic), ("R-3m", rhombohedral)):
                    atoms = _doubled(crystal)
                    atoms.positions += moves[order]
                    cell = atoms.cell.array @ (np.eye(3) + strain)
                    cell *= (2 * volume / abs(np.linalg.det(cell))) ** (1 / 3)
                    atoms.set_cell(cell, scale_atoms=True)
                    atoms.info = {
                        "what": "pair",
                        "pair": pair,
                        "end": end,
                        "volume": volume,
                        "statistics": statistics,
                        "temperature": temperature,
                    }
                    frames.append(atoms)
    return frames


def _doubled(crystal: Rhombohedral) -> ase.Atoms:
    return make_supercell(crystal.atoms(), DOUBLED)


def _phonons(crystal: ase.Atoms, calculator: Calculator) -> "Phonopy":
    """Harmonic forces of the doubled crystal; modes softer than `SOFTEST` are stiffened."""
    work = phonons.with_displacements(
        crystal.get_chemical_symbols(),
        crystal.cell.array,
        crystal.get_scaled_positions(),
        DOUBLED,
        DISPLACEMENT,
    )
    forces = []
    for atoms in phonons.displaced(work):
        atoms.calc = calculator
        forces.append(atoms.get_forces())
    phonons.set_forces(work, forces)
    constants = np.array(work.force_constants)
    n = len(constants)
    mass = np.sqrt(np.repeat(work.supercell.masses, 3))
    dynamical = constants.transpose(0, 2, 1, 3).reshape(3 * n, 3 * n) / np.outer(mass, mass)
    values, vectors = np.linalg.eigh((dynamical + dynamical.T) / 2)
    factor = work.unit_conversion_factor
    soft = np.sign(values) * np.sqrt(np.abs(values)) * factor < SOFTEST
    # Three of them are translations, which stay free.
    translations = np.argsort(np.abs(values))[:3]
    stiff = np.where(soft, (SOFTEST / factor) ** 2, values)
    stiff[translations] = 0.0
    dynamical = (vectors * stiff) @ vectors.T * np.outer(mass, mass)
    work.force_constants = dynamical.reshape(n, 3, n, 3).transpose(0, 2, 1, 3).copy()
    return work


def _order(work: "Phonopy", atoms: ase.Atoms) -> np.ndarray:
    """Which atom of phonopy's supercell is at each atom's place."""
    theirs = ase.Atoms(
        work.supercell.symbols,
        cell=work.supercell.cell,
        scaled_positions=work.supercell.scaled_positions,
        pbc=True,
    )
    difference = atoms.get_scaled_positions()[:, None] - theirs.get_scaled_positions()[None]
    difference -= np.round(difference)
    distance = np.linalg.norm(difference @ atoms.cell.array, axis=2)
    order = distance.argmin(axis=1)
    if distance.min(axis=1).max() > 1e-3 or len(set(order)) != len(order):
        raise ValueError("phonopy's supercell is not the same crystal")
    return order
