"""A full disk: what is looked at before writing, what is lost, and what the message names."""

import errno
import os
import re
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from lah10.crystal.trajectory import write_trajectory
from lah10.dynamics.checkpoint import Checkpoints
from lah10.errors import UserError
from lah10.io import netcdf, space
from lah10.io.files import atomic_path


@pytest.fixture
def quota(monkeypatch):
    """A function that leaves so many bytes to every folder."""

    def leave(free):
        state = SimpleNamespace(f_bavail=free // 4096, f_frsize=4096)
        monkeypatch.setattr(os, "statvfs", lambda path: state)

    return leave


@pytest.fixture
def small(tmp_path):
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system can be mounted by root alone")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_enough_space_is_silent(tmp_path, quota):
    quota(10**7)
    space.check(tmp_path, 9e6, "the next segment")


def test_too_little_space_names_how_much_and_where(tmp_path, quota):
    quota(4096 * 100)
    folder = tmp_path / "not there yet"
    with pytest.raises(UserError) as refused:
        space.check(folder, 3.2e9, "the next segment")
    assert str(refused.value) == (
        f"{folder}: 3.2 GB are needed for the next segment, and 410 kB are free; make room there, "
        "then give the same command again: it goes on from what is finished"
    )


def test_a_quota_is_a_full_disk(tmp_path):
    with pytest.raises(UserError, match="no space left on the disk or in its quota: file needs"):
        with atomic_path(tmp_path / "file"):
            raise OSError(errno.EDQUOT, "Disk quota exceeded")
    with pytest.raises(PermissionError):
        with atomic_path(tmp_path / "file"):
            raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.parametrize("kind", ["text", "dataset", "trajectory", "checkpoint"])
def test_a_full_disk_leaves_what_was_there(small, tmp_path, kind):
    checkpoints = Checkpoints(small / "scratch", "abc")
    checkpoints.restart(1).write_text("state 1")
    checkpoints.save({"x": np.arange(3)})
    earlier = small / "earlier.nc"
    netcdf.write(xr.Dataset({"x": ("t", np.arange(3.0))}), earlier, title="earlier")
    before = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}
    noise = np.random.default_rng(1).random(300_000)
    frames = ((n, np.eye(3), np.ones((1000, 3))) for n in range(200))
    writers = {
        "text": lambda: write_text(earlier, noise.tobytes()),
        "dataset": lambda: netcdf.write(xr.Dataset({"x": ("t", noise)}), earlier, title="new"),
        "trajectory": lambda: write_trajectory(small / "trajectory.nc", [1] * 1000, frames, "new"),
        "checkpoint": lambda: checkpoints.save({"x": noise}),
    }
    if kind == "checkpoint":
        checkpoints.restart(2).write_text("state 2")
        before[checkpoints.restart(2)] = b"state 2"
    said = complaint(writers[kind], tmp_path / "said")
    assert re.match(f"{small}.*: no space left on the disk", said)
    assert "needs more than" in said and "are free; make room" in said
    after = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}
    assert after == before
    again = Checkpoints(small / "scratch", "abc")
    assert again.completed == 1 and again.load(1)["x"].tolist() == [0, 1, 2]


def complaint(write, file) -> str:
    """What the user is told; in a process of its own, which the netCDF library breaks later."""
    if (child := os.fork()) == 0:
        try:
            write()
        except UserError as error:
            file.write_text(str(error))
        os._exit(0)
    os.waitpid(child, 0)
    return file.read_text()


def write_text(path, content: bytes) -> None:
    with atomic_path(path) as aside:
        aside.write_bytes(content)
