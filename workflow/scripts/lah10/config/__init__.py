"""The campaign's configuration: one model that knows every key, its unit and its bounds.

Quantities are texts with one allowed unit ("0.5 fs"); they are read, never converted. Grid values
are decimal numbers; their canonical text (`canonical`) names folders and decides what is equal.
"""

import difflib
import json
import math
import os
import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from lah10 import ELEMENTS
from lah10.errors import UserError
from lah10.io import frozen_model

#: Atoms in the cells that can be repeated.
ATOMS_IN_CELL = {"primitive": 11, "conventional": 44}
#: Times of `dynamics` and `pimd` that are given in fs; the others are in ps.
FEMTOSECONDS = {"timestep", "thermo_interval", "frame_interval", "spectrum_interval"}
#: Whole multiples are recognised in spite of decimal fractions in binary.
STEP_TOLERANCE = 1e-9

#: Spectral segments in which an adaptive bath adapts, at least: production uses the mean γ_r of the
#: later half, and whether it has settled is read off the last third.
MIN_ADAPTATION = 12

#: Stages of molecular dynamics.
Stage = Literal["equilibrate", "produce"]

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"


def _reject(message: str) -> PydanticCustomError:
    # Braces would be read as fields of the template.
    return PydanticCustomError("lah10", "{text}", {"text": message})


