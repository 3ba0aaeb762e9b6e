"""The one writer of JSON files, and the reader."""

import pytest

from lah10.errors import UserError
from lah10.io.json import read_json, write_json


def test_round_trip(tmp_path):
    content = {"a": [1, 0.1], "θ": None}
    write_json(tmp_path / "new/x.json", content)
    assert read_json(tmp_path / "new/x.json", "") == content
    assert (tmp_path / "new/x.json").read_text("utf-8").endswith("\n}\n")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.json"]


def test_a_file_that_stands_is_kept_when_the_new_one_fails(tmp_path):
    write_json(tmp_path / "x.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", {"a": object()})
    assert read_json(tmp_path / "x.json", "") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_what_cannot_be_read_is_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"^.*x\.json: no such file; do this$"):
        read_json(tmp_path / "x.json", "do this")
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(UserError, match=r"x\.json: cannot be read as JSON .*; do this$"):
        read_json(tmp_path / "x.json", "do this")
