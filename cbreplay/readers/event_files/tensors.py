"""The number that a tensor in an event holds, whatever its type.

Field numbers: tensorflow/core/framework/tensor.proto, tensor_shape.proto, types.proto.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cbreplay.readers.event_files.wire_format import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Field,
    read_fields,
    read_varint,
    signed,
)

__all__ = ["Found", "read_tensor"]

_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT = 1, 2, 4
_SHAPE_DIM, _DIM_SIZE = 2, 1


class _Kind(NamedTuple):
    """A dtype: how its number lies in tensor_content, and which field holds it else."""

    layout: str
    field: int


_FLOAT, _DOUBLE_TYPE, _BOOL, _BFLOAT16, _HALF = 1, 2, 10, 14, 19
_KINDS = {
    _FLOAT: _Kind("<f", 5),
    _DOUBLE_TYPE: _Kind("<d", 6),
    3: _Kind("<i", 7),
    4: _Kind("<B", 7),
    5: _Kind("<h", 7),
    6: _Kind("<b", 7),
    9: _Kind("<q", 10),
    _BOOL: _Kind("<?", 11),
    _BFLOAT16: _Kind("<f", 13),  # the upper half of a float32
    17: _Kind("<H", 7),
    _HALF: _Kind("<e", 13),
    22: _Kind("<I", 16),
    23: _Kind("<Q", 17),
}


class Found(NamedTuple):
    """What one value holds, and where the bytes lie that another may have otherwise.

    Parameters
    ----------
    tag : str
        Its tag.
    number : float or None
        Its number; None if it holds anything else.
    start, end : int
        A float32, or bytes that were not looked at. Both 0 if there are none.
    """

    tag: str
    number: float | None
    start: int = 0
    end: int = 0


def read_tensor(payload: bytes, outer: Field) -> Found:
    """Read a tensor; its number, if it holds a single one."""
    dtype, scalar = 0, True
    fields: dict[int, Field] = {}
    repeated = set()
    for field in read_fields(payload, outer.value, outer.end):
        if field.number == _TENSOR_DTYPE and field.wire == VARINT:
            dtype = field.value
        elif field.number == _TENSOR_SHAPE and field.wire == BYTES:
            scalar = _is_scalar(payload, field)
        else:
            repeated |= {field.number} & fields.keys()
            fields[field.number] = field
    content, kind = fields.get(_TENSOR_CONTENT), _KINDS.get(dtype)
    if content is not None and (content.wire != BYTES or content.value == content.end):
        content = None
    if not scalar or kind is None or kind.field in repeated:
        return Found("", None, content.value, content.end) if content else _NOTHING
    if content is not None:
        return _from_content(payload, dtype, content)
    value = fields.get(kind.field)
    # proto3 leaves out a zero
    return Found("", 0.0) if value is None else _from_value(payload, dtype, value)


_NOTHING = Found("", None)


def _is_scalar(payload: bytes, shape: Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = []
    for dim in read_fields(payload, shape.value, shape.end):
        if dim.number == _SHAPE_DIM and dim.wire == BYTES:
            inner = read_fields(payload, dim.value, dim.end)
            sizes.append(next((f.value for f in inner if f.number == _DIM_SIZE), 0))
    return all(size == 1 for size in sizes)


def _from_content(payload: bytes, dtype: int, content: Field) -> Found:
    raw, layout = payload[content.value : content.end], _KINDS[dtype].layout
    if dtype == _BFLOAT16:
        raw = b"\0\0" + raw
    if len(raw) != struct.calcsize(layout):
        return _NOTHING
    (number,) = struct.unpack(layout, raw)
    if dtype != _FLOAT:
        return Found("", float(number))
    return Found("", number, content.value, content.end)


def _from_value(payload: bytes, dtype: int, field: Field) -> Found:
    """Read float_val and its kin: packed, so the field's bytes are the numbers."""
    start, end = field.value, field.end
    if dtype in (_FLOAT, _DOUBLE_TYPE):
        layout, wire = ("<f", FIXED32) if dtype == _FLOAT else ("<d", FIXED64)
        if field.wire not in (BYTES, wire) or end - start != struct.calcsize(layout):
            return _NOTHING
        (number,) = struct.unpack_from(layout, payload, start)
        return Found("", number, start, end) if dtype == _FLOAT else Found("", number)
    if field.wire == BYTES:
        bits, position = read_varint(payload, start)
        if position != end:
            return _NOTHING
    elif field.wire == VARINT:
        bits = start
    else:
        return _NOTHING
    return Found("", _from_bits(bits, dtype))


def _from_bits(bits: int, dtype: int) -> float | None:
    """Return what a varint holds: an integer or the bits of a half; None if neither."""
    if dtype == _BFLOAT16:
        (number,) = struct.unpack("<f", struct.pack("<I", (bits & 0xFFFF) << 16))
        return float(number)
    if dtype == _HALF:
        (number,) = struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))
        return float(number)
    if dtype == _BOOL:
        return float(bits != 0)
    layout = _KINDS[dtype].layout
    number = bits if layout.isupper() else signed(bits)
    try:
        struct.pack(layout, number)
    except struct.error:
        return None
    return float(number)
