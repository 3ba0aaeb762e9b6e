"""Phonons of Fm-3m LaH10 at rest by the potential beside DFT.

Both give the forces in the same displaced crystals: the conventional cell of 44 atoms, as the
project's DFT has it at a pressure (`equation_of_state`), with one atom moved back and forth along
the directions that symmetry leaves. That pressure is the one in the DFT's file, without its Pulay
stress: the forces were computed at those volumes, and forces are compared. Γ and the three X are
wave vectors of that cell, so the frequencies there follow from the forces alone; those between them
are interpolated, alike for both.

A frequency below zero stands for an imaginary one.
"""

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from scipy.optimize import linear_sum_assignment

import lah10
from lah10.crystal.structures import write_frames
from lah10.errors import UserError
from lah10.io.files import sha256
from lah10.io.json import write_json
from lah10.phonons import phonons
from lah10.phonons.phonons import (
    displaced,
    mesh_zero_point_temperature,
    set_forces,
    with_displacements,
)
from lah10.potential.data import extended_xyz
from lah10.potential.data.systems import unlabelled_frames
from lah10.potential.evaluate import evaluate
from lah10.potential.validation import equation_of_state

#: GPa.
PRESSURES = (200.0, 300.0)
#: Å; zero-point motion of H is some four times wider.
DISPLACEMENT = 0.04
#: Primitive vectors in units of the lattice constant, and the conventional cell in terms of them.
PRIMITIVE = (np.ones((3, 3)) - np.eye(3)) / 2
CONVENTIONAL = np.ones((3, 3), int) - 2 * np.eye(3, dtype=int)
#: Wave vectors in reciprocal vectors of the primitive cell; the first two are exact.
POINTS = {
    "Γ": (0.0, 0.0, 0.0),
    "X": (0.5, 0.0, 0.5),
    "W": (0.5, 0.25, 0.75),
    "L": (0.5, 0.5, 0.5),
}
EXACT = ("Γ", "X")
PATH = ("Γ", "X", "W", "L", "Γ")
#: Wave vectors of each section of the path, and the mesh of the zero-point energy.
SECTION, MESH = 41, (12, 12, 12)
#: THz, within which neighbouring frequencies are those of one degenerate set.
DEGENERATE = 0.01
#: Å, between a displaced crystal and the frame with its forces: more than the crystal moves when a
#: lattice constant is added to the equation of state (1e-6), much less than the displacement.
SAME = 1e-4


