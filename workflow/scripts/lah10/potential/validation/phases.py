"""Enthalpies of the known phases by a model, each relaxed by it: what decides a phase diagram.

Errors of energies that are the same in both phases, or that are fitted away for each set of labels,
do not show here, and errors of the difference, which other tables are blind to, do.
"""

import os
from collections.abc import Mapping, Sequence

import ase
import numpy as np

import lah10
from lah10.crystal.structures import SYMMETRY_TOLERANCE
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.phonons.relaxation import primitive
from lah10.potential.validation.relaxation import Relaxed, relax_all, space_group
from lah10.units import EV_PER_A3_IN_GPA

#: GPa.
PRESSURES = (100, 125, 150, 175, 200, 225, 250, 275, 300, 325, 350)
#: The phase that enthalpies are given relative to.
REFERENCE = "Fm-3m"


def enthalpies(
    model: str | os.PathLike,
    crystals: Mapping[str, ase.Atoms],
    pressures: Sequence[float] = PRESSURES,
    threads: int = 1,
) -> dict:
    """Enthalpy of each phase, relaxed by the model from its crystal.

    Parameters
    ----------
    crystals : mapping
        A crystal of each phase by its name, any cell.

    Returns
    -------
    dict
        `pressures` (GPa) and, for each phase, `enthalpy` (eV/atom, on the model's own zero),
        `space_group` of what the crystal relaxed to within `tolerance` (Å), and `converged`. None
        in place of an enthalpy where the crystal fell apart.

    Raises
    ------
    UserError
        The model cannot be run.
    """
    starts = [
        (primitive(crystal, idealise=True), float(pressure))
        for crystal in crystals.values()
        for pressure in pressures
    ]
    rows = iter(zip(starts, relax_all(model, starts, threads), strict=True))
    found = {}
    for name in crystals:
        own = [next(rows) for _ in pressures]
        found[name] = {
            "enthalpy": [row and _enthalpy(row, pressure) for (_, pressure), row in own],
            "space_group": [
                space_group(row.atoms, SYMMETRY_TOLERANCE) if row else "none" for _, row in own
            ],
            "converged": [bool(row and row.converged) for _, row in own],
        }
    return {
        "lah10": lah10.__version__,
        "model_sha256": sha256(model),
        "tolerance": SYMMETRY_TOLERANCE,
        "pressures": list(pressures),
        "phases": found,
    }


def write(found: Mapping, path: str | os.PathLike) -> None:
    """Write what `enthalpies` returns as JSON; the file appears whole."""
    write_json(path, found)


def _enthalpy(relaxed: Relaxed, pressure: float) -> float:
    """eV/atom."""
    pv = pressure / EV_PER_A3_IN_GPA * relaxed.atoms.get_volume()
    return (relaxed.energy + pv) / len(relaxed.atoms)


def differences(found: Mapping) -> dict[str, list[float]]:
    """Enthalpy of each phase less that of `REFERENCE`, meV/atom; NaN where there is none."""
    base = found["phases"][REFERENCE]["enthalpy"]
    return {
        name: [
            np.nan if one is None or zero is None else 1e3 * (one - zero)
            for one, zero in zip(phase["enthalpy"], base, strict=True)
        ]
        for name, phase in found["phases"].items()
        if name != REFERENCE
    }


def crossing(pressures: Sequence[float], difference: Sequence[float]) -> float | None:
    """Pressure at which a difference first changes its sign, by straight lines; None if nowhere."""
    for i in range(len(pressures) - 1):
        one, other = difference[i], difference[i + 1]
        if one != other and min(one, other) <= 0 <= max(one, other):
            return pressures[i] + (pressures[i + 1] - pressures[i]) * one / (one - other)
    return None
