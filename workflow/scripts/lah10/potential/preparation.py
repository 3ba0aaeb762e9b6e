"""From sources of labelled structures to the folders that are trained on and tested with.

`prepare` reads and checks every source, holds out what the split declares, takes a constant energy
per atom off every system that is trained on, and writes DeePMD folders below `train/` and `test/`.
Its last act is `index.json`, which lists them; trainings and validations read that list and
nothing else, so a half-written folder is never used.

Why constants: published sets differ by constants (k-points, cut-off energy, smearing of the DFT
run) of up to 12 meV/atom that are no physics, and another code has another zero of energy. They
cannot be told from the labels alone, only from the residuals of a potential whose energies follow
from forces and pressures: `energy_constants`. A system that is tested with keeps its energies; the
validation compares them after one constant.
"""

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from lah10.config import read_yaml
from lah10.errors import UserError
from lah10.files import atomic_path, sha256
from lah10.potential import dataset
from lah10.potential.dataset import System
from lah10.potential.evaluate import Prediction, evaluate
from lah10.potential.settings import Source, Split

INDEX = "index.json"
PARTS = ("train", "test")
#: The one frame with the shortest distance: it sets the range of a compressed model's tables.
CLOSEST = "closest"
#: Å; distances are searched up to here.
SEARCH = 2.0


def divide(systems: Sequence[System], source: str, split: Source) -> dict[str, list[System]]:
    """Systems to train on and to test with, by the split's `held_out`.

    An entry of `held_out` is the path of a system below its source ("ensemble3/150GPa") or of one
    of its sets ("r3m/set.009").

    Raises
    ------
    UserError
        An entry matches nothing.
    """
    if split.held_out == "all":
        return {"train": [], "test": list(systems)}
    parts: dict[str, list[System]] = {part: [] for part in PARTS}
    unused = set(split.held_out)
    for system in systems:
        held = np.zeros(len(system), bool)
        name = system.name.removeprefix(f"{source}/")
        for entry in split.held_out:
            if entry == name:
                found = np.ones(len(system), bool)
            else:
                sets = (frame.rsplit(" frame ", 1)[0] for frame in system.frames)
                found = np.array([one.endswith(f"/{entry}") for one in sets])
            if found.any():
                unused.discard(entry)
            held |= found
        for part, mask in (("train", ~held), ("test", held)):
            if mask.any():
                parts[part].append(system.select(mask))
    if unused:
        names = ", ".join(system.name.removeprefix(f"{source}/") for system in systems)
        raise UserError(
            f"sources.{source}.held_out: {', '.join(sorted(unused))} is not among the data; there "
            f"are {names}"
        )
    return parts


def prepare(
    split: Split,
    folders: Mapping[str, str | os.PathLike],
    destination: str | os.PathLike,
    constants: Mapping[str, float] | None = None,
) -> Path:
    """Read, check, divide, shift and write all sources; returns the path of index.json.

    Parameters
    ----------
    folders
        Where each source's data lie, by the source's name.
    constants
        eV/atom to take off each system that is trained on, by the system's name; without them
        energies stay as they are.

    Raises
    ------
    UserError
        Bad data, a frame on both sides, or a system without a constant.
    """
    destination = Path(destination)
    parts: dict[str, list[System]] = {part: [] for part in PARTS}
    for name, source in split.sources.items():
        divided = divide(dataset.read(folders[name], name), name, source)
        for part in PARTS:
            parts[part] += divided[part]
    if not parts["train"]:
        raise UserError("everything is held out: nothing is left to train on")
    dataset.check_disjoint(parts["train"], parts["test"])
    if constants is not None:
        if lacking := [system.name for system in parts["train"] if system.name not in constants]:
            raise UserError(
                f"no energy constant for {', '.join(lacking)}; estimate them with "
                "`snakemake energy_constants`, or give energy_constants: none in "
                "config/training.yaml"
            )
        parts["train"] = [system.shifted(constants[system.name]) for system in parts["train"]]

    (destination / INDEX).unlink(missing_ok=True)
    for stale in (*PARTS, CLOSEST):
        shutil.rmtree(destination / stale, ignore_errors=True)
    index: dict = {part: [] for part in PARTS}
    for part in PARTS:
        for system in parts[part]:
            folder = Path(part, system.name)
            dataset.write_deepmd(system, destination / folder)
            index[part].append(_entry(system, folder, destination))
    closest = _closest([*parts["train"], *parts["test"]])
    dataset.write_deepmd(closest, destination / CLOSEST)
    index[CLOSEST] = _entry(closest, Path(CLOSEST), destination)
    index["energy_constants"] = dict(constants) if constants is not None else None
    path = destination / INDEX
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    return path


def _entry(system: System, folder: Path, root: Path) -> dict:
    pressures, volumes = system.pressures, system.volumes / system.n_atoms
    return {
        "name": system.name,
        "folder": str(folder),
        "frames": len(system),
        "atoms": system.n_atoms,
        "pressure_GPa": [round(float(p), 3) for p in (pressures.min(), pressures.max())],
        "volume_per_atom_A3": [round(float(v), 4) for v in (volumes.min(), volumes.max())],
        "sha256": {
            str(file.relative_to(root)): sha256(file)
            for file in sorted((root / folder).rglob("*.npy"))
        },
    }


