"""Energy conservation: a drift of known size is found in noise, and forces without one are told."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import lfilter

from lah10.errors import UserError
from lah10.potential import conservation
from lah10.structures import build_supercell, read_crystal

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "resources/potentials/lah10/lah10.pb"


@pytest.fixture
def crystal():
    return build_supercell(
        read_crystal(ROOT / "resources/structures/Fm-3m.cif"), "primitive", (1, 1, 1)
    )


def correlated(samples: int, seed: int) -> np.ndarray:
    """Noise of variance 1 that remembers ten samples."""
    rng = np.random.default_rng(seed)
    memory = np.exp(-1 / 10)
    return lfilter([np.sqrt(1 - memory**2)], [1, -memory], rng.normal(size=samples))


def test_a_known_drift_is_found_within_its_error():
    time = np.arange(4000) * 0.0025
    pulls = []
    for seed in range(30):
        slope, error = conservation.drift(time, 7.0 + 0.3 * time + 0.2 * correlated(4000, seed))
        pulls.append((slope - 0.3) / error)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(30)
    assert 0.6 < np.std(pulls) < 1.6


def test_no_drift_in_a_constant():
    slope, error = conservation.drift(np.arange(10.0), np.full(10, 2.5))
    assert (slope, error) == (0.0, 0.0)


def test_too_few_samples():
    with pytest.raises(ValueError, match="3 samples"):
        conservation.drift(np.arange(3.0), np.zeros(3))


@pytest.mark.skipif(not MODEL.is_file(), reason="no potential is shipped")
def test_a_shorter_step_conserves_better(crystal, tmp_path):
    results = {}
    for timestep in (0.5, 1.0):
        path = tmp_path / f"{timestep}.json"
        conservation.validate(MODEL, crystal, path, length=0.5, timestep=timestep)
        results[timestep] = json.loads(path.read_text())
    # Second order in the step; single precision adds some noise of its own.
    assert 2.5 < results[1.0]["fluctuation"] / results[0.5]["fluctuation"] < 6
    assert results[0.5]["fluctuation"] < 0.05


def test_what_lammps_complains_of_is_told(crystal, tmp_path):
    broken = tmp_path / "broken.pb"
    broken.write_bytes(b"no graph")
    with pytest.raises(UserError, match=r"broken\.pb: LAMMPS failed"):
        conservation.validate(broken, crystal, tmp_path / "out.json", length=0.01)
    assert not (tmp_path / "out.json").exists()
