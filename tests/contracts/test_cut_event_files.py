"""An event file that is cut at any byte is a prefix of itself, and says so."""

from __future__ import annotations

import struct
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.event_files.reading import read_events
from cbreplay.readers.event_files.tensorboard import TensorBoardReader
from tests.conftest import ROOT, corpus_files
from tests.oracles.plain_events import in_order, read_plainly
from tests.oracles.tensorboard_loader import (
    event,
    message,
    record,
    value,
    version_event,
    write_events,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cbreplay.readers.event_files.scalar_table import EventTable
    from tests.oracles.tensorboard_loader import Style

# the shortest of each sort, all below 30 kB
SAMPLES = [
    "diabetes-nan/tensorboard/train",
    "diabetes-nan/tensorboard/validation",
    "digits-cnn-resumed/tensorboard/train",
    "breast-cancer-stopped/tensorboard/train",
    "breast-cancer-stopped/tensorboard/validation",
    "digits-cnn-resumed/tensorboard/validation",
]
SHORT = 30_000
FILE = "events.out.tfevents.1.v2"


def generate(directory: Path, style: Style) -> Path:
    points = [
        (float(step), step, tag, step / 7)
        for step in range(8)
        for tag in ("epoch_loss", "epoch_accuracy")
    ]
    return write_events(directory / FILE, points, style)


def generate_graph(directory: Path) -> Path:
    graph = b"\x09" + bytes(8) + message(4, bytes(700))
    old = message(1, b"weights") + message(5, bytes(90))
    payloads = [version_event(), graph, event(1.0, 0, old)]
    payloads += [event(1.0, step, value("epoch_loss", step / 3)) for step in range(4)]
    directory.mkdir(exist_ok=True)
    path = directory / FILE
    path.write_bytes(b"".join(map(record, payloads)))
    return path


FILES: dict[str, Callable[[Path], Path]] = {
    "tensor_content": lambda at: generate(at, "tensor_content"),
    "float_val": lambda at: generate(at, "float_val"),
    "simple_value": lambda at: generate(at, "simple_value"),
    "graph": generate_graph,
}
REAL = [next((ROOT / "sample_logs" / one).glob("*tfevents*")) for one in SAMPLES]
REAL += [path for path in corpus_files("*tfevents*") if path.stat().st_size < SHORT][
    :10
]


# a record ends in 4 bytes, and begins with 12
AROUND = (-5, -4, -1, 0, 1, 8, 12, 13)


def ends_of_records(content: bytes) -> list[int]:
    ends = [0]
    while ends[-1] + 12 <= len(content):
        (length,) = struct.unpack_from("<Q", content, ends[-1])
        ends.append(ends[-1] + length + 16)
    return ends


def check_every_cut(
    path: Path, scratch: Path, read: Callable[[str], EventTable], every: int = 1
) -> None:
    """See that a cut leaves the scalars of the whole records, and says so if any.

    Of a long file it is cut at some bytes, and at every one about the end of a record.
    """
    content = path.read_bytes()
    ends = ends_of_records(content)
    assert ends[-1] == len(content) < SHORT
    whole = read(str(path))
    end_of = dict(pairwise(ends))
    last_bytes = [end_of[offset] for offset in in_order(whole).offsets.tolist()]
    cut = scratch / "cut"
    cuts = {
        *range(1, len(content), every),
        *(end + by for end in ends for by in AROUND),
    }
    for n_bytes in sorted(cuts.intersection(range(1, len(content)))):
        cut.write_bytes(content[:n_bytes])
        table = read(str(cut))
        n_kept = bisect_right(last_bytes, n_bytes)
        assert contents(table, n_kept) == contents(whole, n_kept), n_bytes
        assert table.n_scalars == n_kept
        assert (table.unfinished is None) == (n_bytes in end_of), n_bytes
        assert not table.damage.errors


def contents(table: EventTable, n: int) -> list[object]:
    tags, *columns = in_order(table)
    return [tags[:n], *(column[:n].tobytes() for column in columns)]


@pytest.mark.parametrize("read", [read_plainly, read_events])
@pytest.mark.parametrize("name", FILES)
def test_a_cut_leaves_whole_records(
    tmp_path: Path, name: str, read: Callable[[str], EventTable]
) -> None:
    check_every_cut(FILES[name](tmp_path / "whole"), tmp_path, read)


@pytest.mark.no_cover
@pytest.mark.slow
@pytest.mark.parametrize("path", REAL, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_cut_of_a_real_file_leaves_whole_records(tmp_path: Path, path: Path) -> None:
    check_every_cut(path, tmp_path, read_events, every=11)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_run_is_shorter_and_noted_or_refused(tmp_path: Path, name: str) -> None:
    path = FILES[name](tmp_path)
    content = path.read_bytes()
    ends = ends_of_records(content)
    (whole,) = TensorBoardReader(ReadOptions()).read(str(path))
    for n_bytes in range(1, len(content)):
        path.write_bytes(content[:n_bytes])
        try:
            (run,) = TensorBoardReader(ReadOptions()).read(str(path))
        except LogError:
            # nothing of an epoch is there yet
            assert b"epoch_" not in content[: max(e for e in ends if e <= n_bytes)]
            continue
        for series_name, series in run.series.items():
            known = series.recorded.nonzero()[0]
            expected = whole.series[series_name].values[known]
            assert series.values[known].tolist() == expected.tolist()
        cut_note = any("as far as it is whole" in note for note in run.notes)
        assert cut_note == (n_bytes not in ends)
