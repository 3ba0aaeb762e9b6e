"""Units and signs of labels, by comparison with a potential.

The bounds of `plausibility.check` hold for any LaH10, and so let pass forces in Ry/bohr, forces of
the wrong sign, or one frame of another kind. A potential that was roughly trained on such
structures does not: right labels are a few percent off its forces, energies and pressures, labels
in another unit a factor of 2 at least, and labels of other atoms have nothing to do with it.
"""

from collections.abc import Sequence

import numpy as np

from lah10 import ELEMENTS
from lah10.config.training import Split
from lah10.potential.data.plausibility import STATIC_PRESSURE, refuse, static_pressure
from lah10.potential.data.systems import System, pressures
from lah10.potential.evaluate import Prediction
from lah10.units import EV_PER_A3_IN_GPA

#: Labels over the potential's values. With the shipped potential, on published and own frames:
#: 0.88 to 1.16 for a frame's forces, 0.98 to 1.06 for a set's energies, 0.97 to 1.06 for pressures.
SLOPES = (0.5, 2.0)
#: Labels that differ by less (root mean square) are not judged: of a frame, and of a set. eV/Å,
#: eV/atom, GPa. Where all forces are small, in crystals that are hardly displaced, a slope means
#: nothing: that of one such frame is 0.42, at a difference of 0.1 eV/Å.
FORCE_NOISE = (0.15, 0.1)
ENERGY_NOISE = (0.1, 0.005)
PRESSURE_NOISE = (20.0, 10.0)
#: Frames from which on a constant of energy, or a set as a whole, means something.
ENOUGH = 3
#: Energy of static Fm-3m LaH10 at zero pressure above that of neutral, unpolarised atoms, the zero
#: of VASP and GPAW; eV/atom. `plausibility.STATIC_PRESSURE`, integrated, gives those of
#: resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt with it to 4 meV/atom.
STATIC_ENERGY = -3.201
#: eV/atom above that at a frame's volume. The project's own frames have -0.03 to 0.52 (690 GPa); PV
#: is 1.1 at 50 GPa, 5 at 350.
ENERGY_ROOM = (-0.5, 0.9)
#: eV/atom; energies with all electrons, or all but the cores, are lower: hydrogen's alone is -12.
TOTAL_ENERGY = -12.0


def check(
    systems: Sequence[System], predictions: Sequence[Prediction], split: Split, hint: str = ""
) -> None:
    """Refuse labels that are no multiple near 1 of a potential's values.

    Forces and pressures are compared as they are, energies after one constant for each zero of
    energy (`Split.zero_of`), and with the equation of state (`_check_absolute`). Energies of NaN
    are not looked at.

    Parameters
    ----------
    systems, predictions
        As `evaluate` takes and gives them, labels before their alignment.
    hint : str
        Ends every complaint.

    Raises
    ------
    UserError
        For the first frame, or else the first set, whose slope is not within `SLOPES`, or whose
        energy is no LaH10's.
    """
    by_zero: dict[str, list[tuple[System, Prediction]]] = {}
    for system, prediction in zip(systems, predictions, strict=True):
        f = len(system)
        _compare(
            system,
            "forces are",
            system.forces.reshape(f, -1),
            prediction.forces.reshape(f, -1),
            FORCE_NOISE,
            "expected eV/Å (0.039 would be Ry/bohr, -1 the wrong sign, 0 those of other atoms)"
            + hint,
        )
        _compare(
            system,
            "pressures are",
            system.pressures[:, None],
            pressures(prediction.virials, system.volumes)[:, None],
            PRESSURE_NOISE,
            "expected virials in eV, positive when compressed (0.037 would be hartree)" + hint,
        )
        if not np.isnan(system.energies).any():
            by_zero.setdefault(split.zero_of(system.name), []).append((system, prediction))
    for members in by_zero.values():
        labels = [system.energies / system.n_atoms for system, _ in members]
        model = [prediction.energies / system.n_atoms for system, prediction in members]
        everything = np.concatenate(model)
        if len(everything) < ENOUGH:
            continue
        middle = np.median(everything)
        constant = np.median(np.concatenate(labels) - everything)
        for (system, _), label, value in zip(members, labels, model, strict=True):
            _compare(
                system,
                "energies vary",
                (label - constant - middle)[:, None],
                (value - middle)[:, None],
                ENERGY_NOISE,
                "expected eV (0.037 would be hartree, 0.073 Ry)" + hint,
            )
    for members in by_zero.values():
        few = sum(len(system) for system, _ in members) < ENOUGH
        for system, _ in members:
            _check_absolute(system, few, hint)


def _check_absolute(system: System, few: bool, hint: str) -> None:
    """Refuse energies (of the composition LaH10) that are E + PV, and few that are on no scale.

    VASP and GPAW count energies from neutral atoms, which leaves little room at a volume; others
    give total energies, which are far below. Many frames may have a zero of their own, since their
    slope is known; but PV hardly changes a slope.
    """
    counts = np.bincount(system.types, minlength=len(ELEMENTS))
    if counts[1] != 10 * counts[0]:
        return
    # The integral of the static pressure from this volume on, per formula unit.
    work = static_pressure(system) / -STATIC_PRESSURE[1] / EV_PER_A3_IN_GPA
    energy = system.energies / system.n_atoms
    static = STATIC_ENERGY + work * counts[0] / system.n_atoms
    low, high = (static + room for room in ENERGY_ROOM)
    outside = (energy > high) | ((energy < low) & (energy > TOTAL_ENERGY))
    pv = system.pressures * system.volumes / EV_PER_A3_IN_GPA / system.n_atoms
    enthalpy = outside & (energy - pv > low) & (energy - pv < high)
    refuse(
        system,
        outside if few else enthalpy,
        lambda i: (
            f"expected an energy of {low[i]:.2f} to {high[i]:.2f} eV an atom (VASP, GPAW) or below "
            f"{TOTAL_ENERGY:g} (total energies) at this volume, got {energy[i]:.3f} "
            f"({'E + PV' if enthalpy[i] else 'hartree, Ry, or another zero'}?){hint}"
        ),
    )


def _compare(
    system: System,
    what: str,
    labels: np.ndarray,
    model: np.ndarray,
    noise: tuple[float, float],
    units: str,
) -> None:
    """`labels` and `model` are of shape (f, numbers a frame)."""
    square = ((labels - model) ** 2).mean(axis=1)
    product, norm = (labels * model).sum(axis=1), (model**2).sum(axis=1)
    tiny = np.finfo(float).tiny
    slope = product / np.maximum(norm, tiny)
    wrong = (np.sqrt(square) > noise[0]) & ~_near_one(slope)
    refuse(system, wrong, lambda i: f"{what} {slope[i]:.3g} times the potential's; {units}")
    together = product.sum() / max(norm.sum(), tiny)
    if len(system) >= ENOUGH and np.sqrt(square.mean()) > noise[1] and not _near_one(together):
        refuse(
            system,
            np.ones(len(system), bool),
            lambda i: f"{what} {together:.3g} times the potential's in {system.name}; {units}",
        )


def _near_one(slope: np.ndarray | float) -> np.ndarray | bool:
    return (slope > SLOPES[0]) & (slope < SLOPES[1])
