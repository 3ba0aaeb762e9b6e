"""The bath of a stage: when spectra are recorded, and what production takes from equilibration."""

import numpy as np
import pytest
import xarray as xr

from lah10.dynamics.job import Job
from lah10.dynamics.stage_bath import StageBath

TYPES, MASSES = np.array([0, 1, 1]), np.array([138.9, 1.008, 1.008])
DYNAMICS = {
    "timestep_fs": 0.5,
    "spectrum_interval_fs": 2.0,
    "spectrum_segment_ps": 0.02,
    "spectrum_atoms": 3,
}


def stage(name, stage="produce", equilibration=None, **options):
    job = Job(
        stage=stage,
        bath=name,
        pressure_GPa=150.0,
        temperature_K=100.0,
        supercell="",
        supercell_data="",
        outputs={},
        scratch="",
        potential={},
        bath_options={"friction_per_ps": 10.0, "cutoff_THz": 200.0} | options,
        dynamics=DYNAMICS,
        seed=1,
        campaign="test",
        equilibration=equilibration and str(equilibration),
    )
    return StageBath(job, TYPES, MASSES, 0.0005)


@pytest.mark.parametrize(
    ("name", "when", "options", "recorded"),
    [
        ("classical", "produce", {}, True),
        ("classical", "equilibrate", {}, False),
        ("qtb", "equilibrate", {}, False),
        ("qtb", "equilibrate", {"shift_pressure": True}, True),
        ("adqtb", "equilibrate", {}, True),
    ],
)
def test_spectra_are_recorded_where_they_are_needed(name, when, options, recorded):
    recorder, every = stage(name, when, **options).recorder()
    assert (recorder is not None) == recorded
    assert every == (4 if recorded else 0)


def test_masses_are_those_of_the_elements():
    np.testing.assert_array_equal(stage("qtb").element_masses, [138.9, 1.008])


def test_production_takes_its_shift_and_friction_from_equilibration(tmp_path):
    grid = np.array([0.0, 100.0, 1000.0])
    friction = np.array([[10.0, 20.0, 20.0], [5.0, 5.0, 5.0]])
    xr.Dataset(
        {"random_friction": (("element", "frequency"), friction), "pressure_shift": 1.5},
        {"frequency": grid},
    ).to_netcdf(tmp_path / "equilibration.nc")
    bath = stage("adqtb", equilibration=tmp_path / "equilibration.nc", shift_pressure=True)
    assert bath.pressure_shift() == 1.5
    recorder, _ = bath.recorder()
    found = bath.adapted_friction(recorder)
    np.testing.assert_allclose(found[0], np.interp(recorder.frequency, grid, friction[0]))
    np.testing.assert_allclose(found[1], 5.0)
    assert stage("adqtb", equilibration=tmp_path / "equilibration.nc").pressure_shift() == 0.0
