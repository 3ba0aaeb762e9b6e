"""All settings of the training (config/training.yaml), with the split that they name."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from lah10 import ELEMENTS
from lah10.config import yaml_files
from lah10.config.differences import Differences
from lah10.config.labels import GPAW_SYSTEMS, Gpaw, Labels
from lah10.config.learn import LEARNT, Explore, Learn
from lah10.config.quantities import unique
from lah10.config.reading import validate
from lah10.config.runs import Name, Positive, Share, Stage
from lah10.config.section import Section
from lah10.config.split import Source, Split
from lah10.errors import UserError
from lah10.io import frozen_model

__all__ = [
    "GPAW_SYSTEMS",
    "LEARNT",
    "Explore",
    "Gpaw",
    "Labels",
    "Learn",
    "Source",
    "Split",
    "Training",
    "load",
    "load_split",
]

#: What `differences` takes from beside a frozen graph in place of a training.
BESIDE = ("training.json", "lcurve.out")
#: Shares add up to 1 in spite of decimal fractions in binary.
ROUNDING = 1e-9


class Training(Section):
    """Settings of the training stage."""

    split: str = Field(
        "resources/potentials/lah10/split.yaml",
        description="File with the sources of labelled structures, below.",
    )
    data: dict[str, str] = Field(
        default_factory=dict,
        description="Local copies of published sources, such as `{ly-ceperley: "
        "path/to/data/full}`; git fetches the others. Checksums are compared in both cases.",
    )
    alignment: str = Field(
        "resources/potentials/lah10/alignment.yaml",
        description="File with offsets of energy (of a set, or of a source with "
        "`shared_energy_reference`) and pressure (of a source), which are subtracted from the "
        "labels before training. `snakemake alignment` estimates them on the training set with "
        "the potential in use. `none`: no offsets; `pulay_pv_per_atom` still applies.",
    )
    label_check: str = Field(
        "resources/potentials/lah10/lah10.pb",
        description="Potential for a check of the labels before training: forces, energies (up to "
        "a constant) and pressures outside 0.5 to 2 times its own are refused, being in another "
        "unit, of the wrong sign or of other atoms. About 50 ms for a frame of 352 atoms. Name a "
        "potential fit for your structures, or `none` for no check.",
    )
    shares: dict[str, Share] = Field(
        default_factory=dict,
        description="Shares of the training steps of a source or set; the rest is divided among "
        "the others by size.",
    )
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = Field(
        description="Runs of `dp train`, each from where the one before ended. The input of a "
        'later stage may have `"_conditioned": "new"` or `"kept"`: training in coordinates in '
        "which it converges faster, with the fitting net drawn anew or kept (`se_e2_a` only). Such "
        "a stage may add quadrupoles and octupoles to the descriptor: "
        '`"_multipoles": {"l_max": 3, "neurons": 16, "axis_neurons": 8, "cutoff": 2.6, "sel": [8, '
        "44]}`, with the cut-off in Å and the most neighbours of each element within it; see "
        "`docs/methods/potential.md`."
    )
    seeds: Annotated[tuple[Positive, ...], Field(min_length=1), AfterValidator(unique)] = Field(
        (1,),
        description="Seeds, one for each of `model1`, `model2`, ...; several make a committee.",
    )
    checkpoint_steps: Positive = Field(
        2000, description="Steps between checkpoints. A stopped training resumes from the last."
    )
    threads: Positive = Field(2, description="Cores of a training.")
    device: Literal["auto", "cpu", "gpu"] = Field(
        "auto",
        description="Device of a training: `auto`, a GPU where TensorFlow finds one, otherwise the "
        "CPU; `cpu`; `gpu`, an error where TensorFlow finds none, and a request to Slurm for one "
        "(`set-resources: {train: {gpu_model: a100}}` in the profile, or `slurm_extra`, gives "
        "details). A GPU needs `deepmd-kit[gpu,cu12]` in place of `deepmd-kit[cpu]`.",
    )
    differences: Differences = Field(
        default_factory=Differences, description="Energy differences, learnt after training."
    )
    compare: dict[Name, str] = Field(
        default_factory=dict,
        description="Other frozen graphs to validate on the same frames, such as `{published: "
        "path/to/graph.pb}`.",
    )
    labels: Labels = Field(default_factory=Labels, description="Structures to label.")
    learn: Learn = Field(default_factory=Learn, description="Active learning.")

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
        One line: file, key, what is expected, what is given.
    """
    return validate(yaml_files.read(path), str(path), Split)


def load(path: str | os.PathLike, root: str | os.PathLike = ".") -> tuple[Training, Split]:
    """Read and validate the settings of the training stage and the split they name.

    Paths in the settings are relative to `root`.

    Raises
    ------
    UserError
        One line: file, key, what is expected, what is given.
    """
    if not Path(path).is_file():
        raise UserError(f"training: expected the path of a file, got {path}, which does not exist")
    training = validate(yaml_files.read(path), str(path), Training)
    inputs = [(f"stages[{i}].input", stage.input) for i, stage in enumerate(training.stages)]
    for key, file in (
        ("split", training.split),
        ("alignment", training.alignment_file),
        ("label_check", training.label_check_file),
        *inputs,
    ):
        if file:
            _check_file(path, key, file, root)
    _check_labels(training.labels, path, root)
    _check_differences(training, path, root)
    split = load_split(Path(root, training.split))
    for i, stage in enumerate(training.stages):
        _check_steps(path, f"stages[{i}].steps", stage.steps, training)
    for name, file in training.compare.items():
        if name in (f"model{seed}" for seed in training.seeds):
            raise UserError(f"{path}: compare.{name}: the name of a trained model; choose another")
        _check_file(path, f"compare.{name}", file, root, "a frozen graph (.pb)")
    all_shares = {"shares": training.shares} | {
        f"stages[{i}].shares": stage.shares or {} for i, stage in enumerate(training.stages)
    }
    for key, shares in all_shares.items():
        if (total := sum(shares.values())) > 1 + ROUNDING:
            raise UserError(f"{path}: {key}: expected at most 1 in all, got {total:g}")
    for name, folder in training.data.items():
        if name not in split.sources:
            raise UserError(
                f"{path}: data.{name}: expected a source of {training.split} "
                f"({', '.join(split.sources)}), got {name}"
            )
        if not Path(root, folder).is_dir():
            raise UserError(f"{path}: data.{name}: expected the path of a folder, got {folder}")
    if training.learn.models != "none":
        _check_learn(training, split, path, root)
    return training, split


