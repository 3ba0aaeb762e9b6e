"""One scale of energy and pressure for labels that were computed in different ways.

Labels of one crystal differ by more than noise: another DFT code has another zero of energy and a
pressure that lies 1 to 3 GPa off, and published sets differ among themselves by constants of up to
12 meV/atom (k-points, cut-off energy, smearing). None of this is physics to be learnt, and the
labels alone cannot tell it. The residuals of a potential can: its energies follow from forces and
pressures of all sets together, so an offset of one set stands out. Hence the order of work: train
on labels as they are, estimate the alignment with that model, train on aligned labels.

Aligned labels are E - c N + p V and W - p V 1, with c (energy per atom) of the set, p (pressure) of
its source: taking a pressure off belongs to taking a term linear in the volume off the energy.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from lah10.config import yaml_files
from lah10.config.training import Split
from lah10.errors import UserError
from lah10.io.files import atomic_path, sha256
from lah10.potential.data import label_units
from lah10.potential.data.systems import System, pressures
from lah10.potential.evaluate import Prediction, evaluate
from lah10.units import EV_PER_A3_IN_GPA

#: Standard error of a median over that of a mean, for normal noise.
MEDIAN = np.sqrt(np.pi / 2)


@dataclass(frozen=True)
class Alignment:
    """By how much labels lie above the common scale.

    Attributes
    ----------
    energies : mapping
        eV/atom, by set ("ly-ceperley/aimd"), or by source where all its sets have one zero.
    pressures : mapping
        GPa, by source; a source that is not named has none.
    errors : mapping
        Standard errors of `energies`, as if frames were independent, eV/atom.
    """

    energies: Mapping[str, float]
    pressures: Mapping[str, float]
    errors: Mapping[str, float]

    def apply(self, system: System) -> System:
        """The system on the common scale; energies of NaN, which are not to be learnt, stay so.

        Raises
        ------
        UserError
            Neither the system's set nor its source is among `energies`.
        """
        aligned = self.without_pressure(system)
        if np.isnan(system.energies).all():
            return aligned
        for name in (system.name, system.source):
            if name in self.energies:
                constant = self.energies[name] * system.n_atoms
                return replace(aligned, energies=aligned.energies - constant)
        raise UserError(
            f"no energy constant for {system.name}; name a source that was computed alike as its "
            "`same_reference_as` in the split, or estimate the alignment with `snakemake "
            "alignment` and name the file that it writes as `alignment` in the training's "
            "configuration, or none"
        )

    def without_pressure(self, system: System) -> System:
        """The system without its source's pressure, as what is tested with is compared.

        No constants of sets: of a set that is held out there is none.
        """
        work = self.pressures.get(system.source, 0.0) / EV_PER_A3_IN_GPA * system.volumes
        return replace(
            system,
            energies=system.energies + work,
            virials=system.virials - work[:, None, None] * np.eye(3),
        )

    def sharing(self, name: str, other: str) -> "Alignment":
        """The alignment in which the source `name` has the offsets of the source `other`."""
        energies, pressures = (
            {**values, name: values[other]} if other in values else values
            for values in (self.energies, self.pressures)
        )
        return replace(self, energies=energies, pressures=pressures)


def estimate(
    model: str | os.PathLike, systems: Sequence[System], split: Split, threads: int = 1
) -> Alignment:
    """Compare labels with a potential that was trained on the first source.

    The first source sets the scale: its pressures stay, and its constants are zero in the mean
    over its frames. Other sources are compared within the first one's range of pressures, where
    the potential knows its way. Medians, so that a few badly described frames have no say. Systems
    with energies of NaN have no constant, but a say in their source's pressure. Sources that share
    another one's reference (`same_reference_as` in the split) have no say.

    Parameters
    ----------
    systems : sequence of System
        What is trained on (`preparation.read`): what is held out is to have no say.

    Raises
    ------
    UserError
        Labels are in other units than they should, or a set has no frame in the range.
    """
    sharing = {name for name, one in split.sources.items() if one.same_reference_as is not None}
    systems = [system for system in systems if system.source not in sharing]
    predictions = evaluate(model, systems, threads)
    pairs = list(zip(systems, predictions, strict=True))
    label_units.check(systems, predictions, split)
    first = systems[0].source
    range_ = [
        f(np.concatenate([s.pressures for s in systems if s.source == first]))
        for f in (np.min, np.max)
    ]
    residuals: dict[str, list[np.ndarray]] = {}
    pressures: dict[str, float] = {}
    for source in dict.fromkeys(system.source for system in systems):
        members = [_within(s, p, range_) for s, p in pairs if s.source == source]
        if source != first:
            everything = np.concatenate([_pressures(*member) for member in members])
            if not len(everything):
                raise _nothing_in_range(members[0][0].name, range_, first)
            pressures[source] = float(np.median(everything))
        for system, prediction in members:
            values = _energies(system, prediction, pressures.get(source, 0.0))
            residuals.setdefault(split.zero_of(system.name), []).append(values)
    energies: dict[str, float] = {}
    errors: dict[str, float] = {}
    counts: dict[str, int] = {}
    for name, parts in residuals.items():
        values = np.concatenate(parts)
        if not len(values):
            raise _nothing_in_range(name, range_, first)
        values = values[~np.isnan(values)]
        if not len(values):
            continue
        energies[name] = float(np.median(values))
        errors[name] = float(MEDIAN * values.std() / np.sqrt(len(values)))
        if name.split("/")[0] == first:
            counts[name] = len(values)
    if not counts:
        raise UserError(f"no energies of {first} are learnt: there is no scale to align others to")
    zero = np.average([energies[name] for name in counts], weights=list(counts.values()))
    return Alignment(
        {name: value - float(zero) for name, value in energies.items()}, pressures, errors
    )


def _nothing_in_range(name: str, limits: Sequence[float], first: str) -> UserError:
    return UserError(
        f"{name}: no frame between {limits[0]:.0f} and {limits[1]:.0f} GPa, where {first} lies; "
        "without one it cannot be aligned"
    )


def _within(
    system: System, prediction: Prediction, limits: Sequence[float]
) -> tuple[System, Prediction]:
    inside = (system.pressures >= limits[0]) & (system.pressures <= limits[1])
    parts = (prediction.energies, prediction.forces, prediction.virials)
    return system.select(inside), Prediction(*(part[inside] for part in parts))


def _pressures(system: System, prediction: Prediction) -> np.ndarray:
    """(f,) label minus potential, GPa."""
    return system.pressures - pressures(prediction.virials, system.volumes)


def _energies(system: System, prediction: Prediction, pressure: float) -> np.ndarray:
    """(f,) label, without its source's pressure, minus potential, eV/atom."""
    work = pressure / EV_PER_A3_IN_GPA * system.volumes
    return (system.energies + work - prediction.energies) / system.n_atoms