def canonical(value: int | float | str) -> str:
    """Decimal text without trailing zeros or exponent: 150.0 -> "150", "1.50" -> "1.5".

    Raises
    ------
    ValueError
        `value` is no finite decimal number.
    """
    if isinstance(value, bool):
        raise ValueError(value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        raise ValueError(value)
    return format(number.normalize() + 0, "f")  # + 0 turns -0 into 0


def quantity(unit: str, example: str, at_most: float = math.inf) -> Any:
    """Annotated float > 0 read from a text "<number> <unit>"."""
    pattern = rf"^\s*({NUMBER})\s*{re.escape(unit)}\s*$"
    bound = "" if math.isinf(at_most) else f" and <= {at_most:g}"

    def read(value: Any) -> float:
        match = re.match(pattern, value) if isinstance(value, str) else None
        if match is None:
            raise _reject(f'a number with the unit {unit} is allowed, such as "{example}"')
        number = float(match[1])
        if not 0 < number <= at_most or math.isinf(number):
            raise _reject(f"a value > 0{bound} {unit} is allowed")
        return number

    schema = {"type": "string", "pattern": pattern, "examples": [example]}
    return Annotated[
        float,
        BeforeValidator(read),
        PlainSerializer(lambda number: f"{canonical(number)} {unit}"),
        WithJsonSchema(schema, mode="validation"),
    ]


def _unique(values: Sequence) -> Sequence:
    for i, value in enumerate(values):
        if value in values[:i]:
            raise _reject(f"{value} stands there twice; every value once is allowed")
    return values


def _grid_value(value: Any) -> str:
    try:
        text = canonical(value)
    except ValueError:
        raise _reject("a plain number is allowed (the unit has a key of its own)") from None
    if Decimal(text) < 0:
        raise _reject("a number >= 0 is allowed")
    return text


GridValue = Annotated[
    str, BeforeValidator(_grid_value), WithJsonSchema({"type": "number", "minimum": 0})
]
GridValues = Annotated[tuple[GridValue, ...], Field(min_length=1), AfterValidator(_unique)]
Repeat = Annotated[int, Field(ge=1, strict=True)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _time(section: Section, key: str) -> str:
    """A time of a section with its unit."""
    return f"{getattr(section, key):g} {'fs' if key in FEMTOSECONDS else 'ps'}"


def _whole_multiples(section: Section, *pairs: tuple[str, str]) -> None:
    """The first time of each pair must be a whole multiple of the second."""
    for key, base in pairs:
        first, second = (
            getattr(section, name) * (1.0 if name in FEMTOSECONDS else 1e3) for name in (key, base)
        )
        times = first / second
        if round(times) < 1 or abs(times - round(times)) > STEP_TOLERANCE * times:
            raise _reject(
                f"{key}: {_time(section, key)} is not allowed; a whole multiple of {base} "
                f"({_time(section, base)}) is allowed"
            )


class Structure(Section):
    file: str = Field(
        "resources/structures/Fm-3m.cif", description="crystal whose cell is repeated"
    )
    cell: Literal["primitive", "conventional"] = Field(
        "conventional", description="cell that is repeated: 11 or 44 atoms"
    )
    repeat: tuple[Repeat, Repeat, Repeat] = Field(description="repeats along the cell's vectors")


#: The potential that comes with the project, and the second model of its committee.
SHIPPED = "resources/potentials/lah10/lah10.pb"
SHIPPED_COMMITTEE = ("resources/potentials/lah10-2/lah10.pb",)


class Potential(Section):
    model: str = Field(SHIPPED, description="frozen (compressed) DeePMD graph")
    committee: tuple[str, ...] = Field(
        default_factory=lambda known: SHIPPED_COMMITTEE if known.get("model") == SHIPPED else (),
        description="further graphs, whose spread is the model deviation; by default the second "
        "model that comes with the first's default, and none with another",
    )

    @model_validator(mode="after")
    def _others(self) -> "Potential":
        for i, path in enumerate(self.committee):
            if path in (self.model, *self.committee[:i]):
                raise _reject(
                    f"committee: {path} stands there twice, or is potential.model; models that "
                    "differ are allowed"
                )
        return self


class Pressure(Section):
    unit: Literal["GPa"] = Field("GPa", description="unit of the values")
    values: GridValues = Field(description="pressures")


class Temperature(Section):
    unit: Literal["K"] = Field("K", description="unit of the values")
    values: GridValues = Field(description="temperatures")


class Bath(Section):
    friction: quantity("/ps", "10 /ps") = Field("10 /ps", description="Langevin friction")
    cutoff: quantity("THz", "200 THz") = Field(
        "200 THz", description="highest frequency of coloured noise; the classical bath stays white"
    )
    correction: Literal["none", "potential"] = Field(
        "none",
        description="potential: quantum baths whose potential energies do not depend on friction",
    )
    shift_pressure: Annotated[bool, Field(strict=True)] = Field(
        False,
        description="raise a quantum bath's pressure in production by what friction adds to it",
    )
    adaptation: quantity("ps", "12 ps") = Field(
        "12 ps", description="adqtb: last part of a longer equilibration, in which the bath adapts"
    )
    adaptation_rate: Annotated[float, Field(gt=0, le=1, strict=True)] = Field(
        0.3, description="adqtb: share of the way to balance that one spectrum segment goes"
    )


Timestep = quantity("fs", "0.5 fs", at_most=0.5)
#: Reads a time step by itself, where the rest of `dynamics` does not matter.
TIMESTEP = TypeAdapter(Timestep)


class Dynamics(Section):
    timestep: Timestep = Field("0.5 fs", description="time step")
    equilibrate: quantity("ps", "10 ps") = Field(
        description="length of the run that forgets the starting structure"
    )
    produce: quantity("ps", "50 ps") = Field(description="length of the measured run")
    barostat_damping: quantity("ps", "0.5 ps") = Field(
        "0.5 ps", description="relaxation time of the cell"
    )
    thermo_interval: quantity("fs", "5 fs") = Field(
        "5 fs", description="between records of energies, cell and pressure"
    )
    frame_interval: quantity("fs", "20 fs") = Field(
        "20 fs", description="between stored frames of the trajectory"
    )
    checkpoint_interval: quantity("ps", "1 ps") = Field(
        "1 ps", description="between checkpoints; part of the trajectory's definition"
    )
    spectrum_interval: quantity("fs", "2 fs", at_most=2.5) = Field(
        "2 fs", description="between velocity samples for the vibrational density of states"
    )
    spectrum_segment: quantity("ps", "1 ps") = Field(
        "1 ps", description="length of one Fourier segment"
    )
    spectrum_atoms: Annotated[int, Field(ge=1, strict=True)] = Field(
        1000, description="sampled atoms of each element, at most"
    )

    @model_validator(mode="after")
    def _nested(self) -> "Dynamics":
        """Records, segments and checkpoints fall on whole steps, and on each other."""
        _whole_multiples(
            self,
            ("thermo_interval", "timestep"),
            ("spectrum_interval", "timestep"),
            ("frame_interval", "thermo_interval"),
            ("spectrum_segment", "spectrum_interval"),
            ("checkpoint_interval", "thermo_interval"),
            ("checkpoint_interval", "spectrum_segment"),
            ("equilibrate", "thermo_interval"),
            ("produce", "thermo_interval"),
        )
        if self.spectrum_segment > self.produce:
            raise _reject(
                f"spectrum_segment: {_time(self, 'spectrum_segment')} is not allowed; at most "
                f"produce ({_time(self, 'produce')}) is allowed"
            )
        return self


def _beads(value: Any) -> tuple[int, ...]:
    """One number of beads or several, in ascending order."""
    numbers = value if isinstance(value, list | tuple) else [value]
    if not numbers or any(type(n) is not int or n < 2 for n in numbers):
        raise _reject("a whole number >= 2, or a list of such numbers, is allowed")
    return _unique(tuple(sorted(numbers)))


Beads = Annotated[
    tuple[int, ...],
    BeforeValidator(_beads),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 2},
                {"type": "array", "items": {"type": "integer", "minimum": 2}, "minItems": 1},
            ]
        },
        mode="validation",
    ),
]


