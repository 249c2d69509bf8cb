"""Pick the scalars out of the bytes of an event, without protobuf.

Only the fields that hold a scalar are looked at; everything else is skipped by its
length. Field numbers: tensorflow/core/util/event.proto, framework/summary.proto,
framework/tensor.proto.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EventScalars", "Scalar"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EVENT_WALL_TIME, _EVENT_STEP, _EVENT_SUMMARY = 1, 2, 5
_SUMMARY_VALUE = 1
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR, _VALUE_METADATA = 1, 2, 8, 9
_METADATA_PLUGIN, _PLUGIN_NAME = 1, 1
_TENSOR_DTYPE, _TENSOR_SHAPE, _TENSOR_CONTENT = 1, 2, 4
_SHAPE_DIM, _DIM_SIZE = 2, 1

_FLOAT, _BFLOAT16, _HALF = 1, 14, 19
# how a dtype's number lies in tensor_content
_CONTENT = {1: "<f", 2: "<d", 3: "<i", 9: "<q", _HALF: "<e"}
# the field that holds a dtype's number if tensor_content does not
_FLOAT_VAL, _DOUBLE_VAL, _INT_VAL, _INT64_VAL, _HALF_VAL = 5, 6, 7, 10, 13
_VALUE_FIELD = {
    1: _FLOAT_VAL,
    2: _DOUBLE_VAL,
    3: _INT_VAL,
    9: _INT64_VAL,
    _BFLOAT16: _HALF_VAL,
    _HALF: _HALF_VAL,
}
_DOUBLE, _SINGLE = struct.Struct("<d"), struct.Struct("<f")
_MOST_VARINT_BYTES = 10
# between them lie the lengths of scalar records
_SHORTEST, _LONGEST = 24, 4096
_SMALL = 0x80


class Scalar(NamedTuple):
    """One number in an event file."""

    tag: str
    step: int
    wall_time: float
    value: float


class _Field(NamedTuple):
    """A field: its number, its kind, and its value or where its bytes lie."""

    number: int
    wire: int
    value: int
    end: int


@dataclass(frozen=True, slots=True)
class _Template:
    """A record whose scalar lies between fixed bytes: only those four change."""

    tag: str
    prefix: bytes
    suffix: bytes


class EventScalars:
    """Reads the scalars of one event after the other.

    The records of one tag have the same bytes but for step, wall time and value, so
    one whose other bytes were all seen before is cut at the known place.

    Attributes
    ----------
    other_tags : dict of str to None
        The tags of summaries that hold no scalar, in the order they were met.
    """

    def __init__(self) -> None:
        self.other_tags: dict[str, None] = {}
        self._templates: dict[tuple[int, bytes], _Template] = {}

    def read(self, payload: bytes) -> list[Scalar]:
        """Return the scalars of an event.

        Raises
        ------
        ValueError
            If the bytes are not an event.
        """
        # Keras's records: wall time, step, summary, in this order
        usual = payload[:1] == b"\x09" and payload[9:10] == b"\x10"
        if usual and _SHORTEST < len(payload) < _LONGEST:
            step, start = _varint(payload, 10)
            rest = payload[start:]
            # the sixth byte is the length of the tag, or else nothing fits below
            key = (len(rest), rest[: 6 + rest[5]])
            template = self._templates.get(key)
            if template and _fits(template, rest):
                (wall_time,) = _DOUBLE.unpack_from(payload, 1)
                (value,) = _SINGLE.unpack_from(rest, len(template.prefix))
                return [Scalar(template.tag, _signed(step), wall_time, value)]
            return self._walk(payload, (start, key))
        return self._walk(payload, None)

    def _walk(
        self, payload: bytes, rest: tuple[int, tuple[int, bytes]] | None
    ) -> list[Scalar]:
        """Read an event field by field, and remember its form if it is the usual."""
        wall_time, step, found = 0.0, 0, []
        n_fields = n_values = 0
        for field in _fields(payload, 0, len(payload)):
            n_fields += 1
            if field.number == _EVENT_WALL_TIME and field.wire == _FIXED64:
                (wall_time,) = struct.unpack_from("<d", payload, field.value)
            elif field.number == _EVENT_STEP and field.wire == _VARINT:
                step = _signed(field.value)
            elif field.number == _EVENT_SUMMARY and field.wire == _BYTES:
                for value in _fields(payload, field.value, field.end):
                    if value.number == _SUMMARY_VALUE and value.wire == _BYTES:
                        n_values += 1
                        found += self._value(payload, value)
        usual = n_fields == 3 and n_values == 1 and len(found) == 1  # noqa: PLR2004
        if rest is not None and usual and found[0].float32_at is not None:
            start, key = rest
            at = found[0].float32_at
            template = _Template(found[0].tag, payload[start:at], payload[at + 4 :])
            self._templates[key] = template
        return [Scalar(one.tag, step, wall_time, one.number) for one in found]

    def _value(self, payload: bytes, outer: _Field) -> list[_Found]:
        """Read one Summary.Value; nothing if it holds no single number."""
        tag, plugin, found = "", "scalars", None
        for field in _fields(payload, outer.value, outer.end):
            if field.number == _VALUE_TAG and field.wire == _BYTES:
                tag = payload[field.value : field.end].decode("utf-8", "replace")
            elif field.number == _VALUE_SIMPLE and field.wire == _FIXED32:
                (number,) = struct.unpack_from("<f", payload, field.value)
                found = _Found("", number, field.value)
            elif field.number == _VALUE_TENSOR and field.wire == _BYTES:
                found = _tensor(payload, field)
            elif field.number == _VALUE_METADATA and field.wire == _BYTES:
                plugin = _plugin(payload, field) or plugin
        if found is None or plugin != "scalars":
            self.other_tags.setdefault(tag)
            return []
        return [found._replace(tag=tag)]


class _Found(NamedTuple):
    """A number, and where its four bytes lie if it is one float32."""

    tag: str
    number: float
    float32_at: int | None


def _fits(template: _Template, rest: bytes) -> bool:
    """Tell whether all bytes but those of the value are the template's."""
    return rest.startswith(template.prefix) and rest.endswith(template.suffix)


