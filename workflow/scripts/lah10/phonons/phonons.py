"""Phonons by finite displacements: everything that this project asks of phonopy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from ase import Atoms
from ase.calculators.calculator import Calculator

from lah10 import ELEMENTS
from lah10.crystal.structures import SYMMETRY_TOLERANCE, thicknesses
from lah10.phonons.relaxation import primitive
from lah10.units import BOLTZMANN, PLANCK

if TYPE_CHECKING:
    from phonopy import Phonopy

#: Below minus this frequency (THz) a mode counts as unstable; above, as noise of the forces.
IMAGINARY = 0.3
#: Thickness (Å) of the supercells in which forces are computed, in all three directions: at 150 GPa
#: the means of R-3m change by less than 1 K when it grows from 6 to 12 Å.
SUPERCELL = 8.5
#: Density of the mesh of wave vectors: thickness (Å) of the crystal whose modes they are.
MESH = 35.0


def with_displacements(
    symbols: Sequence[str],
    cell: np.ndarray,
    scaled_positions: np.ndarray,
    supercell: np.ndarray,
    displacement: float,
    tolerance: float = 1e-5,
    masses: Sequence[float] | None = None,
) -> "Phonopy":
    """A primitive cell with the displacements that its symmetry leaves.

    Parameters
    ----------
    symbols, scaled_positions : (n,) str, (n, 3) float
        Atoms of the primitive cell.
    cell : (3, 3) float
        Its vectors as rows, Å.
    supercell : (3, 3) int
        The cell in which forces are computed, in terms of these vectors.
    displacement : float
        Å. Atoms move back and forth: odd anharmonic terms and rounding errors of forces cancel.
    tolerance : float
        Å, within which symmetry is found.
    masses : (n,) float, optional
        g/mol; phonopy's own by default.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    crystal = PhonopyAtoms(
        symbols=symbols, cell=cell, scaled_positions=scaled_positions, masses=masses
    )
    work = Phonopy(crystal, supercell_matrix=supercell, primitive_matrix="P", symprec=tolerance)
    work.generate_displacements(distance=displacement, is_plusminus=True)
    return work


def displaced(work: "Phonopy") -> list[Atoms]:
    """The crystals whose forces are needed, in phonopy's order."""
    return [
        Atoms(cell.symbols, cell=cell.cell, scaled_positions=cell.scaled_positions, pbc=True)
        for cell in work.supercells_with_displacements
    ]


def set_forces(work: "Phonopy", forces: Sequence[np.ndarray]) -> None:
    """Force constants, symmetrised, from forces (n, 3) in eV/Å in the order of `displaced`."""
    work.forces = np.array(forces)
    work.produce_force_constants(show_drift=False)
    work.symmetrize_force_constants(show_drift=False)


