"""The folders of a campaign's points."""

from lah10.campaign.grid import point_folder


def test_point_folders_are_canonical():
    assert point_folder("points", "qtb", 150.0, 1.50).as_posix() == "points/qtb/P150_T1.5"
    assert point_folder("points", "qtb", "100", 300).as_posix() == "points/qtb/P100_T300"
