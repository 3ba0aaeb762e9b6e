"""Outputs of VASP (read by dpdata's parsers) and Quantum ESPRESSO (`pwscf`) to DeePMD systems.

dpdata takes what it finds: frames that are cut off or did not converge go missing with a warning,
or a traceback ends everything. Here each of them is named, by file and frame (counted from 0): an
output that is cut short is refused, a frame that did not converge is left out and listed.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from lah10.crystal.structures import right_handed
from lah10.errors import UserError
from lah10.potential.data import from_dpdata, pwscf, vasp

PWSCF = "output of pw.x"
EXPECTED = "expected OUTCAR* or vasprun*.xml of VASP, or *.out of Quantum ESPRESSO's pw.x"
#: Bytes at the start of a file by which pw.x is known.
HEAD = 4096


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
    data, numbers, reasons = _reader(path)(path)
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


def _reader(path: Path) -> Callable[[Path], tuple]:
    """What reads a file of this name, or else with this start."""
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
        return vasp.read_vasprun
    if b"Program PWSCF" in head:
        return _read_pwscf
    if path.name.startswith("OUTCAR") or b"vasp." in head[:200]:
        return vasp.read_outcar
    raise UserError(f"{path}: neither of VASP nor of pw.x; {EXPECTED}")


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
        raise from_dpdata.unreadable(path, PWSCF, error, 0) from None
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
    return data, [0], {} if frame.converged else {0: from_dpdata.NOT_CONVERGED}