def modes(work: "Phonopy", points: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies and eigenvectors at wave vectors, after `set_forces`.

    Parameters
    ----------
    points : (q, 3) float
        In reciprocal vectors of the primitive cell.

    Returns
    -------
    (q, modes) float, (q, components, modes) complex
        THz, ascending, imaginary ones negative; eigenvectors in their order.
    """
    work.run_qpoints(np.asarray(points, float), with_eigenvectors=True)
    found = np.array(work.qpoints.frequencies)
    order = np.argsort(found, axis=1)
    vectors = np.take_along_axis(np.array(work.qpoints.eigenvectors), order[:, None, :], axis=2)
    return np.take_along_axis(found, order, axis=1), vectors


def mesh_zero_point_temperature(work: "Phonopy", mesh: Sequence[int]) -> float:
    """Mean of ½ħω/k_B over all modes of a mesh (K), imaginary ones as nothing."""
    work.run_mesh(mesh, is_gamma_center=True)
    found = np.maximum(np.array(work.mesh.frequencies), 0).mean(axis=1)
    return float(np.average(0.5 * PLANCK * found / BOLTZMANN, weights=work.mesh.weights))


def phonons(
    atoms: Atoms,
    calculator: Calculator,
    supercell: Sequence[int] | float = SUPERCELL,
    mesh: Sequence[int] | float = MESH,
    displacement: float = 0.01,
) -> xr.Dataset:
    """Phonons of a relaxed crystal on a Γ-centred mesh, by finite displacements.

    Parameters
    ----------
    atoms : Atoms
        Relaxed crystal; reduced to its primitive cell. Its masses count, isotopes' too.
    calculator : ASE calculator
        Gives the forces in the displaced supercells.
    supercell : three ints, or float
        Repeats of the primitive cell in which forces are computed, or their smallest thickness, Å.
    mesh : three ints, or float
        Wave vectors of the primitive cell, or thickness, Å. The repeats of a molecular dynamics
        cell give the modes that exist in it; (1, 1, 1) is Γ alone.
    displacement : float
        Å.

    Returns
    -------
    xarray.Dataset
        frequency (q, branch) THz, imaginary ones negative; weight (q), normalised to 1;
        element_weight (q, branch, element), the share of an element in the mode; counted
        (q, branch), 1 for modes that enter means: not the three translations at Γ.
    """
    atoms = primitive(atoms)
    supercell, mesh = repeats(atoms, supercell), repeats(atoms, mesh)
    work = with_displacements(
        atoms.get_chemical_symbols(), atoms.cell.array, atoms.get_scaled_positions(),
        np.diag(supercell), displacement, SYMMETRY_TOLERANCE, atoms.get_masses(),
    )
    set_forces(work, [calculator.get_forces(crystal) for crystal in displaced(work)])
    work.run_mesh(mesh, is_gamma_center=True, with_eigenvectors=True)
    result = work.mesh
    frequency, weight = np.array(result.frequencies), np.array(result.weights, float)
    modes = len(work.primitive) * 3
    # Columns of the eigenvector matrix are modes; rows run over atoms, then x, y, z.
    share = np.abs(np.array(result.eigenvectors).reshape(-1, modes // 3, 3, modes)) ** 2
    share = share.sum(axis=2)
    symbols = np.array(work.primitive.symbols)
    element_weight = np.stack(
        [share[:, symbols == element].sum(axis=1) for element in ELEMENTS], axis=-1
    )

    counted = np.ones(frequency.shape, np.int8)
    for q in np.flatnonzero(np.abs(result.qpoints).max(axis=1) < 1e-9):
        counted[q, np.argsort(np.abs(frequency[q]))[:3]] = 0
    dataset = xr.Dataset(
        {
            "frequency": (("q", "branch"), frequency,
                          {"units": "THz", "long_name": "frequency; negative where imaginary"}),
            "weight": ("q", weight / weight.sum(),
                       {"units": "1", "long_name": "weight of the wave vector"}),
            "element_weight": (("q", "branch", "element"), element_weight,
                               {"units": "1", "long_name": "share of the element in the mode"}),
            "counted": (("q", "branch"), counted,
                        {"units": "1", "long_name": "1: mode enters means; 0: translation"}),
            "wave_vector": (("q", "reciprocal"), np.array(result.qpoints),
                            {"units": "1", "long_name": "wave vector in reciprocal vectors of the "
                                                        "primitive cell"}),
        },
        {"element": list(ELEMENTS)},
        {"supercell": supercell, "mesh": mesh,
         "displacement_angstrom": displacement},
    )
    return with_stability(dataset)


def repeats(atoms: Atoms, size: Sequence[int] | float) -> list[int]:
    """Repeats of a cell as given, or the fewest that make it `size` Å thick in all directions."""
    if np.ndim(size):
        return [int(n) for n in size]
    return [int(n) for n in np.ceil(size / thicknesses(atoms.cell.array))]


def with_stability(dataset: xr.Dataset) -> xr.Dataset:
    """With the lowest frequency and the share of unstable modes."""
    unstable = (dataset.frequency < -IMAGINARY) & (dataset.counted == 1)
    share = weighted_mean(unstable.astype(float), dataset.weight * dataset.counted)
    return dataset.assign(
        lowest_frequency=((), float(dataset.frequency.where(dataset.counted == 1).min()),
                          {"units": "THz", "long_name": "lowest frequency; negative where "
                                                        "imaginary"}),
        imaginary_share=((), share, {"units": "1", "long_name": "share of the modes with an "
                                     f"imaginary frequency above {IMAGINARY} THz"}),
    )


def weighted_mean(values: xr.DataArray, weight: xr.DataArray) -> float:
    """Mean of values over all their dimensions."""
    return float((values * weight).sum() / weight.broadcast_like(values).sum())
