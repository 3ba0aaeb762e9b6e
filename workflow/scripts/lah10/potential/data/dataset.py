"""Labelled structures: read, check, write.

A `System` is a set of frames of the same atoms, in DeePMD's units: Å, eV, eV/Å, and the virial in
eV, positive when the crystal is compressed (virial / volume is the pressure; ASE's stress is its
negative). Two formats are read: DeePMD's folders of NumPy arrays and extended XYZ.

Whatever is read is checked, because a wrong frame does not stop a training, it spoils it: shapes,
numbers that are none, element names, and whether the values can be LaH10 under pressure in the
units above at all. Every complaint names the file and the frame.
"""

import io
import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from scipy.spatial import cKDTree

from lah10 import ELEMENTS
from lah10.crystal.structures import (
    check_sites,
    make_right_handed,
    refuse_isotope,
    right_handed,
)
from lah10.errors import UserError
from lah10.io.files import atomic_folder
from lah10.units import EV_PER_A3_IN_GPA

#: Arrays of a DeePMD set and the numbers in a frame of each, by the number of atoms.
ARRAYS = {
    "box": lambda n: 9,
    "coord": lambda n: 3 * n,
    "energy": lambda n: 1,
    "force": lambda n: 3 * n,
    "virial": lambda n: 9,
}

# What LaH10 between 0 and 500 GPa can be, with room. In wrong units (bohr, hartree, kbar) at least
# one of these is missed, mostly by a factor.
#: Å3; 2.0 at 500 GPa, 3.9 at 75 GPa.
VOLUME_PER_ATOM = (1.5, 6.0)
#: Å; the published frames, sampled with quantum nuclei, come down to 0.54.
SHORTEST_DISTANCE = 0.35
#: Å, shortest distances of La from La and from H, far below any of LaH10 up to 500 GPa (2.9, 1.6):
#: nearer ones are elements mixed up.
SHORTEST_OF_LANTHANUM = (2.2, 1.1)
#: eV/Å, root mean square over a frame; 0.1 to 2.0 in the published frames.
LARGEST_FORCE = 30.0
#: eV/Å, median over the frames of a system: thermal motion at 5 K gives more.
SMALLEST_FORCE = 0.02
#: eV/Å, sum of all forces of a frame, in each direction: less than the force on most single atoms.
#: The published frames leave 6e-6, GPAW 5e-4.
NET_FORCE = 0.1
#: eV/atom between a frame and the median of its system; 0.4 covers 0 to 1,500 K, 80 to 350 GPa.
ENERGY_SPREAD = 2.0
#: Share of its largest component by which a virial may differ from the one of the stress: rounding.
SAME_VIRIAL = 0.01
#: Static pressure of Fm-3m LaH10 by PBE: ln(P/GPa) = a + b V, V in Å3 per formula unit, a fit to
#: resources/dataset/lah10-gpaw-pbe/fm-3m-static.txt (95 to 368 GPa, better than 3 %).
STATIC_PRESSURE = (8.71, -0.1118)


@dataclass(frozen=True)
class System:
    """Frames of the same atoms.

    Attributes
    ----------
    name : str
        Source and set, such as "ly-ceperley/ensemble3/150GPa".
    types : (n,) int
        Index into `lah10.ELEMENTS` of each atom.
    boxes : (f, 3, 3) float
        Cell vectors as rows, Å; made right-handed if they are not.
    coordinates : (f, n, 3) float
        Å.
    energies : (f,) float
        eV, of the whole cell; all NaN where they are not to be learnt.
    forces : (f, n, 3) float
        eV/Å.
    virials : (f, 3, 3) float
        eV, positive when compressed.
    frames : tuple of str
        Where each frame came from: "…/set.003 frame 4", counted from 0.
    """

    name: str
    types: np.ndarray
    boxes: np.ndarray
    coordinates: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    virials: np.ndarray
    frames: tuple[str, ...]

    def __post_init__(self):
        # In a left-handed cell a potential gives forces of the wrong sign. Coordinates are
        # Cartesian, so that other vectors of the same lattice change nothing else.
        object.__setattr__(self, "boxes", right_handed(self.boxes))

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def n_atoms(self) -> int:
        return len(self.types)

    @property
    def volumes(self) -> np.ndarray:
        """(f,) Å3."""
        return np.abs(np.linalg.det(self.boxes))

    @property
    def pressures(self) -> np.ndarray:
        """(f,) GPa."""
        return pressures(self.virials, self.volumes)

    def select(self, frames: Sequence[int] | np.ndarray) -> "System":
        """The frames with these indices (or a mask of booleans)."""
        index = np.arange(len(self))[np.asarray(frames)]
        arrays = ("boxes", "coordinates", "energies", "forces", "virials")
        return replace(
            self,
            frames=tuple(self.frames[i] for i in index),
            **{name: getattr(self, name)[index] for name in arrays},
        )


