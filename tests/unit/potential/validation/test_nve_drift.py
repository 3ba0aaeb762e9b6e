"""Energy conservation: a drift of known size is found in noise, and forces without one are told."""

import json
from pathlib import Path

import numpy as np
import pytest

from campaigns import PAIR
from lah10.crystal.structures import build_supercell, read_crystal
from lah10.errors import UserError
from lah10.potential.validation import nve_drift

ROOT = Path(__file__).parents[4]
MODEL = ROOT / "resources/potentials/lah10/lah10.pb"


@pytest.fixture
def crystal():
    return build_supercell(
        read_crystal(ROOT / "resources/structures/Fm-3m.cif"), "primitive", (1, 1, 1)
    )


def slow(length: float, rng: np.random.Generator) -> np.ndarray:
    """Energies sampled every 2.5 fs that swing once in 3 to 6 ps, as shadow energies do."""
    time = np.arange(0, length, 0.0025)
    swing = np.sin(2 * np.pi * time / rng.uniform(3, 6) + rng.uniform(0, 2 * np.pi))
    return 0.2 * swing + 0.05 * rng.normal(size=len(time))


def test_the_error_covers_a_known_drift_in_slow_noise():
    """68 % of the errors reach the true drift, though every run is shorter than the noise."""
    rng = np.random.default_rng(3)
    time, covered, pulls = np.arange(0, 2, 0.0025), [], []
    for _ in range(200):
        slopes = [
            nve_drift.slope(time, 7.0 + 0.3 * time + slow(2.0, rng)) for _ in nve_drift.SEEDS
        ]
        mean, error = nve_drift.drift(slopes)
        covered.append(abs(mean - 0.3) < error)
        pulls.append((mean - 0.3) / error)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(200)
    assert np.mean(covered) == pytest.approx(0.683, abs=3 * np.sqrt(0.683 * 0.317 / 200))


def test_few_runs_have_the_error_of_student():
    mean, error = nve_drift.drift([1.0, 3.0])
    # Student's t with one degree of freedom is Cauchy's: 68.27 % lie within 1.837.
    assert (mean, error) == (2.0, pytest.approx(1.837, abs=1e-3))


def test_a_constant_has_no_slope():
    assert nve_drift.slope(np.arange(10.0), np.full(10, 2.5)) == 0.0
    assert nve_drift.drift([0.0, 0.0]) == (0.0, 0.0)


def test_too_little_is_refused():
    with pytest.raises(ValueError, match="1 samples have no slope"):
        nve_drift.slope(np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match=r"expected at least 2 runs, .*, got 1"):
        nve_drift.drift([1.0])


@pytest.mark.skipif(not MODEL.is_file(), reason="no potential is shipped")
@pytest.mark.parametrize(
    ("potential", "fluctuation"),  # meV/atom: the walls of the pair potential are steeper
    [("pair", 0.3), pytest.param("shipped", 0.05, marks=pytest.mark.slow)],
)
def test_a_shorter_step_conserves_better(crystal, tmp_path, potential, fluctuation, monkeypatch):
    if potential == "pair":
        monkeypatch.setenv("PYTHONPATH", str(PAIR))
    results = {}
    for timestep in (0.5, 1.0):
        path = tmp_path / f"{timestep}.json"
        nve_drift.validate(
            MODEL, crystal, path, length=0.2, timestep=timestep, seeds=(1, 2), settle=0.5
        )
        results[timestep] = json.loads(path.read_text())
    # Second order in the step, and as the kinetic energy, which differs between runs of so few
    # atoms. Six pairs of seeds gave 4.8 ± 0.9: single precision adds some noise of its own.
    relative = {t: one["fluctuation"] / one["mean_temperature"] for t, one in results.items()}
    assert 2.2 < relative[1.0] / relative[0.5] < 9
    assert results[0.5]["fluctuation"] < fluctuation
    for result in results.values():
        # The thermostat's: La's strong kicks must not end in H. The pairs had 322 ± 47 K.
        assert 150 < result["mean_temperature"] < 500
        assert result["seeds"] == [1, 2] and len(set(result["slopes"])) == 2
        assert result["drift"] == pytest.approx(np.mean(result["slopes"]))


def test_what_lammps_complains_of_is_told(crystal, tmp_path):
    broken = tmp_path / "broken.pb"
    broken.write_bytes(b"no graph")
    with pytest.raises(UserError, match=r"broken\.pb: LAMMPS failed"):
        nve_drift.validate(broken, crystal, tmp_path / "out.json", length=0.01)
    assert not (tmp_path / "out.json").exists()