def _check_file(
    path: str | os.PathLike, key: str, file: str, root: str | os.PathLike, what: str = "a file"
) -> None:
    if not Path(root, file).is_file():
        raise UserError(
            f"{path}: {key}: expected the path of {what}, got {file}, which does not exist"
        )


def _check_steps(path: str | os.PathLike, key: str, steps: int, training: Training) -> None:
    if steps % training.checkpoint_steps:
        raise UserError(
            f"{path}: {key}: expected a multiple of checkpoint_steps "
            f"({training.checkpoint_steps}), got {steps}"
        )


def _check_learn(
    training: Training, split: Split, path: str | os.PathLike, root: str | os.PathLike
) -> None:
    """Raise UserError where active learning does not fit to the other sections."""
    learn = training.learn
    if learn.models == "trained":
        if len(training.seeds) < 2:
            raise UserError(
                f"{path}: learn.models: expected at least two seeds with trained models, got one; "
                "a committee has two or more"
            )
    else:
        for i, model in enumerate(learn.models):
            _check_committee(f"{path}: learn.models[{i}]", model, root)
    _check_file(path, "learn.retrain.input", learn.retrain.input, root)
    _check_file(path, "learn.explore.structure.file", learn.explore.structure.file, root)
    _check_steps(path, "learn.retrain.steps", learn.retrain.steps, training)
    if (total := sum(training.shares.values()) + learn.retrain.share) > 1 + ROUNDING:
        raise UserError(
            f"{path}: learn.retrain.share: expected at most 1 in all with `shares`, got {total:g}"
        )
    if LEARNT in split.sources:
        raise UserError(
            f"{training.split}: sources.{LEARNT}: the name of the source that `snakemake learn` "
            "adds; choose another"
        )
    if training.alignment_file:
        shared = [name for name, one in split.sources.items() if one.shared_energy_reference]
        if learn.same_reference_as not in shared:
            raise UserError(
                f"{path}: learn.same_reference_as: expected a source of {training.split} with "
                f"shared_energy_reference ({', '.join(shared) or 'there is none'}), got "
                f"{learn.same_reference_as}"
            )


def _check_committee(where: str, model: str, root: str | os.PathLike) -> None:
    """Raise UserError where training cannot go on from a frozen graph."""
    try:
        known = frozen_model.read(Path(root, model))
    except UserError as error:
        reason = str(error).removeprefix(f"{Path(root, model)}: ")
        raise UserError(f"{where}: {model}: {reason}") from None
    if known.compressed:
        raise UserError(
            f"{where}: expected a graph as `dp freeze` writes it, got {model}, which is compressed "
            "and cannot be trained further"
        )
    if known.type_map != ELEMENTS:
        raise UserError(
            f"{where}: expected a model of {', '.join(ELEMENTS)} in this order, got {model}, "
            f"a model of {', '.join(known.type_map)}"
        )


def _check_differences(
    training: Training, path: str | os.PathLike, root: str | os.PathLike
) -> None:
    """Raise UserError where labels or models of `differences` are absent or too few."""
    section = training.differences
    for i, file in enumerate(section.labels):
        _check_file(path, f"differences.labels[{i}]", file, root, "an extended XYZ file")
    if section.graphs and len(section.graphs) != len(training.seeds):
        raise UserError(
            f"{path}: differences.models: expected one graph for each of {len(training.seeds)} "
            f"seeds, got {len(section.graphs)}"
        )
    if section.graphs and not section.labels:
        raise UserError(
            f"{path}: differences.models: expected `trained` without differences.labels, got graphs"
        )
    for i, model in enumerate(section.graphs):
        where = f"{path}: differences.models[{i}]"
        for file in (model, *(str(Path(model).with_name(n)) for n in BESIDE)):
            if not Path(root, file).is_file():
                raise UserError(f"{where}: expected {file}, which does not exist")
        _check_committee(where, model, root)


def _check_labels(labels: Labels, path: str | os.PathLike, root: str | os.PathLike) -> None:
    """Raise UserError where something to label, or an output to convert, is absent."""
    if labels.structures_path and not Path(root, labels.structures).exists():
        raise UserError(
            f"{path}: labels.structures: expected the path of a file with structures, of a folder "
            f"of such files, or none, got {labels.structures}, which does not exist"
        )
    for name, file in labels.outputs.items():
        if name == GPAW_SYSTEMS:
            raise UserError(
                f"{path}: labels.outputs.{name}: the name of the labels made here; choose another"
            )
        if not Path(root, file).exists():
            raise UserError(
                f"{path}: labels.outputs.{name}: expected the path of an output of VASP or Quantum "
                f"ESPRESSO, or of a folder of such, got {file}, which does not exist"
            )
