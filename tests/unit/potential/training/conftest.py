"""Made-up data, prepared to train on."""

import pytest

from toy_training import prepared


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("data"))