class PimdPoint(Section):
    pressure: GridValue = Field(description="of the grid")
    temperature: GridValue = Field(description="of the grid")
    beads: Beads = Field(description="beads; of several numbers the largest is the result")


class Pimd(Section):
    points: tuple[PimdPoint, ...] = Field((), description="points of the grid, and their beads")
    start: Literal["crystal", "classical"] = Field(
        "crystal",
        description="where beads begin: on the perfect crystal, or where the classical bath's "
        "equilibration ended",
    )
    springs: Literal["economised", "trotter"] = Field(
        "economised", description="between beads: fitted to oscillators, or the usual ones"
    )
    highest_frequency: quantity("THz", "80 THz") = Field(
        "80 THz", description="up to which economised springs are fitted"
    )
    timestep: quantity("fs", "0.5 fs", at_most=1.0) = Field("0.5 fs", description="time step")
    equilibrate: quantity("ps", "1 ps") = Field(
        "1 ps", description="part of the run that is discarded"
    )
    produce: quantity("ps", "5 ps") = Field("5 ps", description="part that is measured")
    thermo_interval: quantity("fs", "5 fs") = Field(
        "5 fs", description="between records of energies, cell and pressure"
    )
    frame_interval: quantity("fs", "20 fs") = Field(
        "20 fs", description="between stored frames of centroids and beads"
    )
    frame_beads: Annotated[int, Field(ge=1, strict=True)] = Field(
        8, description="beads stored of each frame, about"
    )
    checkpoint_interval: quantity("ps", "0.1 ps") = Field(
        "0.1 ps", description="between checkpoints; part of the trajectory's definition"
    )
    thermostat_damping: quantity("ps", "0.1 ps") = Field(
        "0.1 ps", description="relaxation time of the centroids and of the cell's motion"
    )
    barostat_damping: quantity("ps", "0.5 ps") = Field(
        "0.5 ps", description="relaxation time of the cell"
    )

    @model_validator(mode="after")
    def _nested(self) -> "Pimd":
        _whole_multiples(
            self,
            ("thermo_interval", "timestep"),
            ("frame_interval", "thermo_interval"),
            ("checkpoint_interval", "frame_interval"),
            ("equilibrate", "frame_interval"),
            ("produce", "frame_interval"),
        )
        return self

    @property
    def options(self) -> dict[str, float | int]:
        """What every run depends on, as numbers, the unit in each key."""
        return {
            "timestep_fs": self.timestep,
            "equilibrate_ps": self.equilibrate,
            "produce_ps": self.produce,
            "thermo_interval_fs": self.thermo_interval,
            "frame_interval_fs": self.frame_interval,
            "frame_beads": self.frame_beads,
            "checkpoint_interval_ps": self.checkpoint_interval,
            "thermostat_damping_ps": self.thermostat_damping,
            "barostat_damping_ps": self.barostat_damping,
        }

    @property
    def highest_THz(self) -> float | None:
        """Up to which springs are fitted; None for Trotter springs."""
        return self.highest_frequency if self.springs == "economised" else None


