"""Outputs of VASP (read by dpdata's parsers) and Quantum ESPRESSO (`pwscf`) to DeePMD systems.

dpdata takes what it finds: frames that are cut off or did not converge go missing with a warning,
or a traceback ends everything. Here each of them is named, by file and frame (counted from 0): an
output that is cut short is refused, a frame that did not converge is left out and listed.
"""

import logging
import os
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lah10.crystal.structures import right_handed
from lah10.errors import UserError
from lah10.potential.data import from_dpdata, pwscf
from lah10.units import EV_PER_A3_IN_KBAR

#: How dpdata calls the formats, and what they are to a person.
OUTCAR, VASPRUN, PWSCF = "vasp/outcar", "vasp/xml", "qe/pw/scf"
TITLES = {OUTCAR: "OUTCAR of VASP", VASPRUN: "vasprun.xml", PWSCF: "output of pw.x"}
EXPECTED = "expected OUTCAR* or vasprun*.xml of VASP, or *.out of Quantum ESPRESSO's pw.x"
#: What VASP writes last, and after every ionic step.
VASP_END = "General timing and accounting"
VASP_STEP = "free  energy   TOTEN"
#: Bytes at the start of a file by which pw.x is known.
HEAD = 4096
#: What stands before an ionic step's forces, cell and stress in an OUTCAR.
VASP_FORCES, VASP_CELL = "TOTAL-FORCE", "VOLUME and BASIS"
VASP_STRESS = "FORCE on cell =-STRESS in cart. coord.  units"
NOT_CONVERGED = "the self-consistent field did not converge"
NO_FORCES = "no forces or no cell were written (NWRITE = 0)"
#: eV/atom by which the energies of an ionic and of its last electronic step may differ: rounding.
ENERGY_TOLERANCE = 1e-4

logger = logging.getLogger(__name__)


def find_outputs(path: str | os.PathLike) -> list[Path]:
    """The outputs at `path`: the file itself, or those in a folder and the folders below.

    Of a calculation with both OUTCAR and vasprun.xml the OUTCAR is taken, so that its frames do
    not count twice.

    Raises
    ------
    UserError
        Nothing is there.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(f"{path}: no such file or folder; {EXPECTED}")
    files = sorted(file for file in path.rglob("*") if file.is_file())
    outcars = [file for file in files if file.name.startswith("OUTCAR")]
    folders = {file.parent for file in outcars}
    found = outcars + [
        file
        for file in files
        if (file.match("*vasprun*.xml") and file.parent not in folders)
        or (file.suffix == ".out" and _is_pwscf(file))
    ]
    if not found:
        raise UserError(f"{path}: no outputs there; {EXPECTED}")
    return sorted(found)


def _is_pwscf(file: Path) -> bool:
    with open(file, "rb") as handle:
        return b"Program PWSCF" in handle.read(HEAD)


def convert(files: Sequence[str | os.PathLike], destination: str | os.PathLike) -> dict[str, int]:
    """Read outputs and write them as DeePMD systems, one a composition, into `destination`.

    Frames that did not converge, or that VASP wrote without forces, are left out and listed in
    `from_dpdata.LEFT_OUT`.

    Returns
    -------
    dict
        Number of frames of each system by its name.

    Raises
    ------
    UserError
        A file that cannot be read or is cut short, or a frame with other elements, without stress,
        with NaN, or that cannot be LaH10; file and frame are named.
    """
    labelled, left_out = [], []
    for file in files:
        frames, origins, without = read_output(file)
        left_out += [f"{where}: {reason}" for where, reason in without.items()]
        if origins:
            labelled.append((frames, origins))
    if not labelled:
        raise UserError(f"{left_out[0]}, nor did any other frame; nothing is left to convert")
    return from_dpdata.publish(labelled, destination, left_out)


def read_output(path: str | os.PathLike) -> tuple:
    """Frames of one output, and where each came from.

    Cells are made right-handed; all else is Cartesian, in the orientation of the output.

    Returns
    -------
    frames : dpdata.LabeledSystem
        Those that can be used: Å, eV, eV/Å, virial in eV, positive when compressed.
    origins : list of str
        "<file> frame <i>" of each, as the file counts its ionic steps, from 0.
    left_out : dict of str
        The same of the others, with the reason.

    Raises
    ------
    UserError
        The file cannot be read, is cut short or holds no frame.
    """
    path = Path(path)
    kind = _kind(path)
    data, numbers, reasons = {
        OUTCAR: _read_outcar,
        VASPRUN: _read_vasprun,
        PWSCF: _read_pwscf,
    }[kind](path)
    if not numbers and not reasons:
        raise UserError(f"{path}: no frame with energy and forces; remove it or run it again")
    frames = _labelled_system(data)
    if len(frames) != len(numbers):
        raise UserError(
            f"{path}: {len(frames)} frames with labels where {len(numbers)} were counted; their "
            "numbers are uncertain. Use the other output of the same run"
        )
    good = [i for i, number in enumerate(numbers) if number not in reasons]
    return (
        frames.sub_system(good),
        [f"{path} frame {numbers[i]}" for i in good],
        {f"{path} frame {number}": reasons[number] for number in sorted(reasons)},
    )


def _labelled_system(data: dict):
    """What a parser found, as dpdata's system.

    Parameters
    ----------
    data : dict
        atom_names, atom_types (n,), cells (f, 3, 3) and coords (f, n, 3) in Å, energies (f,) in eV,
        forces (f, n, 3) in eV/Å and, unless None, virials (f, 3, 3) in eV.

    dpdata's own conversions are passed by: they turn every frame, and stop at a left-handed cell.
    """
    import dpdata
    from dpdata.utils import uniq_atom_names

    types = np.asarray(data["atom_types"], int)
    full = {
        **data,
        "atom_types": types,
        "atom_numbs": [int((types == i).sum()) for i in range(len(data["atom_names"]))],
        "cells": right_handed(data["cells"]),
        "orig": np.zeros(3),
    }
    if full["virials"] is None:
        del full["virials"]
    return dpdata.LabeledSystem(data=uniq_atom_names(full))


def _kind(path: Path) -> str:
    """Format of a file, by its name, or else by its start."""
    try:
        with open(path, "rb") as handle:
            head = handle.read(HEAD)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if not head.strip():
        raise UserError(f"{path}: empty; remove it or run the calculation again")
    if b"\0" in head or head.startswith(b"\x1f\x8b"):
        raise UserError(f"{path}: no text; unpack it if it is packed; {EXPECTED}")
    if b"<modeling>" in head or path.suffix == ".xml":
        return VASPRUN
    if b"Program PWSCF" in head:
        return PWSCF
    if path.name.startswith("OUTCAR") or b"vasp." in head[:200]:
        return OUTCAR
    raise UserError(f"{path}: neither of VASP nor of pw.x; {EXPECTED}")


def _parse(parser: Callable, path: Path, **options) -> tuple[tuple, list[str]]:
    """What a parser of dpdata returns, and the warnings it gave."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        found = parser(str(path), convergence_check=False, **options)
    return found, [str(one.message) for one in given if one.category is UserWarning]