def _closest(systems: Sequence[System]) -> System:
    shortest = [dataset.shortest_distances(system, SEARCH) for system in systems]
    which = int(np.argmin([distances.min() for distances in shortest]))
    return systems[which].select([int(np.argmin(shortest[which]))])


def read_index(path: str | os.PathLike) -> dict:
    """Content of index.json, its data files verified.

    Raises
    ------
    UserError
        A file that it lists is absent or has changed since.
    """
    path = Path(path)
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); prepare the data again") from None
    for entry in [*index["train"], *index["test"], index[CLOSEST]]:
        for name, digest in entry["sha256"].items():
            file = path.parent / name
            if not file.is_file() or sha256(file) != digest:
                raise UserError(f"{file}: missing or changed since it was prepared; prepare again")
    return index


def read_part(path: str | os.PathLike, part: str) -> list[System]:
    """The systems of `part` ("train" or "test") that index.json lists, under their own names."""
    path = Path(path)
    systems = []
    for entry in read_index(path)[part]:
        systems.append(dataset.read_deepmd(path.parent / entry["folder"], entry["name"]))
    return systems


def closest_folder(path: str | os.PathLike) -> Path:
    """DeePMD folder with the one frame that holds the shortest distance of all."""
    return Path(path).parent / read_index(path)[CLOSEST]["folder"]


def samples(path: str | os.PathLike, frames: int = 2) -> list[System]:
    """A few frames of each system to test with, and the one with the shortest distance."""
    systems = read_part(path, "test") or read_part(path, "train")
    systems.append(dataset.read_deepmd(closest_folder(path), CLOSEST))
    return [s.select(np.unique(np.linspace(0, len(s) - 1, frames).astype(int))) for s in systems]


@dataclass(frozen=True)
class Constant:
    """Energy of a system relative to a potential.

    Attributes
    ----------
    value : float
        Mean of label minus potential, eV/atom.
    stderr : float
        Of the mean, as if frames were independent, eV/atom.
    slope : float
        Of the labels' energies over the potential's; 1 when both are in the same unit, NaN where
        energies hardly vary.
    """

    value: float
    stderr: float
    slope: float


#: eV/atom of standard deviation within a system above which the slope means something.
SPREAD = 0.01
#: A slope beyond these is no error of the potential but another unit (hartree: 0.037).
SLOPES = (0.5, 2.0)


def energy_constant(system: System, prediction: Prediction) -> Constant:
    """How far the system's energies lie above the potential's.

    Raises
    ------
    UserError
        The energies vary in another unit than the potential's.
    """
    label = system.energies / system.n_atoms
    model = prediction.energies / system.n_atoms
    residual = label - model
    slope = np.nan
    if len(system) > 2 and model.std() > SPREAD:
        slope = np.polyfit(model - model.mean(), label - label.mean(), 1)[0]
        if not SLOPES[0] < slope < SLOPES[1]:
            raise UserError(
                f"{system.frames[0]}: energies of {system.name} vary {slope:.3g} times as much as "
                "the potential's; eV is allowed (0.037 would be hartree)"
            )
    stderr = residual.std(ddof=1) / np.sqrt(len(system)) if len(system) > 1 else np.nan
    return Constant(float(residual.mean()), float(stderr), float(slope))


def energy_constants(
    model: str | os.PathLike, systems: Sequence[System], threads: int = 1
) -> dict[str, Constant]:
    """One constant a system from the residuals of `model`, on a common scale.

    The scale is free: the mean over all frames of the first system's source is made zero.
    """
    predictions = evaluate(model, systems, threads)
    found = {s.name: energy_constant(s, p) for s, p in zip(systems, predictions, strict=True)}
    origin = systems[0].name.split("/")[0]
    first = [s for s in systems if s.name.split("/")[0] == origin]
    zero = np.average([found[s.name].value for s in first], weights=[len(s) for s in first])
    return {name: Constant(c.value - float(zero), c.stderr, c.slope) for name, c in found.items()}


def write_constants(
    constants: Mapping[str, Constant], model: str | os.PathLike, path: str | os.PathLike
) -> None:
    """Write constants as YAML, with the model they come from."""
    content = {
        "estimated_with": {"model": Path(model).name, "sha256": sha256(model)},
        "unit": "eV/atom",
        "constants": {name: round(c.value, 6) for name, c in constants.items()},
        "standard_errors": {name: round(c.stderr, 6) for name, c in constants.items()},
    }
    with atomic_path(path) as aside:
        aside.write_text(
            "# Energy per atom by which each set of labels lies above the common scale: mean\n"
            "# residual of a potential. Written by `snakemake energy_constants`.\n"
            + yaml.safe_dump(content, sort_keys=False, allow_unicode=True),
            encoding="utf-8",
        )


def read_constants(path: str | os.PathLike) -> dict[str, float]:
    """eV/atom by system.

    Raises
    ------
    UserError
        The file is none that `write_constants` wrote.
    """
    content = read_yaml(path)
    constants = content.get("constants")
    if content.get("unit") != "eV/atom" or not isinstance(constants, dict):
        raise UserError(f"{path}: `unit: eV/atom` and a section `constants` are allowed")
    for name, value in constants.items():
        if not isinstance(value, float | int) or not np.isfinite(value):
            raise UserError(f"{path}: constants.{name}: {value!r} is not allowed; a number is")
    return constants
