"""Harmonic expectations of baths, and how they enter a phase diagram."""

import numpy as np
import pytest
import xarray as xr

from lah10.bath.spectra import bath_energy
from lah10.campaign.merge import merge
from lah10.errors import UserError
from lah10.phonons import expectation
from lah10.units import BOLTZMANN, PLANCK
from springs import chain_frequencies, crystal_of_modes
from synthetic_campaign import CONFIG, write_point


@pytest.mark.parametrize("temperature", [0.0, 100.0, 300.0])
def test_mean_temperature(dataset, temperature):
    frequencies = np.sort(chain_frequencies(4), axis=None)[3:]
    expected = np.mean(bath_energy("qtb", frequencies, temperature)) / BOLTZMANN
    found = expectation.mean_temperature(dataset, "qtb", temperature)
    assert found == pytest.approx(expected, rel=2e-3)
    if temperature == 0.0:
        assert expectation.zero_point_temperature(dataset) == pytest.approx(found)
        assert found == pytest.approx(0.5 * PLANCK * frequencies.mean() / BOLTZMANN, rel=2e-3)


def test_elements_share_the_mean(dataset):
    """Both elements have three modes an atom, so their mean is the mean of all (but for Γ)."""
    by_element = [expectation.mean_temperature(dataset, "qtb", 100.0, e) for e in ("La", "H")]
    assert by_element[1] > by_element[0]
    assert np.mean(by_element) == pytest.approx(
        expectation.mean_temperature(dataset, "qtb", 100.0), rel=0.02
    )


def test_the_classical_bath_gives_equipartition(dataset):
    for element in (None, "La", "H"):
        found = expectation.mean_temperature(dataset, "classical", 77.0, element)
        assert found == pytest.approx(77.0, rel=1e-12)
    assert expectation.raw_temperature(dataset, "classical", 77.0, 10.0, 200.0) == 77.0
    stepped = expectation.raw_temperature(dataset, "classical", 100.0, 10.0, 200.0, timestep=0.0005)
    assert stepped == pytest.approx(99.75, abs=0.001)


def test_friction_raises_the_kinetic_energy_as_known():
    """Closed-form values at cut-off 200 THz, 300 K, 40 THz: +0.3 % (γ = 1), +5.2 % (γ = 20)."""
    one = crystal_of_modes(40.0)
    exact = expectation.mean_temperature(one, "qtb", 300.0)
    for friction, excess in ((1.0, 0.003), (20.0, 0.052)):
        raw = expectation.raw_temperature(one, "qtb", 300.0, friction, 200.0)
        assert raw / exact - 1 == pytest.approx(excess, abs=0.001)


def test_imaginary_modes_are_reported_and_count_as_zero_frequency():
    unstable = crystal_of_modes(-7.0, 10.0, 20.0, 40.0)
    assert unstable.imaginary_share == 0.25
    assert unstable.lowest_frequency == -7.0
    soft = crystal_of_modes(0.0, 10.0, 20.0, 40.0)
    assert soft.imaginary_share == 0.0
    for temperature in (0.0, 100.0):
        assert expectation.mean_temperature(unstable, "qtb", temperature) == \
            expectation.mean_temperature(soft, "qtb", temperature)
    assert expectation.mean_temperature(unstable, "classical", 50.0) == pytest.approx(50.0)


@pytest.mark.parametrize(("frequency", "right"), [(10.0, 370.3), (40.0, 1025.5)])
def test_raw_temperature_of_corrected_noise_is_that_of_the_run(tmp_path, frequency, right):
    """20 /ps, 100 K, 0.5 fs: without the correction 356.8 and 1009.5 K would be expected."""
    crystal = crystal_of_modes(*[frequency] * 3)
    crystal.attrs |= {"potential_sha256": "a" * 64, "structure": "Fm-3m"}
    crystal.to_netcdf(tmp_path / "harmonic.nc")
    bath = {"friction": "20 /ps", "cutoff": "200 THz", "correction": "potential"}
    point = write_point(tmp_path, "qtb", 150, 100, config=CONFIG | {"bath": bath})
    merged = merge([("qtb", 150, 100, point)], tmp_path / "merged.nc",
                   harmonic=[tmp_path / "harmonic.nc"])
    assert merged.harmonic_temperature_raw.item() == pytest.approx(right, abs=0.1)


def test_expectation_enters_the_phase_diagram(tmp_path, dataset):
    dataset.attrs |= {"potential_sha256": "a" * 64, "structure": "Fm-3m"}
    dataset.to_netcdf(tmp_path / "harmonic.nc")
    summaries = [(b, p, t, write_point(tmp_path, b, p, t))
                 for b in ("classical", "qtb") for p in (150, 200) for t in (100, 300)]
    merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "harmonic.nc"])
    with xr.open_dataset(tmp_path / "merged.nc") as described:
        for name, variable in described.data_vars.items():
            assert {"units", "long_name"} <= variable.attrs.keys(), name
        assert (described.pressure.units, described.temperature.units) == ("GPa", "K")
        assert all(described[name].long_name for name in described.coords)
    with xr.open_dataset(tmp_path / "merged.nc") as merged:
        for temperature in (100, 300):
            cell = merged.sel(bath="qtb", pressure=150, temperature=temperature)
            assert cell.harmonic_temperature.item() == \
                expectation.mean_temperature(dataset, "qtb", temperature)
            assert cell.harmonic_temperature_raw.item() == \
                expectation.raw_temperature(dataset, "qtb", temperature, 10.0, 200.0)
            assert cell.harmonic_temperature_raw > cell.harmonic_temperature
        classical = merged.harmonic_temperature.sel(bath="classical", pressure=150)
        np.testing.assert_allclose(classical, [100, 300])
        assert merged.harmonic_temperature.sel(pressure=200).isnull().all()
        assert merged.harmonic_zero_point_temperature.sel(pressure=150).item() == \
            expectation.zero_point_temperature(dataset)
        assert merged.harmonic_temperature.attrs["units"] == "K"
        assert merged.harmonic_temperature.dims == ("bath", "pressure", "temperature")
        assert merged.harmonic_structure.values.tolist() == ["Fm-3m", ""]
        assert merged.theta_deviation.notnull().all()


def test_phonons_of_another_potential_are_refused(tmp_path, dataset):
    dataset.attrs["potential_sha256"] = "b" * 64
    dataset.to_netcdf(tmp_path / "harmonic.nc")
    summaries = [("qtb", 150, 100, write_point(tmp_path, "qtb", 150, 100))]
    with pytest.raises(UserError, match=r"harmonic\.nc: phonons of the potential bbbb"):
        merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "harmonic.nc"])
    with pytest.raises(UserError, match=r"nowhere\.nc: no such file"):
        merge(summaries, tmp_path / "merged.nc", harmonic=[tmp_path / "nowhere.nc"])
