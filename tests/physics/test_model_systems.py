"""The bath on oscillators whose quantum energies are known exactly.

Shorter runs of what benchmarks/bath/run.py prints in full.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks" / "bath"))

from model_systems import MODELS, OMEGA, exact, simulate

#: Ground-state energy, ⟨q²⟩ and ⟨T⟩ from the literature (ħ = m = ω = 1).
LITERATURE = {
    "harmonic": (0.5, 0.5, 0.25),
    "quartic": (0.420805, 0.45612, 0.280537),
    "mixed": (0.620927, 0.35484, None),
    "morse": (0.49375, None, 0.24375),
}


@pytest.mark.parametrize("name", LITERATURE)
def test_exact_answers_are_the_known_ones(name):
    found = exact(MODELS[name])
    energy, square, kinetic = LITERATURE[name]
    assert found["energy"] == pytest.approx(energy, abs=1e-6)
    if square:
        assert found["square"][0] == pytest.approx(square, abs=1e-5)
    if kinetic:
        assert found["kinetic"][0] == pytest.approx(kinetic, abs=1e-6)


def test_exact_answer_of_the_leakage_model():
    found = exact(MODELS["leakage"])
    assert found["kinetic"] == pytest.approx([0.4999, 0.2800], abs=1e-4)


@pytest.mark.parametrize("per_ps", [5.0, 20.0])
def test_harmonic_energies_do_not_depend_on_friction(per_ps):
    """10 THz, 0 K, γ = 5 and 20/ps: deconvolved E_k and corrected E_p within 1 %.

    Without corrections E_k is 12 and 47 % too high and E_p 2 and 9 % too low.
    """
    found = simulate(
        MODELS["harmonic"], "qtb", per_ps / OMEGA, 40.0 / per_ps + 2, replicas=1024, segment=1.0
    )
    assert found["potential_stderr"] < 0.0012
    assert found["potential"] == pytest.approx(0.25, rel=0.01)
    assert found["deconvolved"][0] == pytest.approx(0.25, rel=0.01)
    assert found["kinetic"][0] > 0.25 * (1 + 0.015 * per_ps)


def test_adaptive_bath_stops_the_leak():
    """QTB loses 5 % of the stiff mode's energy to the soft one; adQTB most of that no more.

    Twelve seeds, mean and scatter, of the exact values: ⟨T⟩ −0.4 ± 1.4 and +1.5 ± 1.3 % (QTB −5.9
    ± 0.7 and +11.1 ± 1.2 %), ⟨q²⟩ −0.2 ± 1.4 and +2.6 ± 1.2 % (QTB −5.5 ± 0.7 and +12.0 ± 1.0 %),
    the total energy +0.1 ± 1.1 % (QTB +0.1 ± 0.6 %, where two errors cancel); |Δ| summed is 3.2 to
    17.5 times smaller. In runs four times as long (benchmarks/bath) adQTB's soft mode has 2.8 ± 0.5
    and 3.5 ± 0.4 % too much: the bath is approximate. Bounds leave three times the scatter.
    """
    model = MODELS["leakage"]
    right = exact(model)
    reference = right["kinetic"]
    plain = simulate(model, "qtb", 0.02, 20.0, replicas=256)
    adaptive = simulate(model, "adqtb", 0.02, 20.0, replicas=256, adaptation=64.0)
    assert plain["deviation"].sum() > 2 * adaptive["deviation"].sum()
    wrong, better = (abs(one["deconvolved"] - reference) for one in (plain, adaptive))
    assert np.all(better < 0.8 * wrong)
    assert plain["deconvolved"][0] < reference[0] < plain["deconvolved"].sum()
    gained = adaptive["random_friction"].max(axis=1) / (0.02 * OMEGA)
    assert gained[0] > 1.3  # the stiff mode is given more ...
    assert adaptive["random_friction"][1].min() < 0.5 * 0.02 * OMEGA  # ... the soft one less

    def off(one, name, of):
        """Difference from the exact values, and its error, of them."""
        return one[name] / right[of] - 1, one[f"{name}_stderr"] / right[of]

    for name, of in (("deconvolved", "kinetic"), ("square", "square")):
        (stiff, soft), errors = off(adaptive, name, of)
        assert (errors < 0.012).all()
        assert abs(stiff) < 0.043 and -0.03 < soft < 0.065
        (stiff, soft), _ = off(plain, name, of)
        assert stiff < -0.03 and soft > 0.07
    for one in (plain, adaptive):
        energy, error = off(one, "energy", "energy")
        assert error < 0.007 and abs(energy) < 0.035
