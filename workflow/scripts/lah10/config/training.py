"""What config/training.yaml and the declaration of the split may say."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from lah10 import ELEMENTS, config
from lah10.config import STEP_TOLERANCE, Section
from lah10.errors import UserError
from lah10.io import frozen_model

Positive = Annotated[int, Field(ge=1, strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

#: The folder of what GPAW labelled, beside those of `labels.outputs`.
GPAW_SYSTEMS = "gpaw"
#: The source that active learning adds to those of the split.
LEARNT = "learn"

Share = Annotated[float, Field(gt=0, le=1)]


def _unique(values: tuple) -> tuple:
    for value in values:
        if values.count(value) > 1:
            raise PydanticCustomError("lah10", "every value once is allowed")
    return values


class Source(Section):
    """One origin of labelled structures: a public repository, or a folder of this project."""

    citation: str = Field(description="where the structures were published")
    terms: str = Field(description="what may be done with them")
    repository: str | None = Field(None, description="address that git can clone")
    commit: str | None = Field(None, description="commit of the repository")
    folder: str = Field(".", description="folder in the repository")
    manifest: str | None = Field(None, description="SHA-256 of the files that are used")
    path: str | None = Field(None, description="folder in this project")
    one_zero: Annotated[bool, Field(strict=True)] = Field(
        False, description="all sets were computed alike: one zero of energy for all"
    )
    pulay: Annotated[float, Field(strict=True, ge=0, le=0.2, allow_inf_nan=False)] = Field(
        0.0,
        description="eV/atom: what pressures lack of the slope of energies (Pulay stress), times "
        "the volume an atom",
    )
    scale: str | None = Field(
        None,
        description="another source that was computed alike, whose zeros of energy and pressure "
        "in the alignment are this one's, too",
    )
    held_out: tuple[str, ...] | Literal["all"] = Field(
        description="sets to test with: paths of systems, or of sets within them; or all"
    )
    without_energies: tuple[str, ...] | Literal["all"] = Field(
        (), description="systems of which energies are not learnt: their paths; or all"
    )

    @model_validator(mode="after")
    def _one_place(self) -> "Source":
        public = (self.repository, self.commit, self.manifest)
        if (all(public) and not self.path) or (self.path and not any(public)):
            return self
        raise PydanticCustomError(
            "lah10", "either path, or repository, commit and manifest together, is allowed"
        )


class Split(Section):
    """Sources, and what of them is held out."""

    sources: dict[str, Source] = Field(description="origins of labelled structures, by name")

    @model_validator(mode="after")
    def _scales(self) -> "Split":
        for name, source in self.sources.items():
            others = [other for other, one in self.sources.items() if one.scale is None]
            if source.scale is not None and source.scale not in others:
                raise PydanticCustomError(
                    "lah10",
                    "{name}.scale: {scale} is not allowed; a source with a scale of its own is: "
                    "{others}",
                    {"name": name, "scale": source.scale, "others": ", ".join(others) or "none"},
                )
        return self

    def zero_of(self, system: str) -> str:
        """Whose zero of energy a system has, by name: its source's, if that has one, or its own."""
        names = [s for s in self.sources if system == s or system.startswith(f"{s}/")]
        source = max(names, key=len, default=None)
        return source if source and self.sources[source].one_zero else system


class Run(Section):
    """One run of `dp train`."""

    input: str = Field(description="input of deepmd-kit, without data, steps and seeds")
    steps: Positive = Field(description="training steps")


class Stage(Run):
    """A run of a training from its beginning."""

    shares: dict[str, Share] | None = Field(
        None, description="of this stage, in place of the training's `shares`"
    )


class Gpaw(Section):
    """How GPAW labels a structure; by default as the project's own frames were labelled.

    With denser k-points than those, forces change by 0.04 eV/Å and pressures by 0.4 GPa, see
    resources/dataset/lah10-gpaw-pbe.
    """

    xc: Annotated[str, Field(min_length=1)] = Field(
        "PBE", description="exchange and correlation, by a name that GPAW knows"
    )
    cutoff: config.quantity("eV", "600 eV") = Field("600 eV", description="of the plane waves")
    kpoint_density: config.quantity("Å", "2.9 Å") = Field(
        "2.9 Å", description="Γ-centred k-points per Å⁻¹ along each reciprocal vector"
    )
    smearing: Literal["methfessel-paxton", "fermi-dirac", "marzari-vanderbilt"] = Field(
        "methfessel-paxton", description="of the occupations; Methfessel-Paxton is of order 1"
    )
    smearing_width: config.quantity("eV", "0.2 eV") = Field("0.2 eV", description="its width")
    energy_tolerance: config.quantity("eV", "2e-5 eV") = Field(
        "2e-5 eV", description="last changes of the energy, for each valence electron"
    )
    density_tolerance: Annotated[float, Field(gt=0, lt=1)] = Field(
        2e-5, description="last change of the density, in electrons for each valence electron"
    )
    iterations: Positive = Field(333, description="after which a calculation has failed")


