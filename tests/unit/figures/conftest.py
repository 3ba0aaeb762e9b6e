"""A made-up campaign to draw."""

import pytest

from lah10.campaign.merge import merge
from synthetic_campaign import write_campaign

FAILED = ("classical", 200, 300)
MISSING = ("qtb", 100, 100)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    summaries = write_campaign(folder / "points", failed={FAILED: "volume"}, missing=[MISSING])
    dataset = merge(summaries, folder / "phase_diagram.nc")
    return folder, dataset
