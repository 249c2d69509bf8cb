"""Records read together say the same as if each were read by itself."""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cbreplay import load_runs
from cbreplay.readers.event_files.forms import add_scalars, begins_alike, find_forms
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.event_files.records import (
    PADDING,
    RecordBlock,
    masked_checksum,
    walk_frames,
)
from cbreplay.readers.event_files.scalar_table import TableBuilder
from tests.oracles.plain_events import in_order, read_plainly
from tests.oracles.tensorboard_loader import event, message, value, version_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cbreplay.readers.event_files.scalar_table import EventTable

# of the length of a record, with its checksum
LENGTH = 12
TAGS = ["epoch_loss", "epoch_accuracy", "epoch_learning_rate"]


def frame(payload: bytes) -> bytes:
    """A record, with the checksums of the reader: fast, and tested elsewhere."""
    head = struct.pack("<Q", len(payload))
    sums = [struct.pack("<I", masked_checksum(one)) for one in (head, payload)]
    return head + sums[0] + payload + sums[1]


def rows(n_steps: int, tags: Sequence[str] = TAGS, first: int = 0) -> list[bytes]:
    return [
        event(1e9 + step / 7, first + step, value(tag, step / 3 + i))
        for step in range(n_steps)
        for i, tag in enumerate(tags)
    ]


def told(table: EventTable) -> list[object]:
    """All that a table says, bit by bit."""
    damage = [str(error) for error in (table.unfinished, *table.damage.errors)]
    return [
        [(tag, *map(bytes, own)) for tag, own in table.scalars.items()],
        table.other_tags,
        damage,
    ]


def read(path: Path, content: bytes) -> EventTable:
    """Read a file in each way: all must tell the same."""
    path.write_bytes(content)
    plain = read_plainly(str(path))
    for piece in (3_000, 1 << 20):
        assert told(read_events(str(path), piece)) == told(plain)
    return plain


def join(payloads: Iterable[bytes]) -> bytes:
    return b"".join(map(frame, payloads))


def test_all_records_of_a_regular_log_are_read_together() -> None:
    written = join([version_event(), *rows(127), *rows(300, first=127)])
    content = np.frombuffer(bytearray(written + bytes(PADDING)), np.uint8)
    bounds = walk_frames(content)
    assert bounds[-1] == len(written)
    block = RecordBlock(content, bounds)
    left = add_scalars(block, find_forms(block, {}), TableBuilder("events"))
    # but for the version, which holds no summary
    assert left == [0]


def test_steps_of_different_lengths_may_stand_in_one_row(tmp_path: Path) -> None:
    # Keras counts what `evaluate` saw in batches, and the epochs beside it
    payloads = [
        event(1e9 + epoch, step, value(tag, epoch / 7))
        for epoch in range(300)
        for step, tag in (
            (epoch * 1_875, "evaluation_loss_vs_iterations"),
            (epoch, "epoch_loss"),
        )
    ]
    table = read(tmp_path / "events", join(payloads))
    assert in_order(table).steps.tolist() == [
        step for epoch in range(300) for step in (epoch * 1_875, epoch)
    ]


@pytest.mark.no_cover
@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_a_changed_byte_in_a_row_costs_its_record(tmp_path: Path, bit: int) -> None:
    payloads = rows(120, TAGS[:2])
    content = join(payloads)
    for number in (160, 161):
        begin = len(join(payloads[:number]))
        for at in range(len(frame(payloads[number]))):
            changed = bytearray(content)
            changed[begin + at] ^= bit
            table = read(tmp_path / "events", bytes(changed))
            assert len(table.damage.errors) == 1
            # behind a length that is not true, nothing is found
            assert table.n_scalars == (number if at < LENGTH else 239)


@pytest.mark.no_cover
@pytest.mark.parametrize("bit", [0x01, 0x02, 0x80])
def test_a_byte_that_was_written_otherwise_is_read_so(tmp_path: Path, bit: int) -> None:
    # the checksum is right, so the event says something else than its neighbours;
    # `read` fails where rows are told otherwise than records one by one
    payloads = rows(120, TAGS[:2])
    for at in range(len(payloads[160])):
        changed = bytearray(payloads[160])
        changed[at] ^= bit
        read(
            tmp_path / "events",
            join([*payloads[:160], bytes(changed), *payloads[161:]]),
        )


