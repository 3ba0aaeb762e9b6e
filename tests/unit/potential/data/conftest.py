"""A good DeePMD folder, a system, and structures to label."""

import ase.io
import pytest

import labelled
from lah10.potential.data import deepmd_folders
from lah10.potential.data.structures import read_structures
from unlabelled import without_labels


@pytest.fixture
def folder(tmp_path):
    """A good DeePMD folder of five frames in one set."""
    deepmd_folders.write_deepmd(labelled.system(), tmp_path / "good")
    return tmp_path / "good"


@pytest.fixture
def system():
    return labelled.system(frames=3)


@pytest.fixture
def structures(tmp_path, system):
    """Three structures in one file, by their names."""
    ase.io.write(tmp_path / "new.xyz", [without_labels(system, i) for i in range(3)])
    return read_structures(tmp_path / "new.xyz")
