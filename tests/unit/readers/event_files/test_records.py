from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, TruncatedLogError
from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.readers.event_files.records import masked_checksum
from tests.oracles.plain_events import plain_records
from tests.oracles.tensorboard_loader import masked, record

if TYPE_CHECKING:
    from pathlib import Path

STRICT, SKIP = ReadOptions(), ReadOptions(errors="skip")
PAYLOADS = [b"one", b"", b"three" * 100]


def payloads(path: Path, damage: Damage) -> list[bytes]:
    return [payload for _, payload in plain_records(str(path), damage)]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "events"
    path.write_bytes(b"".join(map(record, PAYLOADS)))
    return path


@pytest.mark.parametrize("content", [b"", b"123456789", bytes(100)])
def test_the_checksum_is_that_of_a_plain_crc32c(content: bytes) -> None:
    assert masked_checksum(content) == masked(content)


def test_records_come_with_their_offset(whole: Path) -> None:
    found = list(plain_records(str(whole), Damage(STRICT)))
    assert found == [(0, b"one"), (19, b""), (35, PAYLOADS[2])]


def test_a_changed_byte_is_refused_with_the_record_s_offset(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[40 + 12] ^= 1
    whole.write_bytes(content)
    with pytest.raises(LogError, match="checksum of a record's content") as caught:
        payloads(whole, Damage(STRICT))
    assert caught.value.byte == 35


def test_a_record_with_a_wrong_checksum_is_left_out_on_request(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[12] ^= 1
    whole.write_bytes(content)
    damage = Damage(SKIP)
    assert payloads(whole, damage) == PAYLOADS[1:]
    assert "dropped as damaged: byte 0" in damage.notes()[0]


def test_a_length_beyond_the_file_is_truncation_and_not_allocated(
    tmp_path: Path,
) -> None:
    length = struct.pack("<Q", 2**62)
    path = tmp_path / "events"
    path.write_bytes(
        record(b"a") + length + struct.pack("<I", masked(length)) + b"rest"
    )
    with pytest.raises(TruncatedLogError) as caught:
        payloads(path, Damage(STRICT))
    assert caught.value.byte == 17


def test_a_changed_length_ends_the_reading(whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[19] ^= 1
    whole.write_bytes(content)
    assert payloads(whole, Damage(SKIP)) == [b"one"]


@pytest.mark.parametrize("n_bytes", range(1, 70))
def test_a_cut_file_is_a_prefix_and_truncated_when_strict(
    whole: Path, n_bytes: int
) -> None:
    content = whole.read_bytes()[:n_bytes]
    whole.write_bytes(content)
    kept = payloads(whole, Damage(SKIP))
    assert kept == PAYLOADS[: len(kept)]
    if n_bytes not in (19, 35):
        with pytest.raises(TruncatedLogError):
            payloads(whole, Damage(STRICT))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid x", "Git LFS pointer"),
        (bytes(40), "checksum"),
    ],
)
def test_what_is_no_event_file_is_refused(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    with pytest.raises(LogError, match=sentence):
        payloads(path, Damage(STRICT))


def test_a_file_that_cannot_be_opened_is_a_log_error(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        payloads(tmp_path / "absent", Damage(STRICT))
