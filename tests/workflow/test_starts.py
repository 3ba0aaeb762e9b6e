"""`starts: [cubic, distorted]`: every point a second time, from R-3m; and sweeps along rows."""

import os
import shutil
import time
from pathlib import Path

import pytest
import xarray as xr

from campaigns import PAIR, Campaign, checkout, copied
from lah10.schema import HYSTERESIS

ROW = {"temperature": {"values": [100, 300, 200]}, "starts": ["cubic", "distorted"]}


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


def jobs(stage: str, kelvin, end: str) -> set[str]:
    return {f"{stage} qtb at 150 GPa, {t} K{end}" for t in kelvin}


def test_points_of_a_sweep_follow_their_neighbours(made):
    """Cooling from Fm-3m and heating from R-3m; without the key no job is another."""
    made.configure(**ROW)
    alone = made.planned()
    made.configure(**ROW, sweep="temperature")
    swept = [m.replace(", cooling", "").replace(", heating", "") for m in made.planned()]
    assert sorted(swept) == alone
    points = f"results/{made.name}/points"
    of = {
        kelvin: set(made.planned("--", f"{points}/qtb/P150_T{kelvin}/equilibration.nc"))
        for kelvin in (100, 200, 300)
    }
    cubic = {"Build the supercell of 44 atoms"}
    assert of[300] == cubic | jobs("Equilibrate", [300], ", cooling")
    assert of[200] == of[300] | jobs("Produce", [300], "") | jobs(
        "Equilibrate", [200], ", cooling"
    )
    assert of[100] == of[200] | jobs("Produce", [200], "") | jobs(
        "Equilibrate", [100], ", cooling"
    )
    heated = made.planned("--", f"{points}/distorted/qtb/P150_T200/equilibration.nc")
    distorted = {"Distort the supercell as R-3m is"}
    assert set(heated) == cubic | distorted | jobs(
        "Equilibrate", [100, 200], " from R-3m, heating"
    ) | jobs("Produce", [100], " from R-3m")


@pytest.mark.slow
def test_a_sweep_runs_along_its_rows(made, tmp_path):
    """On the pair potential: starts, reruns of one point, copies, and a neighbour that failed."""
    made.configure(**ROW | {"temperature": {"values": [100, 300]}}, sweep="temperature")
    points = Path(f"results/{made.name}/points")
    ends = [
        str(points / start / f"qtb/P150_T{kelvin}/thermo.nc")
        for start in ("", "distorted")
        for kelvin in (100, 300)
    ]
    run = made.snakemake("--cores", "2", "--", *ends, timeout=1800)
    assert run.returncode == 0, run.stdout + run.stderr
    assert made.planned("--", *ends) == []
    for row, order in (("", (300, 100)), ("distorted", (100, 300))):
        before = None
        for kelvin in order:
            folder = points / row / f"qtb/P150_T{kelvin}"
            commands = (made.folder / folder / "equilibrate.lmp").read_text()
            if before is None:
                assert "read_data" in commands and "velocity" in commands
            else:
                assert f"read_restart {before}/produced.restart" in commands
                assert "read_data" not in commands and "velocity" not in commands
                # The volume goes on where the neighbour's run ended: it drifts with kT/ps.
                first, last = (
                    xr.load_dataset(made.folder / at / name, decode_times=False).volume
                    for at, name in ((folder, "equilibration.nc"), (before, "thermo.nc"))
                )
                assert first[0].item() == pytest.approx(last[-1].item(), rel=2e-3)
            before = folder
    _another_clone(copied(made, tmp_path / "clone"), ends)
    # Another run of a point repeats what follows it in its row, and nothing else.
    (made.folder / points / "qtb/P150_T300/thermo.nc").unlink()
    again = made.planned("--", *ends)
    assert set(again) == jobs("Produce", [300, 100], "") | jobs("Equilibrate", [100], ", cooling")
    # A neighbour that broke down hands its failure on.
    thermo = made.folder / points / "distorted/qtb/P150_T100/thermo.nc"
    broken = xr.load_dataset(thermo, decode_times=False)
    broken.attrs |= {"status": "volume", "status_message": "the crystal is lost"}
    broken.to_netcdf(thermo)
    (thermo.parent / "produced.restart").write_bytes(b"")
    target = points / "distorted/qtb/P150_T300/equilibration.nc"
    run = made.snakemake("--cores", "1", "--", str(target), timeout=600)
    assert run.returncode == 0, run.stdout + run.stderr
    with xr.open_dataset(made.folder / target, decode_times=False) as failed:
        assert failed.status == "volume"
        assert failed.status_message == "in its neighbour's run: the crystal is lost"


def _another_clone(made: Campaign, ends: list[str]) -> None:
    """Copied with dates in reverse and without Snakemake's records, all runs are finished; where
    the end of a run differs, its neighbour's are not."""
    shutil.rmtree(made.folder / ".snakemake")
    order = ("thermo", "spectra", "trajectory", "produce", "equilibrat", "distorted", "supercell")
    now = time.time()

    def reverse():
        for path in made.results.rglob("*.*"):
            at = next((i for i, name in enumerate(order) if path.name.startswith(name)), 0)
            os.utime(path, times=(now - 1000 + at,) * 2)

    reverse()
    assert made.planned("--", *ends) == []
    reverse()
    end = made.results / "points/distorted/qtb/P150_T100/produced.restart"
    with open(end, "ab") as file:
        file.write(b"changed")
    again = set(made.planned("--", *ends))
    assert again == jobs("Equilibrate", [300], " from R-3m, heating") | jobs(
        "Produce", [300], " from R-3m"
    )


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
