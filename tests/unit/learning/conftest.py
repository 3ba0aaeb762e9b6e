"""A made-up exploration, models, and a data set with labels of rounds."""

import numpy as np
import pytest

import labelled
from explored import POINTS, about
from lah10.config import training as settings
from lah10.learning import explore
from lah10.potential.data import deepmd_folders


@pytest.fixture
def exploration():
    """Four frames of each of three points, the last of which broke down half-way."""
    counts = (4, 4, 2)
    return explore.Exploration(
        system=labelled.system(frames=sum(counts)),
        times=np.concatenate([0.01 * np.arange(1, n + 1) for n in counts]),
        point=np.repeat(np.arange(3), counts),
        points=POINTS,
        about=tuple(about(p, "ok" if i < 2 else "temperature") for i, p in enumerate(POINTS)),
        expected=4,
    )


@pytest.fixture
def models(tmp_path):
    for name in ("a.pb", "b.pb"):
        (tmp_path / name).write_text(name)
    return [tmp_path / "a.pb", tmp_path / "b.pb"]


@pytest.fixture
def sources(tmp_path):
    """A split with one source, and labels of two rounds that share its scale."""
    for folder, name, frames, offset, seed in (
        ("own", "a", 4, 0.0, 1),
        ("own", "b", 2, 0.0, 2),
        ("round1", "La1H10", 3, 0.0, 3),
        ("round2", "La1H10", 2, 0.0, 4),
    ):
        system = labelled.system(name, frames=frames, seed=seed, offset=offset)
        deepmd_folders.write_deepmd(system, tmp_path / folder / name)
    known = {"citation": "nobody", "terms": "none", "path": "own", "held_out": ["b"]}
    split = settings.Split.model_validate({"sources": {"own": known}})
    rounds = [tmp_path / "round1", tmp_path / "round2"]
    return split, {"own": tmp_path / "own"}, rounds