def pressures(virials: np.ndarray, volumes: np.ndarray | float) -> np.ndarray:
    """(f,) GPa, a third of the trace of virials (f, 3, 3) in eV over the volumes (f,) in Å3."""
    return np.trace(virials, axis1=1, axis2=2) / 3 / volumes * EV_PER_A3_IN_GPA


def unlabelled_frames(frames: Sequence[Atoms]) -> System:
    """`unlabelled` of crystals with the same atoms in the same order."""
    boxes = np.array([atoms.cell.array for atoms in frames])
    return unlabelled(frames[0], boxes, np.array([atoms.positions for atoms in frames]))


def unlabelled(crystal: Atoms, boxes: np.ndarray, coordinates: np.ndarray) -> System:
    """Structures of a crystal's atoms to ask a model about: a `System` whose labels are zero."""
    f, n = coordinates.shape[:2]
    return System(
        name="structures",
        types=np.array([ELEMENTS.index(s) for s in crystal.get_chemical_symbols()]),
        boxes=boxes,
        coordinates=coordinates,
        energies=np.zeros(f),
        forces=np.zeros((f, n, 3)),
        virials=np.zeros((f, 3, 3)),
        frames=tuple(f"frame {k}" for k in range(f)),
    )


def read(path: str | os.PathLike, name: str | None = None) -> list[System]:
    """All systems at `path`: a DeePMD folder, a folder of such folders, or an extended XYZ file.

    Systems are named `name` (by default the file's or folder's name) and, below it, their path.

    Raises
    ------
    UserError
        Nothing there, or something wrong with it; file and frame are named.
    """
    path = Path(path)
    name = name or path.stem
    if path.is_file():
        systems = read_extxyz(path, name)
    elif path.is_dir():
        # Of a folder that was copied in part any may be there; read_deepmd says what is not.
        names = ("type.raw", "type_map.raw", "set.*")
        folders = sorted({part.parent for name in names for part in path.rglob(name)})
        systems = [read_deepmd(f, "/".join((name, *f.relative_to(path).parts))) for f in folders]
        for file in sorted((*path.rglob("*.xyz"), *path.rglob("*.extxyz"))):
            below = file.relative_to(path).with_suffix("").parts
            systems += read_extxyz(file, "/".join((name, *below)))
    else:
        raise UserError(f"{path}: no such file or folder; give a DeePMD folder or an extended XYZ")
    if not systems:
        raise UserError(
            f"{path}: no frames there; DeePMD folders (with type.raw, type_map.raw and set.*) or "
            "extended XYZ files (*.xyz) are allowed"
        )
    return systems


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
        raise UserError(f"{folder}/nopbc: open boundaries; only periodic crystals are allowed")
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
        raise UserError(f"{map_file}: {listed}; {', '.join(ELEMENTS)}, each once, are allowed")
    try:
        types = np.loadtxt(type_file, dtype=int, ndmin=1)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{type_file}: cannot be read ({error}); one whole number an atom is allowed"
        ) from None
    if len(types) == 0:
        raise UserError(f"{type_file}: empty; one whole number an atom is allowed")
    bad = np.flatnonzero((types < 0) | (types >= len(names)))
    if len(bad):
        raise UserError(
            f"{type_file}: atom {bad[0]} has type {types[bad[0]]}; 0 to {len(names) - 1}, the "
            f"lines of type_map.raw, are allowed"
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
            raise UserError(f"{file}: {array.dtype} is not allowed; floating-point numbers are")
        per_frame = width(n_atoms)
        if array.size == 0:
            raise UserError(f"{file}: empty; remove the set or complete it")
        if array.size % per_frame or (array.ndim > 1 and array.size // len(array) != per_frame):
            raise UserError(
                f"{file}: shape {array.shape} is not allowed; {per_frame} numbers a frame are, "
                f"for the {n_atoms} atoms of type.raw"
            )
        arrays[key] = array.reshape(-1, per_frame).astype(float)
    counts = {key: len(array) for key, array in arrays.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{key} {count}" for key, count in counts.items())
        raise UserError(f"{folder}: frames differ in number ({told}); a file was cut short?")
    return arrays


def read_extxyz(path: str | os.PathLike, name: str) -> list[System]:
    """Frames of an extended XYZ file with energy, forces and stress, one system a composition.

    ASE's units and signs are expected: eV, Å, eV/Å, stress in eV/Å3, negative when compressed.
    Within a frame, atoms are sorted by element.

    Raises
    ------
    UserError
        The file is cut short or a frame lacks a label; file and frame are named.
    """
    path = Path(path)
    frames = whole_frames(path)
    by_composition: dict[tuple[int, ...], list[tuple[Atoms, np.ndarray, str]]] = {}
    for i, atoms in enumerate(frames):
        where = f"{path} frame {i}"
        symbols = atoms.get_chemical_symbols()
        if unknown := sorted(set(symbols) - set(ELEMENTS)):
            raise UserError(
                f"{where}: element {', '.join(unknown)}; {', '.join(ELEMENTS)} are allowed"
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
        check(system)
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


def check(system: System, energies: bool = True) -> None:
    """Refuse frames that cannot be LaH10 under pressure in the units of `System`.

    Parameters
    ----------
    energies : bool
        Whether there must be energies; without, they are NaN.

    Raises
    ------
    UserError
        For the first such frame: what it has and what is allowed.
    """
    for key in ("boxes", "coordinates", "energies", "forces", "virials"):
        if key == "energies" and not energies:
            continue
        array = getattr(system, key).reshape(len(system), -1)
        bad = ~np.isfinite(array).all(axis=1)
        refuse(system, bad, lambda i, k=key: f"{k} with NaN or infinite numbers; label it again")

    check_geometry(system)
    net = np.abs(system.forces.sum(axis=1)).max(axis=1)
    refuse(
        system,
        net > NET_FORCE,
        lambda i: (
            f"forces add up to {net[i]:.2g} eV/Å; at most {NET_FORCE:g} is allowed (atoms lost, or "
            "forces of other frames?)"
        ),
    )
    rms = np.sqrt((system.forces**2).mean(axis=(1, 2)))
    refuse(
        system,
        rms > LARGEST_FORCE,
        lambda i: f"rms force {rms[i]:.3g} eV/Å; at most {LARGEST_FORCE:g} is allowed",
    )
    if len(system) >= 3 and np.median(rms) < SMALLEST_FORCE:
        raise UserError(
            f"{system.frames[0]}: median rms force of the system {np.median(rms):.2g} eV/Å; at "
            f"least {SMALLEST_FORCE:g} is allowed (in hartree/bohr?)"
        )
    energy = system.energies / system.n_atoms
    distance = np.abs(energy - np.median(energy))
    refuse(
        system,
        distance > ENERGY_SPREAD,
        lambda i: (
            f"energy {energy[i]:.3f} eV an atom, {distance[i]:.3g} from the system's median; at "
            f"most {ENERGY_SPREAD:g} is allowed (mixed units?)"
        ),
    )
    _check_pressures(system)


def check_geometry(system: System) -> None:
    """Refuse frames whose cell or distances cannot be LaH10 under pressure; labels do not matter.

    Raises
    ------
    UserError
        For the first such frame: what it has and what is allowed.
    """
    per_atom = system.volumes / system.n_atoms
    low, high = VOLUME_PER_ATOM
    refuse(
        system,
        (per_atom < low) | (per_atom > high),
        lambda i: f"{per_atom[i]:.3g} Å3 an atom; {low:g} to {high:g} is allowed (cell in bohr?)",
    )
    shortest = shortest_distances(system, SHORTEST_DISTANCE)
    refuse(
        system,
        shortest < SHORTEST_DISTANCE,
        lambda i: (
            f"two atoms {shortest[i]:.2f} Å apart; {SHORTEST_DISTANCE:g} or more is allowed "
            "(coordinates in other units than the cell, or fractional?)"
        ),
    )
    for element, limit in zip(ELEMENTS, SHORTEST_OF_LANTHANUM, strict=True):
        near = shortest_distances(system, limit, ("La", element))
        refuse(
            system,
            near < limit,
            lambda i, element=element, limit=limit, near=near: (
                f"La and {element} {near[i]:.2f} Å apart; {limit:g} or more is allowed (elements "
                "mixed up?)"
            ),
        )


def _check_pressures(system: System) -> None:
    """Sign and size of the virial, by the equation of state (for the composition LaH10 alone)."""
    counts = np.bincount(system.types, minlength=len(ELEMENTS))
    if counts[1] != 10 * counts[0]:
        return
    pressures = system.pressures
    a, b = STATIC_PRESSURE
    static = np.exp(a + b * system.volumes / counts[0])
    low, high = 0.5 * static - 20, 2 * static + 60
    refuse(
        system,
        (pressures < low) | (pressures > high),
        lambda i: (
            f"pressure {pressures[i]:.4g} GPa from the virial; {low[i]:.0f} to {high[i]:.0f} is "
            f"allowed at {system.volumes[i] / counts[0]:.1f} Å3 a formula unit (sign or unit of "
            "the virial? eV, positive when compressed)"
        ),
    )


def refuse(system: System, bad: np.ndarray, describe: Callable[[int], str]) -> None:
    """Raise UserError for the first frame where `bad` (f,) is true: what `describe` says of it."""
    index = np.flatnonzero(bad)
    if len(index):
        more = f" (and {len(index) - 1} more frames)" if len(index) > 1 else ""
        raise UserError(f"{system.frames[index[0]]}: {describe(index[0])}{more}")


def shortest_distances(
    system: System, cutoff: float, pair: tuple[str, str] | None = None
) -> np.ndarray:
    """(f,) shortest distance between two atoms in Å, or between atoms of the two elements `pair`;
    infinite where it exceeds `cutoff`."""
    result = np.full(len(system), np.inf)
    everything = np.ones(system.n_atoms, bool)
    these, others = (
        (system.types == ELEMENTS.index(name) for name in pair) if pair else (everything,) * 2
    )
    if not (these.any() and others.any()):
        return result
    # The nearest of an atom's own kind is the atom itself, the second its neighbour.
    nearest = 2 if pair is None or pair[0] == pair[1] else 1
    for i in range(len(system)):
        inside, padded, origin = with_images(system, i, cutoff)
        tree = cKDTree(padded[others[origin]])
        distances, _ = tree.query(inside[these], k=[nearest], distance_upper_bound=cutoff)
        result[i] = distances.min()
    return result


def most_neighbours(system: System, cutoff: float) -> np.ndarray:
    """(elements,) largest number of neighbours of each element any atom has within `cutoff`."""
    result = np.zeros(len(ELEMENTS), int)
    for i in range(len(system)):
        inside, padded, origin = with_images(system, i, cutoff)
        around = cKDTree(inside)
        for element in np.unique(system.types):
            tree = cKDTree(padded[system.types[origin] == element])
            counts = np.array([len(near) for near in around.query_ball_tree(tree, cutoff)])
            counts -= system.types == element  # itself
            result[element] = max(result[element], counts.max())
    return result


def with_images(
    system: System, frame: int, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Atoms wrapped into the cell, the same with their images within `cutoff`, and whose they are.

    Shapes (n, 3), (m, 3), (m,).
    """
    box = system.boxes[frame]
    inverse = np.linalg.inv(box)
    margin = cutoff * np.linalg.norm(inverse, axis=0)  # of each face, in fractions of a vector
    reach = [range(-n, n + 1) for n in np.ceil(margin).astype(int)]
    images = np.array(list(itertools.product(*reach)))
    inside = system.coordinates[frame] @ inverse % 1.0
    padded = (inside + images[:, None]).reshape(-1, 3)
    origin = np.tile(np.arange(system.n_atoms), len(images))
    near = ((padded >= -margin) & (padded <= 1 + margin)).all(axis=1)
    return inside @ box, padded[near] @ box, origin[near]


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
