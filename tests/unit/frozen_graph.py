"""A frozen graph of nothing but the constants by which a model is known, for tests."""

import struct
from pathlib import Path


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, payload: bytes | int) -> bytes:
    """One field of a protocol buffer, of wire type 0 (whole number) or 2 (bytes)."""
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def constant(name: str, tensor: bytes) -> bytes:
    attribute = field(1, b"value") + field(2, field(8, tensor))
    node = field(1, name.encode()) + field(2, b"Const") + field(5, attribute)
    return field(1, node)


def write(
    path: Path, elements: str = "La H", cutoff: float = 4.0, kind: str | None = None
) -> Path:
    """Write a graph that knows `elements`, with a node before and after the telling ones."""
    other = constant("fitting/matrix", field(1, 2) + field(4, bytes(1000)))
    tmap = constant("model_attr/tmap", field(1, 7) + field(8, elements.encode()))
    rcut = constant("descrpt_attr/rcut", field(1, 2) + field(4, struct.pack("<d", cutoff)))
    graph = other + tmap + rcut + other
    if kind is not None:
        graph += constant("model_type", field(1, 7) + field(8, kind.encode()))
    path.write_bytes(graph)
    return path
