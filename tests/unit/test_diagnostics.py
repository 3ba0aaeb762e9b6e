"""The verdict on a quantum bath, and what overturns it."""

import numpy as np
import pytest

import made_up_run
from crystals import supercell
from lah10.analysis import diagnostics, energetics

GOOD = {
    "spectral_blocks": 10,
    "fdt_deviation_above_noise": np.array([0.04, 0.02]),
    "fdt_deviation_above_noise_stderr": np.array([0.02, 0.01]),
    "mode_occupation": np.array([1.05, 0.98]),
    "mode_occupation_stderr": np.array([0.02, 0.01]),
    "kinetic_temperature_mean": 860.0,
    "kinetic_temperature_mean_deconvolved": 820.0,
    "cell_temperature": 300.0,
    "cell_temperature_stderr": 80.0,
}


def test_bath_in_order():
    assert diagnostics.quantum_bath("qtb", GOOD) == (1, "")
    assert diagnostics.quantum_bath("adqtb", GOOD) == (1, "")


def test_nothing_to_judge():
    assert diagnostics.quantum_bath("classical", GOOD) == (-1, "")
    assert diagnostics.quantum_bath("qtb", {}) == (-1, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"fdt_deviation_above_noise": np.array([0.04, 0.27])},
            "H: fdt_deviation_above_noise 0.27, limit 0.1",
        ),
        ({"mode_occupation": np.array([1.45, 0.98])}, "La: mode_occupation 0.45 away from 1"),
        ({"mode_occupation": np.array([1.0, 0.8])}, "H: mode_occupation 0.20 away from 1"),
        ({"mode_occupation": np.array([np.nan, 1.0])}, "La: mode_occupation nan"),
        ({"cell_temperature": 5000.0}, "cell temperature 5000 K, limit 2580 K"),
        ({"kinetic_temperature_mean_deconvolved": 700.0}, "friction 0.23 of the kinetic energy"),
    ],
)
def test_what_makes_it_false(change, reason):
    flag, found = diagnostics.quantum_bath("qtb", GOOD | change)
    assert flag == 0
    assert found.startswith(reason)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"spectral_blocks": 4}, "4 spectral segments after equilibration, fewer than 5"),
        # Beyond the limit, or within it, by less than the errors allow to say.
        ({"mode_occupation": np.array([1.12, 0.98])}, "La: mode_occupation 0.12 away from 1"),
        ({"mode_occupation": np.array([1.08, 0.98])}, "La: mode_occupation 0.08 away from 1"),
        (
            {
                "mode_occupation": np.array([1.3, 1.0]),
                "mode_occupation_stderr": np.array([0.15, 0.01]),
            },
            "La: mode_occupation 0.30 away from 1, limit 0.1, error 0.15",
        ),
        ({"cell_temperature_stderr": np.nan}, "cell temperature 300 K"),
    ],
)
def test_what_needs_a_longer_run(change, reason):
    flag, found = diagnostics.quantum_bath("qtb", GOOD | change)
    assert flag == 2
    assert found.startswith(reason)


def test_an_adaptation_that_has_not_settled():
    """It leaves the verdict open, and explains one that is bad."""
    moving = {"friction_drift": np.array([0.02, 0.34])}
    flag, found = diagnostics.quantum_bath("adqtb", GOOD | moving)
    assert flag == 2
    assert found.startswith("the bath has not settled: γ_r of H by 0.34 γ short in the last third")
    assert "give bath.adaptation a longer time" in found
    flag, found = diagnostics.quantum_bath("adqtb", GOOD | moving | {"cell_temperature": 9000.0})
    assert flag == 0
    assert found.startswith("cell temperature") and "has not settled" in found
    for drift in ([0.02, 0.08], [np.nan, np.nan]):
        still = {"friction_drift": np.array(drift)}
        assert diagnostics.quantum_bath("adqtb", GOOD | still) == (1, "")


def test_what_is_bad_is_not_excused_by_what_is_open():
    change = {"spectral_blocks": 4, "cell_temperature": 9000.0}
    flag, found = diagnostics.quantum_bath("qtb", GOOD | change)
    assert (flag, found) == (0, "cell temperature 9000 K, limit 2580 K")


@pytest.mark.parametrize(("share", "flag"), [(1.0, 1), (0.7, 0)])
def test_leaking_crystal_is_found_out(share, flag):
    """Spectra whose H modes lack 30 % of their energy."""
    rng = np.random.default_rng(7)
    template = supercell()
    spectra = made_up_run.oscillator_spectra(template, (6, 40), friction=2.0, blocks=5)
    spectra["velocity_spectrum"][:, 1] *= share
    summary, _ = energetics.measure(made_up_run.thermo(template, rng), spectra, 0.0)
    found, reason = diagnostics.quantum_bath("qtb", summary)
    assert found == flag
    assert ("H: mode_occupation" in reason) == (flag == 0)
