"""How a run's process starts."""

import sys

import pytest

from lah10.dynamics import launch


@pytest.mark.parametrize("ranks", [1, 4])
def test_a_rank_has_one_thread(tmp_path, monkeypatch, ranks):
    """Snakemake sets OMP_NUM_THREADS to a job's cores: every rank would start as many threads."""
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    # In place of the run: its environment, and how it was started.
    names = "OMP_NUM_THREADS", "TF_INTRA_OP_PARALLELISM_THREADS"
    show = f"import os; print(*(os.environ[name] for name in {names}))"
    started = []
    follow = launch.child.follow

    def instead(command, *rest, **options):
        started.append(command)
        follow([sys.executable, "-c", show], *rest, **options)

    monkeypatch.setattr(launch.child, "follow", instead)
    job = {
        "stage": "equilibrate", "bath": "qtb", "pressure_GPa": 150.0, "temperature_K": 100.0,
        "supercell": "", "supercell_data": "", "outputs": {}, "scratch": str(tmp_path / "scratch"),
        "potential": {}, "bath_options": {}, "dynamics": {}, "seed": 1, "campaign": "made-up",
        "mpi_ranks": ranks,
    }  # fmt: skip
    launch.run_stage(job, tmp_path / "log")
    assert (tmp_path / "log").read_text().split() == ["1", "1"]
    (command,) = started
    assert ("-n" in command) == (ranks > 1)