class Labels(Section):
    """What is labelled, and labels that other codes gave."""

    structures: str = Field(
        "none", description="file with structures to label, or folder of such files, or none"
    )
    gpaw: Gpaw = Field(default_factory=Gpaw, description="how they are labelled")
    phonon_kpoint_density: config.quantity("Å", "5 Å") = Field(
        "5 Å",
        description="k-points for the forces that phonons come from, otherwise as `gpaw`: small "
        "displacements want more of them",
    )
    outputs: dict[Name, str] = Field(
        default_factory=dict,
        description="outputs of VASP or Quantum ESPRESSO: a file, or a folder of such, by a name",
    )

    @property
    def structures_path(self) -> str | None:
        return None if self.structures == "none" else self.structures

    @property
    def phonons(self) -> Gpaw:
        """How the displaced crystals of the phonons are labelled."""
        return self.gpaw.model_copy(update={"kpoint_density": self.phonon_kpoint_density})


class Explore(config.Grid):
    """Where active learning looks for structures: runs like those of a campaign."""

    structure: config.Structure = Field(
        default_factory=lambda: config.Structure(repeat=(1, 1, 1)),
        description="crystal whose cell is repeated",
    )
    baths: config.Baths = Field(
        ("classical", "qtb"), description="thermal baths; each takes the whole grid"
    )
    pressure: config.Pressure = Field(
        default_factory=lambda: config.Pressure(values=(100, 150, 200, 250, 300)),
        description="of the grid",
    )
    temperature: config.Temperature = Field(
        default_factory=lambda: config.Temperature(values=(20, 200, 600)),
        description="of the grid",
    )
    dynamics: config.Dynamics = Field(
        default_factory=lambda: config.Dynamics(
            equilibrate="0.5 ps", produce="2 ps", frame_interval="50 fs"
        ),
        description="of a point",
    )

    @model_validator(mode="after")
    def _some_frames(self) -> "Explore":
        if self.frames < 1:
            raise PydanticCustomError(
                "lah10",
                "dynamics.frame_interval: {interval} fs is not allowed; at most produce "
                "({produce} ps) is allowed, or there is nothing to look at",
                {
                    "interval": f"{self.dynamics.frame_interval:g}",
                    "produce": f"{self.dynamics.produce:g}",
                },
            )
        return self

    @property
    def frames(self) -> int:
        """Frames that are stored of a point."""
        return int(1000 * self.dynamics.produce / self.dynamics.frame_interval + STEP_TOLERANCE)


class Retrain(Run):
    """How every model goes on when a round brought new labels."""

    input: str = Field(
        "resources/potentials/lah10/learn.json",
        description="input of deepmd-kit, without data, steps and seeds",
    )
    steps: Positive = Field(8000, description="training steps of a model in a round")
    share: Share = Field(
        0.3, description="share of these steps that the labels of all rounds take together"
    )


def _models(value: object) -> str | tuple[str, ...]:
    if value in ("none", "trained"):
        return value
    if (
        isinstance(value, list | tuple)
        and len(value) >= 2
        and all(isinstance(one, str) for one in value)
    ):
        return _unique(tuple(value))
    raise PydanticCustomError(
        "lah10", "none, trained, or a list of at least two frozen graphs (.pb) is allowed"
    )


