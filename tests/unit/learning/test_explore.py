"""Frames of all points are read, and a killed point goes on."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from crystals import supercell
from explored import POINTS, about
from lah10.config import training as settings
from lah10.crystal import structures
from lah10.crystal.trajectory import write_trajectory
from lah10.learning import explore


def write_run(folder: Path, point: str, frames: int, status: str = "ok") -> tuple[Path, Path]:
    folder.mkdir(parents=True)
    atoms = supercell("primitive", (1, 1, 1))
    xr.Dataset(attrs=about(point, status)).to_netcdf(folder / "thermo.nc")
    made = ((0.005 * k, atoms.cell.array, atoms.positions + 0.01 * k) for k in range(frames))
    write_trajectory(folder / "trajectory.nc", atoms.numbers, made, "test")
    return folder / "thermo.nc", folder / "trajectory.nc"


def test_frames_of_all_points_are_read(tmp_path):
    structures.write_supercell(tmp_path / "cell.xyz", supercell("primitive", (1, 1, 1)))
    statuses = ("ok", "volume", "ok")
    runs = {
        point: write_run(tmp_path / str(i), point, frames, status)
        for i, (point, frames, status) in enumerate(zip(POINTS, (60, 0, 3), statuses, strict=True))
    }
    found = explore.read_exploration(runs, tmp_path / "cell.xyz", 60)
    assert len(found.system) == 63 and found.points == POINTS
    assert np.bincount(found.point, minlength=3).tolist() == [60, 0, 3]
    assert [one["status"] for one in found.about] == list(statuses)
    assert found.times[61] == pytest.approx(0.005)
    assert np.bincount(found.system.types).tolist() == [1, 10]
    np.testing.assert_allclose(
        found.system.coordinates[62] - found.system.coordinates[60], 0.02, atol=1e-5
    )
    nothing = {POINTS[0]: write_run(tmp_path / "none", POINTS[0], 0, "nan")}
    assert len(explore.read_exploration(nothing, tmp_path / "cell.xyz", 60).system) == 0


def test_a_killed_point_goes_on_where_it_was(tmp_path, monkeypatch):
    for name in ("cell.xyz", "cell.data", "model.pb"):
        (tmp_path / name).write_text(name)
    asked = []

    def run_stage(job, log):
        described = explore.Job(**job)
        asked.append(described.stage)
        for path in described.outputs.values():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("")
        attrs = {"fingerprint": described.fingerprint()}
        xr.Dataset(attrs=attrs).to_netcdf(described.outputs["thermo"])
        if described.stage == "produce" and asked.count("produce") == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(explore.launch, "run_stage", run_stage)
    point = {
        "campaign": "learn",
        "bath": "qtb",
        "pressure_GPa": 150.0,
        "temperature_K": 300.0,
        "supercell": str(tmp_path / "cell.xyz"),
        "supercell_data": str(tmp_path / "cell.data"),
        "potential": {"model": str(tmp_path / "model.pb")},
        "seed": 1,
    }
    explored = settings.Explore()
    options = {
        stage: {
            "bath_options": explored.bath_options(stage, "qtb"),
            "dynamics": explored.dynamics_options(stage, "qtb"),
        }
        for stage in ("equilibrate", "produce")
    }
    names = ("thermo", "trajectory", "commands")
    made = {name: str(tmp_path / "point" / name) for name in names}
    arguments = (point, options, made, tmp_path / "scratch", tmp_path / "log")
    with pytest.raises(KeyboardInterrupt):
        explore.explore(*arguments)
    explore.explore(*arguments)
    assert asked == ["equilibrate", "produce", "produce"]
    assert not (tmp_path / "scratch").exists() and (tmp_path / "point/trajectory").exists()
    # Another model: nothing is taken over.
    asked.clear()
    with pytest.raises(KeyboardInterrupt):
        explore.explore(*arguments)
    (tmp_path / "model.pb").write_text("better")
    explore.explore(*arguments)
    assert asked == ["equilibrate", "produce", "equilibrate", "produce"]
