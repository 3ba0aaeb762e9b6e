"""Structures to labels: energies, forces and stresses by GPAW, one structure a process.

A structure is known by its content (`Structure.name`), so that a label stays with its structure
when files are renamed, sorted or added to. A label is one extended XYZ file, which any reader of
this project's data set reads: the free energy (eV), which is what the forces derive from, forces
(eV/Å) and stress (eV/Å3, ASE's sign), and how they came about. A calculation that did not converge
leaves such a file too, with its reason and without numbers: it is not tried again unless the
settings change or the file is removed.

Nothing here imports GPAW but `run_gpaw`: all else works, and is tested, without it.
"""

import functools
import hashlib
import io
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TextIO

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator

from lah10 import ELEMENTS
from lah10.config.training import Gpaw
from lah10.crystal.structures import check_sites, make_right_handed, read_frames
from lah10.errors import UserError
from lah10.io.files import atomic_path
from lah10.potential.data import dataset, systems
from lah10.potential.data.dataset import System

#: Files that are taken from a folder of structures; others may lie there.
SUFFIXES = (".xyz", ".extxyz", ".cif", ".vasp", ".traj")
PREFIXES = ("POSCAR", "CONTCAR")
#: Decimal places, in Å, to which structures are told apart; formats that round may still differ.
PLACES = 6
LABELLED, FAILED = "labelled", "failed"
#: Å; coordinates in a label's file are rounded to 1e-8.
SAME = 1e-6

logger = logging.getLogger(__name__)


class CalculationFailed(Exception):
    """A calculation that came to no result; its text says why."""


@dataclass(frozen=True)
class Structure:
    """A structure to label.

    Attributes
    ----------
    name : str
        Formula and digest of the content, such as "La1H10-0f3a5c7e9b1d".
    atoms : ase.Atoms
        Sorted by element, in the order of `lah10.ELEMENTS`; Å.
    origin : str
        "<file> frame <i>", counted from 0.
    """

    name: str
    atoms: Atoms
    origin: str

    @property
    def n_atoms(self) -> int:
        return len(self.atoms)


@dataclass(frozen=True)
class Label:
    """What became of a structure.

    Attributes
    ----------
    atoms : ase.Atoms
        The structure; with energy (eV), forces (eV/Å) and stress (eV/Å3) if it was labelled.
    origin : str
        Where the structure came from.
    settings : Gpaw
        How it was labelled.
    versions : dict
        Of the packages that labelled it.
    reason : str or None
        Why there is no label, or None if there is one.
    """

    atoms: Atoms
    origin: str
    settings: Gpaw
    versions: dict[str, str]
    reason: str | None


