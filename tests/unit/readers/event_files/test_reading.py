from __future__ import annotations

import gzip
import os
import struct
import tracemalloc
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import LogError
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.event_files.records import masked_checksum
from tests.oracles.plain_events import in_order, read_plainly
from tests.oracles.tensorboard_loader import (
    event,
    message,
    tensor,
    value,
    version_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from cbreplay.readers.event_files.scalar_table import EventTable

PIECES = [3_000, 1 << 20]
TAGS = ["epoch_loss", "epoch_accuracy", "epoch_loss_2", "a"]


def frame(payload: bytes, length: int | None = None) -> bytes:
    """A record, with the checksums of the reader: fast, and tested elsewhere."""
    head = struct.pack("<Q", len(payload) if length is None else length)
    sums = [struct.pack("<I", masked_checksum(one)) for one in (head, payload)]
    return head + sums[0] + payload + sums[1]


def write(path: Path, payloads: Iterable[bytes]) -> Path:
    path.write_bytes(b"".join(map(frame, payloads)))
    return path


def scalars(n_steps: int, tags: Sequence[str] = TAGS, first: int = 0) -> list[bytes]:
    return [version_event()] + [
        event(1e9 + step / 7, first + step, value(tag, step / 3 + i))
        for step in range(n_steps)
        for i, tag in enumerate(tags)
    ]


def told(table: EventTable) -> list[object]:
    """All that a table says, bit by bit."""
    damage = [str(error) for error in (table.unfinished, *table.damage.errors)]
    content = [
        (tag, one.dtype, one.tobytes())
        for tag in table.scalars
        for one in table.scalars[tag]
    ]
    return [table.other_tags, content, damage]


def assert_same_both_ways(path: Path) -> EventTable:
    plain = read_plainly(str(path))
    for piece in PIECES:
        assert told(read_events(str(path), piece)) == told(plain)
    return plain


@pytest.mark.parametrize("first", [0, 100, 16_000, 2**31, 2**35 - 200, 2**62])
def test_columns_hold_what_single_records_hold(tmp_path: Path, first: int) -> None:
    path = write(tmp_path / "events", scalars(400, first=first))
    table = assert_same_both_ways(path)
    assert [*table.scalars] == TAGS
    assert in_order(table).steps.tolist() == [first + i // 4 for i in range(1_600)]
    expected = [np.float32(i // 4 / 3 + i % 4) for i in range(1_600)]
    assert in_order(table).values.tolist() == [float(one) for one in expected]


def test_negative_steps_are_as_they_were_written(tmp_path: Path) -> None:
    path = write(tmp_path / "events", scalars(40, first=-20))
    assert in_order(assert_same_both_ways(path)).steps[0] == -20


@pytest.mark.parametrize("length", [1, 20, 100, 127, 128, 300, 5_000])
@pytest.mark.parametrize("style", ["tensor_content", "float_val", "simple_value"])
def test_tags_of_any_length_are_read(tmp_path: Path, length: int, style: str) -> None:
    tags = [letter * length for letter in "ab"]
    payloads = [
        event(2.0, step, value(tag, step / 3, style))  # type: ignore[arg-type]  # a literal
        for step in range(50)
        for tag in tags
    ]
    table = assert_same_both_ways(write(tmp_path / "events", payloads))
    assert [*table.scalars] == tags


def histogram(tag: str, step: int, n_bytes: int) -> bytes:
    shape = message(2, message(2, b"\x08\x1e") + message(2, b"\x08\x03"))
    held = message(8, b"\x08\x02" + shape + message(4, bytes(n_bytes)))
    plugin = message(9, message(1, message(1, b"histograms")))
    return event(1.0, step, message(1, tag.encode()) + held + plugin)


@pytest.mark.parametrize("n_bytes", [8, 720, 10_000])
def test_what_is_no_scalar_is_passed_by_and_its_tag_kept(
    tmp_path: Path, n_bytes: int
) -> None:
    payloads = [version_event()]
    for step in range(60):
        payloads += [histogram("weights", step, n_bytes), histogram("bias", step, 8)]
        payloads += [event(1.0, step, value("epoch_loss", 0.5))]
        old = message(1, b"old") + message(5, bytes(300 + step % 3))
        payloads += [event(1.0, step, old)]
    table = assert_same_both_ways(write(tmp_path / "events", payloads))
    assert table.other_tags == ["weights", "bias", "old"]
    assert table.n_scalars == 60


def test_a_tag_that_changes_its_kind_is_read_record_by_record(tmp_path: Path) -> None:
    payloads = []
    for step in range(100):
        plugin = b"scalars" if step % 3 else b"customs"
        held = message(8, tensor(1, message(4, struct.pack("<f", step))))
        metadata = message(9, message(1, message(1, plugin)))
        payloads.append(event(1.0, step, message(1, b"a") + held + metadata))
    table = assert_same_both_ways(write(tmp_path / "events", payloads))
    assert in_order(table).steps.tolist() == [step for step in range(100) if step % 3]
    assert ([*table.scalars], table.other_tags) == (["a"], ["a"])


@pytest.mark.parametrize("n_tags", [130, 700])
def test_many_tags_of_one_length_are_told_apart(tmp_path: Path, n_tags: int) -> None:
    tags = [f"metric_{i:04}" for i in range(n_tags)]
    table = assert_same_both_ways(write(tmp_path / "events", scalars(4, tags)))
    assert [*table.scalars] == tags
    assert in_order(table).tags == tags * 4


@pytest.mark.parametrize("position", [2, 14, 25, 30, 40, 50, 70])
def test_one_changed_byte_costs_its_record_alone(tmp_path: Path, position: int) -> None:
    payloads = scalars(200)
    content = bytearray(b"".join(map(frame, payloads)))
    start = sum(len(frame(one)) for one in payloads[:321])
    content[start + 12 + position % len(payloads[321])] ^= 4
    path = tmp_path / "events"
    path.write_bytes(content)
    table = assert_same_both_ways(path)
    assert (table.n_scalars, len(table.damage.errors)) == (799, 1)
    assert table.damage.errors[0].byte == start


def test_a_record_that_is_no_event_is_named(tmp_path: Path) -> None:
    payloads = [*scalars(200), b"\x0b", *scalars(50)]
    table = assert_same_both_ways(write(tmp_path / "events", payloads))
    assert table.n_scalars == 1_000
    assert "not an event" in str(table.damage.errors[0])


@pytest.mark.parametrize("length", [2**31, 2**62, 2**63, 2**64 - 1])
def test_an_absurd_length_is_that_of_a_file_that_breaks_off(
    tmp_path: Path, length: int
) -> None:
    path = tmp_path / "events"
    whole = b"".join(map(frame, scalars(100)))
    path.write_bytes(whole + frame(b"x", length) + whole)
    table = assert_same_both_ways(path)
    assert table.n_scalars == 400
    assert "the file breaks off" in str(table.unfinished)


GRAPH = b"\x09" + bytes(8) + message(4, bytes(40_000))


@pytest.mark.parametrize("end", [0, 1, 11, 12, 13])
def test_what_follows_a_graph_is_not_forgotten(tmp_path: Path, end: int) -> None:
    # found by changing files at random: a byte behind a record read in full
    content = frame(GRAPH) + frame(event(1.0, 0, value("epoch_loss", 0.5)))[:end]
    path = tmp_path / "events"
    path.write_bytes(content)
    table = assert_same_both_ways(path)
    assert (table.unfinished is not None) == (end > 0)


@pytest.mark.parametrize("at", [30, 20_000, len(frame(GRAPH)) - 1])
def test_a_graph_is_checked_though_nothing_of_it_is_read(
    tmp_path: Path, at: int
) -> None:
    content = bytearray(frame(GRAPH) + b"".join(map(frame, scalars(9))))
    content[at] ^= 1
    path = tmp_path / "events"
    path.write_bytes(content)
    table = assert_same_both_ways(path)
    assert "checksum of a record's content" in str(table.damage.errors[0])
    assert table.n_scalars == 36


def picture(n_bytes: int) -> bytes:
    """An image as TensorFlow 1 wrote it, between two scalars of the same event."""
    image = message(1, b"image") + message(4, bytes(n_bytes))
    return event(1.0, 7, value("before", 0.5), image, value("behind", 0.25))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_long_payload_takes_less_than_four_times_its_memory(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    payloads = [*scalars(9), picture(20_000_000), *scalars(9)]
    path = tmp_path / "events"
    path.write_bytes(pack(b"".join(map(frame, payloads))))
    read_events(str(path))
    tracemalloc.start()
    table = read_events(str(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 20_000_000
    assert (table.other_tags, len(table.damage.errors)) == (["image"], 0)
    assert table.n_scalars == 2 * 36 + 2
    assert in_order(table).values[36:38].tolist() == [0.5, 0.25]


@pytest.mark.no_cover
def test_an_event_of_many_values_is_read_whole(tmp_path: Path) -> None:
    many = [value(f"metric_{i:090}", i / 7) for i in range(10_000)]
    path = write(tmp_path / "events", [*scalars(2), event(1.0, 3, *many), *scalars(2)])
    assert path.stat().st_size > 1 << 20
    table = assert_same_both_ways(path)
    assert table.n_scalars == 10_000 + 16


def test_a_file_that_is_cut_while_it_is_read_ends_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "events", scalars(50))
    before = told(read_events(str(path)))
    monkeypatch.setattr(os, "fstat", lambda _: SimpleNamespace(st_size=1 << 16))
    for piece in PIECES:
        assert told(read_events(str(path), piece)) == before


def test_a_hole_in_a_file_is_a_changed_record(tmp_path: Path) -> None:
    path = tmp_path / "events"
    head = struct.pack("<Q", 1 << 22)
    with path.open("wb") as file:
        file.write(b"".join(map(frame, scalars(9))))
        file.write(head + struct.pack("<I", masked_checksum(head)))
        file.truncate((1 << 22) + 50_000)
    table = read_events(str(path))
    assert table.n_scalars == 36
    errors = [str(error) for error in table.damage.errors]
    assert ["content is wrong" in errors[0], "length is wrong" in errors[1]] == [1, 1]


@pytest.mark.parametrize("every", [1, 2, 37])
@pytest.mark.parametrize("at", [13, 20, 40])
def test_the_same_change_in_many_records_is_seen_in_each(
    tmp_path: Path, every: int, at: int
) -> None:
    # all checksums are tried in one pass: equal errors must not cancel each other
    records = [bytearray(frame(one)) for one in scalars(120)]
    changed = records[1::every]
    for one in changed:
        one[at] ^= 8
    path = tmp_path / "events"
    path.write_bytes(b"".join(records))
    table = assert_same_both_ways(path)
    assert len(table.damage.errors) == len(changed)


@pytest.mark.parametrize("n_steps", [3, 500])
def test_a_gzip_file_reads_as_what_is_in_it(tmp_path: Path, n_steps: int) -> None:
    plain = write(tmp_path / "plain", scalars(n_steps))
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    table = assert_same_both_ways(packed)
    assert told(table) == told(read_events(str(plain)))


@pytest.mark.parametrize("n_bytes", [1, 3, 9, 500])
def test_a_cut_gzip_file_keeps_whole_records(tmp_path: Path, n_bytes: int) -> None:
    payloads = scalars(500)
    path = tmp_path / "events"
    path.write_bytes(gzip.compress(b"".join(map(frame, payloads)))[:-n_bytes])
    table = assert_same_both_ways(path)
    assert in_order(table).steps.tolist() == [i // 4 for i in range(table.n_scalars)]
    assert "gzip data" in str(table.damage.errors[0])


@pytest.mark.parametrize("end", [1_022, 1_023, 1_024])
def test_a_gzip_file_that_was_appended_to_is_read_whole(
    tmp_path: Path, end: int
) -> None:
    # 1,024 bytes are unpacked at once: the second part may begin with the last of them
    first = gzip.compress(frame(message(3, bytes(end - 42))), 0)
    assert len(first) == end
    path = tmp_path / "events"
    path.write_bytes(first + gzip.compress(b"".join(map(frame, scalars(9)))))
    assert assert_same_both_ways(path).n_scalars == 36


def test_a_changed_gzip_file_reads_the_same_in_pieces_of_any_size(
    tmp_path: Path,
) -> None:
    # found by changing files at random: the last bytes before a wrong check value
    content = bytearray(gzip.compress(b"".join(map(frame, scalars(200)))))
    content[-6] ^= 1
    path = tmp_path / "events"
    path.write_bytes(content)
    assert "damaged" in str(assert_same_both_ways(path).damage.errors[0])


def test_damage_without_end_is_counted_but_not_kept(tmp_path: Path) -> None:
    record = bytearray(frame(b"x"))
    record[12] ^= 1
    path = tmp_path / "events"
    path.write_bytes(bytes(record) * 5_000)
    table = assert_same_both_ways(path)
    assert len(table.damage.errors) + table.damage.n_more == 5_000
    assert len(table.damage.errors) == 1_000


def test_forms_of_one_file_change_nothing_in_the_next(tmp_path: Path) -> None:
    first = write(tmp_path / "one", scalars(400, ["a", "b"]))
    second = write(tmp_path / "two", scalars(400, ["b", "c", "a"]))
    before = told(read_events(str(second)))
    read_events(str(first))
    assert told(read_events(str(second))) == before
    assert [*read_events(str(second)).scalars] == ["b", "c", "a"]


@pytest.mark.parametrize("read", [read_events, read_plainly])
def test_what_cannot_be_opened_is_a_log_error(
    tmp_path: Path, read: Callable[[str], EventTable]
) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(LogError, match=r"cannot be read|not a regular file"):
            read(str(path))
