"""DeePMD's folders of NumPy arrays: read, check, write."""

import os
from pathlib import Path

import numpy as np

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io.files import atomic_folder
from lah10.potential.data.plausibility import check
from lah10.potential.data.systems import System

#: Arrays of a DeePMD set and the numbers in a frame of each, by the number of atoms.
ARRAYS = {
    "box": lambda n: 9,
    "coord": lambda n: 3 * n,
    "energy": lambda n: 1,
    "force": lambda n: 3 * n,
    "virial": lambda n: 9,
}


def read_deepmd(folder: str | os.PathLike, name: str, energies: bool = True) -> System:
    """One DeePMD folder: type.raw, type_map.raw, set.*/{box,coord,energy,force,virial}.npy.

    Parameters
    ----------
    energies : bool
        Whether the folder has them; without, they are NaN (`write_deepmd` leaves such out).

    Raises
    ------
    UserError
        A file is absent, cut short, of the wrong shape or content; file and frame are named.
    """
    folder = Path(folder)
    types = _read_types(folder)
    if (folder / "nopbc").exists():
        raise UserError(f"{folder}/nopbc: expected a periodic crystal, got open boundaries")
    sets = sorted(p for p in folder.glob("set.*") if p.is_dir())
    if not sets:
        raise UserError(f"{folder}: no set.* folder, so no frames; remove it or complete it")
    parts: dict[str, list[np.ndarray]] = {key: [] for key in ARRAYS}
    frames: list[str] = []
    for one in sets:
        arrays = _read_set(one, len(types), energies)
        for key, array in arrays.items():
            parts[key].append(array)
        frames += [f"{one} frame {i}" for i in range(len(arrays["box"]))]
    joined = {key: np.concatenate(arrays) for key, arrays in parts.items()}
    system = System(
        name=name,
        types=types,
        boxes=joined["box"].reshape(-1, 3, 3),
        coordinates=joined["coord"].reshape(-1, len(types), 3),
        energies=joined["energy"].reshape(-1),
        forces=joined["force"].reshape(-1, len(types), 3),
        virials=joined["virial"].reshape(-1, 3, 3),
        frames=tuple(frames),
    )
    check(system, energies)
    return system


def _read_types(folder: Path) -> np.ndarray:
    """Indices into ELEMENTS, from the folder's own numbering and its type_map.raw."""
    map_file, type_file = folder / "type_map.raw", folder / "type.raw"
    try:
        names = map_file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no text"
        raise UserError(
            f"{map_file}: cannot be read ({reason}); it names the element of each type, "
            f"one a line, out of {', '.join(ELEMENTS)}"
        ) from None
    if unknown := [n for n in names if n not in ELEMENTS] or (len(set(names)) != len(names)):
        listed = ", ".join(unknown) if isinstance(unknown, list) else "one stands there twice"
        raise UserError(f"{map_file}: expected {', '.join(ELEMENTS)}, each once, got {listed}")
    try:
        types = np.loadtxt(type_file, dtype=int, ndmin=1)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{type_file}: expected one whole number an atom, cannot be read ({error})"
        ) from None
    if len(types) == 0:
        raise UserError(f"{type_file}: expected one whole number an atom, got an empty file")
    bad = np.flatnonzero((types < 0) | (types >= len(names)))
    if len(bad):
        raise UserError(
            f"{type_file}: expected types 0 to {len(names) - 1}, the lines of type_map.raw, got "
            f"{types[bad[0]]} of atom {bad[0]}"
        )
    return np.array([ELEMENTS.index(n) for n in names])[types]


def _read_set(folder: Path, n_atoms: int, energies: bool) -> dict[str, np.ndarray]:
    """The arrays of one set.*, each of shape (frames, numbers a frame)."""
    arrays = {}
    for key, width in ARRAYS.items():
        if key == "energy" and not energies:
            arrays[key] = np.full((len(arrays["box"]), 1), np.nan)
            continue
        file = folder / f"{key}.npy"
        try:
            array = np.load(file, allow_pickle=False)
        except FileNotFoundError:
            raise UserError(f"{file}: missing; a set has {', '.join(ARRAYS)}") from None
        except (OSError, ValueError, EOFError) as error:
            raise UserError(f"{file}: cannot be read, cut short? ({error})") from None
        if not np.issubdtype(array.dtype, np.floating):
            raise UserError(f"{file}: expected floating-point numbers, got {array.dtype}")
        per_frame = width(n_atoms)
        if array.size == 0:
            raise UserError(f"{file}: empty; remove the set or complete it")
        if array.size % per_frame or (array.ndim > 1 and array.size // len(array) != per_frame):
            raise UserError(
                f"{file}: expected {per_frame} numbers a frame, for the {n_atoms} atoms of "
                f"type.raw, got the shape {array.shape}"
            )
        arrays[key] = array.reshape(-1, per_frame).astype(float)
    counts = {key: len(array) for key, array in arrays.items()}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{key} {count}" for key, count in counts.items())
        raise UserError(f"{folder}: frames differ in number ({found}); a file was cut short?")
    return arrays


def write_deepmd(system: System, folder: str | os.PathLike) -> None:
    """Write one system as a DeePMD folder with one set; the folder appears whole or not at all.

    A folder that stands there already is replaced. Energies that are NaN are left out, which
    deepmd-kit takes for "not to be learnt".
    """
    with atomic_folder(folder) as aside:
        one = aside / "set.000"
        one.mkdir()
        np.savetxt(aside / "type.raw", system.types, fmt="%d")
        (aside / "type_map.raw").write_text("\n".join(ELEMENTS) + "\n", encoding="utf-8")
        (aside / "frames.txt").write_text("\n".join(system.frames) + "\n", encoding="utf-8")
        f = len(system)
        np.save(one / "box.npy", system.boxes.reshape(f, 9))
        np.save(one / "coord.npy", system.coordinates.reshape(f, -1))
        if np.isfinite(system.energies).all():
            np.save(one / "energy.npy", system.energies)
        np.save(one / "force.npy", system.forces.reshape(f, -1))
        np.save(one / "virial.npy", system.virials.reshape(f, 9))
