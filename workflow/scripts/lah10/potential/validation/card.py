"""The provenance card of a potential, written from what was measured and declared."""

import os
from pathlib import Path

from lah10.config.training import Split
from lah10.errors import UserError
from lah10.io.files import atomic_path, sha256
from lah10.io.text import markdown
from lah10.potential.validation.card_measured import (
    conservation,
    differing_sets,
    enthalpies,
    errors,
    frequencies,
    speed,
    statics,
)
from lah10.potential.validation.card_origin import sources, stages, validity
from lah10.potential.validation.card_text import read

#: What a shipped potential's folder holds, for the card's last table.
FILES = {
    "lah10.pb": "the model: frozen and compressed, what campaigns read",
    "frozen.pb": "the same before compression, from which a training can go on",
    "training.json": "inputs of deepmd-kit as they were run, stage by stage; paths left out",
    "split.yaml": "sources, and what was held out",
    "alignment.yaml": "offsets of sets and sources that were taken off the labels",
    "validation.json": "every number above",
    "parity.png": "the model against DFT on the held-out sets",
    "phases.json": "enthalpies of the phases at rest, and their differences beside DFT",
    "differences.json": "energy differences between phases that it learnt, and their errors",
    "statics.json": "the crystal at rest, by the model and by DFT",
    "statics.png": "its equation of state",
    "phonons.json": "its phonons at Γ and X, by the model and by DFT",
    "phonons.png": "their dispersion",
    "conservation.json": "energy conservation, as above",
    "lcurve.out": "errors during training",
    "speed.json": "the speed above",
    "comparison.json": "the numbers of the model compared with",
}


def render(folder: str | os.PathLike, split: Split) -> str:
    """The card in Markdown, from the files in a potential's folder.

    Needed are lah10.pb, training.json and validation.json; statics.json, phonons.json,
    conservation.json, speed.json and comparison.json (another model's validation) are shown
    where they are there.

    Raises
    ------
    UserError
        A needed file is missing, or the validation is of another model.
    """
    folder = Path(folder)
    validation = read(folder / "validation.json")
    training = read(folder / "training.json")
    digest = sha256(folder / "lah10.pb")
    if validation["model_sha256"] != digest:
        raise UserError(
            f"{folder}/validation.json: is of another model than lah10.pb; validate it anew"
        )
    blocks = [
        "# Provenance of lah10.pb",
        "Written by `lah10.potential.validation.card` from the files beside it; do not edit.",
        *sources(validation, split),
        *errors(validation, folder),
        *statics(folder, digest),
        *enthalpies(folder, digest),
        *frequencies(folder, digest),
        *conservation(folder, digest),
        *validity(validation),
        *speed(folder, digest),
        *stages(training),
        "## Files",
        markdown(
            ("file", "what", "SHA-256"),
            [
                (f"`{name}`", what, f"`{sha256(folder / name)}`")
                for name, what in FILES.items()
                if (folder / name).is_file()
            ],
        ),
    ]
    return "\n\n".join(blocks) + "\n"


def write(folder: str | os.PathLike, split: Split) -> Path:
    """Write `render`'s text as PROVENANCE.md in the potential's folder."""
    path = Path(folder, "PROVENANCE.md")
    text = render(folder, split)
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def drop_stale_comparison(folder: str | os.PathLike) -> None:
    """Remove comparison.json if it is of other frames than validation.json beside it."""
    validation, comparison = Path(folder, "validation.json"), Path(folder, "comparison.json")
    if comparison.is_file() and differing_sets(read(validation), read(comparison)):
        comparison.unlink()