class Distortion(Section):
    window: quantity("ps", "0.5 ps") = Field(
        "0.5 ps", description="window of the local order parameter"
    )


Baths = Annotated[
    tuple[Literal["classical", "qtb", "adqtb"], ...],
    Field(min_length=1),
    AfterValidator(_unique),
]


class Grid(Section):
    """Baths, pressures and temperatures, and the dynamics of a point: all that a run depends on."""

    structure: Structure
    baths: Baths = Field(description="thermal baths; each takes the whole grid")
    pressure: Pressure
    temperature: Temperature
    bath: Bath = Field(default_factory=Bath)
    dynamics: Dynamics
    seed: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] = Field(
        1, description="of every random number of the campaign"
    )

    @model_validator(mode="after")
    def _bath_fits_dynamics(self) -> "Grid":
        if "classical" in self.baths and "0" in self.temperature.values:
            where = self.temperature.values.index("0")
            raise _reject(
                f"temperature.values[{where}]: 0 is not allowed; with the classical bath in "
                "`baths`, a number > 0 is allowed (nothing moves at 0 K)"
            )
        nyquist = 500.0 / self.dynamics.timestep
        if self.bath.cutoff > nyquist:
            raise _reject(
                f"bath.cutoff: {self.bath.cutoff:g} THz is not allowed; at most "
                f"{nyquist:g} THz, half the sampling rate of dynamics.timestep, is allowed"
            )
        self._check_spectra_of_equilibration()
        return self

    def _check_spectra_of_equilibration(self) -> None:
        """Baths that learn from their spectra need enough of them, and whole ones."""
        segment = self.dynamics.spectrum_segment
        if "adqtb" in self.baths:
            times = self.bath.adaptation / segment
            too_few = times < MIN_ADAPTATION * (1 - STEP_TOLERANCE)
            if too_few or abs(times - round(times)) > STEP_TOLERANCE * times:
                raise _reject(
                    f"bath.adaptation: {self.bath.adaptation:g} ps is not allowed; a whole "
                    f"multiple of dynamics.spectrum_segment ({segment:g} ps), at least "
                    f"{MIN_ADAPTATION} of them ({MIN_ADAPTATION * segment:g} ps), is allowed"
                )
        if self.bath.shift_pressure and self.dynamics.equilibrate < 2 * segment:
            raise _reject(
                f"dynamics.equilibrate: {self.dynamics.equilibrate:g} ps is not allowed; with "
                f"bath.shift_pressure at least two of dynamics.spectrum_segment ({segment:g} ps) "
                "are allowed"
            )

    @property
    def n_atoms(self) -> int:
        """Atoms in the supercell."""
        return ATOMS_IN_CELL[self.structure.cell] * math.prod(self.structure.repeat)

    @property
    def points(self) -> list[tuple[str, str, str]]:
        """(bath, pressure, temperature) of every point, P and T in canonical text."""
        return list(product(self.baths, self.pressure.values, self.temperature.values))

    def duration(self, stage: Stage, bath: str) -> float:
        """Length of a stage, ps; an adaptive bath adapts when it has equilibrated."""
        extra = self.bath.adaptation if (stage, bath) == ("equilibrate", "adqtb") else 0.0
        return getattr(self.dynamics, stage) + extra

    def dynamics_options(self, stage: Stage, bath: str) -> dict[str, float]:
        """What a stage of a point depends on, as numbers, the unit in each key."""
        dynamics = self.dynamics
        options = {
            "timestep_fs": dynamics.timestep,
            "duration_ps": self.duration(stage, bath),
            "thermo_interval_fs": dynamics.thermo_interval,
            "checkpoint_interval_ps": dynamics.checkpoint_interval,
            "barostat_damping_ps": dynamics.barostat_damping,
        }
        if stage == "produce":
            options["frame_interval_fs"] = dynamics.frame_interval
        learns = bath == "adqtb" or (bath != "classical" and self.bath.shift_pressure)
        if stage == "produce" or learns:
            options |= {
                "spectrum_interval_fs": dynamics.spectrum_interval,
                "spectrum_segment_ps": dynamics.spectrum_segment,
                "spectrum_atoms": dynamics.spectrum_atoms,
            }
        return options

    def bath_options(self, stage: Stage, bath: str) -> dict[str, float | str | bool]:
        """Parameters of a bath, the unit in each key; only those that its stage depends on."""
        options = {"friction_per_ps": self.bath.friction, "cutoff_THz": self.bath.cutoff}
        if bath != "classical":
            if self.bath.correction != "none":
                options["correction"] = self.bath.correction
            if self.bath.shift_pressure:
                options["shift_pressure"] = True
        if (stage, bath) == ("equilibrate", "adqtb"):
            options["adaptation_ps"] = self.bath.adaptation
            options["adaptation_rate"] = self.bath.adaptation_rate
        return options


