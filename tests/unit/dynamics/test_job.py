"""A job's seeds and fingerprint follow what decides its numbers, and nothing else."""

from dataclasses import replace

import pytest

from lah10.dynamics.job import Job


@pytest.fixture
def job(tmp_path):
    for name in ("supercell.xyz", "supercell.data", "model.pb", "other.pb"):
        (tmp_path / name).write_text(name)
    return Job(
        stage="equilibrate",
        bath="qtb",
        pressure_GPa=150.0,
        temperature_K=100.0,
        supercell=str(tmp_path / "supercell.xyz"),
        supercell_data=str(tmp_path / "supercell.data"),
        outputs={"thermo": "a"},
        scratch="s",
        potential={"model": str(tmp_path / "model.pb"), "committee": []},
        bath_options={"friction_per_ps": 10.0, "cutoff_THz": 200.0},
        dynamics={"timestep_fs": 0.5, "duration_ps": 2.0, "thermo_interval_fs": 5.0},
        seed=1,
        campaign="demo",
    )


def test_fingerprint_ignores_names_and_places(job):
    moved = replace(job, scratch="t", campaign="other", outputs={}, config_json='{"a": 1}')
    assert moved.fingerprint() == job.fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"bath": "classical"},
        {"pressure_GPa": 151.0},
        {"temperature_K": 101.0},
        {"bath_options": {"friction_per_ps": 5.0, "cutoff_THz": 200.0}},
        {"mpi_ranks": 2},
        {"dynamics": {"timestep_fs": 0.25, "duration_ps": 2.0, "thermo_interval_fs": 5.0}},
    ],
)
def test_fingerprint_follows_parameters(job, change):
    assert replace(job, **change).fingerprint() != job.fingerprint()


def test_fingerprint_follows_the_content_of_the_potential(job, tmp_path):
    before = job.fingerprint()
    other = {"model": str(tmp_path / "other.pb"), "committee": []}
    assert replace(job, potential=other).fingerprint() != before
    (tmp_path / "model.pb").write_text("retrained")
    assert job.fingerprint() != before


def test_seeds_differ_between_points_stages_and_purposes(job):
    numbers = {
        job.number("noise", 63),
        job.number("velocities", 63),
        replace(job, stage="produce").number("noise", 63),
        replace(job, bath="classical").number("noise", 63),
        replace(job, temperature_K=200.0).number("noise", 63),
        replace(job, seed=2).number("noise", 63),
    }
    assert len(numbers) == 6
    assert all(0 <= n < 2**63 for n in numbers)
    assert job.number("velocities", 30) < 2**30


def test_times_become_steps(job):
    assert job.steps("duration_ps") == 4000
    assert job.steps("thermo_interval_fs") == 10