class Learn(Section):
    """Active learning: explore, select where a committee disagrees, label, retrain."""

    models: Annotated[str | tuple[str, ...], BeforeValidator(_models)] = Field(
        "none",
        description="committee to start from: frozen graphs, trained (those of seeds), or none",
    )
    rounds: Positive = Field(4, description="rounds at most")
    share: Annotated[float, Field(gt=0, lt=1, strict=True)] = Field(
        0.02, description="of frames with a deviation above `lower`; below it the work is done"
    )
    lower: config.quantity("eV/Å", "0.25 eV/Å") = Field(
        "0.25 eV/Å", description="largest force deviation of a frame that needs no label"
    )
    upper: config.quantity("eV/Å", "1 eV/Å") = Field(
        "1 eV/Å", description="beyond which a frame is taken for unphysical and is not labelled"
    )
    labels: Positive = Field(20, description="structures labelled in a round, at most")
    scale: str = Field(
        "lah10-gpaw-pbe",
        description="source whose zeros of energy and pressure, and `pulay`, the new labels share",
    )
    retrain: Retrain = Field(default_factory=Retrain, description="training in a round")
    explore: Explore = Field(default_factory=Explore, description="runs of a round")

    @model_validator(mode="after")
    def _bounds(self) -> "Learn":
        if self.lower >= self.upper:
            raise PydanticCustomError(
                "lah10",
                "lower: {lower} eV/Å is not allowed; less than upper ({upper} eV/Å) is allowed",
                {"lower": f"{self.lower:g}", "upper": f"{self.upper:g}"},
            )
        return self


class Training(Section):
    """Settings of the training stage (config/training.yaml)."""

    split: str = Field(
        "resources/potentials/lah10/split.yaml", description="sources, and what is held out"
    )
    data: dict[str, str] = Field(
        default_factory=dict, description="local copies of sources, by the source's name"
    )
    alignment: str = Field(
        "resources/potentials/lah10/alignment.yaml",
        description="file with the offsets of sets and sources, or none",
    )
    label_check: str = Field(
        "resources/potentials/lah10/lah10.pb",
        description="frozen graph that tells labels in other units, or none",
    )
    shares: dict[str, Share] = Field(
        default_factory=dict,
        description="share of the training steps of a source, or of a set; the rest by size",
    )
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = Field(
        description="inputs of deepmd-kit, each with its steps; each goes on from the one before"
    )
    seeds: Annotated[tuple[Positive, ...], Field(min_length=1), AfterValidator(_unique)] = Field(
        (1,), description="one model each"
    )
    checkpoint_steps: Positive = Field(2000, description="steps between checkpoints")
    threads: Positive = Field(2, description="cores a training may use")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto", description="where a training runs; auto: on a GPU where TensorFlow sees one"
    )
    compare: dict[Name, str] = Field(
        default_factory=dict,
        description="frozen graphs validated on the same frames for comparison, by a name",
    )
    labels: Labels = Field(default_factory=Labels, description="structures to label")
    learn: Learn = Field(default_factory=Learn, description="active learning")

    @property
    def gpus(self) -> int:
        """GPUs that a training's job has to be given."""
        return 1 if self.device == "gpu" else 0

    @property
    def alignment_file(self) -> str | None:
        return None if self.alignment == "none" else self.alignment

    @property
    def label_check_file(self) -> str | None:
        return None if self.label_check == "none" else self.label_check


def load_split(path: str | os.PathLike) -> Split:
    """Read and validate the declaration of the split.

    Raises
    ------
    UserError
        One line: file, key, value, what is allowed.
    """
    return config.validate(config.read_yaml(path), str(path), Split)


def load(path: str | os.PathLike, root: str | os.PathLike = ".") -> tuple[Training, Split]:
    """Read and validate the settings of the training stage and the split they name.

    Paths in the settings are relative to `root`.

    Raises
    ------
    UserError
        One line: file, key, value, what is allowed.
    """
    if not Path(path).is_file():
        raise UserError(f"training: {path} is not allowed; the path of an existing file is allowed")
    training = config.validate(config.read_yaml(path), str(path), Training)
    inputs = [(f"stages[{i}].input", stage.input) for i, stage in enumerate(training.stages)]
    for key, file in (
        ("split", training.split),
        ("alignment", training.alignment_file),
        ("label_check", training.label_check_file),
        *inputs,
    ):
        if file and not Path(root, file).is_file():
            raise UserError(
                f"{path}: {key}: {file} is not allowed; the path of an existing file is allowed"
            )
    _check_labels(training.labels, path, root)
    split = load_split(Path(root, training.split))
    for i, stage in enumerate(training.stages):
        if stage.steps % training.checkpoint_steps:
            raise UserError(
                f"{path}: stages[{i}].steps: {stage.steps} is not allowed; a multiple of "
                f"checkpoint_steps, {training.checkpoint_steps}, is"
            )
    for name, file in training.compare.items():
        if name in (f"model{seed}" for seed in training.seeds):
            raise UserError(f"{path}: compare.{name}: the name of a trained model; choose another")
        if not Path(root, file).is_file():
            raise UserError(
                f"{path}: compare.{name}: {file} is not allowed; the path of a frozen graph (.pb) "
                "is allowed"
            )
    all_shares = {"shares": training.shares} | {
        f"stages[{i}].shares": stage.shares or {} for i, stage in enumerate(training.stages)
    }
    for key, shares in all_shares.items():
        if (total := sum(shares.values())) > 1 + 1e-9:
            raise UserError(f"{path}: {key}: {total:g} in all is not allowed; at most 1 is allowed")
    for name, folder in training.data.items():
        if name not in split.sources:
            raise UserError(
                f"{path}: data.{name}: no source of that name in {training.split}; "
                f"allowed: {', '.join(split.sources)}"
            )
        if not Path(root, folder).is_dir():
            raise UserError(
                f"{path}: data.{name}: {folder} is not allowed; the path of a folder is allowed"
            )
    if training.learn.models != "none":
        _check_learn(training, split, path, root)
    return training, split


