"""The files of a stage are made from its segments in their order."""

from types import SimpleNamespace

import numpy as np

from lah10.dynamics import outputs


def kept(*segments):
    """In the place of checkpoints: segments that were kept, numbered from 1."""
    return SimpleNamespace(completed=len(segments), load=lambda number: segments[number - 1])


def frame(time):
    return {
        "frame_time": np.array([time]),
        "frame_cell": np.eye(3)[None] * time,
        "frame_positions": np.full((1, 2, 3), time),
    }


def test_frames_come_segment_by_segment_and_the_unfinished_last():
    checkpoints = kept(frame(1.0), {"time": np.zeros(2)}, frame(2.0))
    found = list(outputs.frames(checkpoints, frame(3.0)))
    assert [time for time, _, _ in found] == [1.0, 2.0, 3.0]
    for time, cell, positions in found:
        np.testing.assert_array_equal(cell, np.eye(3) * time)
        np.testing.assert_array_equal(positions, np.full((2, 3), time))
    assert [time for time, _, _ in outputs.frames(checkpoints, {})] == [1.0, 2.0]


def test_only_segments_that_were_kept_are_read():
    checkpoints = kept(frame(1.0), frame(2.0))
    checkpoints.completed = 1
    assert len(list(outputs.segments(checkpoints))) == 1
