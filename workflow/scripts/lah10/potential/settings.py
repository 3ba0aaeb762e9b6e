"""What config/training.yaml and the declaration of the split may say."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from lah10 import config
from lah10.config import Section
from lah10.errors import UserError

Positive = Annotated[int, Field(ge=1, strict=True)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

#: The folder of what GPAW labelled, beside those of `labels.outputs`.
GPAW_SYSTEMS = "gpaw"

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
    held_out: tuple[str, ...] | Literal["all"] = Field(
        description="sets to test with: paths of systems, or of sets within them; or all"
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


class Stage(Section):
    """One run of `dp train`."""

    input: str = Field(description="input of deepmd-kit, without data, steps and seeds")
    steps: Positive = Field(description="training steps")


class Gpaw(Section):
    """How GPAW labels a structure; by default as the project's own frames were labelled.

    Those settings are converged to 0.02 eV/Å and 1 GPa, see resources/dataset/lah10-gpaw-pbe.
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
    outputs: dict[Name, str] = Field(
        default_factory=dict,
        description="outputs of VASP or Quantum ESPRESSO: a file, or a folder of such, by a name",
    )

    @property
    def structures_path(self) -> str | None:
        return None if self.structures == "none" else self.structures


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
    device: Literal["cpu", "gpu"] = Field("cpu", description="where a training runs")
    compare: dict[Name, str] = Field(
        default_factory=dict,
        description="frozen graphs validated on the same frames for comparison, by a name",
    )
    labels: Labels = Field(default_factory=Labels, description="structures to label")

    @property
    def alignment_file(self) -> str | None:
        return None if self.alignment == "none" else self.alignment


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
    training = config.validate(config.read_yaml(path), str(path), Training)
    inputs = [(f"stages[{i}].input", stage.input) for i, stage in enumerate(training.stages)]
    for key, file in (
        ("split", training.split),
        ("alignment", training.alignment_file),
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
    if (total := sum(training.shares.values())) > 1 + 1e-9:
        raise UserError(f"{path}: shares: {total:g} in all is not allowed; at most 1 is allowed")
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
    return training, split


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