def _campaign(name: str) -> str:
    if name == "potential":
        raise _reject("results/potential is for training potentials; any other name is allowed")
    return name


class Named(Section):
    """What has results of its own."""

    campaign: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$"), AfterValidator(_campaign)
    ] = Field(description="name; results go to results/<campaign>/")


class Config(Grid, Named):
    """A campaign: its grid of baths, pressures and temperatures, and how a point is run."""

    potential: Potential = Field(default_factory=Potential)
    keep_trajectories: Annotated[bool, Field(strict=True)] = Field(
        False, description="keep trajectory.nc once a point is analysed"
    )
    distortion: Distortion = Field(default_factory=Distortion)
    pimd: Pimd = Field(default_factory=Pimd)
    training: str = Field(
        "config/training.yaml", description="settings of the potential's training; no point's"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        if self.distortion.window > self.dynamics.produce:
            raise _reject(
                f"distortion.window: {self.distortion.window:g} ps is not allowed; at most "
                f"dynamics.produce ({self.dynamics.produce:g} ps) is allowed"
            )
        self._check_pimd()
        return self

    def _check_pimd(self) -> None:
        """Path integrals are compared with the baths at the same points, each once, above 0 K."""
        if self.pimd.start == "classical" and "classical" not in self.baths:
            raise _reject(
                "pimd.start: classical is not allowed; crystal is allowed, or classical with the "
                "classical bath in `baths`"
            )
        seen = set()
        for i, point in enumerate(self.pimd.points):
            for key in ("pressure", "temperature"):
                value, grid = getattr(point, key), getattr(self, key).values
                if value not in grid:
                    raise _reject(
                        f"pimd.points[{i}].{key}: {value} is not allowed; a value of {key}.values "
                        f"({', '.join(grid)}) is allowed"
                    )
            if point.temperature == "0":
                raise _reject(
                    f"pimd.points[{i}].temperature: 0 is not allowed; a number > 0 is allowed "
                    "(the number of beads grows as 1/T)"
                )
            if (point.pressure, point.temperature) in seen:
                raise _reject(
                    f"pimd.points[{i}]: {point.pressure} GPa, {point.temperature} K stands there "
                    "twice; every point once, with a list of beads, is allowed"
                )
            seen.add((point.pressure, point.temperature))

    @property
    def models(self) -> tuple[str, ...]:
        """The model in charge, then its committee."""
        return (self.potential.model, *self.potential.committee)


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice, of which YAML itself keeps the last in silence."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict:
    seen = set()
    for key_node, _ in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be a text", key_node.start_mark
            )
        if key_node.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key_node.value} stands there twice", key_node.start_mark
            )
        seen.add(key_node.value)
    return loader.construct_mapping(node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: str | os.PathLike) -> dict:
    """Content of a YAML file with keys at its top level.

    Raises
    ------
    UserError
        The file is absent, no YAML, or no mapping; the line is named.
    """
    try:
        content = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: no text in UTF-8; a YAML file is allowed") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise UserError(f"{path}: {where}no valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: no valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: empty or without keys; see config/README.md for what belongs in")
    return content