def _unreadable(path: Path, kind: str, error: Exception, frame: int | None = None) -> UserError:
    # dpdata's parsers raise whatever they stumble on, also without a message.
    reason = " ".join(str(error).split()) or type(error).__name__
    where = f"{path}" if frame is None else f"{path} frame {frame}"
    return UserError(f"{where}: cannot be read as {TITLES[kind]} ({reason})")


def _read_outcar(path: Path) -> tuple:
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
        raise _unreadable(path, OUTCAR, error, frame) from None
    starts = [0, *(end + 1 for end in ends[:-1])]
    steps = [lines[start:end] for start, end in zip(starts, ends, strict=True)]
    reasons: dict[int, str] = {}
    for warning in given:
        # dpdata counts from 1.
        if match := re.search(r"unconverged: \[([\d, ]+)\]", warning):
            reasons |= {int(number) - 1: NOT_CONVERGED for number in match[1].split(",")}
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
    """The arrays of `_labelled_system`; `stress` (f, 3, 3) is in kbar, positive when compressed."""
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


def _read_vasprun(path: Path) -> tuple:
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
        raise _unreadable(path, VASPRUN, error, len(steps)) from None
    try:
        limit = int(settings["NELM"]) if "NELM" in settings else None
        pressure = float(settings.get("PSTRESS", 0))
        found, given = _parse(xml.analyze, path, type_idx_zero=True)
    except Exception as error:
        raise _unreadable(path, VASPRUN, error, _incomplete(path)) from None
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
        i: NOT_CONVERGED
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


def _read_pwscf(path: Path) -> tuple:
    text = path.read_text(encoding="utf-8", errors="replace")
    if "JOB DONE" not in text:
        raise UserError(f"{path} frame 0: cut short, or pw.x failed; run it to its end")
    if (count := text.count("Forces acting on atoms")) != 1:
        raise UserError(
            f"{path}: expected one frame with forces (calculation = 'scf' with tprnfor = .true. "
            f"and tstress = .true.), not a run of several structures, got {count}"
        )
    inputs = [path.with_suffix(suffix) for suffix in (".in", ".pwi")]
    there = [file for file in inputs if file.is_file()]
    if not there:
        raise UserError(
            f"{path}: the input of pw.x is not beside it; {inputs[0].name} is needed, as the "
            "structure is read from there"
        )
    try:
        frame = pwscf.read(path, there[0])
    except (ValueError, IndexError) as error:
        raise _unreadable(path, PWSCF, error, 0) from None
    names = list(dict.fromkeys(frame.symbols))
    data = {
        "atom_names": names,
        "atom_types": [names.index(symbol) for symbol in frame.symbols],
        "cells": frame.cell[None],
        "coords": frame.positions[None],
        "energies": np.array([frame.energy]),
        "forces": frame.forces[None],
        "virials": None if frame.virial is None else frame.virial[None],
    }
    return data, [0], {} if frame.converged else {0: NOT_CONVERGED}
