"""The potential's stage, from a published repository to a shipped model, at toy settings."""

import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import pytest
import yaml
from snakemake_executor_plugin_slurm import utils as slurm_utils

import labelled
from lah10.config import training as settings
from lah10.io.files import sha256
from lah10.potential.data import deepmd_folders
from toy_training import MODEL

ABOUT = {"citation": "A. Nobody, J. Toys 1, 1 (2000)", "terms": "none"}
TOY_INPUT = {
    "model": MODEL,
    "learning_rate": {"type": "exp", "start_lr": 0.01, "stop_lr": 1e-4, "decay_steps": 5},
    "loss": {"type": "ener", "start_pref_f": 100, "limit_pref_f": 1},
    "training": {"disp_freq": 5},
}


@pytest.fixture
def toy(campaign):
    """A campaign whose potential is trained on made-up frames, from a repository and a folder."""
    made = campaign("toy", training="training.yaml")
    folder = made.folder
    # Shipping writes there.
    (folder / "resources").unlink()
    shutil.copytree(labelled.REPOSITORY / "resources", folder / "resources")

    published = folder / "published"
    for i, name in enumerate("ab"):
        system = labelled.system(f"toy/{name}", frames=6, seed=i)
        deepmd_folders.write_deepmd(system, published / "data" / name)
    git = ["git", "-C", str(published), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git[:3], "init", "--quiet"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "labels"], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    files = sorted(p for p in (published / "data").rglob("*") if p.is_file())
    (folder / "manifest.sha256").write_text(
        "".join(f"{sha256(p)}  {p.relative_to(published / 'data')}\n" for p in files)
    )
    deepmd_folders.write_deepmd(labelled.system("own/c", frames=3, seed=7), folder / "own/c")
    sources = {
        "toy": {
            **ABOUT,
            "repository": published.as_uri(),
            "commit": commit.stdout.strip(),
            "folder": "data",
            "manifest": "manifest.sha256",
            "held_out": ["b"],
        },
        "own": {**ABOUT, "path": "own", "held_out": "all"},
    }
    (folder / "split.yaml").write_text(yaml.safe_dump({"sources": sources}))
    (folder / "input.json").write_text(json.dumps(TOY_INPUT))
    written = {
        "split": "split.yaml",
        "alignment": "none",
        "label_check": "none",  # made-up forces
        "shares": {"toy": 1.0},
        "stages": [{"input": "input.json", "steps": 10}],
        "checkpoint_steps": 5,
        "threads": 1,
    }
    (folder / "training.yaml").write_text(yaml.safe_dump(written))
    return made


@pytest.mark.parametrize(("device", "gpus"), [("auto", ""), ("cpu", ""), ("gpu", " --gpus=1")])
def test_slurm_is_asked_for_a_gpu_where_a_training_needs_one(device, gpus):
    """By its plugin, as it makes the command from a job's resources."""
    training = settings.Training(stages=[{"input": "input.json", "steps": 10}], device=device)
    job = SimpleNamespace(resources={"gpu": training.gpus})
    assert slurm_utils.set_gres_string(job) == gpus


@pytest.mark.parametrize(
    ("file", "rule"), [("potential/training", "train"), ("learning/learning", "retrain")]
)
def test_every_training_has_that_resource(file, rule):
    text = (labelled.REPOSITORY / f"workflow/rules/{file}.smk").read_text(encoding="utf-8")
    body = re.search(rf"^rule {rule}:\n(.*?)^    params:", text, re.MULTILINE | re.DOTALL)[1]
    assert "        gpu=TRAINING.gpus,\n" in body


@pytest.mark.slow
def test_from_a_repository_to_a_shipped_model(toy):
    shutil.copyfile(toy.folder / "split.yaml", toy.folder / "resources/potentials/lah10/split.yaml")
    run = toy.snakemake("--cores", "1", "ship_potential", timeout=900)
    assert run.returncode == 0, run.stdout + run.stderr
    shipped = toy.folder / "resources/potentials/lah10"
    card = (shipped / "PROVENANCE.md").read_text()
    assert "| toy/a | 6 | 11 |" in card
    assert "| own | 3 |" in card
    assert sha256(shipped / "lah10.pb") in card
    assert str(toy.folder).encode() not in (shipped / "lah10.pb").read_bytes()

    # Nothing is trained again because something was looked at.
    assert toy.planned("potential") == ["Write the card of model1"]


def test_a_machine_without_network_is_told_what_to_do(toy):
    (toy.folder / "published").rename(toy.folder / "gone")
    run = toy.snakemake("--cores", "1", "potential")
    assert run.returncode == 1
    assert "on a machine with network: git clone file://" in run.stderr
    assert "name it in config/training.yaml under `data`" in run.stderr

    settings = yaml.safe_load((toy.folder / "training.yaml").read_text())
    settings["data"] = {"toy": "gone/data"}
    (toy.folder / "training.yaml").write_text(yaml.safe_dump(settings))
    run = toy.snakemake("--cores", "1", "results/potential/prepared/index.json")
    assert run.returncode == 0, run.stdout + run.stderr
    index = json.loads((toy.folder / "results/potential/prepared/index.json").read_text())
    assert [entry["name"] for entry in index["train"]] == ["toy/a"]


def test_bad_settings_are_one_line(toy):
    (toy.folder / "training.yaml").write_text("stagess: []\n")
    run = toy.snakemake("--dry-run", "potential")
    assert run.returncode == 1
    line = run.stderr.strip().splitlines()[-1]
    assert line.startswith("training.yaml: stagess: unknown key; did you mean stages?")
    assert "Traceback" not in run.stderr