def write(alignment: Alignment, model: str | os.PathLike, path: str | os.PathLike) -> None:
    """Write an alignment as YAML, with the model it comes from."""
    content = {
        "estimated_with": {"model": Path(model).name, "sha256": sha256(model)},
        "energies_eV_per_atom": {n: round(v, 6) for n, v in alignment.energies.items()},
        "standard_errors_eV_per_atom": {n: round(v, 6) for n, v in alignment.errors.items()},
        "pressures_GPa": {n: round(v, 4) for n, v in alignment.pressures.items()},
    }
    with atomic_path(path) as aside:
        aside.write_text(
            "# By how much energies (of each set, or of a source with one zero) and each source's\n"
            "# pressures lie above the common scale: residuals of a potential (`snakemake\n"
            "# alignment`).\n" + yaml.safe_dump(content, sort_keys=False, allow_unicode=True),
            encoding="utf-8",
        )


def read(path: str | os.PathLike) -> Alignment:
    """Read what `write` wrote.

    Raises
    ------
    UserError
        A section is missing, or a value is no number.
    """
    content = yaml_files.read(path)
    parts = []
    for key in ("energies_eV_per_atom", "pressures_GPa", "standard_errors_eV_per_atom"):
        section = content.get(key, {} if key.startswith("standard") else None)
        if not isinstance(section, dict):
            raise UserError(f"{path}: {key}: missing; expected a section with a number a name")
        for name, value in section.items():
            if not isinstance(value, float | int) or not np.isfinite(value):
                raise UserError(f"{path}: {key}.{name}: expected a number, got {value!r}")
        parts.append(section)
    return Alignment(parts[0], parts[1], parts[2])
