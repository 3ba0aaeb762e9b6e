"""Phases judged beside R-3m at rest at each pressure, by the potential in use."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from lah10.campaign.harmonic_reference import JUDGED, judge_phases, static_deviation
from lah10.crystal.structures import read_crystal
from lah10.phonons.reference import _distorted
from lah10.schema import PHASE, STATUS

CRYSTAL = Path(__file__).parents[3] / "resources/structures/R-3m.cif"


def grid(static, **changes):
    """One bath and temperature at as many pressures as `static` has; what a run of noise shows."""
    count = len(static)
    values = dict.fromkeys(JUDGED, 0.5) | {
        "theta_null": 0.25, "theta_null_spread": 0.1, "theta_deviation": 0.3,
        "theta_threshold": 0.6, "local_distortion_threshold": 0.8,
    } | changes  # fmt: skip
    dims = ("bath", "pressure", "temperature")
    data = xr.Dataset({name: (dims, np.full((1, count, 1), values[name], float))
                       for name in JUDGED if name != "variant_share"})  # fmt: skip
    data["variant_share"] = ((*dims, "variant"), np.tile([0, 0, 0, 0, 1.0], (1, count, 1, 1)))
    data["status"] = (dims, np.full((1, count, 1), STATUS["ok"]))
    data["phase"] = (dims, np.full((1, count, 1), PHASE["undetermined"]))
    data["phase_reason"] = (dims, np.full((1, count, 1), "as before", object))
    data["static_theta_deviation"] = ("pressure", np.array(static))
    return data


def test_each_pressure_has_a_distortion_of_its_own_to_exclude():
    data = grid([1.9, 0.4, 0.0, np.nan])
    judge_phases(data)
    assert data.phase.values.ravel().tolist() == [
        PHASE["cubic"], PHASE["undetermined"], PHASE["cubic"], PHASE["cubic"],
    ]  # fmt: skip
    reasons = data.phase_reason.values.ravel()
    assert "1.90° of R-3m are excluded" in reasons[0] and "0.40° of R-3m" in reasons[1]
    assert "relaxes to Fm-3m" in reasons[2] and "1.71°" in reasons[3]


def test_points_of_older_analyses_and_failed_ones_keep_their_phase():
    data = grid([1.9, 1.9])
    data["theta_upper"][0, 0, 0] = np.nan
    data["status"][0, 1, 0] = STATUS["nan"]
    judge_phases(data)
    assert (data.phase == PHASE["undetermined"]).all()
    assert (data.phase_reason == "as before").all()


def test_the_relaxed_crystal_goes_through_the_file():
    stored = xr.Dataset(_distorted({"R-3m": read_crystal(CRYSTAL)}))
    assert static_deviation(stored) == pytest.approx(1.71, abs=0.01)
    assert _distorted({"Fm-3m": None}) == {}
    assert np.isnan(static_deviation(xr.Dataset()))
