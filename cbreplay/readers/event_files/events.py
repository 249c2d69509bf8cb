"""Pick the scalars out of the bytes of an event, without protobuf.

Only the fields that hold a scalar are looked at; everything else is skipped by its
length. Field numbers: tensorflow/core/util/event.proto, framework/summary.proto.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from cbreplay.readers.event_files.tensors import Found, read_tensor
from cbreplay.readers.event_files.wire_format import (
    BYTES,
    FIXED32,
    FIXED64,
    VARINT,
    Field,
    extent_of,
    read_fields,
    read_varint,
    signed,
)

__all__ = ["EventScalars", "Form", "Scalar", "behind_step", "ends_in_blob"]

_EVENT_WALL_TIME, _EVENT_STEP, _EVENT_SUMMARY = 1, 2, 5
_SUMMARY_VALUE = 1
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR, _VALUE_METADATA = 1, 2, 8, 9
_METADATA_PLUGIN, _PLUGIN_NAME = 1, 1
_DOUBLE, _SINGLE = struct.Struct("<d"), struct.Struct("<f")
# between them lie the lengths of records whose form is remembered
_SHORTEST, _LONGEST = 24, 4096
# forms are kept for each tag; a log of random tags must not fill the memory
_MOST_FORMS = 4096
_LEAST_REST = 8


class Scalar(NamedTuple):
    """One number in an event file."""

    tag: str
    step: int
    wall_time: float
    value: float


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
            step, _ = read_varint(payload, 10)
            (wall_time,) = _DOUBLE.unpack_from(payload, 1)
            (value,) = _SINGLE.unpack_from(rest, len(form.prefix))
            return [Scalar(form.tag, signed(step), wall_time, value)]
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
        found: list[Found] = []
        for field in read_fields(payload, 0, len(payload)):
            n_fields += 1
            if field.number == _EVENT_WALL_TIME and field.wire == FIXED64:
                (wall_time,) = struct.unpack_from("<d", payload, field.value)
            elif field.number == _EVENT_STEP and field.wire == VARINT:
                step = signed(field.value)
            elif field.number == _EVENT_SUMMARY and field.wire == BYTES:
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
    _, start = read_varint(payload, 10)
    return start if len(payload) - start > _LEAST_REST else 0


def ends_in_blob(beginning: bytes, length: int) -> bool:
    """Tell from its beginning whether an event ends in a field that is no summary.

    Then it holds nothing else that could be a scalar.
    """
    position = 0
    try:
        while position < len(beginning):
            key, position = read_varint(beginning, position)
            if key >> 3 == 0 or key == _EVENT_SUMMARY << 3 | BYTES:
                return False
            if key & 7 == VARINT:
                _, position = read_varint(beginning, position)
            else:
                _, position = extent_of(beginning, key & 7, position)
                if key & 7 == BYTES and position == length:
                    return True
    except ValueError:
        return False
    return False


def _form(payload: bytes, start: int, found: Found) -> Form | None:
    if not found.end:
        return None
    prefix, suffix = payload[start : found.start], payload[found.end :]
    length = len(payload) - start
    return Form(found.tag, prefix, suffix, length, found.number is not None)


def _read_summary(payload: bytes, outer: Field) -> list[Found]:
    return [
        _read_value(payload, field)
        for field in read_fields(payload, outer.value, outer.end)
        if field.number == _SUMMARY_VALUE and field.wire == BYTES
    ]


def _read_value(payload: bytes, outer: Field) -> Found:
    """Read one Summary.Value."""
    tag, plugin, found = "", "scalars", Found("", None)
    for field in read_fields(payload, outer.value, outer.end):
        if field.number == _VALUE_TAG and field.wire == BYTES:
            tag = payload[field.value : field.end].decode("utf-8", "replace")
        elif field.number == _VALUE_SIMPLE and field.wire == FIXED32:
            (number,) = struct.unpack_from("<f", payload, field.value)
            found = Found("", number, field.value, field.end)
        elif field.number == _VALUE_TENSOR and field.wire == BYTES:
            found = read_tensor(payload, field)
        elif field.number == _VALUE_METADATA and field.wire == BYTES:
            plugin = _plugin(payload, field) or plugin
        elif field.wire == BYTES and found.number is None:
            # a histogram, image or sound as TensorFlow 1 wrote it
            found = Found("", None, field.value, field.end)
    number = found.number if plugin == "scalars" else None
    return found._replace(tag=tag, number=number)


def _plugin(payload: bytes, outer: Field) -> str:
    """Return the plugin that a summary is for; '' where it is not said."""
    for field in read_fields(payload, outer.value, outer.end):
        if field.number == _METADATA_PLUGIN and field.wire == BYTES:
            for inner in read_fields(payload, field.value, field.end):
                if inner.number == _PLUGIN_NAME and inner.wire == BYTES:
                    return payload[inner.value : inner.end].decode("utf-8", "replace")
    return ""
