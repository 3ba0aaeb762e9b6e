"""OUTCAR and vasprun.xml of VASP, read by dpdata's parsers, frame by frame.

Both readers return what `dft_outputs` makes a system of:

data : dict
    atom_names, atom_types (n,), cells (f, 3, 3) and coords (f, n, 3) in Å, energies (f,) in eV,
    forces (f, n, 3) in eV/Å and virials (f, 3, 3) in eV, or None where there is no stress.
numbers : list of int
    The file's number of each of these frames, from 0.
reasons : dict of int to str
    Why frames of these numbers are left out.
"""

import logging
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lah10.errors import UserError
from lah10.potential.data import from_dpdata
from lah10.units import EV_PER_A3_IN_KBAR

OUTCAR, VASPRUN = "OUTCAR of VASP", "vasprun.xml"
#: What VASP writes last, and after every ionic step.
VASP_END = "General timing and accounting"
VASP_STEP = "free  energy   TOTEN"
#: What stands before an ionic step's forces, cell and stress in an OUTCAR.
VASP_FORCES, VASP_CELL = "TOTAL-FORCE", "VOLUME and BASIS"
VASP_STRESS = "FORCE on cell =-STRESS in cart. coord.  units"
NO_FORCES = "no forces or no cell were written (NWRITE = 0)"
#: eV/atom by which the energies of an ionic and of its last electronic step may differ: rounding.
ENERGY_TOLERANCE = 1e-4

logger = logging.getLogger(__name__)