def read_structures(path: str | os.PathLike) -> dict[str, Structure]:
    """Structures in a file (any format of ASE's), or in the files of a folder, by their names.

    The same structure twice is one. In a folder, files named *.xyz, *.extxyz, *.cif, *.vasp,
    *.traj, POSCAR* and CONTCAR* are read. Labels that they may have are not looked at.

    Raises
    ------
    UserError
        A file cannot be read, or a frame is no periodic crystal of La and H; both are named.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(
            file
            for file in path.rglob("*")
            if file.is_file() and (file.suffix in SUFFIXES or file.name.startswith(PREFIXES))
        )
        if not files:
            raise UserError(
                f"{path}: no structures there; files named {', '.join(f'*{s}' for s in SUFFIXES)}, "
                "POSCAR* or CONTCAR* are allowed"
            )
    elif path.is_file():
        files = [path]
    else:
        raise UserError(f"{path}: no such file or folder; give a file or a folder of structures")
    found: dict[str, Structure] = {}
    for file in files:
        for i, atoms in enumerate(_frames(file)):
            structure = _structure(atoms, f"{file} frame {i}")
            found.setdefault(structure.name, structure)
    return found


def _frames(file: Path) -> list[Atoms]:
    if file.suffix in (".xyz", ".extxyz"):
        return dataset.whole_frames(file)
    return read_frames(file)


def _structure(atoms: Atoms, where: str) -> Structure:
    """One checked structure."""
    symbols = atoms.get_chemical_symbols()
    if unknown := sorted(set(symbols) - set(ELEMENTS)):
        raise UserError(f"{where}: element {', '.join(unknown)}; {', '.join(ELEMENTS)} are allowed")
    if not symbols:
        raise UserError(f"{where}: no atoms; remove the frame")
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise UserError(f"{where}: coordinates with NaN or infinite numbers; remove the frame")
    if not atoms.pbc.all() or not atoms.cell.volume > 0:
        raise UserError(f"{where}: not periodic in all directions; a cell is needed")
    check_sites(atoms, where)
    atoms = make_right_handed(atoms)
    order = np.argsort([ELEMENTS.index(s) for s in symbols], kind="stable")
    plain = Atoms(
        [symbols[i] for i in order], atoms.positions[order], cell=atoms.cell.array, pbc=True
    )
    dataset.check_geometry(_system(plain, where))
    return Structure(_name(plain), plain, where)


def _system(atoms: Atoms, where: str, labels: tuple | None = None) -> System:
    """One frame; without labels they are NaN."""
    n = len(atoms)
    energy, forces, stress = labels or (np.nan, np.full((n, 3), np.nan), np.full((3, 3), np.nan))
    return System(
        name=where,
        types=np.array([ELEMENTS.index(s) for s in atoms.symbols]),
        boxes=atoms.cell.array[None],
        coordinates=atoms.positions[None],
        energies=np.array([energy], float),
        forces=np.asarray(forces, float)[None],
        virials=-np.asarray(stress, float)[None] * atoms.get_volume(),
        frames=(where,),
    )


def _name(atoms: Atoms) -> str:
    symbols = atoms.get_chemical_symbols()
    formula = "".join(f"{e}{symbols.count(e)}" for e in ELEMENTS if e in symbols)
    numbers = np.concatenate([atoms.cell.array.ravel(), atoms.positions.ravel()])
    rounded = np.round(numbers, PLACES) + 0.0  # + 0 turns -0 into 0
    return f"{formula}-{hashlib.sha256(rounded.tobytes()).hexdigest()[:12]}"


# ----------------------------------------------------------------------------- labelling


def label(
    structure: Structure,
    settings: Gpaw,
    path: str | os.PathLike,
    text: TextIO | None = None,
    calculate: Callable[..., tuple[float, np.ndarray, np.ndarray]] | None = None,
) -> Label:
    """Label one structure and write the result, or that there is none, to `path`.

    A result that is there is left alone if it is of this structure and these settings; of other
    settings, it is replaced.

    Parameters
    ----------
    text : file, optional
        Where GPAW reports its progress; nowhere by default.
    calculate : callable, optional
        In place of `run_gpaw`.

    Raises
    ------
    UserError
        GPAW is not installed, or `path` holds another structure.
    """
    path = Path(path)
    if path.exists():
        there = read(path)
        if not _same(there.atoms, structure.atoms):
            raise UserError(f"{path}: the label of another structure; remove it, or name another")
        if there.settings == settings:
            return there
        logger.info("%s: labelled with %s; again", path, _difference(there.settings, settings))
    started = time.monotonic()
    reason = labels = None
    try:
        labels = (calculate or run_gpaw)(structure.atoms, settings, text)
        dataset.check(_system(structure.atoms, structure.origin, labels))
    except CalculationFailed as error:
        reason = str(error)
    except UserError as error:
        if labels is None:
            raise
        # The calculation came to an end, but not to LaH10.
        reason = str(error).removeprefix(f"{structure.origin}: ")
    _write(path, structure, settings, labels if reason is None else None, reason, started)
    if reason is not None:
        logger.warning("%s: no label: %s", structure.origin, reason)
    return read(path)


def label_all(
    structures: str | os.PathLike,
    settings: Gpaw,
    folder: str | os.PathLike,
    output: str | os.PathLike,
    text: TextIO | None = None,
) -> None:
    """Label the structures of a file with GPAW, one after the other, into one file of their order.

    Parameters
    ----------
    folder : path
        Keeps each label as it is made; those of these settings are not made again.
    text : file, optional
        Where GPAW reports its progress.

    Raises
    ------
    UserError
        GPAW is not installed, or a structure has no label.
    """
    frames = []
    for name, structure in read_structures(structures).items():
        one = label(structure, settings, Path(folder, f"{name}.xyz"), text)
        if one.reason is not None:
            raise UserError(f"{one.origin}: no label: {one.reason}")
        frames.append(one.atoms)
    with atomic_path(output) as aside:
        ase.io.write(aside, frames, format="extxyz")


def _write(path, structure, settings, labels, reason, started) -> None:
    atoms = structure.atoms.copy()
    atoms.info = {
        "status": LABELLED if reason is None else FAILED,
        "origin": structure.origin,
        "settings": settings.model_dump_json(),
        "versions": versions(),
        "seconds": round(time.monotonic() - started, 1),
    }
    if reason is None:
        energy, forces, stress = labels
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces, stress=stress)
    else:
        atoms.info["reason"] = " ".join(reason.split())
    content = io.StringIO()
    ase.io.write(content, atoms, format="extxyz")
    with atomic_path(path) as aside:
        aside.write_text(content.getvalue(), encoding="utf-8")


def read(path: str | os.PathLike) -> Label:
    """The label in the file that `label` wrote.

    Raises
    ------
    UserError
        The file is absent, cut short, or none that `label` wrote.
    """
    frames = dataset.whole_frames(Path(path))
    info = frames[0].info
    try:
        if len(frames) != 1 or info["status"] not in (LABELLED, FAILED):
            raise ValueError
        return Label(
            atoms=frames[0],
            origin=str(info["origin"]),
            settings=Gpaw.model_validate_json(info["settings"]),
            versions=dict(info["versions"]),
            reason=str(info["reason"]) if info["status"] == FAILED else None,
        )
    except (KeyError, TypeError, ValueError):  # pydantic's errors are ValueErrors
        raise UserError(
            f"{path}: not a label of this version of the workflow; remove it, and it is made again"
        ) from None


def _same(one: Atoms, other: Atoms) -> bool:
    return (
        one.get_chemical_symbols() == other.get_chemical_symbols()
        and np.allclose(one.cell.array, other.cell.array, rtol=0, atol=SAME)
        and np.allclose(one.positions, other.positions, rtol=0, atol=SAME)
    )


def _difference(old: Gpaw, new: Gpaw) -> str:
    before, after = old.model_dump(), new.model_dump()
    return ", ".join(
        f"{key} {before[key]} (now {after[key]})" for key in after if before[key] != after[key]
    )


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what labels, as far as they are installed."""
    found = {}
    for package in ("gpaw", "gpaw-data", "ase", "numpy"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            pass
    return found


def run_gpaw(
    atoms: Atoms, settings: Gpaw, text: TextIO | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Free energy (eV), forces (n, 3) (eV/Å) and stress (3, 3) (eV/Å3, ASE's sign) by GPAW.

    GPAW keeps some 250 MB of every calculation: call this once a process.

    Raises
    ------
    CalculationFailed
        The self-consistent field did not converge.
    UserError
        GPAW or its data sets are not installed.
    """
    try:
        from gpaw import GPAW, PW, ConvergenceError
    except ImportError as error:
        raise UserError(
            f"GPAW cannot be imported by {sys.executable} ({error}), and labelling needs it; "
            "install it with `make dft`, or let Snakemake do so with --sdm conda"
        ) from None
    occupations = {"name": settings.smearing, "width": settings.smearing_width}
    if settings.smearing == "methfessel-paxton":
        occupations["order"] = 1
    crystal = atoms.copy()
    try:
        crystal.calc = GPAW(
            mode=PW(settings.cutoff),
            xc=settings.xc,
            kpts={"density": settings.kpoint_density, "gamma": True},
            occupations=occupations,
            convergence={
                "energy": settings.energy_tolerance,
                "density": settings.density_tolerance,
            },
            maxiter=settings.iterations,
            txt=text,
        )
        energy = crystal.get_potential_energy(force_consistent=True)
        forces, stress = crystal.get_forces(), crystal.get_stress(voigt=False)
    except FileNotFoundError as error:
        raise UserError(
            f"GPAW does not find its data sets ({str(error).splitlines()[0]}); install gpaw-data, "
            "as `make dft` does, or set GPAW_SETUP_PATH"
        ) from None
    except ConvergenceError as error:
        told = f": {error}" if str(error) else ""
        raise CalculationFailed(
            f"not converged within {settings.iterations} iterations ({type(error).__name__}{told})"
        ) from None
    except Exception as error:
        # Whatever a density that diverged makes of the numbers: the other structures go on.
        told = f": {error}" if str(error) else ""
        raise CalculationFailed(f"GPAW failed ({type(error).__name__}{told})") from None
    return energy, forces, stress


# -------------------------------------------------------------------------------- gathering


def gather(
    files: Sequence[str | os.PathLike], settings: Gpaw, destination: str | os.PathLike
) -> dict[str, int]:
    """DeePMD systems, one a composition, from the files that `label` wrote.

    What failed is left out, and listed in `systems.LEFT_OUT`.

    Returns
    -------
    dict
        Number of frames of each system by its name.

    Raises
    ------
    UserError
        A file cannot be read or is of other settings, or all calculations failed.
    """
    import dpdata

    labelled, left_out, seen = [], [], set()
    for file in files:
        one = read(file)
        if one.settings != settings:
            raise UserError(
                f"{file}: labelled with {_difference(one.settings, settings)}; remove the file, "
                "and it is labelled again"
            )
        where = f"{file} ({one.origin})"
        if one.reason is not None:
            left_out.append(f"{where}: {one.reason}")
            continue
        try:
            frame = dpdata.LabeledSystem(one.atoms, fmt="ase/structure")
        except (PropertyNotImplementedError, RuntimeError):
            raise UserError(f"{file}: no numbers there; remove it, and it is made again") from None
        labelled.append((frame, [where]))
        seen.add(one.versions.get("gpaw"))
    if len(seen) > 1:
        logger.warning("labels of several versions of GPAW: %s", ", ".join(map(str, seen)))
    if not labelled:
        raise UserError(
            f"all {len(left_out)} calculations failed, so there is nothing to train on; the first: "
            f"{left_out[0]}"
            if left_out
            else "no labels to gather; label some structures first"
        )
    return systems.publish(labelled, destination, left_out)


def collect(
    structures: str | os.PathLike,
    folder: str | os.PathLike,
    path: str | os.PathLike,
    about: dict[str, str | int | float] | None = None,
) -> int:
    """Add the labelled ones of the structures of a file to an extended XYZ file of a data set.

    Frames that stand there already stay, and the same structure is not added twice; what failed is
    left out. What the structures' own file says of them (`info`) is kept.

    Parameters
    ----------
    structures : path
        Extended XYZ, as it was labelled.
    folder : path
        With the labels (`label`) of all of them, each named after its structure.
    path : path
        Extended XYZ file that is added to, or made; not touched where nothing is to be added.
    about : dict, optional
        Said of each new frame beside.

    Returns
    -------
    int
        Number of frames added.

    Raises
    ------
    UserError
        A file cannot be read or a label is missing.
    """
    path = Path(path)
    frames = dataset.whole_frames(path) if path.exists() else []
    there = {_structure(atoms, f"{path} frame {i}").name for i, atoms in enumerate(frames)}
    before = len(frames)
    for i, atoms in enumerate(dataset.whole_frames(Path(structures))):
        structure = _structure(atoms, f"{structures} frame {i}")
        found = read(Path(folder, f"{structure.name}.xyz"))
        if found.reason is not None or structure.name in there:
            continue
        there.add(structure.name)
        frame = found.atoms
        frame.info = atoms.info | (about or {})
        frames.append(frame)
    added = len(frames) - before
    if added:
        with atomic_path(path) as aside:
            ase.io.write(aside, frames, format="extxyz")
    return added