def phonopy_of(a: float, x: float):
    """Phonopy's object for Fm-3m LaH10 with its displacements.

    Parameters
    ----------
    a : float
        Lattice constant, Å.
    x : float
        Coordinate of H on 32f (x, x, x).
    """
    corners = np.array([s * np.ones(3) for s in (1, -1)] + [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    corners = np.vstack([corners, -corners[2:]])
    quarter = np.full(3, 0.25)
    sites = np.vstack([np.full((1, 3), 0.5), quarter, -quarter, x * corners])
    return with_displacements(
        ["La"] + ["H"] * 10,
        a * PRIMITIVE,
        sites @ np.linalg.inv(PRIMITIVE) % 1.0,
        CONVENTIONAL,
        DISPLACEMENT,
    )


def at_rest(dft_static: str | os.PathLike, pressure: float) -> tuple[float, float]:
    """Lattice constant (Å) and x of 32f at a pressure (GPa), by the DFT in `dft_static`."""
    lengths = equation_of_state.at_pressure(equation_of_state.read(dft_static), pressure)
    return lengths["a"], lengths["H(32f)-H(32f)"] / 2 / lengths["a"]


def write_structures(
    dft_static: str | os.PathLike,
    output: str | os.PathLike,
    pressures: Sequence[float] = PRESSURES,
) -> None:
    """Write the displaced crystals at all pressures (GPa) as extended XYZ, to be labelled."""
    frames = []
    for pressure in pressures:
        for i, atoms in enumerate(displaced(phonopy_of(*at_rest(dft_static, pressure)))):
            atoms.info = {"pressure": pressure, "displacement": i}
            frames.append(atoms)
    write_frames(output, frames)


def read_forces(
    path: str | os.PathLike, crystals: Sequence[Sequence[Atoms]]
) -> list[list[np.ndarray]]:
    """DFT forces (eV/Å) of the displaced crystals, from an extended XYZ file that has them all.

    Raises
    ------
    UserError
        The file cannot be read, has frames without forces, or lacks a crystal.
    """
    frames = extended_xyz.whole_frames(Path(path))
    found = []
    for row in crystals:
        found.append([])
        for i, atoms in enumerate(row):
            match = [frame for frame in frames if _same(frame, atoms)]
            if not match:
                raise UserError(
                    f"{path}: no frame is displacement {i} of the crystal with a = "
                    f"{atoms.cell.lengths()[0]:.4f} Å; label those of `snakemake "
                    "phonon_structures`, and put the labels there"
                )
            try:
                found[-1].append(match[0].get_forces())
            except (RuntimeError, PropertyNotImplementedError):
                raise UserError(f"{path}: displacement {i} has no forces; label it") from None
    return found


def _same(frame: Atoms, atoms: Atoms) -> bool:
    if list(frame.symbols) != list(atoms.symbols):
        return False
    if not np.allclose(frame.cell.array, atoms.cell.array, rtol=0, atol=SAME):
        return False
    difference = (frame.positions - atoms.positions) @ np.linalg.inv(atoms.cell.array)
    difference -= np.round(difference)
    return bool(np.abs(difference @ atoms.cell.array).max() < SAME)


def frequencies(work, forces: Sequence[np.ndarray], points: Sequence) -> np.ndarray:
    """Frequencies (THz, ascending, imaginary ones negative) at wave vectors, (q, 33)."""
    return modes(work, forces, points)[0]


def modes(work, forces: Sequence[np.ndarray], points: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """`frequencies`, (q, 33), and the eigenvectors in their order, (q, 33 components, 33 modes).

    Parameters
    ----------
    work : Phonopy
        Of `phonopy_of`; takes the forces.
    forces : sequence of (44, 3) float
        eV/Å, in the order of `displaced`.
    points : (q, 3) float
        In reciprocal vectors of the primitive cell.
    """
    set_forces(work, forces)
    return phonons.modes(work, points)


def paired(
    reference: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Which mode of another crystal is each of a reference's: the same atoms move the same way.

    Of all one-to-one pairings, the one with the largest sum of |overlap|²; by frequency, branches
    that cross would be mixed up. Vectors within a degenerate set are arbitrary: overlaps are means
    over such sets, which are not.

    Parameters
    ----------
    reference, other : (modes,) float, (components, modes) complex
        Frequencies (THz), ascending, and orthonormal eigenvectors at one wave vector.

    Returns
    -------
    (modes,) int
        Mode of `other` for each of `reference`.
    """
    overlap = np.abs(reference[1].conj().T @ other[1]) ** 2
    for axis, (frequencies, _) in enumerate((reference, other)):
        starts = np.flatnonzero(np.diff(frequencies, prepend=-np.inf) > DEGENERATE)
        sizes = np.diff([*starts, len(frequencies)])
        means = np.add.reduceat(overlap, starts, axis) / np.expand_dims(sizes, 1 - axis)
        overlap = np.repeat(means, sizes, axis)
    return linear_sum_assignment(overlap, maximize=True)[1]


def compare(work, dft: Sequence[np.ndarray], model: Sequence[np.ndarray], pressure: float) -> dict:
    """Both crystals' phonons in plain numbers.

    Parameters
    ----------
    dft, model : sequence of (44, 3) float
        Forces in the order of `displaced`, eV/Å.

    Returns
    -------
    dict
        `pressure` (GPa); `points`, of Γ and X: `dft` and `model`, ascending THz, and `pairs`, the
        model's mode of each of the DFT's (`paired`); `rms` and `largest`, of the differences of
        pairs (THz), and `lowest` and `highest` of each (THz), without the three translations;
        `zero_point`, K, of `dft` and `model`.
    """
    points, zero_point, vectors = {name: {} for name in EXACT}, {}, {}
    for who, forces in (("dft", dft), ("model", model)):
        found, vectors[who] = modes(work, forces, [POINTS[name] for name in EXACT])
        zero_point[who] = mesh_zero_point_temperature(work, MESH)
        for name, row in zip(EXACT, found, strict=True):
            points[name][who] = row.tolist()
    both, weights = [], []
    for i, (name, row) in enumerate(points.items()):
        kept = {who: np.arange(len(row[who])) for who in row}
        if name == "Γ":
            kept = {who: np.delete(k, np.argsort(np.abs(row[who]))[:3]) for who, k in kept.items()}
        both_modes = (
            (np.array(row[who])[kept[who]], vectors[who][i][:, kept[who]])
            for who in ("dft", "model")
        )
        match = kept["model"][paired(*both_modes)]
        row["pairs"] = [[int(a), int(b)] for a, b in zip(kept["dft"], match, strict=True)]
        both.append([np.array(row["dft"])[kept["dft"]], np.array(row["model"])[match]])
        weights += [3 if name == "X" else 1] * len(match)  # X is three wave vectors of the cell
    both = np.concatenate(both, axis=1)
    joined = both[1] - both[0]
    return {
        "pressure": pressure,
        "points": points,
        "rms": float(np.sqrt(np.average(joined**2, weights=weights))),
        "largest": float(joined[np.argmax(np.abs(joined))]),
        "lowest": dict(zip(("dft", "model"), both.min(axis=1).tolist(), strict=True)),
        "highest": dict(zip(("dft", "model"), both.max(axis=1).tolist(), strict=True)),
        "zero_point": zero_point,
    }


@dataclass(frozen=True)
class Dispersion:
    """Frequencies along `path` at one pressure.

    Attributes
    ----------
    pressure : float
        GPa.
    dft, model : (section, q, branch) float
        THz, ascending; negative where imaginary.
    """

    pressure: float
    dft: np.ndarray
    model: np.ndarray


def path() -> tuple[np.ndarray, list[float]]:
    """Wave vectors along `PATH` in reciprocal vectors, and where its points lie (2π/a)."""
    reciprocal = np.linalg.inv(PRIMITIVE).T
    vectors, ticks = [], [0.0]
    for a, b in itertools.pairwise(PATH):
        start, end = np.array(POINTS[a]), np.array(POINTS[b])
        vectors.append(start + np.linspace(0, 1, SECTION)[:, None] * (end - start))
        ticks.append(ticks[-1] + float(np.linalg.norm((end - start) @ reciprocal)))
    return np.array(vectors), ticks


def validate(
    model: str | os.PathLike,
    dft_static: str | os.PathLike,
    dft_forces: str | os.PathLike,
    table_path: str | os.PathLike,
    pressures: Sequence[float] = PRESSURES,
    threads: int = 1,
) -> tuple[dict, list[Dispersion]]:
    """`compare` for a frozen graph at each pressure (GPa), written as JSON.

    Returns
    -------
    tuple
        What was written, and the frequencies along `path` at each pressure.

    Raises
    ------
    UserError
        The model cannot be run, or `dft_forces` lacks a displaced crystal.
    """
    works = [phonopy_of(*at_rest(dft_static, pressure)) for pressure in pressures]
    crystals = [displaced(work) for work in works]
    known = read_forces(dft_forces, crystals)
    answers = evaluate(model, [unlabelled_frames(row) for row in crystals], threads)
    rows, curves = [], []
    for pressure, work, dft, answer in zip(pressures, works, known, answers, strict=True):
        rows.append(compare(work, dft, answer.forces, pressure))
        sections, _ = path()
        curves.append(
            Dispersion(
                pressure,
                *(
                    frequencies(work, forces, sections.reshape(-1, 3)).reshape(
                        *sections.shape[:2], -1
                    )
                    for forces in (dft, answer.forces)
                ),
            )
        )
    result = {
        "model_sha256": sha256(model),
        "dft_sha256": sha256(dft_forces),
        "lah10_version": lah10.__version__,
        "displacement": DISPLACEMENT,
        "atoms": len(crystals[0][0]),
        "pressures": rows,
    }
    write_json(table_path, result)
    return result, curves
