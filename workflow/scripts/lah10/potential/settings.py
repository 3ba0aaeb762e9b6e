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


class Training(Section):
    """Settings of the training stage (config/training.yaml)."""

    split: str = Field(
        "resources/potentials/lah10/split.yaml", description="sources, and what is held out"
    )
    data: dict[str, str] = Field(
        default_factory=dict, description="local copies of sources, by the source's name"
    )
    input: str = Field("resources/potentials/lah10/input.json", description="input of deepmd-kit")
    energy_constants: str = Field(
        "none",
        description="file with the energy per atom taken off each set, or none",
    )
    steps: Positive = Field(description="training steps")
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

    @property
    def constants_file(self) -> str | None:
        return None if self.energy_constants == "none" else self.energy_constants


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
    for key, file in (
        ("split", training.split),
        ("input", training.input),
        ("energy_constants", training.constants_file),
    ):
        if file and not Path(root, file).is_file():
            raise UserError(
                f"{path}: {key}: {file} is not allowed; the path of an existing file is allowed"
            )
    split = load_split(Path(root, training.split))
    for name, file in training.compare.items():
        if name in (f"model{seed}" for seed in training.seeds):
            raise UserError(f"{path}: compare.{name}: the name of a trained model; choose another")
        if not Path(root, file).is_file():
            raise UserError(
                f"{path}: compare.{name}: {file} is not allowed; the path of a frozen graph (.pb) "
                "is allowed"
            )
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
