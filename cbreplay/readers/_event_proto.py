"""Pick the scalars out of the bytes of an event, without protobuf.

Only the fields that hold a scalar are looked at; everything else is skipped by its
length. Field numbers: tensorflow/core/util/event.proto, framework/summary.proto,
framework/tensor.proto.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EventScalars", "Form", "Scalar", "behind_step", "ends_in_blob"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EVENT_WALL_TIME, _EVENT_STEP, _EVENT_SUMMARY = 1, 2, 5
_SUMMARY_VALUE = 1
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR, _VALUE_METADATA = 1, 2, 8, 9
_METADATA_PLUGIN, _PLUGIN_NAME = 1, 1
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
_DOUBLE, _SINGLE = struct.Struct("<d"), struct.Struct("<f")
_MOST_VARINT_BYTES = 10
# between them lie the lengths of records whose form is remembered
_SHORTEST, _LONGEST = 24, 4096
# forms are kept for each tag; a log of random tags must not fill the memory
_MOST_FORMS = 4096
_SMALL, _LEAST_REST = 0x80, 8


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


class Form(NamedTuple):
    """A record but for its step, its wall time, and a hole of bytes that vary.

    Parameters
    ----------
    tag : str
        The tag of its only value.
    prefix, suffix : bytes
        What stands behind the step, before and behind the hole.
    length : int
        How many bytes stand behind the step, the hole included.
    scalar : bool
        Whether the hole is one float32; else nothing in the record is a scalar.
    """

    tag: str
    prefix: bytes
    suffix: bytes
    length: int
    scalar: bool


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
        self._forms: dict[tuple[int, bytes], Form] = {}

    def read(self, payload: bytes) -> list[Scalar]:
        """Return the scalars of an event.

        Raises
        ------
        ValueError
            If the bytes are not an event.
        """
        start = behind_step(payload)
        if not start:
            return self._walk(payload, 0)[0]
        rest = payload[start:]
        # the sixth byte is the length of the tag, or else nothing fits below
        key = (len(rest), rest[: 6 + rest[5]])
        form = self._forms.get(key)
        if form and rest.startswith(form.prefix) and rest.endswith(form.suffix):
            if not form.scalar:
                self.other_tags.setdefault(form.tag)
                return []
            step, _ = _varint(payload, 10)
            (wall_time,) = _DOUBLE.unpack_from(payload, 1)
            (value,) = _SINGLE.unpack_from(rest, len(form.prefix))
            return [Scalar(form.tag, _signed(step), wall_time, value)]
        scalars, form = self._walk(payload, start)
        if form and len(self._forms) < _MOST_FORMS:
            self._forms[key] = form
        return scalars

    def form(self, payload: bytes) -> Form | None:
        """Return the form of an event; None if others will not be like it."""
        start = behind_step(payload)
        return self._walk(payload, start)[1] if start else None

    def _walk(self, payload: bytes, start: int) -> tuple[list[Scalar], Form | None]:
        """Read an event field by field; its form, if `start` is behind its step."""
        wall_time, step, n_fields = 0.0, 0, 0
        found: list[_Found] = []
        for field in _fields(payload, 0, len(payload)):
            n_fields += 1
            if field.number == _EVENT_WALL_TIME and field.wire == _FIXED64:
                (wall_time,) = struct.unpack_from("<d", payload, field.value)
            elif field.number == _EVENT_STEP and field.wire == _VARINT:
                step = _signed(field.value)
            elif field.number == _EVENT_SUMMARY and field.wire == _BYTES:
                found += _read_summary(payload, field)
        for one in found:
            if one.number is None:
                self.other_tags.setdefault(one.tag)
        scalars = [
            Scalar(one.tag, step, wall_time, one.number)
            for one in found
            if one.number is not None
        ]
        usual = start and n_fields == 3 and len(found) == 1  # noqa: PLR2004
        return scalars, _form(payload, start, found[0]) if usual else None


def behind_step(payload: bytes) -> int:
    """Return where the step ends in Keras's kind of event; 0 in another.

    Those are wall time, step and summary, in this order.
    """
    usual = payload[:1] == b"\x09" and payload[9:10] == b"\x10"
    if not usual or not _SHORTEST < len(payload) < _LONGEST:
        return 0
    _, start = _varint(payload, 10)
    return start if len(payload) - start > _LEAST_REST else 0


def ends_in_blob(beginning: bytes, length: int) -> bool:
    """Tell from its beginning whether an event ends in a field that is no summary.

    Then it holds nothing else that could be a scalar.
    """
    position = 0
    try:
        while position < len(beginning):
            key, position = _varint(beginning, position)
            if key >> 3 == 0 or key == _EVENT_SUMMARY << 3 | _BYTES:
                return False
            if key & 7 == _VARINT:
                _, position = _varint(beginning, position)
            else:
                _, position = _extent(beginning, key & 7, position)
                if key & 7 == _BYTES and position == length:
                    return True
    except ValueError:
        return False
    return False


class _Found(NamedTuple):
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


def _form(payload: bytes, start: int, found: _Found) -> Form | None:
    if not found.end:
        return None
    prefix, suffix = payload[start : found.start], payload[found.end :]
    length = len(payload) - start
    return Form(found.tag, prefix, suffix, length, found.number is not None)


def _read_summary(payload: bytes, outer: _Field) -> list[_Found]:
    return [
        _read_value(payload, field)
        for field in _fields(payload, outer.value, outer.end)
        if field.number == _SUMMARY_VALUE and field.wire == _BYTES
    ]


def _read_value(payload: bytes, outer: _Field) -> _Found:
    """Read one Summary.Value."""
    tag, plugin, found = "", "scalars", _Found("", None)
    for field in _fields(payload, outer.value, outer.end):
        if field.number == _VALUE_TAG and field.wire == _BYTES:
            tag = payload[field.value : field.end].decode("utf-8", "replace")
        elif field.number == _VALUE_SIMPLE and field.wire == _FIXED32:
            (number,) = struct.unpack_from("<f", payload, field.value)
            found = _Found("", number, field.value, field.end)
        elif field.number == _VALUE_TENSOR and field.wire == _BYTES:
            found = _tensor(payload, field)
        elif field.number == _VALUE_METADATA and field.wire == _BYTES:
            plugin = _plugin(payload, field) or plugin
        elif field.wire == _BYTES and found.number is None:
            # a histogram, image or sound as TensorFlow 1 wrote it
            found = _Found("", None, field.value, field.end)
    number = found.number if plugin == "scalars" else None
    return found._replace(tag=tag, number=number)


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
        if not number:
            message = f"a field with the number 0 at byte {position}"
            raise ValueError(message)
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


def _tensor(payload: bytes, outer: _Field) -> _Found:
    """Read a tensor; its number, if it holds a single one."""
    dtype, scalar = 0, True
    fields: dict[int, _Field] = {}
    repeated = set()
    for field in _fields(payload, outer.value, outer.end):
        if field.number == _TENSOR_DTYPE and field.wire == _VARINT:
            dtype = field.value
        elif field.number == _TENSOR_SHAPE and field.wire == _BYTES:
            scalar = _is_scalar(payload, field)
        else:
            repeated |= {field.number} & fields.keys()
            fields[field.number] = field
    content, kind = fields.get(_TENSOR_CONTENT), _KINDS.get(dtype)
    if content is not None and (content.wire != _BYTES or content.value == content.end):
        content = None
    if not scalar or kind is None or kind.field in repeated:
        return _Found("", None, content.value, content.end) if content else _NOTHING
    if content is not None:
        return _from_content(payload, dtype, content)
    value = fields.get(kind.field)
    # proto3 leaves out a zero
    return _Found("", 0.0) if value is None else _from_value(payload, dtype, value)


_NOTHING = _Found("", None)


def _is_scalar(payload: bytes, shape: _Field) -> bool:
    """Tell whether a shape has no dimension, or only dimensions of one."""
    sizes = []
    for dim in _fields(payload, shape.value, shape.end):
        if dim.number == _SHAPE_DIM and dim.wire == _BYTES:
            inner = _fields(payload, dim.value, dim.end)
            sizes.append(next((f.value for f in inner if f.number == _DIM_SIZE), 0))
    return all(size == 1 for size in sizes)


def _from_content(payload: bytes, dtype: int, content: _Field) -> _Found:
    raw, layout = payload[content.value : content.end], _KINDS[dtype].layout
    if dtype == _BFLOAT16:
        raw = b"\0\0" + raw
    if len(raw) != struct.calcsize(layout):
        return _NOTHING
    (number,) = struct.unpack(layout, raw)
    if dtype != _FLOAT:
        return _Found("", float(number))
    return _Found("", number, content.value, content.end)


def _from_value(payload: bytes, dtype: int, field: _Field) -> _Found:
    """Read float_val and its kin: packed, so the field's bytes are the numbers."""
    start, end = field.value, field.end
    if dtype in (_FLOAT, _DOUBLE_TYPE):
        layout, wire = ("<f", _FIXED32) if dtype == _FLOAT else ("<d", _FIXED64)
        if field.wire not in (_BYTES, wire) or end - start != struct.calcsize(layout):
            return _NOTHING
        (number,) = struct.unpack_from(layout, payload, start)
        return _Found("", number, start, end) if dtype == _FLOAT else _Found("", number)
    if field.wire == _BYTES:
        bits, position = _varint(payload, start)
        if position != end:
            return _NOTHING
    elif field.wire == _VARINT:
        bits = start
    else:
        return _NOTHING
    return _Found("", _from_bits(bits, dtype))


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
    number = bits if layout.isupper() else _signed(bits)
    try:
        struct.pack(layout, number)
    except struct.error:
        return None
    return float(number)
