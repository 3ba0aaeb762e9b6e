"""What a frozen DeePMD graph (.pb) says of itself, read without TensorFlow.

A frozen graph is a protocol buffer (tensorflow/core/framework/graph.proto). Its constants
"model_attr/tmap" (text: element names), "descrpt_attr/rcut" (cut-off, Å) and "model_type" are found
by walking the top level and looking into those nodes alone: milliseconds, where TensorFlow takes
seconds.
"""

import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from lah10.errors import UserError

# Field numbers of graph.proto, node_def.proto, attr_value.proto, tensor.proto.
GRAPH_NODE = 1
NODE_NAME, NODE_ATTR = 1, 5
ATTR_KEY, ATTR_VALUE, VALUE_TENSOR = 1, 2, 8
TENSOR_DTYPE, TENSOR_CONTENT, FLOAT_VAL, DOUBLE_VAL, STRING_VAL = 1, 4, 5, 6, 8
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
DT_FLOAT = 1


@dataclass(frozen=True)
class FrozenModel:
    """Element names in the model's own order, its cut-off in Å, and whether it is compressed."""

    type_map: tuple[str, ...]
    cutoff: float
    compressed: bool


def read(path: str | os.PathLike) -> FrozenModel:
    """Type map and cut-off of the frozen graph at `path`.

    Raises
    ------
    UserError
        The file is absent, unreadable, or not a frozen DeePMD graph.
    """
    try:
        with open(path, "rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            if size == 0:
                raise ValueError("the file is empty")
            with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as data:
                nodes = _constants(data, {b"model_attr/tmap", b"descrpt_attr/rcut", b"model_type"})
        type_map = _text(nodes[b"model_attr/tmap"]).split()
        cutoff = _number(nodes[b"descrpt_attr/rcut"])
        # Older versions of deepmd-kit do not say, and did not compress.
        kind = _text(nodes[b"model_type"]) if b"model_type" in nodes else ""
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (KeyError, IndexError, ValueError, struct.error, UnicodeDecodeError):
        raise UserError(
            f"{path}: not a frozen DeePMD graph (.pb); make one with `dp --tf freeze` and "
            "`dp --tf compress`"
        ) from None
    return FrozenModel(tuple(type_map), cutoff, kind == "compressed_model")


def _varint(data, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("not a protocol buffer")


def _fields(data, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """(field number, wire type, first byte, last byte + 1) of each field in data[start:stop].

    For a varint the two bounds enclose its own bytes, for other types the payload.
    """
    at = start
    while at < stop:
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            _, end = _varint(data, at)
        elif kind == FIXED64:
            end = at + 8
        elif kind == FIXED32:
            end = at + 4
        elif kind == LENGTH:
            length, at = _varint(data, at)
            end = at + length
        else:
            raise ValueError("not a protocol buffer")
        if end > stop or number == 0:
            raise ValueError("not a protocol buffer")
        yield number, kind, at, end
        at = end


def _constants(data, names: set[bytes]) -> dict[bytes, dict[int, bytes]]:
    """Tensor fields {field number: bytes} of the constant nodes called `names`."""
    found = {}
    for number, kind, start, end in _fields(data, 0, len(data)):
        if number != GRAPH_NODE or kind != LENGTH:
            continue
        # The name comes first in a node: nodes of large tensors are passed over unread.
        field, _, first, last = next(_fields(data, start, end))
        if field != NODE_NAME or data[first:last] not in names:
            continue
        found[bytes(data[first:last])] = _tensor(data, start, end)
        if len(found) == len(names):
            break
    return found


def _tensor(data, start: int, end: int) -> dict[int, bytes]:
    for number, _, first, last in _fields(data, start, end):
        if number != NODE_ATTR:
            continue
        entry = {n: (a, b) for n, _, a, b in _fields(data, first, last)}
        if data[slice(*entry[ATTR_KEY])] != b"value":
            continue
        value = {n: (a, b) for n, _, a, b in _fields(data, *entry[ATTR_VALUE])}
        tensor = _fields(data, *value[VALUE_TENSOR])
        return {n: bytes(data[a:b]) for n, _, a, b in tensor}
    raise ValueError("constant without a value")


def _text(tensor: dict[int, bytes]) -> str:
    return tensor[STRING_VAL].decode()


def _number(tensor: dict[int, bytes]) -> float:
    single = tensor[TENSOR_DTYPE] == bytes([DT_FLOAT])
    packed = tensor.get(TENSOR_CONTENT) or tensor[FLOAT_VAL if single else DOUBLE_VAL]
    return struct.unpack("<f" if single else "<d", packed)[0]
