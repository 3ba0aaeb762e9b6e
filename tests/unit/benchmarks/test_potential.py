"""The benchmark of the potential: where the published model and data come from."""

import importlib.util
import subprocess
from pathlib import Path

import pytest

from lah10.config import training as settings
from lah10.errors import UserError
from lah10.io.files import sha256

ROOT = Path(__file__).parents[3]


@pytest.fixture
def compare(tmp_path, monkeypatch):
    path = ROOT / "benchmarks/potential/compare.py"
    spec = importlib.util.spec_from_file_location("benchmark_potential", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "FETCHED", tmp_path / "fetched")
    return module


@pytest.fixture
def source(tmp_path, compare, monkeypatch):
    """A repository like the published one, and its source."""
    repository = tmp_path / "published"
    files = {"model": repository / "model/full/graph.pb", "data": repository / "data/full/box.npy"}
    for name, file in files.items():
        file.parent.mkdir(parents=True)
        file.write_text(name)
        manifest = tmp_path / f"{name}.sha256"
        manifest.write_text(f"{sha256(file)}  {file.name}\n")
    git = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*git, *arguments], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    monkeypatch.setattr(compare, "MODEL_MANIFEST", tmp_path / "model.sha256")
    return settings.Source(
        citation="none",
        terms="none",
        repository=repository.as_uri(),
        commit=commit.stdout.strip(),
        folder="data/full",
        manifest=str(tmp_path / "data.sha256"),
        held_out="all",
    )


def test_model_and_data_are_fetched_once(compare, source):
    assert compare.published_model(source, None).read_text() == "model"
    assert (compare.published_data(source, None) / "box.npy").read_text() == "data"
    gone = source.model_copy(update={"repository": "file:///nowhere"})
    assert compare.published_model(gone, None).read_text() == "model"


def test_without_network_it_says_what_to_do(compare, source, capsys):
    gone = source.model_copy(update={"repository": "file:///nowhere"})
    assert compare.published_model(gone, None) is None
    assert compare.published_data(gone, None) is None
    first, second = capsys.readouterr().err.strip().splitlines()
    assert first.startswith("Without the published model: file:///nowhere at ")
    assert "cannot be fetched" in first and first.endswith("name it with --published.")
    assert second.endswith("name it with --data.")


def test_named_copies_are_taken_and_checked(compare, source, tmp_path):
    data = tmp_path / "published/data/full"
    assert compare.published_data(source, str(data)) == data
    (data / "box.npy").write_text("something else")
    with pytest.raises(UserError, match=r"box\.npy: its content is not the published one"):
        compare.published_data(source, str(data))
    graph = tmp_path / "published/model/full/graph.pb"
    assert compare.published_model(source, str(graph)) == graph
    with pytest.raises(UserError, match=r"--published: expected .*, got nowhere.pb"):
        compare.published_model(source, "nowhere.pb")