def _varint(payload: bytes, position: int) -> tuple[int, int]:
    """Return an unsigned varint and the position behind it."""
    number = 0
    for count in range(_MOST_VARINT_BYTES):
        if position + count >= len(payload):
            break
        byte = payload[position + count]
        number |= (byte & 0x7F) << (7 * count)
        if byte < _SMALL:
            return number & 0xFFFF_FFFF_FFFF_FFFF, position + count + 1
    message = f"no varint at byte {position}"
    raise ValueError(message)


def _signed(number: int) -> int:
    """Read 64 bits as two's complement."""
    return number - (1 << 64) if number >> 63 else number


def _fields(payload: bytes, position: int, end: int) -> Iterator[_Field]:
    """Yield the fields of a message; a field that leaves it is an error."""
    while position < end:
        key, position = _varint(payload, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _varint(payload, position)
        else:
            value, position = _extent(payload, wire, position)
        if position > end:
            break
        yield _Field(number, wire, value, position)
    if position != end:
        message = f"a field runs over the end of its message, byte {end}"
        raise ValueError(message)


def _extent(payload: bytes, wire: int, position: int) -> tuple[int, int]:
    if wire == _BYTES:
        length, position = _varint(payload, position)
        return position, position + length
    if wire == _FIXED64:
        return position, position + 8
    if wire == _FIXED32:
        return position, position + 4
    message = f"wire type {wire} at byte {position}"
    raise ValueError(message)


def _plugin(payload: bytes, outer: _Field) -> str:
    """Return the plugin that a summary is for; '' where it is not said."""
    for field in _fields(payload, outer.value, outer.end):
        if field.number == _METADATA_PLUGIN and field.wire == _BYTES:
            for inner in _fields(payload, field.value, field.end):
                if inner.number == _PLUGIN_NAME and inner.wire == _BYTES:
                    return payload[inner.value : inner.end].decode("utf-8", "replace")
    return ""


def _tensor(payload: bytes, outer: _Field) -> _Found | None:
    """Read a tensor that holds a single number; None if it holds anything else."""
    dtype, scalar = 0, True
    fields: dict[int, _Field] = {}
    for field in _fields(payload, outer.value, outer.end):
        if field.number == _TENSOR_DTYPE and field.wire == _VARINT:
            dtype = field.value
        elif field.number == _TENSOR_SHAPE and field.wire == _BYTES:
            scalar = _is_scalar(payload, field)
        else:
            fields[field.number] = field
    if not scalar or dtype not in _VALUE_FIELD:
        return None
    content = fields.get(_TENSOR_CONTENT)
    if content is not None and content.wire == _BYTES:
        return _from_content(payload, dtype, content)
    value = fields.get(_VALUE_FIELD[dtype])
    # proto3 leaves out a zero
    return (
        _Found("", 0.0, None) if value is None else _from_value(payload, dtype, value)
    )


def _is_scalar(payload: bytes, shape: _Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = []
    for dim in _fields(payload, shape.value, shape.end):
        if dim.number == _SHAPE_DIM and dim.wire == _BYTES:
            inner = _fields(payload, dim.value, dim.end)
            sizes.append(next((f.value for f in inner if f.number == _DIM_SIZE), 0))
    return all(size == 1 for size in sizes)


def _from_content(payload: bytes, dtype: int, content: _Field) -> _Found | None:
    raw = payload[content.value : content.end]
    if dtype == _BFLOAT16:
        # the upper half of a float32
        raw, layout = b"\0\0" + raw, "<f"
    else:
        layout = _CONTENT[dtype]
    if len(raw) != struct.calcsize(layout):
        return None
    (number,) = struct.unpack(layout, raw)
    return _Found("", float(number), content.value if dtype == _FLOAT else None)


def _from_value(payload: bytes, dtype: int, field: _Field) -> _Found | None:
    """Read float_val and its kin: packed, so the field's bytes are the numbers."""
    start, end = field.value, field.end
    if dtype in (_FLOAT, 2):
        layout, wire = ("<f", _FIXED32) if dtype == _FLOAT else ("<d", _FIXED64)
        if field.wire not in (_BYTES, wire) or end - start != struct.calcsize(layout):
            return None
        (number,) = struct.unpack_from(layout, payload, start)
        return _Found("", number, start if dtype == _FLOAT else None)
    if field.wire == _BYTES:
        bits, position = _varint(payload, start)
        if position != end:
            return None
    elif field.wire == _VARINT:
        bits = start
    else:
        return None
    return _Found("", _from_bits(bits, dtype), None)


def _from_bits(bits: int, dtype: int) -> float:
    """Return the number that a varint holds: an integer, or the bits of a half."""
    if dtype == _HALF:
        (number,) = struct.unpack("<e", struct.pack("<H", bits & 0xFFFF))
        return float(number)
    if dtype == _BFLOAT16:
        (number,) = struct.unpack("<f", struct.pack("<I", (bits & 0xFFFF) << 16))
        return float(number)
    return float(_signed(bits))
