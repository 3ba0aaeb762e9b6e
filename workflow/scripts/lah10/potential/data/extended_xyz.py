"""Labelled frames of extended XYZ files: read and check."""

import io
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from lah10 import ELEMENTS
from lah10.crystal.structures import check_sites, make_right_handed, refuse_isotope
from lah10.errors import UserError
from lah10.potential.data.plausibility import check
from lah10.potential.data.systems import System

#: Share of its largest component by which a virial may differ from the one of the stress: rounding.
SAME_VIRIAL = 0.01


def read_extxyz(path: str | os.PathLike, name: str) -> list[System]:
    """Frames of an extended XYZ file with energy, forces and stress, one system a composition.

    ASE's units and signs are expected: eV, Å, eV/Å, stress in eV/Å3, negative when compressed.
    Within a frame, atoms are sorted by element.

    Raises
    ------
    UserError
        The file is cut short or a frame lacks a label; file and frame are named.
    """
    frames = whole_frames(Path(path))
    return to_systems([(f"{path} frame {i}", atoms) for i, atoms in enumerate(frames)], name)


def to_systems(
    frames: Sequence[tuple[str, Atoms]], name: str, thermal: bool = True
) -> list[System]:
    """`read_extxyz` of frames that are read: where each came from, and its atoms.

    thermal : as in `plausibility.check`.
    """
    by_composition: dict[tuple[int, ...], list[tuple[Atoms, np.ndarray, str]]] = {}
    for where, atoms in frames:
        symbols = atoms.get_chemical_symbols()
        if unknown := sorted(set(symbols) - set(ELEMENTS)):
            raise UserError(
                f"{where}: expected elements {', '.join(ELEMENTS)}, got {', '.join(unknown)}"
            )
        if not atoms.pbc.all():
            raise UserError(f"{where}: not periodic in all directions; a Lattice is needed")
        check_sites(atoms, where)
        order = np.argsort([ELEMENTS.index(s) for s in symbols], kind="stable")
        key = tuple(symbols.count(e) for e in ELEMENTS)
        by_composition.setdefault(key, []).append((atoms, order, where))
    systems = []
    for counts, members in by_composition.items():
        labels = [_labels(atoms, where) for atoms, _, where in members]
        orders = [order for _, order, _ in members]
        formula = "".join(f"{e}{n}" for e, n in zip(ELEMENTS, counts, strict=True) if n)
        system = System(
            name=name if len(by_composition) == 1 else f"{name}/{formula}",
            types=np.repeat(np.arange(len(ELEMENTS)), counts),
            boxes=np.array([atoms.cell.array for atoms, _, _ in members]),
            coordinates=np.array([atoms.positions[order] for atoms, order, _ in members]),
            energies=np.array([energy for energy, _, _ in labels]),
            forces=np.array(
                [forces[order] for (_, forces, _), order in zip(labels, orders, strict=True)]
            ),
            virials=np.array([virial for _, _, virial in labels]),
            frames=tuple(where for _, _, where in members),
        )
        check(system, thermal=thermal)
        systems.append(system)
    return systems


def whole_frames(path: Path) -> list[Atoms]:
    """All frames of an extended XYZ file, labelled or not.

    Raises
    ------
    UserError
        The file cannot be read, is empty, or a frame of it is cut short: lines are missing, or the
        end of the last one.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise UserError(f"{path}: cannot be read ({reason})") from None
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    starts = []
    at = 0
    while at < len(lines):
        starts.append(at)
        try:
            count = int(lines[at])
            if count < 0:
                raise ValueError
            at += 2 + count
        except ValueError:
            raise UserError(
                f"{path} frame {len(starts) - 1}: line {at + 1} must be the number of atoms, not "
                f"{lines[at][:40]!r}; a frame before it is cut short?"
            ) from None
        if count == 0:
            raise UserError(f"{path} frame {len(starts) - 1}: no atoms; remove the frame")
    if at > len(lines):
        raise UserError(
            f"{path} frame {len(starts) - 1}: cut short, {at - len(lines)} lines are missing"
        )
    if not starts:
        raise UserError(f"{path}: empty; at least one frame of extended XYZ is needed")
    if not text.endswith("\n"):
        raise UserError(
            f"{path} frame {len(starts) - 1}: cut short? Its last line, {lines[-1][-40:]!r}, does "
            "not end in a newline, so numbers may lack digits; end it if it is whole"
        )
    frames = []
    for i, (start, end) in enumerate(itertools.pairwise([*starts, len(lines)])):
        frame = io.StringIO("\n".join(lines[start:end]) + "\n")
        try:
            frames.append(make_right_handed(ase.io.read(frame, format="extxyz")))
        except Exception as error:  # ASE raises many kinds for a malformed line
            refuse_isotope(error, f"{path} frame {i}")
            raise UserError(f"{path} frame {i}: cannot be read ({error})") from None
    return frames


def _labels(atoms: Atoms, where: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Energy (the free energy where it is given), forces and virial of one frame."""
    try:
        # With smearing, forces and stress are the slopes of the free energy alone.
        consistent = atoms.calc is not None and "free_energy" in atoms.calc.results
        energy = atoms.get_potential_energy(force_consistent=consistent)
        forces = atoms.get_forces(apply_constraint=False)
        stress = atoms.get_stress(voigt=False, apply_constraint=False)
    except (PropertyNotImplementedError, RuntimeError):
        raise UserError(f"{where}: unlabelled; energy, forces and stress are needed") from None
    virial = -stress * atoms.get_volume()
    if "virial" in atoms.info:
        _compare_virials(np.asarray(atoms.info["virial"], float), virial, where)
    return energy, forces, virial


def _compare_virials(given: np.ndarray, virial: np.ndarray, where: str) -> None:
    """Refuse a virial (3, 3), as given, that contradicts the one (eV) of the stress."""
    if not (np.abs(given - virial) <= SAME_VIRIAL * np.abs(virial).max()).all():
        raise UserError(
            f"{where}: virial and stress contradict each other: the trace of the virial is "
            f"{np.trace(given):.4g}, that of -stress times volume {np.trace(virial):.4g} eV; "
            "remove the wrong one (virial in eV, positive when compressed; stress in eV/Å3, "
            "negative when compressed)"
        )
