"""Change real event files at random, and see that nothing but named errors comes out.

From the root of the repository, with the tests' environment active, for an hour:

    python -m tests.fuzz.event_files --minutes 60

Each case is read by `read_events` and as plainly as can be, which must agree, and then
as runs, strict and not.
"""

from __future__ import annotations

import functools
import gzip
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from google_crc32c import value as crc32c

from cbreplay import CbreplayError, LogError
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.fuzz.hunt import Channel, hunt_from_command_line
from tests.oracles.plain_events import read_plainly
from tests.oracles.tensorboard_loader import (
    Style,
    event,
    message,
    tensor,
    value,
    varint,
    version_event,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.readers.event_files.scalar_table import EventTable

ROOT = Path(__file__).parent.parent.parent
LONGEST_SEED = 60_000
NAME = "events.out.tfevents.1.fuzz"
Change = Callable[[random.Random, bytes], bytes]


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def record(payload: bytes, length: int | None = None) -> bytes:
    head = struct.pack("<Q", len(payload) if length is None else length)
    return head + masked(head) + payload + masked(payload)


def split(content: bytes) -> list[bytes]:
    """Return the payloads of the whole records that a file begins with."""
    payloads, position = [], 0
    while position + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, position)
        if position + 16 + length > len(content):
            break
        payloads.append(content[position + 12 : position + 12 + length])
        position += 16 + length
    return payloads


@functools.cache
def seeds() -> list[bytes]:
    """Return the sample logs, a file of each kind of layout, and a corpus if given."""
    roots = [ROOT / "sample_logs"]
    if "CBREPLAY_CORPUS" in os.environ:
        roots.append(Path(os.environ["CBREPLAY_CORPUS"]))
    found = [
        path.read_bytes()[:LONGEST_SEED]
        for root in roots
        for path in sorted(root.rglob("*tfevents*"))
        if path.is_file()
    ]
    return [*filter(split, found), *generated()]


def generated() -> Iterator[bytes]:
    layouts: dict[str, tuple[Style, ...]] = {
        "epoch_loss epoch_accuracy epoch_learning_rate": (
            "tensor_content",
            "float_val",
            "simple_value",
        ),
        "loss acc val_loss val_acc lr": ("simple_value",),
        "epoch val_loss train_loss": ("simple_value",),
        "train/epoch eval/loss train/loss": ("simple_value",),
        "metrics/mAP50 train/box_loss val/box_loss lr/pg0": ("simple_value",),
        "Loss/train Loss/test " + "long/" * 30: ("simple_value", "tensor_content"),
    }
    for tags, styles in layouts.items():
        for style in styles:
            yield b"".join(map(record, _payloads(tags.split(), style)))


def _payloads(tags: list[str], style: Style) -> Iterator[bytes]:
    yield version_event()
    histogram = message(
        8, tensor(2, message(4, bytes(720)), shape=message(2, b"\x08\x5a"))
    )
    for step in range(140):
        for tag in tags:
            number = step if tag.endswith("epoch") else step / 7
            yield event(step / 3, step, value(tag, float(number), style))
        yield event(step / 3, step, message(1, b"weights") + histogram)


