"""Pick the scalars out of the bytes of an event, without protobuf.

Only the fields that hold a scalar are looked at; everything else is skipped by its
length. Field numbers: tensorflow/core/util/event.proto, framework/summary.proto.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from cbreplay.readers.event_files.tensors import HeldValue, read_tensor
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

__all__ = ["BEFORE_STEP", "Event", "Form", "Scalar", "event_form", "read_event"]

_EVENT_WALL_TIME, _EVENT_STEP, _EVENT_SUMMARY, _EVENT_SESSION = 1, 2, 5, 7
_SESSION_STATUS, _SESSION_START = 1, 1
_SUMMARY_VALUE = 1
_VALUE_TAG, _VALUE_SIMPLE, _VALUE_TENSOR, _VALUE_METADATA = 1, 2, 8, 9
_METADATA_PLUGIN, _PLUGIN_NAME = 1, 1
# the wall time and the key of the step, in the usual event
BEFORE_STEP = 10


class Scalar(NamedTuple):
    """One number in an event file."""

    tag: str
    step: int
    wall_time: float
    value: float


class Event(NamedTuple):
    """What the fields of an event hold, and how many there are.

    Parameters
    ----------
    step, wall_time : int, float
        Its step, and when it was written.
    values : list of HeldValue
        What its summary holds.
    n_fields : int
        How many fields it has.
    restarts : bool
        Whether its writer marks that a training goes on from this step: what was
        written before, from that step on, is to be dropped.
    """

    step: int
    wall_time: float
    values: list[HeldValue]
    n_fields: int
    restarts: bool

    @property
    def scalars(self) -> list[Scalar]:
        """Its scalars."""
        return [
            Scalar(held.tag, self.step, self.wall_time, held.number)
            for held in self.values
            if held.number is not None
        ]

    @property
    def other_tags(self) -> list[str]:
        """The tags of summaries that hold none."""
        return [held.tag for held in self.values if held.number is None]


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


def read_event(payload: Payload) -> Event:
    """Read an event field by field.

    Raises
    ------
    ValueError
        If the bytes are not an event.
    """
    wall_time, step, n_fields, restarts = 0.0, 0, 0, False
    values: list[HeldValue] = []
    for field in read_fields(payload, 0, len(payload)):
        n_fields += 1
        if field.number == _EVENT_WALL_TIME and field.wire == FIXED64:
            (wall_time,) = struct.unpack("<d", payload[field.value : field.end])
        elif field.number == _EVENT_STEP and field.wire == VARINT:
            step = signed(field.value)
        elif field.number == _EVENT_SUMMARY and field.wire == BYTES:
            values += [
                _read_value(payload, inner)
                for inner in read_fields(payload, field.value, field.end)
                if inner.number == _SUMMARY_VALUE and inner.wire == BYTES
            ]
        elif field.number == _EVENT_SESSION and field.wire == BYTES:
            restarts = any(
                (inner.number, inner.value) == (_SESSION_STATUS, _SESSION_START)
                for inner in read_fields(payload, field.value, field.end)
            )
    return Event(step, wall_time, values, n_fields, restarts)


def event_form(payload: bytes) -> Form | None:
    """Return the form of an event; None if others are not likely to be like it.

    The usual event, Keras's and most others', is wall time, step and a summary of one
    value, in this order.
    """
    if payload[:1] != b"\x09" or payload[9:BEFORE_STEP] != b"\x10":
        return None
    try:
        event = read_event(payload)
        _, start = read_varint(payload, BEFORE_STEP)
    except ValueError:
        return None
    if event.n_fields != 3 or len(event.values) != 1:  # noqa: PLR2004 - as it says
        return None
    (held,) = event.values
    if not held.end:
        return None
    prefix, suffix = payload[start : held.start], payload[held.end :]
    return Form(held.tag, prefix, suffix, len(payload) - start, held.number is not None)


def _read_value(payload: Payload, outer: Field) -> HeldValue:
    """Read one Summary.Value."""
    tag, plugin, held = "", "scalars", HeldValue("", None)
    for field in read_fields(payload, outer.value, outer.end):
        if field.number == _VALUE_TAG and field.wire == BYTES:
            tag = payload[field.value : field.end].decode("utf-8", "replace")
        elif field.number == _VALUE_SIMPLE and field.wire == FIXED32:
            (number,) = struct.unpack("<f", payload[field.value : field.end])
            held = HeldValue("", number, field.value, field.end)
        elif field.number == _VALUE_TENSOR and field.wire == BYTES:
            held = read_tensor(payload, field)
        elif field.number == _VALUE_METADATA and field.wire == BYTES:
            plugin = _plugin(payload, field) or plugin
        elif field.wire == BYTES and held.number is None:
            # a histogram, image or sound as TensorFlow 1 wrote it
            held = HeldValue("", None, field.value, field.end)
    number = held.number if plugin == "scalars" else None
    return held._replace(tag=tag, number=number)


def _plugin(payload: Payload, outer: Field) -> str:
    """Return the plugin that a summary is for; '' where it is not said."""
    for field in read_fields(payload, outer.value, outer.end):
        if field.number == _METADATA_PLUGIN and field.wire == BYTES:
            for inner in read_fields(payload, field.value, field.end):
                if inner.number == _PLUGIN_NAME and inner.wire == BYTES:
                    return payload[inner.value : inner.end].decode("utf-8", "replace")
    return ""