def load(
    files: Sequence[str | os.PathLike],
    overrides: Mapping[str, Any] | None = None,
    root: str | os.PathLike = ".",
    warn: Callable[[str], object] | None = None,
) -> Config:
    """Read, merge and validate configuration files, and look into the files they name.

    Parameters
    ----------
    files
        YAML files; a later one overrides single keys of those before.
    overrides
        Values that win over all files (`snakemake --config`).
    root
        Folder to which paths in the configuration are relative.
    warn
        Told, a line each, what is allowed but deserves a thought. With it the structure is looked
        into as well, which takes a second that jobs need not pay again.

    Raises
    ------
    UserError
        One line: file, key, value, what is allowed.
    """
    source = " + ".join(_shown(path) for path in files)
    content: dict = {}
    for path in files:
        _merge(content, read_yaml(path))
    if overrides:
        source += " + --config"
        _merge(content, _typed(overrides))
    config = validate(content, source)
    check_files(config, source, root)
    if warn:
        for warning in warnings(config, source, root):
            warn(f"Warning: {source}: {warning}")
    return config


def validate(content: Mapping[str, Any], source: str, model: type[BaseModel] = Config) -> Any:
    """The configuration in `content`, as an instance of `model`; `source` names its origin.

    Raises
    ------
    UserError
        One line for the first thing wrong, with the number of others.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        # A list that lost a bad value counts as too short, too: keep the value's own error.
        within = {problem["loc"][:-1] for problem in problems if problem["loc"]}
        problems = [problem for problem in problems if problem["loc"] not in within]
        # An unknown key often explains a missing one: tell it first.
        problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise UserError(f"{source}: {_sentence(problems[0], model)}{more}") from None


def check_files(config: Config, source: str, root: str | os.PathLike = ".") -> None:
    """Raise UserError where a named file is absent or a model does not know La and H."""
    if not Path(root, config.structure.file).is_file():
        raise UserError(
            f"{source}: structure.file: {config.structure.file} is not allowed; the path of an "
            "existing structure file is allowed"
        )
    keys = ["potential.model"]
    keys += [f"potential.committee[{i}]" for i in range(len(config.potential.committee))]
    for key, path in zip(keys, config.models, strict=True):
        if not Path(root, path).is_file():
            raise UserError(
                f"{source}: {key}: {path} is not allowed; the path of an existing frozen graph "
                "(.pb) is allowed"
            )
        try:
            known = frozen_model.read(Path(root, path)).type_map
        except UserError as error:
            reason = str(error).removeprefix(f"{Path(root, path)}: ")
            raise UserError(f"{source}: {key}: {path} is not allowed; {reason}") from None
        if missing := [element for element in ELEMENTS if element not in known]:
            raise UserError(
                f"{source}: {key}: {path} is not allowed; it knows {', '.join(known)} but not "
                f"{' and '.join(missing)}; a model that knows La and H is allowed"
            )


def warnings(config: Config, source: str, root: str | os.PathLike = ".") -> list[str]:
    """What is allowed but deserves a thought, a line each.

    Raises
    ------
    UserError
        The structure file holds no Fm-3m LaH10.
    """
    from lah10.crystal import structures  # ASE and spglib take a while, which no job should pay

    shape = config.structure
    try:
        crystal = structures.read_crystal(Path(root, shape.file))
        cell = structures.build_supercell(crystal, shape.cell, shape.repeat).cell
    except UserError as error:
        reason = str(error).removeprefix("structure.file: ")
        raise UserError(f"{source}: structure.file: {shape.file}: {reason}") from None
    thinnest = min(structures.thicknesses(cell.array))
    cutoff = max(frozen_model.read(Path(root, model)).cutoff for model in config.models)
    if thinnest >= 2 * cutoff:
        return []
    return [
        f"structure.repeat: {list(shape.repeat)} makes a cell {thinnest:.1f} Å thin, "
        f"less than twice the potential's cut-off of {cutoff:g} Å: atoms see their own images, and "
        "finite-size effects are large"
    ]


def to_dict(config: Config) -> dict:
    """The configuration with every default filled in, in the form of the file that gives it."""
    return config.model_dump(mode="json")


def json_schema() -> str:
    """JSON schema of the configuration file, for editors; kept in workflow/schemas."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= Config.model_json_schema(mode="validation")
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _shown(path: str | os.PathLike) -> str:
    """The path as a person would type it: relative where it lies below the working folder."""
    path = Path(path)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return str(path)