def change_bytes(pick: random.Random, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(pick.choice([1, 1, 2, 8])):
        changed[pick.randrange(len(changed))] = pick.choice(
            [0, 255, pick.randrange(256)]
        )
    return bytes(changed)


def cut(pick: random.Random, content: bytes) -> bytes:
    return content[: pick.randrange(len(content))]


def insert(pick: random.Random, content: bytes) -> bytes:
    at = pick.randrange(len(content))
    return content[:at] + pick.randbytes(pick.choice([1, 4, 40])) + content[at:]


def delete(pick: random.Random, content: bytes) -> bytes:
    at = pick.randrange(len(content))
    return content[:at] + content[at + pick.choice([1, 4, 40, 400]) :]


def change_payloads(pick: random.Random, content: bytes) -> bytes:
    """Change what records hold, and give them right checksums again."""
    payloads = split(content)
    for _ in range(pick.choice([1, 2, 20])):
        i = pick.randrange(len(payloads))
        how = pick.choice([change_bytes, change_bytes, cut, insert, delete])
        payloads[i] = how(pick, payloads[i]) if payloads[i] else pick.randbytes(3)
    return b"".join(map(record, payloads))


def change_varints(pick: random.Random, content: bytes) -> bytes:
    """Put huge and odd numbers where lengths, steps and tags stand."""
    payloads = split(content)
    for _ in range(pick.choice([1, 5])):
        i = pick.randrange(len(payloads))
        odd = pick.choice([0, 1, 127, 128, 2**31, 2**32, 2**35, 2**63, 2**64 - 1])
        at = pick.randrange(len(payloads[i]) + 1)
        payloads[i] = payloads[i][:at] + varint(odd) + payloads[i][at + 1 :]
    return b"".join(map(record, payloads))


def lie_about_length(pick: random.Random, content: bytes) -> bytes:
    payloads = split(content)
    i = pick.randrange(len(payloads))
    length = pick.choice([0, 1, len(payloads[i]) + 1, 2**31, 2**62, 2**63, 2**64 - 1])
    pieces = [record(one) for one in payloads]
    pieces[i] = record(payloads[i], length)
    return b"".join(pieces)


def reorder(pick: random.Random, content: bytes) -> bytes:
    payloads = split(content)
    begin = pick.randrange(len(payloads))
    some = payloads[begin : begin + pick.choice([1, 3, 50])]
    how = pick.randrange(3)
    if how == 0:
        payloads += some
    elif how == 1:
        del payloads[begin : begin + len(some)]
    else:
        pick.shuffle(payloads)
    return b"".join(map(record, payloads))


CHANGES: list[Change] = [
    change_bytes,
    cut,
    insert,
    delete,
    change_payloads,
    change_payloads,
    change_varints,
    lie_about_length,
    reorder,
]


def make_case(pick: random.Random) -> tuple[random.Random, bytes]:
    """Return a changed file, and by what to choose how it is read."""
    every = seeds()
    content = pick.choice(every)
    if not pick.randrange(10):
        content += pick.choice(every)
    for _ in range(pick.choice([1, 1, 2, 3])):
        if split(content):
            content = pick.choice(CHANGES)(pick, content)
    if not pick.randrange(20):
        content = gzip.compress(content, 1)
        if pick.randrange(3):
            content = pick.choice([change_bytes, cut])(pick, content)
    return pick, content


def table_or_error(read: Callable[[], EventTable]) -> str:
    """Write down all that a way of reading found."""
    try:
        table = read()
    except LogError as error:
        return str(error)
    scalars = [(tag, *map(bytes, own)) for tag, own in table.scalars.items()]
    found: list[object] = [scalars, table.other_tags]
    found += [table.restarts, str(table.unfinished), table.damage.n_more]
    return repr([found, [str(one) for one in table.damage.errors]])


def check(case: tuple[random.Random, bytes], directory: Path) -> str:
    """Read a case in every way, and return what it came to."""
    pick, content = case
    path = directory / NAME
    path.write_bytes(content)
    plain = table_or_error(lambda: read_plainly(str(path)))
    piece = pick.choice([64, 700, 5_000, 1 << 20])
    columns = table_or_error(lambda: read_events(str(path), piece))
    assert plain == columns, f"two ways of reading differ (pieces of {piece} bytes)"
    outcome = "refused"
    for errors in ("strict", "skip"):
        options = ReadOptions(
            errors=errors, x_axis=pick.choice([None, "epoch", "step"])
        )
        try:
            runs = list(TensorBoardReader(options).read(str(path)))
        except CbreplayError as error:
            if str(path) not in str(error):
                raise
        else:
            assert runs, "neither a run nor an error"
            outcome = "read"
    return outcome


EVENT_FILES = Channel("event files", make_case, check)

if __name__ == "__main__":
    hunt_from_command_line(EVENT_FILES)
