"""The label stage: which jobs run, and labels of other codes from their outputs to a training."""

import importlib.util

import ase
import ase.io
import pytest
import yaml

import labelled
import made_up_outputs
from lah10 import ELEMENTS
from lah10.potential.data import dataset


def settings(made, **labels) -> None:
    content = yaml.safe_load((made.folder / "config/training.yaml").read_text())
    made.folder.joinpath("training.yaml").write_text(
        yaml.safe_dump(content | {"alignment": "none", "labels": labels})
    )


@pytest.fixture
def made(campaign):
    """A campaign with three structures to label, in one file."""
    made = campaign("labels", training="training.yaml")
    system = labelled.system(frames=4)
    symbols = [ELEMENTS[t] for t in system.types]
    frames = [
        ase.Atoms(symbols, system.coordinates[i], cell=system.boxes[i], pbc=True) for i in range(4)
    ]
    ase.io.write(made.folder / "new.xyz", frames[:3])
    ase.io.write(made.folder / "more.xyz", frames)
    settings(made, structures="new.xyz")
    return made


GATHER = "Gather the labels of GPAW into DeePMD systems"


def test_one_job_a_structure_and_only_new_ones_again(made):
    jobs = made.planned("labels")
    assert len(jobs) == 4 and GATHER in jobs
    assert sum(job.startswith("Label La1H10-") for job in jobs) == 3

    names = [job.split()[1] for job in jobs if job.startswith("Label ")]
    files = [made.folder / f"results/potential/labels/{name}.xyz" for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    targets = [str(file.relative_to(made.folder)) for file in files]
    run = made.snakemake("--touch", "--forceall", "--cores", "1", "--", *targets)
    assert run.returncode == 0, run.stdout + run.stderr
    assert made.planned("labels") == [GATHER]

    # A structure more, in a file that is younger than every label.
    (made.folder / "more.xyz").rename(made.folder / "new.xyz")
    jobs = made.planned("labels")
    assert len(jobs) == 2 and GATHER in jobs and jobs[1].split()[1] not in names

    # Other settings: everything.
    settings(made, structures="new.xyz", gpaw={"cutoff": "800 eV"})
    assert len(made.planned("labels")) == 5


def test_outputs_of_vasp_become_a_source_to_train_on(made):
    folder = made.folder / "vasp/a"
    folder.mkdir(parents=True)
    outcar = made_up_outputs.outcar(labelled.system(frames=5), unconverged=(2,))
    (folder / "OUTCAR").write_text(outcar)
    settings(made, outputs={"my-vasp": "vasp"})
    split = {
        "sources": {
            "my-vasp": {
                "citation": "nobody",
                "terms": "none",
                "path": "results/potential/labelled/my-vasp",
                "held_out": [],
            }
        }
    }
    (made.folder / "split.yaml").write_text(yaml.safe_dump(split))
    content = yaml.safe_load((made.folder / "training.yaml").read_text())
    content |= {"split": "split.yaml", "shares": {}, "label_check": "none"}  # made-up forces
    (made.folder / "training.yaml").write_text(yaml.safe_dump(content))
    run = made.snakemake("--cores", "1", "results/potential/prepared/index.json")
    assert run.returncode == 0, run.stdout + run.stderr
    (system,) = dataset.read(made.folder / "results/potential/prepared/train", "train")
    assert len(system) == 4
    left_out = made.folder / "results/potential/labelled/my-vasp/left_out.txt"
    assert left_out.read_text().startswith("vasp/a/OUTCAR frame 2: ")

    text = (folder / "OUTCAR").read_text()
    (folder / "OUTCAR").write_text(text[: len(text) // 2])
    run = made.snakemake("--cores", "1", "labels")
    assert run.returncode == 1
    assert "vasp/a/OUTCAR frame 2: cut short; run VASP to its end" in run.stderr
    assert "Traceback" not in run.stderr


def test_nothing_to_label_is_told(made):
    settings(made)
    run = made.snakemake("--dry-run", "labels")
    assert run.returncode == 1
    said = "training.yaml names no structures to label; name a file"
    assert said in run.stdout + run.stderr
    (made.folder / "bad.xyz").write_text("1\n\nY 0 0 0\n")
    settings(made, structures="bad.xyz")
    run = made.snakemake("--dry-run", "labels")
    assert run.returncode == 1
    assert "bad.xyz frame 0: expected elements La, H, got Y" in run.stdout + run.stderr


@pytest.mark.skipif(
    importlib.util.find_spec("gpaw") is not None, reason="GPAW is installed: it is not missed"
)
def test_without_gpaw_a_job_says_what_to_do(made):
    run = made.snakemake("--cores", "1", "labels")
    assert run.returncode == 1
    assert "labelling needs it; install it with `make dft`" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(
    importlib.util.find_spec("gpaw") is None, reason="GPAW is not installed; `make dft` installs it"
)
@pytest.mark.slow
def test_from_structures_to_systems_with_gpaw(made):
    """Hydrogen at toy settings."""
    frames = [
        ase.Atoms("H2", positions=[[0, 0, 0], [d, 0, 0]], cell=3 * [1.9], pbc=True)
        for d in (0.88, 0.9)
    ]
    ase.io.write(made.folder / "new.xyz", frames)
    settings(made, structures="new.xyz", gpaw={"cutoff": "200 eV", "kpoint_density": "0.5 Å"})
    run = made.snakemake("--cores", "1", "labels")
    assert run.returncode == 0, run.stdout + run.stderr
    (system,) = dataset.read(made.folder / "results/potential/labelled/gpaw", "gpaw")
    assert (system.name, len(system)) == ("gpaw/La0H2", 2)
    assert made.planned("labels") == []
    assert "iter:" in next((made.folder / "logs/potential/labels").glob("*.log")).read_text()
