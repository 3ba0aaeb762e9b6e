"""A job's seeds and fingerprint follow what decides its numbers, and nothing else."""

import hashlib
import json
from dataclasses import asdict, replace

import pytest

from lah10.dynamics.job import Job
from lah10.dynamics.records import versions
from lah10.io.files import sha256


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


SHAPE = {"angle_degree": 1.2, "volume_damping_ps": 1.1}


def test_a_held_shape_is_part_of_a_job_and_of_no_other(job):
    """Jobs without one keep the fingerprints that they had before there was any."""
    held = replace(job, held_shape=SHAPE)
    assert held.fingerprint() != job.fingerprint()
    assert replace(held, held_shape=SHAPE | {"angle_degree": 1.6}).fingerprint() != (
        held.fingerprint()
    )
    before = asdict(job)
    del before["held_shape"], before["start"]
    for silent in ("outputs", "scratch", "campaign", "config_json"):
        del before[silent]
    before |= {"versions": versions(), "potential": [sha256(job.potential["model"])]}
    before |= {name: sha256(before[name]) for name in ("supercell", "supercell_data")}
    text = json.dumps(before, sort_keys=True)
    assert job.fingerprint() == hashlib.sha256(text.encode()).hexdigest()


def test_windows_have_noise_of_their_own(job):
    windows = [replace(job, held_shape=SHAPE | {"angle_degree": a}) for a in (0.4, 0.8)]
    numbers = {one.number("noise", 63) for one in (job, *windows)}
    assert len(numbers) == 3
    assert windows[0].rule == "boundary_equilibrate" and job.rule == "equilibrate"
    assert "0.4 degree" in windows[0].name


def test_the_second_start_is_another_job(job):
    other = replace(job, start="distorted")
    assert other.fingerprint() != job.fingerprint()
    assert other.number("noise", 63) != job.number("noise", 63)
    assert other.rule == "equilibrate_distorted" and "from the distorted crystal" in other.name
