"""The wire format of protobuf: fields, each with a number and a kind.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BYTES",
    "FIXED32",
    "FIXED64",
    "VARINT",
    "Field",
    "Payload",
    "field_key",
    "fields_inside",
    "read_fields",
    "read_varint",
    "signed",
]

Payload: TypeAlias = "bytes | memoryview"

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WIDTHS = {FIXED64: 8, FIXED32: 4}
_MOST_VARINT_BYTES = 10
_SMALL = 0x80


class Field(NamedTuple):
    """A field: its number and kind in one key, and its value or where its bytes lie."""

    key: int
    value: int
    end: int


def field_key(number: int, wire: int) -> int:
    """Return the key of the fields of a number and a kind, as it stands before them."""
    return number << 3 | wire


def read_varint(payload: Payload, position: int) -> tuple[int, int]:
    """Return an unsigned varint and the position behind it."""
    number = 0
    longest = payload[position : position + _MOST_VARINT_BYTES]
    for count, byte in enumerate(longest):
        number |= (byte & 0x7F) << (7 * count)
        if byte < _SMALL:
            return number & 0xFFFF_FFFF_FFFF_FFFF, position + count + 1
    message = f"no varint at byte {position}"
    raise ValueError(message)


def signed(number: int) -> int:
    """Read 64 bits as two's complement."""
    return number - (1 << 64) if number >> 63 else number


def read_fields(payload: Payload, position: int, end: int) -> Iterator[Field]:
    """Yield the fields of a message; a field that leaves it is an error."""
    while position < end:
        key, position = read_varint(payload, position)
        if not key >> 3:
            message = f"a field with the number 0 at byte {position}"
            raise ValueError(message)
        value = position
        wire = key & 7
        if wire == VARINT:
            value, position = read_varint(payload, position)
        elif wire == BYTES:
            length, value = read_varint(payload, position)
            position = value + length
        elif wire in _WIDTHS:
            position += _WIDTHS[wire]
        else:
            message = f"wire type {wire} at byte {position}"
            raise ValueError(message)
        if position > end:
            break
        yield Field(key, value, position)
    if position != end:
        message = f"a field runs over the end of its message, byte {end}"
        raise ValueError(message)


def fields_inside(payload: Payload, outer: Field, key: int) -> Iterator[Field]:
    """Yield the fields of one key in the message that a field holds."""
    fields = read_fields(payload, outer.value, outer.end)
    return (field for field in fields if field.key == key)