def _parse(parser: Callable, path: Path, **options) -> tuple[tuple, list[str]]:
    """What a parser of dpdata returns, and the warnings it gave."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        found = parser(str(path), convergence_check=False, **options)
    return found, [str(one.message) for one in given if one.category is UserWarning]


def read_outcar(path: Path) -> tuple:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    ends = [i for i, line in enumerate(lines) if VASP_STEP in line]
    after = lines[ends[-1] + 1 :] if ends else lines
    if not any(VASP_END in line for line in after):
        count = len(ends)
        if not count:
            raise UserError(
                f"{path} frame 0: cut short before its energy was written; run VASP again"
            )
        if any("Iteration" in line for line in after):
            raise UserError(
                f"{path} frame {count}: cut short; run VASP to its end, or keep the whole frames: "
                f"head -n {ends[-1] + 1} {path} > OUTCAR.whole"
            )
        logger.warning("%s: ends after frame %d, without VASP's closing lines", path, count - 1)

    from dpdata.formats.vasp import outcar

    def read(**options: int):
        return _parse(outcar.get_frames, path, **options)

    try:
        (names, _, types, cells, coords, energies, forces, stress), given = read()
    except Exception as error:
        frame, error = _first_bad(read, len(ends), error)
        raise from_dpdata.unreadable(path, OUTCAR, error, frame) from None
    starts = [0, *(end + 1 for end in ends[:-1])]
    steps = [lines[start:end] for start, end in zip(starts, ends, strict=True)]
    reasons: dict[int, str] = {}
    for warning in given:
        # dpdata counts from 1.
        if match := re.search(r"unconverged: \[([\d, ]+)\]", warning):
            reasons |= {
                int(number) - 1: from_dpdata.NOT_CONVERGED for number in match[1].split(",")
            }
        elif match := re.search(r"(?:incomplete labels|no energy found) in frame (\d+)", warning):
            reason = warning.partition(": ")[2] or "no energy"
            raise UserError(
                f"{path} frame {int(match[1]) - 1}: forces or energy cannot be read ({reason}); "
                "run VASP again, or cut the frame out"
            )
        elif "cannot find labels" not in warning:
            logger.warning("%s: %s", path, warning)
    # With NWRITE = 0 VASP writes the forces of some steps alone. dpdata skips the others, so that
    # what it returns is numbered by the steps that have them.
    numbers = []
    for i, step in enumerate(steps):
        if all(_contains(step, words) for words in (VASP_FORCES, VASP_CELL)):
            numbers.append(i)
        else:
            reasons.setdefault(i, NO_FORCES)
    with_stress = [i for i in numbers if _contains(steps[i], VASP_STRESS)]
    if with_stress and len(with_stress) < len(numbers):
        first = min(set(numbers) - set(with_stress))
        raise from_dpdata.no_stress(f"{path} frame {first}")
    data = _vasp_data(names, types, cells, coords, energies, forces, stress)
    return data, numbers, reasons


def _contains(lines: Sequence[str], words: str) -> bool:
    return any(words in line for line in lines)


def _vasp_data(names, types, cells, coords, energies, forces, stress) -> dict:
    """The arrays of a system; `stress` (f, 3, 3) is in kbar, positive when compressed."""
    virials = None
    if stress is not None and len(stress):
        volumes = np.abs(np.linalg.det(cells))
        virials = np.asarray(stress) / EV_PER_A3_IN_KBAR * volumes[:, None, None]
    return {
        "atom_names": list(names),
        "atom_types": types,
        "cells": cells,
        "coords": coords,
        "energies": energies,
        "forces": forces,
        "virials": virials,
    }


def _first_bad(read: Callable, count: int, error: Exception) -> tuple[int | None, Exception]:
    """The first frame that cannot be read by itself, and why; None if the file is at fault."""

    def alone(frame: int) -> Exception | None:
        try:
            read(begin=frame, step=count + 1)
        except Exception as own:
            return own
        return None

    for frame in range(count):
        if (own := alone(frame)) is not None:
            # What every frame needs, such as the list of elements, is no single frame's fault.
            if frame == 0 and count > 1 and str(alone(1)) == str(own):
                return None, own
            return frame, own
    return None, error


def read_vasprun(path: Path) -> tuple:
    from dpdata.formats.vasp import xml

    steps: list[_IonicStep] = []
    settings: dict[str, str] = {}
    try:
        for _, element in ET.iterparse(path):
            if element.tag == "parameters":
                # A later section, on response functions, has an NELM of its own: the first counts.
                for one in element.iter("i"):
                    settings.setdefault(one.get("name"), (one.text or "").strip())
            elif element.tag == "calculation":
                steps.append(_ionic_step(element))
    except ET.ParseError as error:
        raise UserError(
            f"{path} frame {len(steps)}: cut short, or no XML ({error}); run VASP to its end, or "
            "use its OUTCAR"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise from_dpdata.unreadable(path, VASPRUN, error, len(steps)) from None
    try:
        limit = int(settings["NELM"]) if "NELM" in settings else None
        pressure = float(settings.get("PSTRESS", 0))
        found, given = _parse(xml.analyze, path, type_idx_zero=True)
    except Exception as error:
        raise from_dpdata.unreadable(path, VASPRUN, error, _incomplete(path)) from None
    names, types, cells, fractional, _, forces, stress = found
    for warning in given:
        logger.warning("%s: %s", path, warning)
    if 0 < len(stress) < len(cells):
        raise from_dpdata.no_stress(f"{path} frame {_incomplete(path)}")
    dispersion = settings.get("IVDW", "0") not in ("", "0") or settings.get("LUSE_VDW") == "T"
    work = pressure / EV_PER_A3_IN_KBAR * np.abs(np.linalg.det(cells))
    energies = np.array(
        [
            _energy(f"{path} frame {i}", step, float(work[i]), len(types), dispersion)
            for i, step in enumerate(steps)
        ]
    )
    data = _vasp_data(names, types, cells, fractional @ cells, energies, forces, stress)
    reasons = {
        i: from_dpdata.NOT_CONVERGED
        for i, step in enumerate(steps)
        if limit is not None and step.iterations >= limit
    }
    return data, list(range(len(steps))), reasons


@dataclass(frozen=True)
class _IonicStep:
    """Free energies in eV, None where they are not written, and the number of electronic steps."""

    ionic: float | None
    electronic: float | None
    iterations: int


def _ionic_step(calculation: ET.Element) -> _IonicStep:
    electronic = calculation.findall(".//scstep")
    return _IonicStep(
        _free_energy(calculation),
        _free_energy(electronic[-1]) if electronic else None,
        len(electronic),
    )


def _free_energy(element: ET.Element) -> float | None:
    found = element.find("energy/i[@name='e_fr_energy']")
    return None if found is None else float(found.text)


def _energy(where: str, step: _IonicStep, work: float, n_atoms: int, dispersion: bool) -> float:
    """The free energy of one ionic step, without PV, eV.

    With PSTRESS, VASP writes E + PV as the energy of an ionic step of vasprun.xml; its last
    electronic step has E. That lacks corrections which are added afterwards, such as DFT-D.

    Parameters
    ----------
    work : float
        PSTRESS times the volume, eV.
    dispersion : bool
        Whether a correction is added to the energy of the electrons.

    Raises
    ------
    UserError
        The two energies differ by what cannot be told apart.
    """
    ionic, electronic = step.ionic, step.electronic
    same = ENERGY_TOLERANCE * n_atoms
    if electronic is None and work == 0:
        return ionic
    if electronic is not None:
        if abs(ionic - electronic) <= same or abs(ionic - electronic - work) <= same:
            return ionic if work == 0 else electronic
        if dispersion and work == 0:
            return ionic
        difference = f"the energy lies {ionic - electronic:.4g} eV above its last electronic step's"
    else:
        difference = "the energy of its last electronic step is missing"
    reason = f", and PSTRESS times volume is {work:.4g} eV" if work else ""
    raise UserError(f"{where}: {difference}{reason}; use the OUTCAR of this run in its place")


def _incomplete(path: Path) -> int | None:
    """The first frame of a vasprun.xml that lacks energy, forces or stress."""
    count = 0
    for _, element in ET.iterparse(path):
        if element.tag == "calculation":
            names = {one.get("name") for one in element.findall("varray")}
            if element.find("energy") is None or not {"forces", "stress"} <= names:
                return count
            count += 1
    return None
