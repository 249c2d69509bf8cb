"""Event files by other hands: a plain writer of records, and TensorBoard's loader."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# wall time, step, tag, value
Point: TypeAlias = tuple[float, int, str, float]
Style: TypeAlias = Literal["tensor_content", "float_val", "simple_value"]


def divided(byte: int) -> int:
    """Return the rest of a byte's division by the polynomial of CRC-32C, bit by bit."""
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
    return byte


RESTS = [divided(byte) for byte in range(256)]


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = (crc >> 8) ^ RESTS[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(content: bytes) -> int:
    crc = crc32c(content)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def record(payload: bytes) -> bytes:
    length = struct.pack("<Q", len(payload))
    return b"".join(
        [
            length,
            struct.pack("<I", masked(length)),
            payload,
            struct.pack("<I", masked(payload)),
        ]
    )


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    encoded = b""
    while number >= 0x80:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def message(number: int, content: bytes) -> bytes:
    """A field that holds bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(dtype: int, *fields: bytes, shape: bytes = b"") -> bytes:
    return b"\x08" + varint(dtype) + message(2, shape) + b"".join(fields)


def value(tag: str, number: float, style: Style = "tensor_content") -> bytes:
    raw = struct.pack("<f", number)
    held = {
        "simple_value": b"\x15" + raw,
        "tensor_content": message(8, tensor(1, message(4, raw))),
        "float_val": message(8, tensor(1, message(5, raw))),
    }[style]
    return (
        message(1, tag.encode()) + held + message(9, message(1, message(1, b"scalars")))
    )


def event(wall_time: float, step: int, *values: bytes) -> bytes:
    summary = b"".join(message(1, one) for one in values)
    head = b"\x09" + struct.pack("<d", wall_time) + b"\x10" + varint(step)
    return head + message(5, summary)


def restart_event(wall_time: float, step: int) -> bytes:
    """The mark of a writer that goes on from a step: SessionLog START."""
    head = b"\x09" + struct.pack("<d", wall_time) + b"\x10" + varint(step)
    return head + message(7, b"\x08\x01")


def version_event(wall_time: float = 0.0) -> bytes:
    return b"\x09" + struct.pack("<d", wall_time) + message(3, b"brain.Event:2")


def write_events(
    path: Path, points: Iterable[Point], style: Style = "tensor_content"
) -> Path:
    """Write a version record and one record for each point."""
    path.parent.mkdir(parents=True, exist_ok=True)
    payloads = [version_event()]
    payloads += [
        event(wall, step, value(tag, n, style)) for wall, step, tag, n in points
    ]
    path.write_bytes(b"".join(map(record, payloads)))
    return path


def load_points(path: Path) -> list[Point]:
    """Read the scalars with TensorBoard; the first call imports TensorFlow."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    return [
        (one.wall_time, one.step, held.tag, float(make_ndarray(held.tensor)))
        for one in EventFileLoader(str(path)).Load()
        for held in one.summary.value
        if held.WhichOneof("value") == "tensor"
        and held.metadata.plugin_data.plugin_name == "scalars"
    ]
