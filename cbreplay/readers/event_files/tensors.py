"""The number that a tensor in an event holds, whatever its type.

Field numbers: tensorflow/core/framework/tensor.proto, tensor_shape.proto, types.proto.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.readers.event_files.wire_format import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    read_fields,
    read_varint,
    signed,
)

if TYPE_CHECKING:
    from cbreplay.readers.event_files.wire_format import Field, Payload

__all__ = ["HeldValue", "read_tensor"]

_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT = 1, 2, 4
_SHAPE_DIM, _DIM_SIZE = 2, 1


class _Kind(NamedTuple):
    """A dtype: how its number lies in tensor_content, and which field holds it else."""

    layout: str
    field: int


_FLOAT, _DOUBLE, _BOOL, _BFLOAT16, _HALF = 1, 2, 10, 14, 19
_KINDS = {
    _FLOAT: _Kind("<f", 5),
    _DOUBLE: _Kind("<d", 6),
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
# packed or not; the numbers of the others are varints
_FIXED = {_FLOAT: (BYTES, FIXED32), _DOUBLE: (BYTES, FIXED64)}


class HeldValue(NamedTuple):
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


class _NumberField(NamedTuple):
    """A field that may hold a number, and its first bytes: all, if it is one."""

    field: Field
    raw: bytes


def read_tensor(payload: Payload, outer: Field) -> HeldValue:
    """Read a tensor; its number, if it holds a single one."""
    dtype, scalar = 0, True
    fields: dict[int, _NumberField] = {}
    repeated = set()
    for field in read_fields(payload, outer.value, outer.end):
        if field.number == _TENSOR_DTYPE and field.wire == VARINT:
            dtype = field.value
        elif field.number == _TENSOR_SHAPE and field.wire == BYTES:
            scalar = _is_scalar(payload, field)
        else:
            repeated |= {field.number} & fields.keys()
            end = min(field.end, field.value + _LONGEST_NUMBER)
            raw = b"" if field.wire == VARINT else payload[field.value : end]
            fields[field.number] = _NumberField(field, raw)
    content, kind = fields.get(_TENSOR_CONTENT), _KINDS.get(dtype)
    if content is not None and (content.field.wire != BYTES or not content.raw):
        content = None
    if not scalar or kind is None or kind.field in repeated:
        return _NOTHING if content is None else _unread(content.field)
    if content is not None:
        return _from_content(content, dtype)
    value = fields.get(kind.field)
    # proto3 leaves out a zero
    return HeldValue("", 0.0) if value is None else _from_value(value, dtype)


_NOTHING = HeldValue("", None)
# a varint has up to ten bytes
_LONGEST_NUMBER = 11


def _unread(field: Field) -> HeldValue:
    return HeldValue("", None, field.value, field.end)


def _is_scalar(payload: Payload, shape: Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = []
    for dim in read_fields(payload, shape.value, shape.end):
        if dim.number == _SHAPE_DIM and dim.wire == BYTES:
            inner = read_fields(payload, dim.value, dim.end)
            sizes.append(next((f.value for f in inner if f.number == _DIM_SIZE), 0))
    return all(size == 1 for size in sizes)


def _from_content(content: _NumberField, dtype: int) -> HeldValue:
    """Read the bytes of a number as they lie in tensor_content."""
    number = _from_bytes(content.raw, dtype)
    if number is None or dtype != _FLOAT:
        return HeldValue("", number)
    return HeldValue("", number, content.field.value, content.field.end)


def _from_bytes(raw: bytes, dtype: int) -> float | None:
    layout = _KINDS[dtype].layout
    if dtype == _BFLOAT16:
        raw = b"\0\0" + raw
    if len(raw) != struct.calcsize(layout):
        return None
    return float(struct.unpack(layout, raw)[0])


def _from_value(value: _NumberField, dtype: int) -> HeldValue:
    """Read float_val and its kin: packed, so the field's bytes are the numbers."""
    (_, wire, start, end), raw = value
    if dtype in _FIXED:
        return _from_content(value, dtype) if wire in _FIXED[dtype] else _NOTHING
    if wire == BYTES and raw:
        bits, position = read_varint(raw, 0)
        if position != end - start:
            return _NOTHING
    elif wire == VARINT:
        bits = start
    else:
        return _NOTHING
    return HeldValue("", _from_bits(bits, dtype))


def _from_bits(bits: int, dtype: int) -> float | None:
    """Return what a varint holds: an integer or the bits of a half; None if neither."""
    if dtype in (_BFLOAT16, _HALF):
        return _from_bytes(struct.pack("<H", bits & 0xFFFF), dtype)
    if dtype == _BOOL:
        return float(bits != 0)
    layout = _KINDS[dtype].layout
    number = bits if layout.isupper() else signed(bits)
    try:
        struct.pack(layout, number)
    except struct.error:
        return None
    return float(number)
