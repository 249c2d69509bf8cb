"""Pick the scalars out of the bytes of an event, without protobuf.

Only the fields that hold a scalar are looked at; everything else is skipped by its
length. Field numbers: tensorflow/core/util/event.proto, framework/summary.proto,
framework/tensor.proto, framework/tensor_shape.proto, framework/types.proto.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.readers.event_files.wire_format import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    field_key,
    fields_inside,
    read_fields,
    read_varint,
    signed,
)

if TYPE_CHECKING:
    from cbreplay.readers.event_files.wire_format import Field, Payload

__all__ = ["Event", "Form", "HeldValue", "event_form", "read_event"]

_WALL_TIME, _STEP = field_key(1, FIXED64), field_key(2, VARINT)
_SUMMARY, _SESSION = field_key(5, BYTES), field_key(7, BYTES)
_SESSION_STATUS, _STARTED = field_key(1, VARINT), 1
_VALUE = field_key(1, BYTES)
_TAG, _SIMPLE = field_key(1, BYTES), field_key(2, FIXED32)
_TENSOR, _METADATA = field_key(8, BYTES), field_key(9, BYTES)
_PLUGIN = _PLUGIN_NAME = field_key(1, BYTES)
_DTYPE, _SHAPE = field_key(1, VARINT), field_key(2, BYTES)
_CONTENT = field_key(4, BYTES)
_DIMENSION, _SIZE = field_key(2, BYTES), field_key(1, VARINT)


class HeldValue(NamedTuple):
    """What one value holds, and where the bytes are that vary between records.

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


class Event(NamedTuple):
    """What the fields of an event hold.

    Parameters
    ----------
    step, wall_time : int, float
        Its step, and when it was written.
    values : list of HeldValue
        What its summary holds.
    restarts : bool
        Whether its writer marks that a training goes on from this step: what was
        written before, from that step on, is to be dropped.
    """

    step: int
    wall_time: float
    values: list[HeldValue]
    restarts: bool


class Form(NamedTuple):
    """A template of records: all but step, wall time, and a hole of bytes that vary.

    Parameters
    ----------
    tag : str
        The tag of its only value.
    prefix, suffix : bytes
        The bytes that follow the step, before and after the hole.
    length : int
        How many bytes follow the step, the hole included.
    scalar : bool
        Whether the hole is one float32; else nothing in the record is a scalar.
    """

    tag: str
    prefix: bytes
    suffix: bytes
    length: int
    scalar: bool


def read_event(payload: Payload) -> Event:
    """Read an event field by field.

    Raises
    ------
    ValueError
        If the bytes are not an event.
    """
    wall_time, step, restarts = 0.0, 0, False
    values: list[HeldValue] = []
    for field in read_fields(payload, 0, len(payload)):
        if field.key == _WALL_TIME:
            (wall_time,) = struct.unpack("<d", payload[field.value : field.end])
        elif field.key == _STEP:
            step = signed(field.value)
        elif field.key == _SUMMARY:
            inside = fields_inside(payload, field, _VALUE)
            values += [_read_value(payload, value) for value in inside]
        elif field.key == _SESSION:
            inside = fields_inside(payload, field, _SESSION_STATUS)
            restarts = any(status.value == _STARTED for status in inside)
    return Event(step, wall_time, values, restarts)


def event_form(payload: bytes) -> Form | None:
    """Return the form of an event; None if others are not likely to be like it.

    The usual event, Keras's and most others', is wall time, step and a summary of one
    value, in this order.
    """
    try:
        fields = list(read_fields(payload, 0, len(payload)))
        values = read_event(payload).values
    except ValueError:
        return None
    if [field.key for field in fields] != [_WALL_TIME, _STEP, _SUMMARY]:
        return None
    if len(values) != 1 or not values[0].end:
        return None
    (held,), start = values, fields[1].end
    prefix, suffix = payload[start : held.start], payload[held.end :]
    return Form(held.tag, prefix, suffix, len(payload) - start, held.number is not None)


