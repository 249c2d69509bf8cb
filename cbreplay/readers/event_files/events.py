"""Pick the scalars out of the bytes of an event, without protobuf.

Only the fields that hold a scalar are looked at; everything else is skipped by its
length (https://protobuf.dev/programming-guides/encoding). Field numbers:
tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto,
framework/tensor_shape.proto, framework/types.proto.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Event", "Form", "HeldValue", "event_form", "read_event"]

_Payload: TypeAlias = "bytes | memoryview"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT_BYTES = 10
_SMALL = 0x80


class _Field(NamedTuple):
    """A field: its number and kind in one key, and its value or where its bytes lie."""

    key: int
    value: int
    end: int


def _field_key(number: int, wire: int) -> int:
    """Return the key of the fields of a number and a kind, as it stands before them."""
    return number << 3 | wire


_WALL_TIME, _STEP = _field_key(1, _FIXED64), _field_key(2, _VARINT)
_SUMMARY, _SESSION = _field_key(5, _BYTES), _field_key(7, _BYTES)
_SESSION_STATUS, _STARTED = _field_key(1, _VARINT), 1
_VALUE = _field_key(1, _BYTES)
_TAG, _SIMPLE = _field_key(1, _BYTES), _field_key(2, _FIXED32)
_TENSOR, _METADATA = _field_key(8, _BYTES), _field_key(9, _BYTES)
_PLUGIN = _PLUGIN_NAME = _field_key(1, _BYTES)
_DTYPE, _SHAPE = _field_key(1, _VARINT), _field_key(2, _BYTES)
_CONTENT = _field_key(4, _BYTES)
_DIMENSION, _SIZE = _field_key(2, _BYTES), _field_key(1, _VARINT)


class HeldValue(NamedTuple):
    """What one value holds, and where the bytes are that vary between records.

    The number is None if it holds anything else. From `start` to `end` stands a
    float32, or bytes that were not looked at; both are 0 if neither is there.
    """

    tag: str
    number: float | None
    start: int = 0
    end: int = 0


class Event(NamedTuple):
    """What the fields of an event hold.

    It `restarts` where its writer marks that a training goes on from this step: what
    was written before, from that step on, is to be dropped.
    """

    step: int
    wall_time: float
    values: list[HeldValue]
    restarts: bool


class Form(NamedTuple):
    """A template of records of one value, with that value's tag.

    Behind the step follow `length` bytes: the prefix, a hole of bytes that vary, and
    the suffix. Where it is `scalar` the hole is one float32; else nothing in the record
    is a scalar.
    """

    tag: str
    prefix: bytes
    suffix: bytes
    length: int
    scalar: bool


def read_event(payload: _Payload) -> Event:
    """Read an event field by field.

    Raises
    ------
    ValueError
        If the bytes are not an event.
    """
    wall_time, step, restarts = 0.0, 0, False
    values: list[HeldValue] = []
    for field in _read_fields(payload, 0, len(payload)):
        if field.key == _WALL_TIME:
            (wall_time,) = struct.unpack("<d", payload[field.value : field.end])
        elif field.key == _STEP:
            # 64 bits as two's complement
            step = field.value - (field.value >> 63 << 64)
        elif field.key == _SUMMARY:
            inside = _fields_inside(payload, field, _VALUE)
            values += [_read_value(payload, value) for value in inside]
        elif field.key == _SESSION:
            inside = _fields_inside(payload, field, _SESSION_STATUS)
            restarts = any(status.value == _STARTED for status in inside)
    return Event(step, wall_time, values, restarts)


def event_form(payload: bytes) -> Form | None:
    """Return the form of an event; None if others are not likely to be like it.

    The usual event, Keras's and most others', is wall time, step and a summary of one
    value, in this order.
    """
    try:
        fields = list(_read_fields(payload, 0, len(payload)))
        values = read_event(payload).values
    except ValueError:
        return None
    if [field.key for field in fields] != [_WALL_TIME, _STEP, _SUMMARY]:
        return None
    if len(values) != 1 or values[0].start == values[0].end:
        return None
    (held,), start = values, fields[1].end
    prefix, suffix = payload[start : held.start], payload[held.end :]
    return Form(held.tag, prefix, suffix, len(payload) - start, held.number is not None)


def _read_value(payload: _Payload, outer: _Field) -> HeldValue:
    """Read one Summary.Value."""
    tag, plugin, held = "", "scalars", _NOTHING
    for field in _read_fields(payload, outer.value, outer.end):
        if field.key == _TAG:
            tag = _text(payload, field)
        elif field.key == _SIMPLE:
            (number,) = struct.unpack("<f", payload[field.value : field.end])
            held = HeldValue("", number, field.value, field.end)
        elif field.key == _TENSOR:
            held = _read_tensor(payload, field)
        elif field.key == _METADATA:
            plugin = _plugin(payload, field) or plugin
        elif field.key & 7 == _BYTES and held.number is None:
            # a histogram, image or sound as TensorFlow 1 wrote it
            held = HeldValue("", None, field.value, field.end)
    number = held.number if plugin == "scalars" else None
    return held._replace(tag=tag, number=number)


_NOTHING = HeldValue("", None)


def _text(payload: _Payload, field: _Field) -> str:
    return str(payload[field.value : field.end], "utf-8", "replace")


def _plugin(payload: _Payload, metadata: _Field) -> str:
    """Return the plugin that a summary is for; '' if it names none."""
    for plugin in _fields_inside(payload, metadata, _PLUGIN):
        for name in _fields_inside(payload, plugin, _PLUGIN_NAME):
            return _text(payload, name)
    return ""


class _Kind(NamedTuple):
    """How a number of some dtype is stored.

    Either in tensor_content, in the layout but without the bytes `before` it; or in a
    field of its own, packed or as the kind of field that `wire` names.
    """

    layout: str
    field: int
    wire: int = _VARINT
    before: bytes = b""


# by the numbers of types.proto
_KINDS = {
    1: _Kind("<f", 5, _FIXED32),
    2: _Kind("<d", 6, _FIXED64),
    3: _Kind("<i", 7),
    4: _Kind("<B", 7),
    5: _Kind("<h", 7),
    6: _Kind("<b", 7),
    9: _Kind("<q", 10),
    10: _Kind("<?", 11),
    # bfloat16, the upper half of a float32
    14: _Kind("<f", 13, before=bytes(2)),
    17: _Kind("<H", 7),
    19: _Kind("<e", 13),
    22: _Kind("<I", 16),
    23: _Kind("<Q", 17),
}


def _read_tensor(payload: _Payload, outer: _Field) -> HeldValue:
    """Read a tensor; its number, if it holds a single one."""
    fields = [*_read_fields(payload, outer.value, outer.end)]
    dtypes = [field.value for field in fields if field.key == _DTYPE]
    shapes = [field for field in fields if field.key == _SHAPE]
    contents = [f for f in fields if f.key == _CONTENT and f.value < f.end]
    kind = _KINDS.get(dtypes[-1]) if dtypes else None
    own = [field for field in fields if kind and field.key >> 3 == kind.field]
    of_one = all(_is_scalar(payload, shape) for shape in shapes[-1:])
    if kind is None or not of_one or len(own) > 1:
        return HeldValue("", None, *contents[-1][1:]) if contents else _NOTHING
    if contents:
        return _read_number(payload, contents[-1], kind)
    # proto3 leaves out a zero
    return _read_number(payload, own[0], kind) if own else HeldValue("", 0.0)


def _is_scalar(payload: _Payload, shape: _Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = [
        next((size.value for size in _fields_inside(payload, dimension, _SIZE)), 0)
        for dimension in _fields_inside(payload, shape, _DIMENSION)
    ]
    return all(size == 1 for size in sizes)


def _read_number(payload: _Payload, field: _Field, kind: _Kind) -> HeldValue:
    """Read a number from tensor_content, or from float_val and its kin."""
    raw, wire = bytes(payload[field.value : field.end]), field.key & 7
    n_bytes = struct.calcsize(kind.layout) - len(kind.before)
    if wire not in (_BYTES, kind.wire):
        return _NOTHING
    if field.key != _CONTENT and kind.wire == _VARINT:
        raw = _low_bytes(_bytes_of_varint(field, raw), n_bytes, kind.layout)
    if len(raw) != n_bytes:
        return _NOTHING
    (found,) = struct.unpack(kind.layout, kind.before + raw)
    is_float32 = kind.layout == "<f" and not kind.before
    start, end = (field.value, field.end) if is_float32 else (0, 0)
    return HeldValue("", float(found), start, end)


def _bytes_of_varint(field: _Field, packed: bytes) -> bytes:
    """Return the only varint of a field as eight bytes; nothing if there is none."""
    if field.key & 7 == _VARINT:
        return field.value.to_bytes(8, "little")
    bits, end = _read_varint(packed, 0) if packed else (0, 0)
    return bits.to_bytes(8, "little") if end and end == len(packed) else b""


def _low_bytes(raw: bytes, n_bytes: int, layout: str) -> bytes:
    """Return the bytes of an integer that so many hold; nothing if it is too large."""
    low, signed = raw[:n_bytes], layout[1] in "bhiq"
    held = int.from_bytes(low, "little", signed=signed) & 0xFFFF_FFFF_FFFF_FFFF
    return low if held == int.from_bytes(raw, "little") else b""


def _read_varint(payload: _Payload, position: int) -> tuple[int, int]:
    """Return an unsigned varint and the position behind it."""
    number = 0
    longest = payload[position : position + _MOST_VARINT_BYTES]
    for count, byte in enumerate(longest):
        number |= (byte & 0x7F) << (7 * count)
        if byte < _SMALL:
            return number & 0xFFFF_FFFF_FFFF_FFFF, position + count + 1
    message = f"no varint at byte {position}"
    raise ValueError(message)


def _read_fields(payload: _Payload, position: int, end: int) -> Iterator[_Field]:
    """Yield the fields of a message; a field that leaves it is an error."""
    while position < end:
        key, position = _read_varint(payload, position)
        if not key >> 3:
            message = f"a field with the number 0 at byte {position}"
            raise ValueError(message)
        value = position
        wire = key & 7
        if wire == _VARINT:
            value, position = _read_varint(payload, position)
        elif wire == _BYTES:
            length, value = _read_varint(payload, position)
            position = value + length
        elif wire in _WIDTHS:
            position += _WIDTHS[wire]
        else:
            message = f"wire type {wire} at byte {position}"
            raise ValueError(message)
        if position > end:
            break
        yield _Field(key, value, position)
    if position != end:
        message = f"a field runs over the end of its message, byte {end}"
        raise ValueError(message)


def _fields_inside(payload: _Payload, outer: _Field, key: int) -> Iterator[_Field]:
    """Yield the fields of one key in the message that a field holds."""
    fields = _read_fields(payload, outer.value, outer.end)
    return (field for field in fields if field.key == key)
