"""Whether labelled frames can be LaH10 under pressure at all.

Whatever is read is checked, because a wrong frame does not stop a training, it spoils it: numbers
that are NaN, and cells, distances, forces, energies and pressures that LaH10 between 0 and 500 GPa
cannot have, with room. In wrong units (bohr, hartree, kbar) at least one of the limits is missed,
mostly by a factor. Every message names the file and the frame.
"""

import functools
from collections.abc import Callable

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.potential.data.neighbours import shortest_distances
from lah10.potential.data.systems import System

#: Frames that cannot be, and the words for one of them.
Fault = tuple[np.ndarray, Callable[[int], str]]

# What LaH10 between 0 and 500 GPa can be, with room. In wrong units (bohr, hartree, kbar) at least
# one of these is missed, mostly by a factor.
#: Å3; 2.0 at 500 GPa, 3.9 at 75 GPa.
VOLUME_PER_ATOM = (1.5, 6.0)
#: Å; the published frames, sampled with quantum nuclei, come down to 0.54.
SHORTEST_DISTANCE = 0.35
#: Å, shortest distances of La from La and from H, far below any of LaH10 up to 500 GPa (2.9, 1.6):
#: nearer ones are elements mixed up.
SHORTEST_OF_LANTHANUM = (2.2, 1.1)
#: eV/Å, root mean square over a frame; 0.1 to 2.0 in the published frames.
LARGEST_FORCE = 30.0
#: eV/Å, median over the frames of a system: thermal motion at 5 K gives more.
SMALLEST_FORCE = 0.02
#: eV/Å, sum of all forces of a frame, in each direction: less than the force on most single atoms.
#: The published frames leave 6e-6, GPAW 5e-4.
NET_FORCE = 0.1
#: eV/atom between a frame and the median of its system; 0.4 covers 0 to 1,500 K, 80 to 350 GPa.
ENERGY_SPREAD = 2.0
#: Static pressure of Fm-3m LaH10 by PBE: ln(P/GPa) = a + b V, V in Å3 per formula unit, a fit to
#: resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt (95 to 368 GPa, better than 3 %).
STATIC_PRESSURE = (8.71, -0.1118)


def check(system: System, energies: bool = True, thermal: bool = True) -> None:
    """Refuse frames that cannot be LaH10 under pressure in the units of `System`.

    Parameters
    ----------
    energies : bool
        Whether there must be energies; without, they are NaN.
    thermal : bool
        Whether atoms are off their sites in most frames, as in dynamics; not in crystals at rest.

    Raises
    ------
    UserError
        For the first such frame: what is expected, and what it has.
    """
    for key in ("boxes", "coordinates", "energies", "forces", "virials"):
        if key == "energies" and not energies:
            continue
        array = getattr(system, key).reshape(len(system), -1)
        bad = ~np.isfinite(array).all(axis=1)
        refuse(system, bad, lambda i, k=key: f"{k} with NaN or infinite numbers; label it again")

    check_geometry(system)
    net = np.abs(system.forces.sum(axis=1)).max(axis=1)
    refuse(
        system,
        net > NET_FORCE,
        lambda i: (
            f"expected forces that add up to at most {NET_FORCE:g} eV/Å, got {net[i]:.2g} (atoms "
            "lost, or forces of other frames?)"
        ),
    )
    rms = np.sqrt((system.forces**2).mean(axis=(1, 2)))
    refuse(
        system,
        rms > LARGEST_FORCE,
        lambda i: f"expected an rms force of at most {LARGEST_FORCE:g} eV/Å, got {rms[i]:.3g}",
    )
    if thermal and len(system) >= 3 and np.median(rms) < SMALLEST_FORCE:
        raise UserError(
            f"{system.frames[0]}: expected a median rms force of the system of at least "
            f"{SMALLEST_FORCE:g} eV/Å, got {np.median(rms):.2g} (in hartree/bohr?)"
        )
    energy = system.energies / system.n_atoms
    distance = np.abs(energy - np.median(energy))
    refuse(
        system,
        distance > ENERGY_SPREAD,
        lambda i: (
            f"expected an energy within {ENERGY_SPREAD:g} eV an atom of the system's median, got "
            f"{energy[i]:.3f}, {distance[i]:.3g} from it (mixed units?)"
        ),
    )
    _check_pressures(system)


