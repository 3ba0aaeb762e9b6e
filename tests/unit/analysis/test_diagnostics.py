"""The verdict on a quantum bath, and what overturns it."""

import numpy as np
import pytest

import made_up_run
from crystals import supercell
from lah10.analysis import diagnostics, energetics

GOOD = {
    "spectral_blocks": 10,
    "spectral_energy_mismatch": np.array([0.04, 0.02]),
    "spectral_energy_mismatch_stderr": np.array([0.02, 0.01]),
    "kinetic_energy_ratio": np.array([1.05, 0.98]),
    "kinetic_energy_ratio_stderr": np.array([0.02, 0.01]),
    "kinetic_temperature_mean": 860.0,
    "kinetic_temperature_mean_deconvolved": 820.0,
    "cell_temperature": 110.0,
    "cell_temperature_stderr": 6.0,
}


def verdict(bath, summary, temperature=100.0, correction="none"):
    return diagnostics.quantum_bath(bath, summary, temperature, correction)


def test_bath_in_order():
    assert verdict("qtb", GOOD) == (1, "")
    assert verdict("adqtb", GOOD) == (1, "")


def test_nothing_to_judge():
    assert verdict("classical", GOOD) == (-1, "")
    assert verdict("qtb", {}) == (-1, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"spectral_energy_mismatch": np.array([0.04, 0.27])},
            "H: spectral_energy_mismatch 0.27, limit 0.1",
        ),
        (
            {"kinetic_energy_ratio": np.array([1.45, 0.98])},
            "La: kinetic_energy_ratio 0.45 away from 1",
        ),
        (
            {"kinetic_energy_ratio": np.array([1.0, 0.8])},
            "H: kinetic_energy_ratio 0.20 away from 1",
        ),
        ({"kinetic_energy_ratio": np.array([np.nan, 1.0])}, "La: kinetic_energy_ratio nan"),
        ({"cell_temperature": 5000.0}, "cell temperature 5000 K, limit 200 K"),
        ({"kinetic_temperature_mean_deconvolved": 700.0}, "friction 0.23 of the kinetic energy"),
    ],
)
def test_what_makes_it_false(change, reason):
    flag, found = verdict("qtb", GOOD | change)
    assert flag == 0
    assert found.startswith(reason)


def test_the_cells_limit_is_twice_the_baths_temperature():
    """Whatever the atoms' kinetic temperature is: the cell is classical."""
    warm = GOOD | {"cell_temperature": 735.0, "cell_temperature_stderr": 35.0}
    assert verdict("qtb", warm) == (0, "cell temperature 735 K, limit 200 K")
    assert verdict("qtb", warm, temperature=700.0) == (1, "")
    # Near 0 K a few kelvin are no fault.
    few = GOOD | {"cell_temperature": 6.0, "cell_temperature_stderr": 1.0}
    assert verdict("qtb", few, temperature=0.0) == (1, "")
    assert verdict("qtb", GOOD, temperature=0.0)[1] == "cell temperature 110 K, limit 20 K"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"spectral_blocks": 4}, "4 segments of the spectra after equilibration, fewer than 5"),
        # Beyond the limit, or within it, by less than the errors allow to say.
        (
            {"kinetic_energy_ratio": np.array([1.12, 0.98])},
            "La: kinetic_energy_ratio 0.12 away from 1",
        ),
        (
            {"kinetic_energy_ratio": np.array([1.08, 0.98])},
            "La: kinetic_energy_ratio 0.08 away from 1",
        ),
        (
            {
                "kinetic_energy_ratio": np.array([1.3, 1.0]),
                "kinetic_energy_ratio_stderr": np.array([0.15, 0.01]),
            },
            "La: kinetic_energy_ratio 0.30 away from 1, limit 0.1, error 0.15",
        ),
        ({"cell_temperature_stderr": np.nan}, "cell temperature 110 K"),
    ],
)
def test_what_needs_a_longer_run(change, reason):
    flag, found = verdict("qtb", GOOD | change)
    assert flag == 2
    assert found.startswith(reason)


def test_one_spectral_segment_is_too_few_for_a_verdict():
    """Its error bars, and the mismatch, are unknown; what is known to be bad counts still."""
    one = {"spectral_blocks": 1}
    one |= {name: np.full(2, np.nan) for name in GOOD if name.endswith("mismatch")}
    one |= {name: np.full(2, np.nan) for name in GOOD if name.endswith("mismatch_stderr")}
    one["kinetic_energy_ratio_stderr"] = np.full(2, np.nan)
    flag, reason = verdict("qtb", GOOD | one)
    assert (flag, reason) == (2, "1 segment of the spectra after equilibration, fewer than 5")
    flag, reason = verdict("qtb", GOOD | one | {"cell_temperature": 9000.0})
    assert flag == 0 and reason.startswith("cell temperature 9000 K")


def test_an_adaptation_that_has_not_settled():
    """It leaves the verdict open, and explains one that is bad."""
    moving = {"friction_drift": np.array([0.02, 0.34])}
    flag, found = verdict("adqtb", GOOD | moving)
    assert flag == 2
    assert found.startswith("the bath has not settled: γ_r of H by 0.34 γ short in the last third")
    assert "give bath.adaptation a longer time" in found
    flag, found = verdict("adqtb", GOOD | moving | {"cell_temperature": 9000.0})
    assert flag == 0
    assert found.startswith("cell temperature") and "has not settled" in found
    for drift in ([0.02, 0.08], [np.nan, np.nan]):
        still = {"friction_drift": np.array(drift)}
        assert verdict("adqtb", GOOD | still) == (1, "")


