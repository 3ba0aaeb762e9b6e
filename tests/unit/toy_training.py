"""A toy training: made-up frames, and an input of deepmd-kit small enough for them."""

import copy
from pathlib import Path

import numpy as np

import labelled
from lah10.config import training as settings
from lah10.potential.data import deepmd_folders, preparation
from lah10.potential.training import inputs

MODEL = {
    "type_map": ["La", "H"],
    "descriptor": {
        "type": "se_e2_a",
        "rcut": 3.0,
        "rcut_smth": 1.0,
        "sel": [10, 60],
        "neuron": [4, 8],
        "axis_neuron": 2,
        "precision": "float32",
    },
    "fitting_net": {"neuron": [8], "precision": "float32"},
}
TEMPLATE = {
    "model": MODEL,
    "learning_rate": {"type": "exp", "start_lr": 0.01, "stop_lr": 1e-4, "decay_steps": 10},
    "loss": {"type": "ener", "start_pref_e": 1, "start_pref_f": 100, "limit_pref_f": 1},
    "training": {"disp_freq": 10},
}


def prepared(folder: Path) -> Path:
    """Path of the index of prepared data: twelve frames to train on, four to test with."""
    for name, frames, volume in (("a", 12, 33.2), ("b", 4, 34.0)):
        system = labelled.system(f"toy/{name}", frames=frames, volume=volume)
        deepmd_folders.write_deepmd(system, folder / "toy" / name)
    source = {
        "citation": "nobody",
        "terms": "none",
        "path": str(folder / "toy"),
        "held_out": ["b"],
    }
    split = settings.Split.model_validate({"sources": {"toy": source}})
    return preparation.prepare(split, {"toy": folder / "toy"}, folder / "prepared")


def read_curve(path: Path) -> dict[str, np.ndarray]:
    """deepmd-kit's lcurve.out: step, rmse_e_trn, rmse_f_val, …, each (records,)."""
    with open(path, encoding="utf-8") as handle:
        names = handle.readline().lstrip("# ").split()
    table = np.loadtxt(path, ndmin=2)
    return dict(zip(names, table.T, strict=True))


def toy_input(index, steps=20, **descriptor):
    """deepmd-kit's input for data in `index`, with changes to the descriptor."""
    template = copy.deepcopy(TEMPLATE)
    template["model"]["descriptor"] |= descriptor
    return inputs.training_input(template, index, steps=steps, seed=1, checkpoint_steps=10)