def test_any_bits_of_a_value_come_back(tmp_path: Path) -> None:
    pick = random.Random(3)  # noqa: S311 - no secret
    bits = [pick.getrandbits(32) for _ in range(400)]
    # signalling NaNs, infinities, denormal numbers, both zeros
    bits += [0x7F800001, 0xFFBFFFFF, 0x7F800000, 0xFF800000, 1, 0x807FFFFF, 0, 1 << 31]
    numbers = [struct.unpack("<f", struct.pack("<I", one))[0] for one in bits]
    wall_times = [pick.uniform(-1e300, 1e300) for _ in bits]
    payloads = [
        event(time, step, value("a", 0.0).replace(bytes(4), struct.pack("<I", one)))
        for step, (time, one) in enumerate(zip(wall_times, bits, strict=True))
    ]
    table = read(tmp_path / "events", join(payloads))
    assert in_order(table).wall_times.tolist() == wall_times
    for found, number in zip(in_order(table).values.tolist(), numbers, strict=True):
        assert found == number or (found != found and number != number)  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("every", [2, 7, 50])
def test_what_stands_between_rows_is_read(tmp_path: Path, every: int) -> None:
    payloads = []
    for step in range(300):
        payloads += rows(1, first=step)
        if step % every == 0:
            payloads.append(event(1.0, step, value("extra", step)))
    table = read(tmp_path / "events", join(payloads))
    extra = table.scalars["extra"].steps
    assert extra.tolist() == [*range(0, 300, every)]


@pytest.mark.parametrize("seed", range(4))
def test_series_in_any_order_are_read(tmp_path: Path, seed: int) -> None:
    pick = random.Random(seed)  # noqa: S311 - no secret
    payloads = []
    for step in range(400):
        order = [tag for tag in TAGS if pick.random() < (0.5, 0.9, 0.97, 1)[seed]]
        if pick.random() < 0.1:
            pick.shuffle(order)
        payloads += [event(1.0, step, value(tag, step)) for tag in order]
    assert read(tmp_path / "events", join(payloads)).n_scalars == len(payloads)


def test_rows_of_equal_length_are_told_apart(tmp_path: Path) -> None:
    # all heads are alike, so each row might begin with any of the records
    payloads = []
    for part in range(6):
        tags = [f"metric_{(part + i) % 4}" for i in range(4)][: 4 - part % 2]
        payloads += rows(90, tags, first=part * 90)
    table = read(tmp_path / "events", join(payloads))
    assert [*table.scalars] == [f"metric_{i}" for i in range(4)]
    assert table.n_scalars == 3 * 90 * 4 + 3 * 90 * 3


@pytest.mark.no_cover
def test_many_patterns_may_be_met_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "events"
    for number in [*range(40), 0]:
        tags = ["loss" * (number + 1), f"accuracy_{number}"]
        assert [*read(path, join(rows(100, tags))).scalars] == tags


def test_a_row_may_begin_in_a_piece_shorter_than_its_padding(tmp_path: Path) -> None:
    # found by changing files at random: records of a few bytes, pieces of 64
    content = join([b"\x08" + bytes([7])] * 400)
    before = read(tmp_path / "events", content)
    again = read_events(str(tmp_path / "events"), 64)
    assert told(again) == told(before)


@pytest.mark.parametrize("n_bytes", [60, 700, 3_000])
def test_histograms_in_a_row_are_checked(tmp_path: Path, n_bytes: int) -> None:
    def histogram(tag: str, step: int) -> bytes:
        shape = message(2, message(2, b"\x08\x1e") + message(2, b"\x08\x03"))
        held = message(8, b"\x08\x02" + shape + message(4, bytes([step]) * n_bytes))
        plugin = message(9, message(1, message(1, b"histograms")))
        return event(1.0, step, message(1, tag.encode()) + held + plugin)

    payloads = []
    for step in range(100):
        payloads += [histogram("weights", step), *rows(1, first=step)]
        payloads += [histogram("bias", step)]
    content = bytearray(join(payloads))
    # in the middle of the weights of step 50
    at = len(join(payloads[:250])) + 12 + len(payloads[250]) // 2
    content[at] ^= 1
    table = read(tmp_path / "events", bytes(content))
    assert table.other_tags == ["weights", "bias"]
    assert table.n_scalars == 300
    assert [error.byte for error in table.damage.errors] == [len(join(payloads[:250]))]


