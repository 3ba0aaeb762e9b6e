"""The static crystal: Fm-3m LaH10 at rest by the potential beside DFT, Table I of the source paper.

Fm-3m LaH10 has two free lengths: the lattice constant a, and the coordinate x of the hydrogens on
32f (x, x, x), with La on 4b and the other hydrogens on 8c (¼, ¼, ¼). At each a, x is where the
force on 32f vanishes. All distances follow, and all angles are 90°:

    La-H(32f) = a √((½ - x)² + 2x²),    La-H(8c) = a √3/4,      La-La = a/√2,
    H(8c)-H(32f) = a √3 (¼ - x),        H(32f)-H(32f) = 2 a x.

Whether the crystal keeps these angles is another test: it is relaxed once more at the table's
pressure, without symmetry and from a disturbed start (`relaxation`).

The two codes that the potential learnt from differ by a pressure (`alignment`). It learnt the
common scale; here it is put back on the scale of the DFT it is compared with. A constant pressure p
belongs to an energy that falls by p V, so both are shifted.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import ase
import numpy as np
import xarray as xr
from ase.spacegroup import crystal as fill
from scipy.interpolate import CubicSpline

import lah10
from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.potential.data.systems import pressures, unlabelled_frames
from lah10.potential.evaluate import evaluate
from lah10.potential.validation import relaxation
from lah10.units import EV_PER_A3_IN_GPA

#: Where x is looked for, and how finely; the forces between are interpolated.
COORDINATES = np.linspace(0.112, 0.130, 13)
#: Formula units in the conventional cell, and atoms in one.
CELL, ATOMS = 4, 11
#: Lengths of Table I, in its order.
LENGTHS = ("a", "La-H(32f)", "La-H(8c)", "H(32f)-H(32f)", "H(8c)-H(32f)", "La-La")
#: Its names for them: index 1 for H in the quadrilaterals of the cage, 2 for H out of them.
IN_TABLE = {
    "La-H(32f)": "La-H1",
    "La-H(8c)": "La-H2",
    "H(32f)-H(32f)": "H-H1",
    "H(8c)-H(32f)": "H-H2",
}


def lengths(a: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
    """Distances of Fm-3m LaH10 (Å) from its lattice constant (Å) and the coordinate of 32f."""
    a, x = np.asarray(a, float), np.asarray(x, float)
    return dict(
        zip(
            LENGTHS,
            (
                a,
                a * np.sqrt((0.5 - x) ** 2 + 2 * x**2),
                a * np.sqrt(3) / 4,
                2 * a * x,
                a * np.sqrt(3) * (0.25 - x),
                a / np.sqrt(2),
            ),
            strict=True,
        )
    )


def read(path: str | os.PathLike, pulay: float = 0.0) -> xr.Dataset:
    """Static DFT results along `a` (Å): `volume`, `energy`, `pressure`, `x`.

    One line a lattice constant: `a 5.05 V 32.2 E -25.95 P 165.1 H 7.2 LaH [2.10 2.19] HH …`, with
    Å, Å3 and eV per formula unit, GPa; x follows from the La-H distances.

    Parameters
    ----------
    pulay : float
        eV/atom: what the file's pressures lack, times the volume an atom
        (`preparation.with_pulay_stress`).

    Raises
    ------
    UserError
        The file cannot be read, or a line is not of this form.
    """
    rows = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.replace("[", " ").replace("]", " ").split()
        try:
            value = {key: float(words[words.index(key) + 1]) for key in "aVEP"}
            near, far = (float(words[words.index("LaH") + k]) for k in (1, 2))
        except (ValueError, IndexError):
            raise UserError(
                f"{path}: line {number}: expected `a Å V Å3 E eV P GPa … LaH [Å Å]`, got "
                f"{line[:60]!r}"
            ) from None
        if abs(far - value["a"] * np.sqrt(3) / 4) > 0.001 * far:
            raise UserError(
                f"{path}: line {number}: expected distances of Fm-3m, got La-H of {far} Å, "
                f"which is not a √3/4 of a = {value['a']} Å"
            )
        x = (1 - np.sqrt(12 * (near / value["a"]) ** 2 - 2)) / 6  # 3x² - x + ¼ = (La-H/a)²
        rows.append((value["a"], value["V"], value["E"], value["P"], x))
    if len(rows) < 4:
        raise UserError(f"{path}: expected four or more lattice constants, got {len(rows)}")
    a, volume, energy, pressure, x = np.array(sorted(rows)).T
    pressure += pulay * ATOMS / volume * EV_PER_A3_IN_GPA
    return _dataset(a, volume, energy, pressure, x)


def relaxed(
    model: str | os.PathLike, a: Sequence[float], offset: float = 0.0, threads: int = 1
) -> xr.Dataset:
    """The same by a potential: x relaxed at each lattice constant (Å).

    NaN where hydrogen on 32f finds no rest near its place: the crystal is none of the potential's.

    Parameters
    ----------
    offset : float
        GPa, by which the pressures to compare with lie above the potential's.

    Raises
    ------
    UserError
        The model cannot be run.
    """
    a = np.asarray(a, float)
    crystals = [[_fm3m(value, x) for x in COORDINATES] for value in a]
    answers = evaluate(model, [unlabelled_frames(row) for row in crystals], threads)
    one_one_one = np.ones(3) / np.sqrt(3)
    found = []
    for value, row, answer in zip(a, crystals, answers, strict=True):
        site = int(np.argmin(np.abs(row[0].get_scaled_positions() - COORDINATES[0]).sum(axis=1)))
        roots = CubicSpline(COORDINATES, answer.forces[:, site] @ one_one_one).roots(
            extrapolate=False
        )
        x = float(roots[np.argmin(np.abs(roots - 0.12))]) if len(roots) else np.nan
        volume = value**3
        pressure = pressures(answer.virials, volume)
        found.append(
            (
                volume / CELL,
                float(CubicSpline(COORDINATES, answer.energies)(x)) / CELL,
                float(CubicSpline(COORDINATES, pressure)(x)),
                x,
            )
        )
    volume, energy, pressure, x = np.array(found).T
    return _dataset(a, volume, energy - offset / EV_PER_A3_IN_GPA * volume, pressure + offset, x)


def _fm3m(a: float, x: float) -> ase.Atoms:
    return fill(
        ["La", "H", "H"],
        [(0.5, 0.5, 0.5), (0.25, 0.25, 0.25), (x, x, x)],
        spacegroup=225,
        cellpar=[a, a, a, 90, 90, 90],
        pbc=True,
    )


def _dataset(a, volume, energy, pressure, x) -> xr.Dataset:
    units = {"volume": "Å3 per formula unit", "energy": "eV per formula unit", "pressure": "GPa"}
    data = xr.Dataset(
        {
            "volume": ("a", volume),
            "energy": ("a", energy),
            "pressure": ("a", pressure),
            "x": ("a", x),
        },
        {"a": ("a", a, {"units": "Å"})},
    )
    for name, unit in units.items():
        data[name].attrs["units"] = unit
    return data


def at_pressure(data: xr.Dataset, pressure: float) -> dict[str, float]:
    """The crystal's lengths (Å) at a pressure (GPa), interpolated along the lattice constant.

    Raises
    ------
    UserError
        The pressure lies outside the data, or there are too few.
    """
    data = data.dropna("a")
    if data.sizes["a"] < 4:
        raise UserError("the crystal is at rest at fewer than four of the lattice constants")
    low, high = data.pressure.min().item(), data.pressure.max().item()
    if not low <= pressure <= high:
        raise UserError(f"expected {low:.0f} to {high:.0f} GPa, got {pressure:g} GPa")
    order = np.argsort(data.pressure.values)
    p, a = data.pressure.values[order], data.a.values[order]
    constant = float(CubicSpline(p, a)(pressure))
    x = float(CubicSpline(p, data.x.values[order])(pressure))
    return {name: float(value) for name, value in lengths(constant, x).items()}


def compare(dft: xr.Dataset, model: xr.Dataset, pressure: float) -> dict:
    """Table I at a pressure (GPa), and the equation of state, in plain numbers.

    Returns
    -------
    dict
        `pressure`; `lengths`, by name: dft, model (Å), deviation (%), the last two None if the
        model has no such crystal; `equation_of_state`: a (Å), pressure_dft, pressure_model (GPa),
        energy_deviation (meV per atom, after one constant; None as before), and of them
        pressure_rms and energy_rms.
    """
    try:
        found = at_pressure(model, pressure)
    except UserError:  # a potential without this crystal is a result, which the table shows
        found = dict.fromkeys(LENGTHS, np.nan)
    table = {
        name: {
            "dft": value,
            "model": _plain(found[name]),
            "deviation": _plain(100 * (found[name] / value - 1)),
        }
        for name, value in at_pressure(dft, pressure).items()
    }
    energy = 1e3 * (model.energy - dft.energy).values / ATOMS
    energy -= np.nanmean(energy) if np.isfinite(energy).any() else 0.0
    difference = (model.pressure - dft.pressure).values
    return {
        "pressure": pressure,
        "lengths": table,
        "equation_of_state": {
            "a": dft.a.values.tolist(),
            "pressure_dft": dft.pressure.values.tolist(),
            "pressure_model": [_plain(value) for value in model.pressure.values],
            "energy_deviation": [_plain(value) for value in energy],
            "pressure_rms": _plain(np.sqrt(np.mean(difference**2))),
            "energy_rms": _plain(np.sqrt(np.mean(energy**2))),
        },
    }


def freely(
    model: str | os.PathLike, rest: Mapping[str, float], pressure: float, threads: int = 1
) -> dict:
    """The crystal relaxed by a potential without symmetry: `relaxation.describe`.

    Parameters
    ----------
    rest : mapping
        Lengths (Å) of the crystal that is disturbed for a start.
    pressure : float
        GPa, on the potential's own scale.
    """
    perfect = _fm3m(rest["a"], rest["H(32f)-H(32f)"] / 2 / rest["a"])
    start = relaxation.disturbed(perfect)
    return relaxation.describe(perfect, relaxation.relax(model, start, pressure, threads))


def _plain(value: float) -> float | None:
    """A number that JSON can hold; None for NaN."""
    return float(value) if np.isfinite(value) else None


def validate(
    model: str | os.PathLike,
    dft_path: str | os.PathLike,
    table_path: str | os.PathLike,
    pressure: float = 300.0,
    offset: float = 0.0,
    pulay: float = 0.0,
    threads: int = 1,
) -> tuple[dict, xr.Dataset, xr.Dataset]:
    """`compare` and `freely` for a frozen graph, written as JSON.

    Parameters
    ----------
    offset : float
        As in `relaxed`.
    pulay : float
        As in `read`.

    Returns
    -------
    tuple
        What was written, and the crystal by DFT (`read`) and by the model (`relaxed`).

    Raises
    ------
    UserError
        The model cannot be run, or `dft_path` cannot be read or does not reach `pressure`.
    """
    dft = read(dft_path, pulay)
    dp = relaxed(model, dft.a.values, offset, threads)
    rest = at_pressure(dft, pressure)
    result = {
        "model_sha256": sha256(model),
        "lah10_version": lah10.__version__,
        "pressure_offset": offset,
        "pulay": pulay,
        **compare(dft, dp, pressure),
        "relaxed": freely(model, rest, pressure - offset, threads),
    }
    write_json(table_path, result)
    return result, dft, dp
