"""The path from Fm-3m along the cell's angle, and the derivative of the free energy along it.

At the angle δ the three conventional cell vectors have equal lengths and make angles of 90° + δ:
the crystal is stretched (δ < 0) or compressed (δ > 0) along a cubic [111] axis n, the one that
R-3m keeps. At a fixed volume the stretch F is symmetric, with the eigenvalues λ along n and
λ^(−1/2) across it, and C = F² has C_xx = C_yy = C_zz and C_xy/C_xx = cos(90° + δ) = −sin δ, so

    λ³ = (1 − 2 sin δ)/(1 + sin δ),
    d ln λ/dδ = −cos δ / [(1 − 2 sin δ)(1 + sin δ)].

The rate of strain at fixed volume is exact, at any δ, and traceless:

    dε/dδ = (d ln λ/dδ) (3/2) (n nᵀ − 1/3),

whose elements off the diagonal are −1/2 in cubic axes at δ = 0. n is a direction of the crystal: in
a cell that is held in shape it never turns. With the volume free under the pressure P₀,
G(δ) = −k_B T ln ∫ dV exp(−P₀V/k_B T) Z(V, δ), and its derivative is the mean of that of the energy
at a fixed volume and fixed fractional coordinates,

    dG/dδ = −⟨V Σ_ij P_ij dε_ij/dδ⟩,

P_ij being the pressure tensor with its kinetic part. Classical nuclei have an isotropic mean
kinetic part, which then drops out; that of quantum nuclei has not. The mean is over any dynamics
that samples exp(−G/k_B T): Langevin dynamics with white noise, or path integrals with the
centroid-virial tensor. The density that a quantum thermal bath samples has no such form.
"""

import numpy as np
from ase import Atoms
from ase.geometry import cellpar_to_cell

from lah10.crystal.sites import find_cages
from lah10.units import EV_PER_A3_IN_GPA

#: Degree; here the cell is flat (sin δ = 1/2), and −90 has it drawn out to a line.
FLAT = 30.0
#: Angles that a shape held by a barostat may be off by, degree: rounding, and no more.
TOLERANCE = 1e-6


def stretch(angle: float | np.ndarray) -> float | np.ndarray:
    """λ, the stretch along [111] at the angle δ (degree, −90 < δ < 30) and a fixed volume."""
    s = np.sin(np.radians(angle))
    return np.cbrt((1 - 2 * s) / (1 + s))


def stretch_rate(angle: float | np.ndarray) -> float | np.ndarray:
    """d ln λ/dδ, per radian, at the angle δ in degree."""
    s, c = np.sin(np.radians(angle)), np.cos(np.radians(angle))
    return -c / ((1 - 2 * s) * (1 + s))


def threefold_axis(template: Atoms) -> np.ndarray:
    """The axis [111] of a cubic supercell as fractional coordinates, shape (3,): the direction in
    any cell into which the supercell deforms is this @ cell."""
    return find_cages(template).axes.sum(axis=0)


def direction(axis: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Unit vectors along `axis` (3,) in cells (..., 3, 3) whose rows are their vectors."""
    along = axis @ np.asarray(cell)
    return along / np.linalg.norm(along, axis=-1, keepdims=True)


def sheared(template: Atoms, angle: float) -> Atoms:
    """A cubic supercell at the angle δ, its volume and its fractional coordinates kept.

    Parameters
    ----------
    template : Atoms
        Fm-3m, as `build_supercell` makes it.
    angle : float
        δ, degree.

    Returns
    -------
    Atoms
        With a along x and b in the xy plane.

    Raises
    ------
    ValueError
        The angle is not between −90 and 30 degree, where the cell would be flat.
    """
    if not -90.0 < angle < FLAT:
        raise ValueError(f"an angle of {angle:g} degree: expected one above -90 and below {FLAT:g}")
    axis = direction(threefold_axis(template), template.cell.array)
    along = stretch(angle)
    deformation = along**-0.5 * np.eye(3) + (along - along**-0.5) * np.outer(axis, axis)
    atoms = template.copy()
    cell = template.cell.array @ deformation
    # From lengths and angles: the orientation that LAMMPS and i-PI ask for.
    atoms.set_cell(cellpar_to_cell(Atoms(cell=cell).cell.cellpar()), scale_atoms=True)
    return atoms


def angle_of(template: Atoms, cell: np.ndarray) -> np.ndarray:
    """Angles between the conventional axes less 90°, degree, shape (..., 3), of cells (..., 3, 3)
    into which the cubic supercell `template` deforms."""
    axes = find_cages(template).axes @ np.asarray(cell)
    axes = axes / np.linalg.norm(axes, axis=-1, keepdims=True)
    pairs = ((1, 2), (0, 2), (0, 1))
    cosines = [(axes[..., i, :] * axes[..., j, :]).sum(axis=-1) for i, j in pairs]
    return np.degrees(np.arccos(np.stack(cosines, axis=-1))) - 90.0


def gradient(
    angle: float, pressure: np.ndarray, volume: np.ndarray, axis: np.ndarray
) -> np.ndarray:
    """−V Σ_ij P_ij dε_ij/dδ, of which dG/dδ is the mean, eV per degree, shape (...).

    Parameters
    ----------
    angle : float
        δ, degree.
    pressure : array (..., 6)
        xx, yy, zz, yz, xz, xy, GPa, kinetic part included.
    volume : array (...)
        Å³, of the whole cell.
    axis : array (3,)
        `direction` of [111] in the frame of the pressure.
    """
    x, y, z = axis
    weights = 1.5 * np.array([x * x, y * y, z * z, 2 * y * z, 2 * x * z, 2 * x * y])
    weights[:3] -= 0.5
    shear = np.asarray(pressure) @ weights / EV_PER_A3_IN_GPA
    return -np.asarray(volume) * stretch_rate(angle) * shear * np.pi / 180.0