def test_friction_that_is_exhausted_explains_what_is_too_hot():
    idle = {"gamma_r_saturated_share": np.array([0.3, 0.06])}
    assert verdict("adqtb", GOOD | idle) == (1, "")
    for deviation, flag in ((0.16, 0), (0.11, 2)):
        hot = {"spectral_energy_mismatch": np.array([0.04, deviation])}
        found, reason = verdict("adqtb", GOOD | idle | hot)
        assert found == flag
        assert reason.startswith("H: spectral_energy_mismatch")
        assert "γ_r is next to nothing where 6% of H's motion is; a larger bath.friction" in reason
        assert "La's" not in reason


def test_corrected_noise_bears_more_friction():
    """Positions are right whatever the friction adds to velocities."""
    strong = GOOD | {"kinetic_temperature_mean_deconvolved": 860.0 / 1.13}
    assert verdict("qtb", strong)[0] == 0
    assert verdict("qtb", strong, correction="potential") == (1, "")
    stronger = GOOD | {"kinetic_temperature_mean_deconvolved": 860.0 / 1.23}
    flag, reason = verdict("qtb", stronger, correction="potential")
    assert (flag, reason) == (0, "friction 0.23 of the kinetic energy, limit 0.2")


def test_what_is_bad_is_not_excused_by_what_is_open():
    change = {"spectral_blocks": 4, "cell_temperature": 9000.0}
    flag, found = verdict("qtb", GOOD | change)
    assert (flag, found) == (0, "cell temperature 9000 K, limit 200 K")


@pytest.mark.parametrize(("share", "flag"), [(1.0, 1), (0.7, 0)])
def test_leaking_crystal_is_found_out(share, flag):
    """Spectra whose H modes lack 30 % of their energy."""
    rng = np.random.default_rng(7)
    template = supercell()
    spectra = made_up_run.oscillator_spectra(template, (6, 40), friction=2.0, blocks=5)
    spectra["velocity_spectrum"][:, 1] *= share
    summary, _ = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    found, reason = verdict("qtb", summary, made_up_run.ATTRS["temperature_K"])
    assert found == flag
    assert ("H: kinetic_energy_ratio" in reason) == (flag == 0)


def spectra_by_block(rng, blocks=8, bands=60, noise=0.3):
    """Energies by block, element and band that obey quantum statistics, but for noise."""
    shape = (blocks, 2, bands)
    held = 1 + noise * rng.normal(size=shape)
    return held, 1 + noise * rng.normal(size=shape)


def test_spectral_energy_mismatch_of_noise_is_none():
    rng = np.random.default_rng(5)
    found = [energetics.spectral_energy_mismatch(*spectra_by_block(rng)) for _ in range(50)]
    values, errors = np.array(found).transpose(1, 0, 2)
    assert abs(values.mean(axis=0)).max() < 0.01
    # Student's t of seven degrees of freedom scatters by 1.2.
    assert 1.0 < (values / errors).std() < 1.6
    # What it replaces: sizes summed up, which noise alone raises.
    held, wanted = spectra_by_block(rng)
    assert abs((held - wanted).mean(axis=0)).sum() / held.mean(axis=0).sum() > 0.05


def test_spectral_energy_mismatch_adds_up_what_cancels():
    rng = np.random.default_rng(6)
    held, wanted = spectra_by_block(rng, noise=0.1)
    held[:, 1, :30] += 0.4
    held[:, 1, 30:] -= 0.4
    value, error = energetics.spectral_energy_mismatch(held, wanted)
    assert value[1] == pytest.approx(0.4, abs=4 * error[1]) and error[1] < 0.02
    assert abs(value[0]) < 4 * error[0]
    assert np.isnan(energetics.spectral_energy_mismatch(held[:1], wanted[:1])).all()


def test_excess_is_seen_where_the_random_force_is_off():
    """A vibration of H with three times its energy at which γ_r is at its floor: Δ is blind."""
    template = supercell()
    spectra = made_up_run.oscillator_spectra(
        template, (6, 20), friction=10.0, blocks=6, bath="adqtb"
    )
    stiff = made_up_run.oscillator_spectra(template, (6, 60), friction=10.0, blocks=6)
    soft = spectra.frequency.values < 40
    for name in ("velocity_spectrum", "force_velocity_spectrum"):
        spectra[name] = spectra[name] + stiff[name]
    spectra["random_friction"][1, soft] *= 0.01
    spectra["force_velocity_spectrum"][:, 1, soft] *= 0.01 / 3
    thermo = made_up_run.thermo(template, np.random.default_rng(7))
    summary, _ = energetics.measure(thermo, spectra, 0.0)
    assert summary["fdt_deviation"][1] < 0.05
    assert summary["spectral_energy_mismatch"][1] > 0.10
    assert summary["gamma_r_saturated_share"][1] > 0.1 > summary["gamma_r_saturated_share"][0]
    flag, reason = verdict("adqtb", summary, made_up_run.ATTRS["temperature_K"])
    assert flag == 0 and "H: spectral_energy_mismatch" in reason
    assert "a larger bath.friction" in reason
