"""Two starts of a point in one dataset: agreement, hysteresis, and whose distortion counts."""

import numpy as np
import pytest
import xarray as xr

from lah10.campaign.merge import merge
from lah10.campaign.starts import hysteresis, write_pimd_table
from lah10.schema import HYSTERESIS, PHASE
from synthetic_campaign import write_campaign, write_point

#: What noise shows in a cubic crystal, and limits that exclude 1.71 degree but not 0.45.
CUBIC = {
    "theta_deviation": 0.3, "theta_null": 0.25, "theta_null_spread": 0.1, "theta_threshold": 0.6,
    "theta_upper": 0.5, "local_distortion": 0.5, "local_distortion_null": 0.5,
    "local_distortion_threshold": 0.8, "local_distortion_upper": 0.55,
    "variant_share": np.array([0, 0, 0, 0, 1.0]), "phase": PHASE["cubic"],
}  # fmt: skip
R3M = CUBIC | {"theta_deviation": 1.6, "theta_upper": 1.8, "phase": PHASE["distorted"]}


def test_flags():
    cubic, distorted, open_ = (PHASE[name] for name in ("cubic", "distorted", "undetermined"))
    found = hysteresis(np.array([cubic, cubic, distorted, open_]),
                       np.array([cubic, distorted, distorted, distorted]))  # fmt: skip
    assert found.tolist() == [
        HYSTERESIS["none"], HYSTERESIS["hysteresis"], HYSTERESIS["none"], HYSTERESIS["not_known"],
    ]  # fmt: skip


@pytest.fixture
def merged(tmp_path):
    """150 GPa: the starts disagree; 200 GPa: both cubic; 100 GPa: the second did not run."""
    first, second = tmp_path / "points", tmp_path / "points/distorted"
    at = [(100, 300), (150, 300), (200, 300)]
    summaries = [("qtb", p, t, write_point(first, "qtb", p, t, **CUBIC)) for p, t in at]
    again = [("qtb", 150, 300, write_point(second, "qtb", 150, 300, **R3M)),
             ("qtb", 200, 300, write_point(second, "qtb", 200, 300, **CUBIC))]  # fmt: skip
    return merge(summaries, tmp_path / "phase_diagram.nc", distorted=again)


def test_both_starts_stand_in_the_dataset(merged):
    flags = merged.hysteresis.sel(bath="qtb", temperature=300).values.tolist()
    assert flags == [HYSTERESIS["not_known"], HYSTERESIS["hysteresis"], HYSTERESIS["none"]]
    assert merged.distorted_start_theta_deviation.values.ravel()[1] == pytest.approx(1.6)
    assert np.isnan(merged.distorted_start_theta_deviation.values.ravel()[0])
    assert merged.distorted_start_theta_deviation.attrs["units"] == "degree"
    assert merged.hysteresis.attrs["flag_meanings"] == "not_known none hysteresis"
    # The table is of the cubic start.
    assert merged.theta_deviation.values.ravel() == pytest.approx([0.3, 0.3, 0.3])


def test_the_distorted_branch_says_what_cubic_must_exclude(tmp_path):
    """R-3m that survives with 0.45 degree is not excluded by a run that may have 0.5."""
    faint = R3M | {"theta_deviation": 0.45, "theta_threshold": 0.4}
    first = write_point(tmp_path, "qtb", 150, 300, **CUBIC)
    second = write_point(tmp_path / "distorted", "qtb", 150, 300, **faint)
    found = merge([("qtb", 150, 300, first)], tmp_path / "phase_diagram.nc",
                  distorted=[("qtb", 150, 300, second)])  # fmt: skip
    assert found.phase.item() == PHASE["undetermined"]
    assert "0.45° of R-3m are not excluded" in found.phase_reason.item()
    assert found.hysteresis.item() == HYSTERESIS["not_known"]


def test_one_start_has_no_such_variables(tmp_path):
    found = merge(write_campaign(tmp_path), tmp_path / "phase_diagram.nc")
    assert not [name for name in found if name.startswith(("distorted_start", "hysteresis"))]


def test_path_integrals_from_both_starts_make_a_table(tmp_path):
    xr.Dataset().to_netcdf(tmp_path / "harmonic.nc")
    first = write_point(tmp_path / "points", "pimd", 150, 100, **CUBIC)
    second = write_point(tmp_path / "points/distorted", "pimd", 150, 100, **R3M)
    failed = write_point(tmp_path / "points", "pimd", 200, 100, status="volume")
    write_pimd_table(
        [(("150", "100", 48), first, second, tmp_path / "harmonic.nc"),
         (("200", "100", 32), failed, second, tmp_path / "harmonic.nc")],
        tmp_path / "starts.md",
    )  # fmt: skip
    head, _, one, other = (tmp_path / "starts.md").read_text("utf-8").splitlines()
    assert "from Fm-3m" in head and "hysteresis" in head
    cells = [cell.strip() for cell in one.strip("|").split("|")]
    assert cells[:4] == ["150", "100", "48", "cubic"] and cells[5] == "distorted"
    assert cells[4] == "0.30 ± 0.06" and cells[-1] == "hysteresis"
    assert [cell.strip() for cell in other.strip("|").split("|")][-1] == "not known"
