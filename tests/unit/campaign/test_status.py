"""What `snakemake status` prints of a campaign: running points, totals, what stopped and failed."""

import os
import time

import pytest
import xarray as xr

from lah10.campaign.status import report
from lah10.dynamics.progress import FAILED, UNFINISHED, Progress

POINTS = [("qtb", "150", text) for text in ("50", "100", "300", "600")]


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results/demo"


def running(results, temperature="50", **changes) -> Progress:
    scratch = results / f"scratch/qtb/P150_T{temperature}/produce"
    scratch.mkdir(parents=True)
    made = Progress(scratch, f"qtb P150 T{temperature} produce", 2.0)
    numbers = {"done_ps": 0.5, "ps_per_hour": 240, "left_seconds": 3723, "temperature_K": 861.2,
               "pressure_GPa": 149.83, "volume_A3": 271.9}  # fmt: skip
    made.write(**numbers | changes)
    return made


def finished(results, temperature, status="ok", message="") -> None:
    point = results / f"points/qtb/P150_T{temperature}"
    point.mkdir(parents=True)
    attrs = {"status": status, "status_message": message}
    for name in ("equilibration.nc", "thermo.nc", "summary.nc"):
        xr.Dataset(attrs=attrs).to_netcdf(point / name)


def test_nothing_has_begun(results):
    text = report(results, POINTS)
    assert text.startswith("Campaign demo, ")
    assert text.endswith(
        "4 points; 0 equilibrated, 0 produced, 0 analysed, 0 broke down; 0 running, "
        "0 stopped before their end"
    )


def test_a_line_a_running_point(results):
    running(results)
    text = report(results, POINTS)
    assert "1 running" in text
    head, row, total = text.splitlines()[2:5]
    assert head.split() == (
        "running ps of ps/h T (K) P (GPa) V (Å³) left seen".split()
    )
    assert row.split() == "qtb P150 T50 produce 0.5 2 240 861 149.8 271.9 1:02:03 0 s ago".split()
    assert total == "all: 240 ps/h, 1.5 ps left in these"


def test_a_run_that_has_just_started(results):
    running(results)
    scratch = results / "scratch/qtb/P150_T100/equilibrate"
    scratch.parent.mkdir(parents=True)
    Progress(scratch, "qtb P150 T100 equilibrate", 1.0).write(done_ps=0.0)
    assert "starting" in report(results, POINTS)


def test_what_stopped_and_why(results):
    running(results, "50").write(UNFINISHED, "qtb P150 T50 produce: UNFINISHED at 1 of 2 ps: why")
    running(results, "100").write(FAILED, "results: 3 GB are needed")
    killed = running(results, "300")
    past = time.time() - 3600
    os.utime(killed.path, (past, past))
    text = report(results, POINTS)
    assert "0 running, 3 stopped before their end" in text
    assert "  qtb P150 T50 produce: UNFINISHED at 1 of 2 ps: why" in text
    assert "  results: 3 GB are needed" in text
    assert f"  qtb P150 T300 produce: no sign of it for 1:00:00 (process {os.getpid()} on" in text


def test_what_broke_down_and_why(results):
    finished(results, "50")
    finished(results, "100", "volume", "the volume is 1.7 times the first one at 0.2 ps")
    text = report(results, POINTS)
    assert "2 equilibrated, 2 produced, 1 analysed, 1 broke down" in text
    assert "  qtb P150 T100: volume: the volume is 1.7 times the first one at 0.2 ps" in text


def test_damaged_files_are_no_obstacle(results):
    running(results).path.write_text("{")
    finished(results, "100")
    (results / "points/qtb/P150_T100/summary.nc").write_bytes(b"damaged")
    text = report(results, POINTS)
    assert "0 running" in text and "qtb P150 T100: unreadable: " in text


def test_the_file_that_stops_a_campaign_is_named(results):
    results.mkdir(parents=True)
    (results / "EXIT").touch()
    assert "EXIT is there: runs stop at their next checkpoint" in report(results, POINTS)


def test_progress_of_a_run_that_ended_well_is_gone(results):
    running(results).end()
    assert "0 running, 0 stopped" in report(results, POINTS)