def _merge(content: dict, over: Mapping) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(content.get(key), dict):
            _merge(content[key], value)
        else:
            content[key] = value


def _typed(value: Any) -> Any:
    """`value` with numbers and truth values in place of their texts, as in a file.

    Of `--config 'pimd={points: [{beads: 32}]}'` Snakemake makes texts, at all depths but the first.
    """
    if isinstance(value, Mapping):
        return {key: _typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    if isinstance(value, str):
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError:
            return value
        return read if isinstance(read, bool | int | float) else value
    return value


def _key(location: Iterable[int | str]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _section(location: Sequence[int | str], model: type[BaseModel]) -> type[BaseModel]:
    """The model whose keys stand at `location`, seen from `model`."""
    for part in location:
        members = {dict: 1, tuple: 0}.get(typing.get_origin(model))
        model = (
            model.model_fields[part].annotation
            if members is None
            else typing.get_args(model)[members]
        )
    return model


#: What is allowed, by the type of pydantic's error; fields come from the error's context.
ALLOWED = {
    "bool_type": "true or false is allowed",
    "int_type": "a whole number is allowed",
    "float_type": "a number is allowed",
    "string_type": "a text is allowed",
    "tuple_type": "a list is allowed",
    "dict_type": "a section with keys is allowed",
    "model_type": "a section with keys is allowed",
    "too_short": "a list of at least {min_length} is allowed",
    "too_long": "a list of at most {max_length} is allowed",
    "literal_error": "{expected} is allowed",
    "greater_than": "a number > {gt} is allowed",
    "greater_than_equal": "a number >= {ge} is allowed",
    "less_than": "a number < {lt} is allowed",
    "less_than_equal": "a number <= {le} is allowed",
    "string_pattern_mismatch": "letters, digits, - and _ are allowed",
}


def _sentence(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    """One line for one of pydantic's errors."""
    location, value, kind = problem["loc"], problem["input"], problem["type"]
    key = _key(location)
    if kind == "extra_forbidden":
        allowed = list(_section(location[:-1], model).model_fields)
        near = difflib.get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        return f"{key}: unknown key; {hint}allowed: {', '.join(allowed)}"
    if kind == "missing":
        return f"{key}: missing; it must be given{_description(location, model)}"
    if kind == "lah10" and isinstance(value, Mapping | BaseModel):
        # A rule between keys names the keys itself.
        return f"{key}.{problem['msg']}" if key else problem["msg"]
    if template := ALLOWED.get(kind):
        message = template.format(**problem.get("ctx", {}))
    else:
        message = problem["msg"]
    return f"{key}: {_brief(value)} is not allowed; {message}"


def _description(location: Sequence[int | str], model: type[BaseModel]) -> str:
    """ " (what the key means)" where the key has a description."""
    while isinstance(location[-1], int):  # an item of a list: described with the list
        location = location[:-1]
    text = _section(location[:-1], model).model_fields[location[-1]].description
    return f" ({text})" if text else ""


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
