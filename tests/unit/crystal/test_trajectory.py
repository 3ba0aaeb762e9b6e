"""AMBER NetCDF trajectories, read back by this project and by ASE."""

import numpy as np
import pytest
from ase.geometry import cellpar_to_cell
from ase.io.netcdftrajectory import NetCDFTrajectory

from lah10.crystal.trajectory import read_frames, write_trajectory


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    cells = [cellpar_to_cell([7 + 0.1 * i, 7.2, 7.4, 88, 91, 60 + i]) for i in range(5)]
    return [(0.02 * i, cell, rng.normal(size=(11, 3)) * 20) for i, cell in enumerate(cells)]


def test_round_trip_in_chunks(frames, tmp_path):
    path = tmp_path / "t.nc"
    write_trajectory(path, 11, iter(frames), "test")
    chunks = list(read_frames(path, chunk=2))
    assert [len(time) for time, _, _ in chunks] == [2, 2, 1]
    time, cells, positions = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    assert time == pytest.approx([f[0] for f in frames])
    assert cells == pytest.approx(np.array([f[1] for f in frames]), abs=1e-9)
    assert positions == pytest.approx(np.array([f[2] for f in frames]), abs=1e-5)


def test_ase_reads_it(frames, tmp_path):
    path = tmp_path / "t.nc"
    write_trajectory(path, 11, iter(frames), "test")
    with NetCDFTrajectory(str(path)) as trajectory:
        assert len(trajectory) == 5
        last = trajectory[-1]
    assert last.positions == pytest.approx(frames[-1][2], abs=1e-5)
    assert last.cell.array == pytest.approx(frames[-1][1], abs=1e-6)


def test_no_frames_make_a_readable_file(tmp_path):
    write_trajectory(tmp_path / "t.nc", 11, iter([]), "empty")
    assert list(read_frames(tmp_path / "t.nc")) == []


def test_nothing_is_left_of_a_trajectory_that_failed(frames, tmp_path):
    def broken():
        yield frames[0]
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError):
        write_trajectory(tmp_path / "t.nc", 11, broken(), "broken")
    assert list(tmp_path.iterdir()) == []
