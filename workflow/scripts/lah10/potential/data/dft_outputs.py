"""Outputs of VASP and Quantum ESPRESSO to DeePMD systems, read by dpdata.

dpdata takes what it finds: frames that are cut off or did not converge go missing with a warning,
or a traceback ends everything. Here each of them is told, by file and frame (counted from 0): an
output that is cut short is refused, a frame that did not converge is left out and listed.
"""

import logging
import os
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from pathlib import Path

from lah10.errors import UserError
from lah10.potential.data import systems

#: How dpdata calls the formats, and what they are to a person.
OUTCAR, VASPRUN, PWSCF = "vasp/outcar", "vasp/xml", "qe/pw/scf"
TITLES = {OUTCAR: "OUTCAR of VASP", VASPRUN: "vasprun.xml", PWSCF: "output of pw.x"}
EXPECTED = "expected OUTCAR* or vasprun*.xml of VASP, or *.out of Quantum ESPRESSO's pw.x"
#: What VASP writes last, and after every ionic step.
VASP_END = "General timing and accounting"
VASP_STEP = "free  energy   TOTEN"
#: Bytes at the start of a file by which pw.x is known.
HEAD = 4096
NOT_CONVERGED = "the self-consistent field did not converge"

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

    Frames that did not converge are left out and listed in `systems.LEFT_OUT`.

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
        frames, origins, not_converged = read_output(file)
        left_out += [f"{where}: {NOT_CONVERGED}" for where in not_converged]
        if origins:
            labelled.append((frames, origins))
    if not labelled:
        raise UserError(f"{left_out[0]}, nor did any other frame; nothing is left to convert")
    return systems.publish(labelled, destination, left_out)


def read_output(path: str | os.PathLike) -> tuple:
    """Frames of one output, and where each came from.

    Returns
    -------
    frames : dpdata.LabeledSystem
        Those that converged: Å, eV, eV/Å, virial in eV, positive when compressed.
    origins : list of str
        "<file> frame <i>" of each.
    not_converged : list of str
        The same of the others.

    Raises
    ------
    UserError
        The file cannot be read, is cut short or holds no frame.
    """
    path = Path(path)
    kind = _kind(path)
    frames, bad = {OUTCAR: _read_outcar, VASPRUN: _read_vasprun, PWSCF: _read_pwscf}[kind](path)
    if len(frames) == 0:
        raise UserError(f"{path}: no frame with energy and forces; remove it or run it again")
    good = [i for i in range(len(frames)) if i not in bad]
    return (
        frames.sub_system(good),
        [f"{path} frame {i}" for i in good],
        [f"{path} frame {i}" for i in sorted(bad)],
    )


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


def _load(path: Path, kind: str, source: str | list[str], **options):
    """What dpdata reads, and the warnings it gave."""
    import dpdata

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        frames = dpdata.LabeledSystem(source, fmt=kind, **options)
    return frames, [str(one.message) for one in said if one.category is UserWarning]


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

    def read(**options: int):
        return _load(path, OUTCAR, str(path), convergence_check=False, **options)

    try:
        frames, said = read()
    except Exception as error:
        frame, error = _first_bad(read, len(ends), error)
        raise _unreadable(path, OUTCAR, error, frame) from None
    bad: set[int] = set()
    for warning in said:
        # dpdata counts from 1.
        if match := re.search(r"unconverged: \[([\d, ]+)\]", warning):
            bad |= {int(number) - 1 for number in match[1].split(",")}
        elif match := re.search(r"(?:incomplete labels|no energy found) in frame (\d+)", warning):
            reason = warning.partition(": ")[2] or "no energy"
            raise UserError(
                f"{path} frame {int(match[1]) - 1}: forces or energy cannot be read ({reason}); "
                "run VASP again, or cut the frame out"
            )
        else:
            logger.warning("%s: %s", path, warning)
    return frames, bad


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
    count, steps, limit = 0, [], None
    try:
        for _, element in ET.iterparse(path):
            if element.tag == "i" and element.get("name") == "NELM":
                limit = int(element.text)
            elif element.tag == "calculation":
                steps.append(len(element.findall(".//scstep")))
                count += 1
    except ET.ParseError as error:
        raise UserError(
            f"{path} frame {count}: cut short, or no XML ({error}); run VASP to its end, or use "
            "its OUTCAR"
        ) from None
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path, VASPRUN, error) from None
    try:
        frames, said = _load(path, VASPRUN, str(path), convergence_check=False)
    except Exception as error:
        raise _unreadable(path, VASPRUN, error, _incomplete(path)) from None
    for warning in said:
        logger.warning("%s: %s", path, warning)
    bad = {i for i, n in enumerate(steps) if limit is not None and n >= limit}
    return frames, bad


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
            f"and tstress = .true.), since dpdata reads no runs of pw.x, got {count}"
        )
    inputs = [path.with_suffix(suffix) for suffix in (".in", ".pwi")]
    there = [file for file in inputs if file.is_file()]
    if not there:
        raise UserError(
            f"{path}: the input of pw.x is not beside it; {inputs[0].name} is needed, as the "
            "structure is read from there"
        )
    try:
        frames, said = _load(path, PWSCF, [str(there[0]), str(path)])
    except Exception as error:
        raise _unreadable(path, PWSCF, error, 0) from None
    for warning in said:
        logger.warning("%s: %s", path, warning)
    return frames, ({0} if "convergence NOT achieved" in text else set())
