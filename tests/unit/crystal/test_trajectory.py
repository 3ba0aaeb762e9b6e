"""AMBER NetCDF trajectories, read back by this project and by other programs."""

import numpy as np
import pytest
from ase.geometry import cellpar_to_cell
from ase.io.netcdftrajectory import NetCDFTrajectory
from hypothesis import given
from hypothesis import strategies as st
from MDAnalysis import Universe
from netCDF4 import Dataset

from lah10.crystal.trajectory import Trajectory, read_frames, write_trajectory

NUMBERS = [1] * 4 + [57] + [1] * 6


def made_up(count=5, n_atoms=11, seed=0):
    rng = np.random.default_rng(seed)
    cells = [cellpar_to_cell([7 + 0.1 * i, 7.2, 7.4, 88, 91, 60 + i]) for i in range(count)]
    return [(0.02 * i, cell, rng.normal(size=(n_atoms, 3)) * 20) for i, cell in enumerate(cells)]


@pytest.fixture
def frames():
    return made_up()


def test_round_trip_in_chunks(frames, tmp_path):
    path = tmp_path / "t.nc"
    write_trajectory(path, NUMBERS, iter(frames), "test")
    chunks = list(read_frames(path, chunk=2))
    assert [len(time) for time, _, _ in chunks] == [2, 2, 1]
    time, cells, positions = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    assert time == pytest.approx([f[0] for f in frames])
    assert cells == pytest.approx(np.array([f[1] for f in frames]), abs=1e-9)
    assert positions == pytest.approx(np.array([f[2] for f in frames]), abs=1e-5)


@given(
    count=st.integers(0, 6),
    types=st.lists(st.sampled_from([1, 57]), min_size=1, max_size=30),
    chunk=st.integers(1, 7),
)
def test_both_readers_give_what_was_written(tmp_path_factory, count, types, chunk):
    path = tmp_path_factory.mktemp("trajectory") / "t.nc"
    written = made_up(count, len(types))
    write_trajectory(path, types, iter(written), "test")
    parts = [one for part in read_frames(path, chunk) for one in zip(*part, strict=True)]
    assert len(parts) == count
    with Trajectory(path) as trajectory:
        assert (len(trajectory), trajectory.n_atoms) == (count, len(types))
        for i, (time, cell, positions) in enumerate(written):
            for other_time, other_cell, other in (
                parts[i],
                (trajectory.time[i], trajectory.cells[i], trajectory.scaled(i) @ cell),
            ):
                assert other_time == time
                assert other_cell == pytest.approx(cell, abs=1e-9)
                assert other == pytest.approx(positions, abs=1e-5)


def test_ase_reads_it_with_its_elements(frames, tmp_path):
    path = tmp_path / "t.nc"
    write_trajectory(path, NUMBERS, iter(frames), "test")
    with NetCDFTrajectory(str(path)) as trajectory:
        assert len(trajectory) == 5
        last = trajectory[-1]
    assert last.positions == pytest.approx(frames[-1][2], abs=1e-5)
    assert last.cell.array == pytest.approx(frames[-1][1], abs=1e-6)
    assert last.numbers.tolist() == NUMBERS


def test_mdanalysis_reads_it(frames, tmp_path):
    path = tmp_path / "t.nc"
    write_trajectory(path, NUMBERS, iter(frames), "test")
    universe = Universe.empty(len(NUMBERS), trajectory=True)
    universe.load_new(str(path), format="NCDF")
    assert len(universe.trajectory) == 5
    assert universe.trajectory[-1].positions == pytest.approx(frames[-1][2], abs=1e-5)


def test_ovito_reads_it_with_types(frames, tmp_path):
    """Where it is installed; with Qt it is larger than all that the tests need besides."""
    ovito = pytest.importorskip("ovito.io")
    write_trajectory(tmp_path / "t.nc", NUMBERS, iter(frames), "test")
    pipeline = ovito.import_file(str(tmp_path / "t.nc"))
    assert pipeline.num_frames == 5
    particles = pipeline.compute(4).particles
    assert list(particles.particle_types[...]) == NUMBERS
    assert np.asarray(particles.positions) == pytest.approx(frames[-1][2], abs=1e-5)


def test_elements_are_a_variable_of_their_own(frames, tmp_path):
    """AMBER's convention has none; beside it, the file is what it was."""
    write_trajectory(tmp_path / "t.nc", NUMBERS, iter(frames), "test")
    with Dataset(tmp_path / "t.nc") as file:
        assert file["atom_types"].dimensions == ("atom",)
        assert file["atom_types"][:].tolist() == NUMBERS
        assert file["coordinates"].dimensions == ("frame", "atom", "spatial")
        assert (file.Conventions, file["coordinates"].dtype) == ("AMBER", np.dtype("f4"))


def test_no_frames_make_a_readable_file(tmp_path):
    write_trajectory(tmp_path / "t.nc", NUMBERS, iter([]), "empty")
    assert list(read_frames(tmp_path / "t.nc")) == []


def test_nothing_is_left_of_a_trajectory_that_failed(frames, tmp_path):
    def broken():
        yield frames[0]
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError):
        write_trajectory(tmp_path / "t.nc", NUMBERS, broken(), "broken")
    assert list(tmp_path.iterdir()) == []
