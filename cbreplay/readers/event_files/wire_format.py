"""The wire format of protobuf: fields, each with a number and a kind.

https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BYTES",
    "FIXED32",
    "FIXED64",
    "VARINT",
    "Field",
    "Payload",
    "read_fields",
    "read_varint",
    "signed",
]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MOST_VARINT_BYTES = 10
_SMALL = 0x80


class Field(NamedTuple):
    """A field: its number, its kind, and its value or where its bytes lie."""

    number: int
    wire: int
    value: int
    end: int


class Payload(Protocol):
    """The bytes of a message, or what can be read as they can: forwards."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, at: int, /) -> int: ...
    @overload
    def __getitem__(self, at: slice, /) -> bytes: ...


def read_varint(payload: Payload, position: int) -> tuple[int, int]:
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


def signed(number: int) -> int:
    """Read 64 bits as two's complement."""
    return number - (1 << 64) if number >> 63 else number


def read_fields(payload: Payload, position: int, end: int) -> Iterator[Field]:
    """Yield the fields of a message; a field that leaves it is an error."""
    while position < end:
        key, position = read_varint(payload, position)
        number, wire = key >> 3, key & 7
        if not number:
            message = f"a field with the number 0 at byte {position}"
            raise ValueError(message)
        if wire == VARINT:
            value, position = read_varint(payload, position)
        else:
            value, position = _extent_of(payload, wire, position)
        if position > end:
            break
        yield Field(number, wire, value, position)
    if position != end:
        message = f"a field runs over the end of its message, byte {end}"
        raise ValueError(message)


def _extent_of(payload: Payload, wire: int, position: int) -> tuple[int, int]:
    """Return where the bytes of a field's value begin and end."""
    if wire == BYTES:
        length, position = read_varint(payload, position)
        return position, position + length
    if wire == FIXED64:
        return position, position + 8
    if wire == FIXED32:
        return position, position + 4
    message = f"wire type {wire} at byte {position}"
    raise ValueError(message)
