"""Maps from atoms to sites in which protons change places."""

import numpy as np

from crystals import A, X
from lah10.crystal.periodic import images, wrap

INTERVAL = 0.02  # ps
NEAREST = A * np.sqrt(3) * (0.25 - X)  # Å, H 8c to H 32f


def neighbours(template):
    """Pairs of nearest H sites (8c with 32f): index of the one, of the other, image of the other
    less that of the one."""
    scaled, cell = template.get_scaled_positions(wrap=False), template.cell.array
    positions, index, shift = images(scaled, cell, 1.05 * NEAREST)
    apart = np.linalg.norm(wrap(scaled, cell)[:, None] - positions, axis=2)
    near = abs(apart - NEAREST) < 0.01
    labels = template.arrays["site"]
    near &= (labels[:, None] == "8c") & (labels[index] == "32f")
    one, other = np.nonzero(near)
    return one, index[other], shift[other] + np.floor(scaled[one]).astype(int)


def swap(sites, shifts, frame, first, second, shift):
    """The occupants of two sites change places from a frame on; `shift` is the image of the second
    site that is near the first."""
    one = np.flatnonzero(sites[frame - 1] == first)[0]
    two = np.flatnonzero(sites[frame - 1] == second)[0]
    sites[frame:, one], sites[frame:, two] = second, first
    shifts[frame:, one] = shifts[frame - 1, one] + shift
    shifts[frame:, two] = shifts[frame - 1, two] - shift
