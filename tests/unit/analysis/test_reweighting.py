"""MBAR between states of a system that is solved exactly, and its refusals."""

import numpy as np
import pytest
import xarray as xr

from lah10.analysis.reweighting import Reweighting, Samples, independent
from lah10.errors import UserError
from lah10.units import BOLTZMANN, EV_PER_A3_IN_GPA

#: Springs, and the stiffness of a volume (eV/Å⁶) about its place at rest (Å³) without pressure.
MODES, STIFFNESS, REST = 40, 2e-3, 200.0


def samples(pressure, temperature, n=2000, seed=1, nuclei="classical"):
    """Exact samples of ½ k Σ x² + ½ s (V − V₀)², whose means at any state are known."""
    rng = np.random.default_rng([seed, round(10 * pressure), round(temperature)])
    thermal = BOLTZMANN * temperature
    volume = exact_volume(pressure) + rng.normal(size=n) * np.sqrt(thermal / STIFFNESS)
    springs = 0.5 * thermal * (rng.normal(size=(n, MODES)) ** 2).sum(axis=1)
    energy = springs + 0.5 * STIFFNESS * (volume - REST) ** 2
    return Samples(pressure, temperature, energy, volume, {"springs": springs}, nuclei)


def exact_volume(pressure):
    return REST - pressure / EV_PER_A3_IN_GPA / STIFFNESS


def test_means_between_states_are_exact():
    joined = Reweighting([samples(5, 300), samples(6, 330)])
    for pressure, temperature in ((5, 300), (5.5, 315), (6, 330)):
        volume, error = joined.mean("volume", pressure, temperature)
        assert error < 0.3
        assert abs(volume - exact_volume(pressure)) < 4 * error
        springs, error = joined.mean("springs", pressure, temperature)
        exact = 0.5 * MODES * BOLTZMANN * temperature
        assert error < 0.02 * exact
        assert abs(springs - exact) < 4 * error


def test_free_energies_are_exact():
    """G/k_BT: −½ (modes + 1) ln T from the integrals, and the least of U + PV."""
    states = [(5, 300), (5.5, 320), (6, 340)]
    joined = Reweighting([samples(*state) for state in states])
    found, error = joined.free_energies()

    def exact(p, t):
        pressure = p / EV_PER_A3_IN_GPA
        least = pressure * REST - pressure**2 / (2 * STIFFNESS)
        return least / (BOLTZMANN * t) - 0.5 * (MODES + 1) * np.log(t)

    expected = np.array([exact(*state) - exact(*states[0]) for state in states])
    assert (abs(found - expected)[1:] < 4 * error[1:]).all()
    assert abs(expected[-1]) > 10 * error[-1]


def test_error_is_the_scatter():
    found = [
        Reweighting([samples(5, 300, 300, s), samples(6, 330, 300, s)]).mean("volume", 5.5, 315)
        for s in range(40)
    ]
    means, errors = np.array(found).T
    assert means.std() == pytest.approx(errors.mean(), rel=0.4)


def test_states_that_do_not_overlap_are_refused_with_the_overlap():
    text = r"400 K overlaps .* by .*overlap matrix: 1\.00 0\.00; 0\.00"
    with pytest.raises(UserError, match=text):
        Reweighting([samples(5, 50), samples(20, 400)])


def test_a_state_far_from_all_is_refused():
    joined = Reweighting([samples(5, 300), samples(5.5, 310)])
    with pytest.raises(UserError, match="too far from the states that were run"):
        joined.mean("volume", 30, 300)


def test_one_state_is_refused():
    with pytest.raises(UserError, match="expected two states"):
        Reweighting([samples(5, 300)])


def test_path_integrals_are_joined_over_pressure_alone():
    joined = Reweighting([samples(p, 300, nuclei="pimd") for p in (5, 5.3, 5.6, 6)])
    volume, error = joined.mean("volume", 5.5, 300)
    assert abs(volume - exact_volume(5.5)) < 4 * error
    with pytest.raises(UserError, match="expected the same temperature"):
        joined.mean("volume", 5.5, 310)
    with pytest.raises(UserError, match="springs between beads depend on it"):
        Reweighting([samples(5, 300, nuclei="pimd"), samples(6, 310, nuclei="pimd")])
    with pytest.raises(UserError, match="one kind of nuclei"):
        Reweighting([samples(5, 300, nuclei="pimd"), samples(6, 300)])


def run(bath="classical", status="ok", n=2000, correlated=1):
    rng = np.random.default_rng(2)
    series = np.repeat(rng.normal(size=(n // correlated, 2)), correlated, axis=0)
    attrs = {"bath": bath, "status": status, "pressure_GPa": 5.0, "temperature_K": 300.0}
    return xr.Dataset(
        {"potential_energy": ("time", series[:, 0]), "volume": ("time", 200 + series[:, 1])},
        attrs=attrs,
    )


def test_correlated_samples_are_thinned():
    few = independent(run(correlated=10), {"twice": np.arange(2000) * 2.0})
    assert 100 < len(few.energy) < 350
    assert len(few.observables["twice"]) == len(few.energy)
    assert len(independent(run()).energy) > 1500


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (run("qtb"), "density that a quantum thermal bath samples is not known"),
        (run("adqtb"), "expected classical nuclei or path integrals"),
        (run(status="nan"), r"the run failed \(nan\)"),
        (run(n=100, correlated=20), "a longer run is needed"),
    ],
)
def test_runs_that_cannot_be_reweighted_are_refused(made, reason):
    with pytest.raises(UserError, match=reason):
        independent(made)
