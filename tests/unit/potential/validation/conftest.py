"""A potential's folder with everything measured, by a made-up model."""

import json

import pytest

import crystals
import labelled
from lah10.config import training as settings
from lah10.potential.data import deepmd_folders, preparation
from lah10.potential.validation import extrapolation_scan, held_out
from wrong_model import pair_law, wrong


@pytest.fixture
def repulsive(monkeypatch):
    monkeypatch.setattr(
        extrapolation_scan,
        "evaluate",
        lambda model, systems, threads: [pair_law(s) for s in systems],
    )


@pytest.fixture
def validated(tmp_path, monkeypatch, repulsive):
    """A potential's folder with everything measured, by a made-up model."""
    (tmp_path / "data/toy").mkdir(parents=True)
    for name, seed in (("a", 1), ("b", 2)):
        system = labelled.system(f"toy/{name}", frames=6, seed=seed)
        deepmd_folders.write_deepmd(system, tmp_path / "data/toy" / name)
    split = settings.Split.model_validate(
        {
            "sources": {
                "toy": {
                    "citation": "A. Nobody, J. Toys 1, 1 (2000)",
                    "terms": "none",
                    "path": "data/toy",
                    "held_out": ["b"],
                }
            }
        }
    )
    index = preparation.prepare(split, {"toy": tmp_path / "data/toy"}, tmp_path / "prepared")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "lah10.pb").write_bytes(b"graph")
    monkeypatch.setattr(
        held_out,
        "evaluate",
        lambda model, systems, threads: [wrong(s, energy=3.0, force=0.1) for s in systems],
    )
    held_out.validate(
        folder / "lah10.pb",
        index,
        crystals.cubic_lah10(),
        folder / "validation.json",
        folder / "validation.nc",
    )
    stage = {
        "model": {"descriptor": {"type": "se_e2_a", "rcut": 3.5}, "fitting_net": {}},
        "training": {"numb_steps": 123},
        "learning_rate": {"start_lr": 0.01, "stop_lr": 1e-5},
    }
    (folder / "training.json").write_text(json.dumps({"stages": [stage]}))
    return folder, split
