"""Periodic images made explicit, so that KD-trees work in any triclinic cell, however small."""

import numpy as np

from lah10.crystal.structures import thicknesses


def images(
    scaled: np.ndarray, cell: np.ndarray, margin: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All periodic images of points within `margin` of the home cell (0 ≤ scaled < 1).

    Every image that can lie within `margin` of a point of the home cell is among them.

    Parameters
    ----------
    scaled : ndarray, shape (n, 3)
        Fractional coordinates, wrapped or not.
    cell : ndarray, shape (3, 3)
        Cell vectors as rows, Å.
    margin : float
        Å.

    Returns
    -------
    positions : ndarray, shape (m, 3)
        Cartesian, Å.
    index : ndarray of int, shape (m,)
        The point that each image belongs to.
    shift : ndarray of int, shape (m, 3)
        position = (scaled[index] + shift) @ cell.
    """
    reach = margin / thicknesses(cell)
    home = -np.floor(scaled).astype(int)
    wrapped = scaled + home
    # Images leave the home cell one axis at a time: 3 short loops instead of one over all triples.
    index = np.arange(len(scaled))
    shift = home
    for axis in range(3):
        kept_index, kept_shift = [], []
        coordinate = wrapped[index, axis]
        for step in range(-int(np.ceil(reach[axis])) - 1, int(np.ceil(reach[axis])) + 2):
            near = (coordinate + step >= -reach[axis] - 1e-9) & (
                coordinate + step <= 1 + reach[axis] + 1e-9
            )
            moved = shift[near].copy()
            moved[:, axis] += step
            kept_index.append(index[near])
            kept_shift.append(moved)
        index, shift = np.concatenate(kept_index), np.concatenate(kept_shift)
    return (scaled[index] + shift) @ cell, index, shift


def wrap(scaled: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Cartesian positions, Å, shape (n, 3), of fractional coordinates (n, 3) folded into the home
    cell (3, 3), vectors as rows, Å."""
    return (scaled - np.floor(scaled)) @ cell


def nearest_image(scaled_difference: np.ndarray) -> np.ndarray:
    """Fractional differences, shape (..., 3), folded into [-½, ½), of the same shape.

    This is the shortest vector whenever that is shorter than half the smallest thickness of the
    cell, which holds for displacements from a site.
    """
    return scaled_difference - np.floor(scaled_difference + 0.5)
