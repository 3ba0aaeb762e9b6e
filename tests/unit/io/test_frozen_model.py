"""Reading a frozen graph's type map and cut-off without TensorFlow."""

import struct

import pytest

import frozen_graph
from lah10.errors import UserError
from lah10.io import frozen_model


def test_type_map_and_cutoff(tmp_path):
    model = frozen_model.read(frozen_graph.write(tmp_path / "m.pb", "H La", 5.5))
    assert model.type_map == ("H", "La")
    assert model.cutoff == 5.5


@pytest.mark.parametrize(
    "kind, compressed", [("original_model", False), ("compressed_model", True), (None, False)]
)
def test_whether_it_is_compressed(tmp_path, kind, compressed):
    graph = frozen_graph.write(tmp_path / "m.pb", kind=kind)
    assert frozen_model.read(graph).compressed is compressed


def test_single_precision_cutoff_in_its_own_field(tmp_path):
    graph = frozen_graph.write(tmp_path / "m.pb").read_bytes()
    # TensorFlow writes a scalar either as raw content or in the field of its type.
    tensor = frozen_graph.field(1, 1) + frozen_graph.field(5, struct.pack("<f", 4.25))
    double = frozen_graph.constant(
        "descrpt_attr/rcut", frozen_graph.field(1, 2) + frozen_graph.field(4, struct.pack("<d", 4))
    )
    single = frozen_graph.constant("descrpt_attr/rcut", tensor)
    assert double in graph
    (tmp_path / "s.pb").write_bytes(graph.replace(double, single))
    assert frozen_model.read(tmp_path / "s.pb").cutoff == 4.25


@pytest.mark.parametrize(
    "content",
    [b"", b"no protocol buffer at all", bytes(100), b"\x0a\xff\xff\xff\xff\x0f", b"\xff" * 40],
    ids=["empty", "text", "zeros", "endless", "ones"],
)
def test_other_files_are_refused_in_one_line(tmp_path, content):
    path = tmp_path / "m.pb"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not a frozen DeePMD graph") as error:
        frozen_model.read(path)
    assert "\n" not in str(error.value)


def test_a_graph_without_the_constants_is_refused(tmp_path):
    path = tmp_path / "m.pb"
    path.write_bytes(frozen_graph.constant("x", frozen_graph.field(1, 2)))
    with pytest.raises(UserError, match="not a frozen DeePMD graph"):
        frozen_model.read(path)


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match=r"cannot be read \(No such file"):
        frozen_model.read(tmp_path / "m.pb")
