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
_DTYPE, _SHAPE, _CONTENT = field_key(1, VARINT), field_key(2, BYTES), 4
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
    return payload[field.value : field.end].decode("utf-8", "replace")


def _plugin(payload: Payload, metadata: Field) -> str:
    """Return the plugin that a summary is for; '' if it names none."""
    for plugin in fields_inside(payload, metadata, _PLUGIN):
        for name in fields_inside(payload, plugin, _PLUGIN_NAME):
            return _text(payload, name)
    return ""


class _Kind(NamedTuple):
    """A dtype: the layout of its number in tensor_content, and its own field otherwise.

    There it is packed, or of the wire type that is named.
    """

    layout: str
    field: int
    wire: int = VARINT


_FLOAT, _BOOL, _BFLOAT16, _HALF = 1, 10, 14, 19
_KINDS = {
    _FLOAT: _Kind("<f", 5, FIXED32),
    2: _Kind("<d", 6, FIXED64),
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
# a varint has up to ten bytes
_LONGEST_NUMBER = 11


def _read_tensor(payload: Payload, outer: Field) -> HeldValue:
    """Read a tensor; its number, if it holds a single one."""
    dtype, scalar = 0, True
    # with the first bytes of each: all, if it is one number
    fields: dict[int, tuple[Field, bytes]] = {}
    repeated = set()
    for field in read_fields(payload, outer.value, outer.end):
        if field.key == _DTYPE:
            dtype = field.value
        elif field.key == _SHAPE:
            scalar = _is_scalar(payload, field)
        else:
            number, end = field.key >> 3, min(field.end, field.value + _LONGEST_NUMBER)
            raw = b"" if field.key & 7 == VARINT else payload[field.value : end]
            repeated |= {number} & fields.keys()
            fields[number] = field, raw
    content, raw = fields.get(_CONTENT, (None, b""))
    if content is None or content.key & 7 != BYTES or not raw:
        content = None
    kind = _KINDS.get(dtype)
    if not scalar or kind is None or kind.field in repeated:
        return HeldValue("", None, content.value, content.end) if content else _NOTHING
    if content is not None:
        return _read_number(content, raw, dtype)
    # proto3 leaves out a zero
    value = fields.get(kind.field)
    return HeldValue("", 0.0) if value is None else _read_number(*value, dtype)


def _is_scalar(payload: Payload, shape: Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = [
        next((size.value for size in fields_inside(payload, dimension, _SIZE)), 0)
        for dimension in fields_inside(payload, shape, _DIMENSION)
    ]
    return all(size == 1 for size in sizes)


def _read_number(field: Field, raw: bytes, dtype: int) -> HeldValue:
    """Read a number from tensor_content, or from float_val and its kin."""
    kind = _KINDS[dtype]
    if field.key >> 3 == kind.field:
        if field.key & 7 not in (BYTES, kind.wire):
            return _NOTHING
        if kind.wire == VARINT:
            raw = _bytes_of_varint(field, raw, dtype)
    if dtype == _BFLOAT16:
        raw = b"\0\0" + raw
    if len(raw) != struct.calcsize(kind.layout):
        return _NOTHING
    number = float(struct.unpack(kind.layout, raw)[0])
    if dtype != _FLOAT:
        return HeldValue("", number)
    return HeldValue("", number, field.value, field.end)


def _bytes_of_varint(field: Field, packed: bytes, dtype: int) -> bytes:
    """Return the only varint of a field as the bytes that tensor_content would have.

    Nothing if there is none, or another type than it says.
    """
    bits = field.value
    if field.key & 7 == BYTES:
        if not packed:
            return b""
        bits, end = read_varint(packed, 0)
        if end != field.end - field.value:
            return b""
    if dtype in (_BFLOAT16, _HALF):
        return struct.pack("<H", bits & 0xFFFF)
    if dtype == _BOOL:
        return bytes([bits != 0])
    layout = _KINDS[dtype].layout
    try:
        return struct.pack(layout, bits if layout.isupper() else signed(bits))
    except struct.error:
        return b""
