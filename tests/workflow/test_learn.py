"""Active learning: two real rounds at toy size, the stop, and what is told where it cannot run."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace

import ase.io
import numpy as np
import pytest
import xarray as xr
import yaml

import labelled
from campaigns import PAIR, REPOSITORY
from lah10.io import child
from lah10.potential.data import dataset, deepmd_folders, labels, structures
from lah10.potential.evaluate import evaluate

SHIPPED = REPOSITORY / "resources/potentials/lah10"
ABOUT = {"citation": "nobody", "terms": "none", "path": "own", "shared_energy_reference": True}
#: eV/atom: GPAW's energies above those of the shipped model.
ZERO = 166.4
ROUND = "results/potential/learn/round{}"
EXPLORE = {
    "structure": {"cell": "primitive", "repeat": [1, 1, 1]},
    "baths": ["classical", "qtb"],
    "pressure": {"values": [150]},
    "temperature": {"values": [300]},
    "dynamics": {
        "equilibrate": "0.02 ps",
        "produce": "0.06 ps",
        "frame_interval": "5 fs",
        "checkpoint_interval": "0.02 ps",
        "spectrum_segment": "0.02 ps",
    },
}
LEARN = {
    "models": ["a.pb", "b.pb"],
    "rounds": 2,
    "share": 0.01,
    "lower": "0.001 eV/Å",
    "upper": "20 eV/Å",
    "labels": 2,
    "same_reference_as": "own",
    "retrain": {"input": "learn.json", "steps": 30, "share": 0.5},
    "explore": EXPLORE,
}
#: The shipped model with noise on its fitting nets: other models of the same shape.
DISTURB = """
import sys
import numpy as np
import tensorflow.compat.v1 as tf

for seed, path in enumerate(sys.argv[2:]):
    graph = tf.GraphDef()
    graph.ParseFromString(open(sys.argv[1], "rb").read())
    random = np.random.default_rng(seed)
    for node in graph.node:
        if node.op == "Const" and node.name.startswith("layer_0_type") and "matrix" in node.name:
            value = tf.make_ndarray(node.attr["value"].tensor)
            value = value * (1 + 0.05 * random.normal(size=value.shape)).astype(value.dtype)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    open(path, "wb").write(graph.SerializeToString())
