"""`starts: [cubic, distorted]`: every point a second time, from R-3m."""

import pytest
import xarray as xr

from campaigns import PAIR, Campaign, checkout
from lah10.schema import HYSTERESIS


@pytest.fixture
def made(tmp_path):
    return Campaign(checkout(tmp_path / "starts"), "twice", {"PYTHONPATH": str(PAIR)})


def test_a_second_start_adds_its_own_jobs_and_touches_no_other(made):
    made.configure(temperature={"values": [100, 300]})
    once = made.planned()
    made.configure(temperature={"values": [100, 300]}, starts=["cubic", "distorted"])
    twice = made.planned()
    added = [message for message in twice if message not in once]
    assert added == sorted(
        [
            "Distort the supercell as R-3m is",
            *(
                f"{stage} qtb at 150 GPa, {t} K from R-3m"
                for stage in ("Equilibrate", "Produce", "Analyse")
                for t in (100, 300)
            ),
        ]
    )
    assert len(twice) == len(once) + len(added)


def test_path_integrals_start_twice_with_most_beads(made):
    point = {"pressure": 150, "temperature": 100, "beads": [4, 8]}
    made.configure(starts=["cubic", "distorted"], pimd={"points": [point]})
    planned = [message for message in made.planned("pimd") if "Path integrals" in message]
    assert planned == sorted(
        [
            "Path integrals at 150 GPa, 100 K, 4 beads",
            "Path integrals at 150 GPa, 100 K, 8 beads",
            "Path integrals at 150 GPa, 100 K, 8 beads from R-3m",
        ]
    )
    made.configure(pimd={"points": [point]})
    assert not [message for message in made.planned("pimd") if "R-3m" in message]


@pytest.mark.slow
def test_both_starts_come_to_one_dataset(made):
    """On the pair potential, in which neither crystal means anything."""
    made.configure(starts=["cubic", "distorted"])
    made.give_phonons()
    run = made.snakemake("--cores", "2", timeout=1800)
    assert run.returncode == 0, run.stdout + run.stderr
    second = made.results / "points/distorted/qtb/P150_T100/summary.nc"
    with xr.open_dataset(second) as summary:
        second = float(summary.theta_deviation)
    data = made.dataset()
    assert data.distorted_start_theta_deviation.item() == second
    assert data.theta_deviation.item() != second
    assert data.hysteresis.item() in HYSTERESIS.values()
    assert made.planned() == []