def _check_learn(
    training: Training, split: Split, path: str | os.PathLike, root: str | os.PathLike
) -> None:
    """Raise UserError where active learning could not do with what the other sections say."""
    learn = training.learn
    if learn.models == "trained":
        if len(training.seeds) < 2:
            raise UserError(
                f"{path}: learn.models: trained is not allowed with one of seeds; at least two "
                "models disagree about anything"
            )
    else:
        for i, model in enumerate(learn.models):
            where = f"{path}: learn.models[{i}]: {model} is not allowed"
            try:
                known = frozen_model.read(Path(root, model))
            except UserError as error:
                reason = str(error).removeprefix(f"{Path(root, model)}: ")
                raise UserError(f"{where}; {reason}") from None
            if known.compressed:
                raise UserError(
                    f"{where}; it is compressed, and a graph as `dp freeze` writes it is needed "
                    "to train on"
                )
            if known.type_map != ELEMENTS:
                raise UserError(
                    f"{where}; its elements are {', '.join(known.type_map)}, and "
                    f"{', '.join(ELEMENTS)} in this order are needed to train on"
                )
    for key, file in (
        ("retrain.input", learn.retrain.input),
        ("explore.structure.file", learn.explore.structure.file),
    ):
        if not Path(root, file).is_file():
            raise UserError(
                f"{path}: learn.{key}: {file} is not allowed; the path of an existing file is "
                "allowed"
            )
    if learn.retrain.steps % training.checkpoint_steps:
        raise UserError(
            f"{path}: learn.retrain.steps: {learn.retrain.steps} is not allowed; a multiple of "
            f"checkpoint_steps, {training.checkpoint_steps}, is"
        )
    if (total := sum(training.shares.values()) + learn.retrain.share) > 1 + 1e-9:
        raise UserError(
            f"{path}: learn.retrain.share: {total:g} in all with `shares` is not allowed; at most "
            "1 is allowed"
        )
    if LEARNT in split.sources:
        raise UserError(
            f"{training.split}: sources.{LEARNT}: the name of what `snakemake learn` adds; choose "
            "another"
        )
    if training.alignment_file:
        one_zero = [name for name, source in split.sources.items() if source.one_zero]
        if learn.scale not in one_zero:
            raise UserError(
                f"{path}: learn.scale: {learn.scale} is not allowed; a source of {training.split} "
                f"with one_zero is allowed: {', '.join(one_zero) or 'none has it'}"
            )


def _check_labels(labels: Labels, path: str | os.PathLike, root: str | os.PathLike) -> None:
    """Raise UserError where something to label, or an output to convert, is not there."""
    if labels.structures_path and not Path(root, labels.structures).exists():
        raise UserError(
            f"{path}: labels.structures: {labels.structures} is not allowed; the path of a file "
            "with structures, of a folder of such files, or none is allowed"
        )
    for name, file in labels.outputs.items():
        if name == GPAW_SYSTEMS:
            raise UserError(
                f"{path}: labels.outputs.{name}: the name of the labels made here; choose another"
            )
        if not Path(root, file).exists():
            raise UserError(
                f"{path}: labels.outputs.{name}: {file} is not allowed; the path of an output of "
                "VASP or Quantum ESPRESSO, or of a folder of such, is allowed"
            )