def test_series_in_one_order_or_another_make_the_same_run(tmp_path: Path) -> None:
    # Keras writes them in the order of logs; nothing says that it must
    held = []
    for name, turned in (("one", False), ("other", True)):
        payloads = [version_event()]
        for step in range(200):
            row = rows(1, TAGS[:2], first=step)
            payloads += row[::-1] if turned and step % 2 else row
        (tmp_path / name).mkdir()
        (tmp_path / name / "events.out.tfevents.1").write_bytes(join(payloads))
        (run,) = load_runs(tmp_path / name)
        held.append({key: one.values.tolist() for key, one in run.series.items()})
        assert run.recorded_epochs == 200
    assert held[0] == held[1]


@pytest.mark.no_cover
@pytest.mark.parametrize("seed", range(6))
def test_a_file_like_another_is_read_by_what_stands_in_it(
    tmp_path: Path, seed: int
) -> None:
    # every record is as long as the one in its place in the file read before
    pick = random.Random(seed)  # noqa: S311 - no secret
    tags = ["loss", "rate", "mean", "f1_b"]
    payloads = [version_event(), *rows(100, tags)]
    for _ in range(25):
        read(tmp_path / "one", join([version_event(), *rows(100, tags)]))
        at = pick.randrange(1, len(payloads))
        other = bytearray(payloads[at])
        if pick.random() < 0.5:
            other = bytearray(event(2e9, pick.randrange(128), value(tags[0], 7.0)))
        else:
            other[pick.randrange(len(other))] ^= 1 << pick.randrange(8)
        assert len(other) == len(payloads[at])
        changed = [*payloads[:at], bytes(other), *payloads[at + 1 :]]
        read(tmp_path / "other", join(changed))


def test_a_form_that_is_met_later_is_learned_in_a_file_like_another(
    tmp_path: Path,
) -> None:
    for tags in (["loss", "rate"], ["loss", "acc0"], ["acc0", "rate"], TAGS):
        for first in (0, 1, 0):
            table = read(tmp_path / "events", join(rows(60, tags, first=first)))
            assert [*table.scalars] == tags
            assert in_order(table).steps[0] == first


@pytest.mark.parametrize("n_steps", [1, 59, 60, 61, 200])
@pytest.mark.parametrize("n_alike", [0, 1, 30, 60])
def test_a_file_may_be_shorter_or_longer_than_the_one_like_it_or_end_otherwise(
    tmp_path: Path, n_steps: int, n_alike: int
) -> None:
    read(tmp_path / "one", join([version_event(), *rows(60)]))
    # from some step on the tags stand in another order, and of other lengths
    others = [*TAGS[::-1], "epoch_auc"]
    payloads = [version_event(), *rows(min(n_alike, n_steps))]
    payloads += rows(max(n_steps - n_alike, 0), others, first=n_alike)
    table = read(tmp_path / "other", join(payloads))
    assert table.n_scalars == len(payloads) - 1
    assert in_order(table).steps[-1] == n_steps - 1


def test_after_a_short_file_a_long_one_tells_of_those_like_it(tmp_path: Path) -> None:
    # of a training that has just begun; it must not stand in for all that follow
    read(tmp_path / "short", join([version_event(), *rows(1)]))
    written = join([version_event(), *rows(60)])
    read(tmp_path / "long", written)
    alike = begins_alike(np.frombuffer(bytearray(written + bytes(PADDING)), np.uint8))
    assert alike is not None
    assert len(alike[0]) == 1 + 60 * len(TAGS)


@pytest.mark.parametrize("end", [1, 11, 12, 13, 40, 500, 1_000])
def test_a_cut_file_like_another_ends_where_it_is_cut(tmp_path: Path, end: int) -> None:
    content = join([version_event(), *rows(60)])
    read(tmp_path / "one", content)
    table = read(tmp_path / "other", content[:-end])
    assert table.unfinished is not None
    assert table.n_scalars < 180


def test_a_changed_byte_in_a_file_like_another_costs_its_record(
    tmp_path: Path,
) -> None:
    content = bytearray(join([version_event(), *rows(60)]))
    read(tmp_path / "one", bytes(content))
    # a wall time, which the two need not share
    content[len(join([version_event(), *rows(20)])) + 12 + 3] ^= 1
    table = read(tmp_path / "other", bytes(content))
    assert table.n_scalars == 179
    assert "content is wrong" in str(table.damage.errors[0])