def _read_value(payload: Payload, outer: Field) -> HeldValue:
    """Read one Summary.Value."""
    tag, plugin, held = "", "scalars", _NOTHING
    for field in read_fields(payload, outer.value, outer.end):
        if field.key == _TAG:
            tag = _text(payload, field)
        elif field.key == _SIMPLE:
            (number,) = struct.unpack("<f", payload[field.value : field.end])
            held = HeldValue("", number, field.value, field.end)
        elif field.key == _TENSOR:
            held = _read_tensor(payload, field)
        elif field.key == _METADATA:
            plugin = _plugin(payload, field) or plugin
        elif field.key & 7 == BYTES and held.number is None:
            # a histogram, image or sound as TensorFlow 1 wrote it
            held = HeldValue("", None, field.value, field.end)
    number = held.number if plugin == "scalars" else None
    return held._replace(tag=tag, number=number)


_NOTHING = HeldValue("", None)


def _text(payload: Payload, field: Field) -> str:
    return str(payload[field.value : field.end], "utf-8", "replace")


def _plugin(payload: Payload, metadata: Field) -> str:
    """Return the plugin that a summary is for; '' if it names none."""
    for plugin in fields_inside(payload, metadata, _PLUGIN):
        for name in fields_inside(payload, plugin, _PLUGIN_NAME):
            return _text(payload, name)
    return ""


class _Kind(NamedTuple):
    """How a number of some dtype is stored.

    Parameters
    ----------
    layout : str
        Its bytes in tensor_content.
    field, wire : int
        Its own field, in which it stands otherwise: packed, or as this kind of field.
    before : bytes
        What is left out of the bytes, before the others.
    """

    layout: str
    field: int
    wire: int = VARINT
    before: bytes = b""


# by the numbers of types.proto
_KINDS = {
    1: _Kind("<f", 5, FIXED32),
    2: _Kind("<d", 6, FIXED64),
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


def _read_tensor(payload: Payload, outer: Field) -> HeldValue:
    """Read a tensor; its number, if it holds a single one."""
    fields = [*read_fields(payload, outer.value, outer.end)]
    dtypes = [field.value for field in fields if field.key == _DTYPE]
    shapes = [field for field in fields if field.key == _SHAPE]
    contents = [field for field in fields if field.key == _CONTENT and _size(field)]
    kind = _KINDS.get(dtypes[-1]) if dtypes else None
    own = [field for field in fields if kind and field.key >> 3 == kind.field]
    of_one = all(_is_scalar(payload, shape) for shape in shapes[-1:])
    if kind is None or not of_one or len(own) > 1:
        return HeldValue("", None, *contents[-1][1:]) if contents else _NOTHING
    if contents:
        return _read_number(payload, contents[-1], kind)
    # proto3 leaves out a zero
    return _read_number(payload, own[0], kind) if own else HeldValue("", 0.0)


def _size(field: Field) -> int:
    return field.end - field.value


def _is_scalar(payload: Payload, shape: Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = [
        next((size.value for size in fields_inside(payload, dimension, _SIZE)), 0)
        for dimension in fields_inside(payload, shape, _DIMENSION)
    ]
    return all(size == 1 for size in sizes)


def _read_number(payload: Payload, field: Field, kind: _Kind) -> HeldValue:
    """Read a number from tensor_content, or from float_val and its kin."""
    raw, wire = bytes(payload[field.value : field.end]), field.key & 7
    n_bytes = struct.calcsize(kind.layout) - len(kind.before)
    if wire not in (BYTES, kind.wire):
        return _NOTHING
    if field.key != _CONTENT and kind.wire == VARINT:
        raw = _bytes_of_varint(field, raw)[:n_bytes]
    if len(raw) != n_bytes:
        return _NOTHING
    (found,) = struct.unpack(kind.layout, kind.before + raw)
    is_float32 = kind.layout == "<f" and not kind.before
    start, end = (field.value, field.end) if is_float32 else (0, 0)
    return HeldValue("", float(found), start, end)


def _bytes_of_varint(field: Field, packed: bytes) -> bytes:
    """Return the only varint of a field as eight bytes; nothing if there is none."""
    if field.key & 7 == VARINT:
        return field.value.to_bytes(8, "little")
    bits, end = read_varint(packed, 0) if packed else (0, 0)
    return bits.to_bytes(8, "little") if end and end == len(packed) else b""
