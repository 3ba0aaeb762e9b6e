"""Rates of a machine: the short campaign that measures them, and the table that they go into."""

from pathlib import Path

import pytest

from lah10.campaign import calibrate, rates
from lah10.campaign.plan import Plan, read_rates
from lah10.config import reading

ROOT = Path(__file__).resolve().parents[3]
RATES = ROOT / "resources/rates.yaml"

MEASURED = {
    "atoms": 352,
    "ranks": 1,
    "points": 2,
    "load": 0.99,
    "dynamics": {"atom_steps_per_second": 12000},
    "analysis": {"atom_frames_per_second": 500},
    "startup_seconds": {"equilibrate": 5, "produce": 6, "analyse": 3},
    "memory_mb": {"equilibrate": 900, "produce": 950, "analyse": 200},
}


@pytest.mark.parametrize("name", ["demo", "reference", "paper", "stability", "pimd", "boundary"])
def test_a_calibration_of_any_campaign_is_a_campaign(name):
    config = reading.load([ROOT / f"config/{name}.yaml"], root=ROOT)
    plan = Plan(config, read_rates(RATES))
    content = calibrate.short(reading.to_dict(config), plan, points=3)
    short = reading.validate(content, "calibration")
    assert short.n_atoms == config.n_atoms
    assert len(short.points) == 3
    assert short.campaign == f"calibration-{config.n_atoms}-atoms"
    # Enough for the analysis, and no longer than it must be.
    produce = Plan(short, plan.rates)
    assert calibrate.FEWEST <= produce.steps("produce") <= calibrate.MOST
    assert produce.frames == calibrate.FRAMES + 1
    assert produce.steps("equilibrate") == produce.steps("produce") / 3
    if config.n_atoms < 1000:
        assert produce.core_seconds("produce") == pytest.approx(calibrate.SECONDS, rel=0.8)


def test_what_was_measured_takes_the_place_of_what_was_shipped():
    shipped = read_rates(RATES)
    new = rates.updated(shipped, MEASURED, "here and now")
    cpu = new["dynamics"]["cpu"]
    assert cpu["by_atoms"] == {352: 12000} and cpu["source"] == "here and now"
    assert new["startup_seconds"]["produce"] == 6
    # Of so few atoms the time of an analysis is that of its start.
    assert new["analysis"] == shipped["analysis"]
    large = rates.updated(new, MEASURED | {"atoms": 44000}, "later")
    assert large["dynamics"]["cpu"]["by_atoms"] == {352: 12000, 44000: 12000}
    assert large["analysis"]["atom_frames_per_second"] == 500
    assert "by_atoms" not in shipped["dynamics"]["cpu"]


def test_written_rates_are_read_again(tmp_path):
    new = rates.updated(read_rates(RATES), MEASURED, "here")
    rates.write(tmp_path / "rates.yaml", new)
    assert read_rates(tmp_path / "rates.yaml") == new