def check_geometry(system: System) -> None:
    """Refuse frames whose cell or distances cannot be LaH10 under pressure; labels do not matter.

    Raises
    ------
    UserError
        For the first such frame: what is expected, and what it has.
    """
    for fault in GEOMETRY:
        refuse(system, *fault(system))


def plausible(system: System) -> np.ndarray:
    """(f,) whether a frame has finite numbers and passes `check_geometry`."""
    fine = np.isfinite(system.boxes).all(axis=(1, 2))
    fine &= np.isfinite(system.coordinates).all(axis=(1, 2))
    for fault in GEOMETRY:
        if fine.any():
            # Distances are not looked for in cells that are none.
            bad, _ = fault(system.select(fine))
            fine[fine] = ~bad
    return fine


def _volume(system: System) -> Fault:
    per_atom = system.volumes / system.n_atoms
    low, high = VOLUME_PER_ATOM
    return (per_atom < low) | (per_atom > high), lambda i: (
        f"expected {low:g} to {high:g} Å3 an atom, got {per_atom[i]:.3g} (cell in bohr?)"
    )


def _distance(system: System) -> Fault:
    shortest = shortest_distances(system, SHORTEST_DISTANCE)
    return shortest < SHORTEST_DISTANCE, lambda i: (
        f"expected atoms {SHORTEST_DISTANCE:g} Å apart or more, got two {shortest[i]:.2f} Å "
        "apart (coordinates in other units than the cell, or fractional?)"
    )


def _distance_from_lanthanum(element: str, limit: float, system: System) -> Fault:
    near = shortest_distances(system, limit, ("La", element))
    return near < limit, lambda i: (
        f"expected La and {element} {limit:g} Å apart or more, got {near[i]:.2f} Å (elements "
        "mixed up?)"
    )


#: What a frame can have that no crystal has: each names the bad ones, (f,), and describes one.
GEOMETRY: tuple[Callable[[System], Fault], ...] = (
    _volume,
    _distance,
    *(
        functools.partial(_distance_from_lanthanum, element, limit)
        for element, limit in zip(ELEMENTS, SHORTEST_OF_LANTHANUM, strict=True)
    ),
)


def static_pressure(system: System) -> np.ndarray:
    """(f,) GPa, of Fm-3m LaH10 at rest at the frames' volumes (`STATIC_PRESSURE`)."""
    a, b = STATIC_PRESSURE
    return np.exp(a + b * system.volumes / (system.types == ELEMENTS.index("La")).sum())


def _check_pressures(system: System) -> None:
    """Sign and size of the virial, by the equation of state (for the composition LaH10 alone)."""
    counts = np.bincount(system.types, minlength=len(ELEMENTS))
    if counts[1] != 10 * counts[0]:
        return
    pressures = system.pressures
    static = static_pressure(system)
    low, high = 0.5 * static - 20, 2 * static + 60
    refuse(
        system,
        (pressures < low) | (pressures > high),
        lambda i: (
            f"expected a pressure of {low[i]:.0f} to {high[i]:.0f} GPa at "
            f"{system.volumes[i] / counts[0]:.1f} Å3 a formula unit, got {pressures[i]:.4g} from "
            "the virial (its sign or unit? eV, positive when compressed)"
        ),
    )


def refuse(system: System, bad: np.ndarray, describe: Callable[[int], str]) -> None:
    """Raise UserError for the first frame where `bad` (f,) is true: what `describe` says of it."""
    index = np.flatnonzero(bad)
    if len(index):
        more = f" (and {len(index) - 1} more frames)" if len(index) > 1 else ""
        raise UserError(f"{system.frames[index[0]]}: {describe(index[0])}{more}")
