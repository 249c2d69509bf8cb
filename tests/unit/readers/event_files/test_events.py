from __future__ import annotations

import math
import struct

import pytest

from cbreplay.readers.event_files.events import event_form, read_event
from tests.oracles.tensorboard_loader import event, message, tensor, value, varint


def scalars(payload: bytes) -> list[tuple[str, int, float, float]]:
    read = read_event(payload)
    return [
        (held.tag, read.step, read.wall_time, held.number)
        for held in read.values
        if held.number is not None
    ]


def read_values(held: bytes) -> list[float]:
    found = scalars(event(1.5, 7, message(1, b"a") + held))
    return [number for *_, number in found]


@pytest.mark.parametrize("style", ["tensor_content", "float_val", "simple_value"])
def test_a_float32_is_read_from_each_place(style: str) -> None:
    payload = event(1.5, 300, value("epoch_loss", 0.1, style))  # type: ignore[arg-type]  # a literal
    (expected,) = struct.unpack("<f", struct.pack("<f", 0.1))
    assert scalars(payload) == [("epoch_loss", 300, 1.5, expected)]


@pytest.mark.parametrize(
    ("held", "number"),
    [
        (tensor(2, message(4, struct.pack("<d", 0.1))), 0.1),
        (tensor(2, message(6, struct.pack("<d", 0.1))), 0.1),
        (tensor(2, b"\x31" + struct.pack("<d", 0.1)), 0.1),
        (tensor(1, b"\x2d" + struct.pack("<f", 0.5)), 0.5),
        (tensor(3, message(7, varint(-3))), -3.0),
        (tensor(3, b"\x38" + varint(5)), 5.0),
        (tensor(9, message(10, varint(2**40))), 2.0**40),
        (tensor(19, message(4, struct.pack("<e", 0.5))), 0.5),
        (tensor(19, message(13, varint(0x3800))), 0.5),
        (tensor(14, message(13, varint(0x3F00))), 0.5),
        (tensor(14, message(4, b"\x00\x3f")), 0.5),
        (tensor(1), 0.0),
    ],
)
def test_a_tensor_of_one_number_is_read(held: bytes, number: float) -> None:
    assert read_values(message(8, held)) == [number]


VECTOR = message(2, b"\x08\x02")


@pytest.mark.parametrize(
    "held",
    [
        tensor(1, message(4, bytes(8)), shape=VECTOR),
        tensor(1, message(4, bytes(8))),
        tensor(1, message(5, bytes(8))),
        tensor(9, message(10, b"\x01\x02")),
        tensor(7, message(8, b"text")),
    ],
)
def test_a_tensor_of_anything_else_is_no_scalar(held: bytes) -> None:
    assert read_values(message(8, held)) == []


@pytest.mark.parametrize(
    ("dtype", "number"),
    [(6, 127), (6, -128), (6, 128), (6, 300), (4, 255), (4, 256), (5, 70_000), (3, -1)],
)
def test_an_integer_is_a_scalar_where_its_dtype_holds_it(
    dtype: int, number: int
) -> None:
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.util.tensor_util import make_ndarray

    held = TensorProto(dtype=dtype, int_val=[number])
    try:
        expected = [float(make_ndarray(held))]
    except OverflowError:
        # the loader refuses it: what its low bytes hold is another number
        expected = []
    assert read_values(message(8, held.SerializeToString())) == expected


def test_a_scalar_of_another_plugin_is_no_scalar() -> None:
    plugin = message(9, message(1, message(1, b"custom")))
    held = message(8, tensor(1, message(4, struct.pack("<f", 1)))) + plugin
    assert read_values(held) == []


def test_a_negative_step_stays_negative() -> None:
    assert read_event(event(0.0, -2, value("a", 1.0))).step == -2


def test_records_of_one_tag_have_one_form() -> None:
    first = event_form(event(0.0, 1, value("epoch_loss", 0.5)))
    assert first is not None
    assert first.tag == "epoch_loss"
    for step, number in [(0, math.pi), (1_000, -0.0), (2**40, 1e-45)]:
        assert event_form(event(2.5, step, value("epoch_loss", number))) == first


@pytest.mark.parametrize(
    "payload",
    [
        event(0.0, 1, value("epoch_lost", 0.5)),
        event(0.0, 1, value("epoch_loss", 0.5, "float_val")),
        event(0.0, 1, value("epoch_loss", 0.5), value("epoch_loss", 0.5)),
        event(0.0, 1, value("epoch_loss", 0.5)) + message(3, b""),
    ],
)
def test_other_records_have_another_form(payload: bytes) -> None:
    assert event_form(payload) != event_form(event(0.0, 1, value("epoch_loss", 0.5)))


def test_two_values_in_one_event_are_both_read() -> None:
    payload = event(0.0, 1, value("a", 1.0), value("b", 2.0))
    assert [tag for tag, *_ in scalars(payload)] == ["a", "b"]


GOOD = event(1.0, 3, value("epoch_loss", 0.5))


@pytest.mark.parametrize("end", range(1, len(GOOD)))
def test_a_cut_event_is_never_a_wrong_scalar(end: int) -> None:
    try:
        found = scalars(GOOD[:end])
    except ValueError:
        found = []
    assert found == []


@pytest.mark.parametrize(
    "payload", [b"\x0b", b"\x09", b"\xff" * 12, b"\x2a\x05\x0a\x7f"]
)
def test_bytes_that_are_no_event_are_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="byte"):
        read_event(payload)