"""


def settings(made, **changes) -> None:
    """Settings of the training with other keys of `learn`."""
    content = {
        "split": "split.yaml",
        "alignment": made.alignment,
        "stages": [{"input": "learn.json", "steps": 10}],
        "checkpoint_steps": 10,
        "threads": 1,
        "labels": made.labels,
        "learn": LEARN | changes,
    }
    (made.folder / "training.yaml").write_text(yaml.safe_dump(content))


@pytest.fixture
def made(campaign):
    """A campaign with a source of its own, and no committee yet."""
    made = campaign("learn", training="training.yaml")
    made.labels, made.alignment = {}, "none"
    (made.folder / "split.yaml").write_text(
        yaml.safe_dump({"sources": {"own": ABOUT | {"held_out": ["b"]}}})
    )
    template = json.loads((SHIPPED / "learn.json").read_text())
    template["learning_rate"] |= {"start_lr": 1e-4, "warmup_steps": 5}
    (made.folder / "learn.json").write_text(json.dumps(template))
    for name in "ab":
        (made.folder / f"{name}.pb").write_bytes((SHIPPED / "frozen.pb").read_bytes())
    settings(made)
    return made


def write_frames(made, zero: float = 0.0) -> None:
    """The source: frames that the shipped model labelled, energies `zero` eV/atom higher."""
    for name, seed in (("a", 1), ("b", 2)):
        system = labelled.system(f"own/{name}", frames=4, seed=seed)
        (found,) = evaluate(SHIPPED / "lah10.pb", [system])
        energies = found.energies + zero * system.n_atoms
        system = replace(system, energies=energies, forces=found.forces, virials=found.virials)
        deepmd_folders.write_deepmd(system, made.folder / "own" / name)


@pytest.fixture
def disagreeing(made):
    """The campaign with two models that disagree, and frames that the shipped model labelled."""
    write_frames(made)
    subprocess.run(
        [sys.executable, "-c", DISTURB, SHIPPED / "frozen.pb", "a.pb", "b.pb"],
        cwd=made.folder,
        env=child.quiet_environment(),
        check=True,
        capture_output=True,
    )
    return made


def record(made, number: int) -> dict:
    return json.loads((made.folder / ROUND.format(number) / "round.json").read_text())


def check_two_rounds(made) -> list[dict]:
    """What holds of two rounds, whoever labelled."""
    learnt = json.loads((made.folder / "results/potential/learn/learn.json").read_text())
    rounds = learnt["rounds"]
    assert [one["round"] for one in rounds] == [1, 2] and not learnt["converged"]
    assert rounds == [record(made, 1), record(made, 2)]
    for one in rounds:
        assert set(one["points"]) == {"classical/P150_T300", "qtb/P150_T300"}
        assert one["frames"] + one["missing"] == 24
        assert len(one["selected"]) == 2
        names = [chosen["structure"] for chosen in one["selected"]]
        assert sorted([*one["labelled"], *one["failed"]]) == sorted(names)
        assert one["labelled"]
        # Both baths have their say.
        assert len({chosen["point"] for chosen in one["selected"]}) == 2

        folder = made.folder / ROUND.format(one["round"])
        frames = ase.io.read(folder / "selected.xyz", index=":")
        assert list(structures.read_structures(folder / "selected.xyz")) == names
        for frame, chosen in zip(frames, one["selected"], strict=True):
            assert (frame.info["P_target"], frame.info["T_target"]) == (150, 300)
            assert frame.info["point"].startswith(frame.info["bath"])
            assert frame.info["deviation"] == pytest.approx(chosen["deviation"])
        with xr.open_dataset(folder / "deviations.nc") as data:
            assert data.sizes["frame"] == one["frames"]
            assert int(data["selected"].sum()) == 2
        assert [m["frames"] for m in one["errors"]["new_labels"]["before"]] == 2 * [
            len(one["labelled"])
        ]
        assert len(one["errors"]["held_out"]["after"]) == 2

    # A round goes on from the models of the one before, with the labels of both.
    assert rounds[1]["models"] == rounds[0]["trained"]
    index = json.loads((made.folder / ROUND.format(2) / "prepared/index.json").read_text())
    trained_on = {entry["name"]: entry["frames"] for entry in index["train"]}
    assert trained_on == {
        "own/a": 4,
        "learn/round1/La1H10": len(rounds[0]["labelled"]),
        "learn/round2/La1H10": len(rounds[1]["labelled"]),
    }
    curve = (made.folder / ROUND.format(2) / "model2/lcurve.out").read_text()
    assert curve.split("\n")[-2].split()[0] == "30"
    text = (made.folder / "results/potential/learn/learn.md").read_text()
    assert "Not yet agreed" in text and "round2/model2/lah10.pb" in text
    return rounds


@pytest.mark.slow
def test_two_rounds_and_the_stop(disagreeing, monkeypatch):
    """The shipped potential stands in for GPAW."""
    made = disagreeing
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "tests/standin"))
    monkeypatch.setenv("STANDIN_FAILS", str(made.folder / "failed"))
    run = made.snakemake("--cores", "1", "learn", timeout=1800)
    assert run.returncode == 0, run.stdout + run.stderr
    first, second = check_two_rounds(made)
    (reason,) = first["failed"].values()
    assert reason.startswith("not converged within 333 iterations (ConvergenceError")
    assert second["failed"] == {}
    # The models come nearer to the reference on what they learnt.
    for one in (first, second):
        parts = one["errors"]["new_labels"]
        before, after = (
            np.mean([m["force_rmse"] for m in parts[when]]) for when in ("before", "after")
        )
        assert after < before
    assert made.planned("learn") == []

    # Their labels become part of the source, once, and the rounds stay as they were.
    for _ in range(2):
        run = made.snakemake("--cores", "1", "collect_labels", timeout=600)
        assert run.returncode == 0, run.stdout + run.stderr
        learnt = ase.io.read(made.folder / "own/learnt.xyz", index=":")
        rounds = [frame.info["round"] for frame in learnt]
        assert rounds == ["round1"] * len(first["labelled"]) + ["round2"] * len(second["labelled"])
        assert made.planned("learn") == []
    assert [len(system) for system in dataset.read(made.folder / "own")] == [4, 4, len(learnt)]

    # With a bound that no frame reaches the models agree at once.
    settings(made, lower="10 eV/Å")
    check_the_stop(made)
    assert (made.folder / ROUND.format(2) / "round.json").exists()


def check_the_stop(made) -> None:
    """Models that agree end it in the first round: nothing is labelled or trained."""
    run = made.snakemake("--cores", "1", "learn", timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    learnt = json.loads((made.folder / "results/potential/learn/learn.json").read_text())
    assert learnt["converged"] and len(learnt["rounds"]) == 1
    (one,) = learnt["rounds"]
    assert (one["above"], one["selected"], one["labelled"], one["errors"]) == (0, [], [], {})
    assert "The models agree" in (made.folder / "results/potential/learn/learn.md").read_text()


def test_equal_models_agree_at_once(made):
    """On crystals of a pair potential."""
    made.environment["PYTHONPATH"] = str(PAIR)
    check_the_stop(made)
    assert not (made.folder / ROUND.format(2)).exists()


@pytest.mark.skipif(
    importlib.util.find_spec("gpaw") is None, reason="GPAW is not installed; `make dft` installs it"
)
@pytest.mark.slow
def test_two_rounds_with_gpaw(disagreeing):
    """Real labels at toy settings; their zero of energy is known from the source beside them."""
    made = disagreeing
    write_frames(made, ZERO)
    alignment = {"energies_eV_per_atom": {"own": ZERO}, "pressures_GPa": {}}
    (made.folder / "alignment.yaml").write_text(yaml.safe_dump(alignment))
    made.alignment = "alignment.yaml"
    made.labels = {
        "gpaw": {
            "cutoff": "350 eV",
            "kpoint_density": "1.0 Å",
            "energy_tolerance": "1e-3 eV",
            "density_tolerance": 1e-3,
        }
    }
    settings(made)
    run = made.snakemake("--cores", "1", "learn", timeout=3000)
    assert run.returncode == 0, run.stdout + run.stderr
    for one in check_two_rounds(made):
        assert one["failed"] == {}
        label = labels.read(
            made.folder / ROUND.format(one["round"]) / "labels" / (one["labelled"][0] + ".xyz")
        )
        assert "gpaw" in label.versions
        assert one["above"] == 1 and one["beyond"] == 0


def test_a_round_begins_with_both_baths(made):
    """What is planned before anything is known."""
    jobs = made.planned("learn")
    assert [job for job in jobs if job.startswith("Round")] == [
        "Round 1: explore classical/P150_T300",
        "Round 1: explore qtb/P150_T300",
        "Round 1: where do the models disagree?",
    ]
    assert "Build the supercell of 11 atoms to explore with" in jobs


def test_models_that_are_trained_here_may_start(made):
    settings(made, models="trained")
    content = yaml.safe_load((made.folder / "training.yaml").read_text())
    (made.folder / "training.yaml").write_text(yaml.safe_dump(content | {"seeds": [1, 2]}))
    for name in "ab":
        deepmd_folders.write_deepmd(labelled.system(f"own/{name}"), made.folder / "own" / name)
    jobs = made.planned("learn")
    assert {
        "Freeze model1",
        "Freeze model2",
        "Compress model1, and check that this changed nothing",
    } < set(jobs)
    assert "Compress model2, and check that this changed nothing" not in jobs


def test_without_a_committee_it_is_told(made):
    settings(made, models="none")
    run = made.snakemake("--dry-run", "learn")
    assert run.returncode == 1
    assert "training.yaml names no committee to learn with; give at" in run.stdout + run.stderr
