"""A CSV that is cut at any byte is its beginning, or an error.

A last row that may be cut in its last number is noted; nothing else is another value.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cbreplay import CbreplayError
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.csv_logger import CsvLoggerReader
from tests.conftest import ROOT, corpus_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from cbreplay import Run, Series

SAMPLES = [
    "overfit.csv",
    "digits-mlp-plateau/logs.csv",
    "digits-mlp-every-second/logs.csv",
    "diabetes-nan/logs.csv",
    "digits-cnn-resumed/logs.csv",
]
ROUNDED = [f"{i},{1 / (i + 1):.4f},{1 / (i + 2):.4f}" for i in range(20)]
PRECISE = [f"{i},{1 / (i + 1)!r},{1 / (i + 2)!r}" for i in range(20)]
SINGLE = [
    f"{i},{struct.unpack('f', struct.pack('f', 1 / (i + 1.5)))[0]!r}" for i in range(20)
]
RATES = ["0.001"] * 8 + ["0.0005"] * 4 + ["1e-05"] * 3
RATED = [f"{i},{1 / (i + 1)!r},{rate}" for i, rate in enumerate(RATES)]
TWICE = [*PRECISE[:5], *PRECISE[:12]]
HEADER = "epoch,loss,val_loss"
MADE = {
    "rounded-lf": "\n".join([HEADER, *ROUNDED, ""]),
    "precise-lf": "\n".join([HEADER, *PRECISE, ""]),
    "single-lf": "\n".join(["epoch,loss", *SINGLE, ""]),
    "rated-lf": "\n".join(["epoch,loss,lr", *RATED, ""]),
    "restarted-crcrlf": "\r\r\n".join([HEADER, *TWICE, ""]),
    "cr": "\r".join([HEADER, *PRECISE[:12], ""]),
    "commas-semicolons": "\n".join(
        row.replace(",", ";").replace(".", ",") for row in [HEADER, *ROUNDED, ""]
    ),
    "quoted": "\n".join(
        '"' + row.replace(",", '","') + '"' for row in [HEADER, *PRECISE[:12]]
    )
    + "\n",
    "lists": 'epoch,loss,f1\n0,0.5,"""[0.1, 0.2]"""\n1,0.25,"""[0.3, 0.4]"""\n',
    "epoch-last": "\n".join(
        ["loss,epoch", *(f"{1 / (i + 1)!r},{i}" for i in range(13)), ""]
    ),
    "pandas": "\n".join([",loss,val_loss", *PRECISE[:12], ""]),
    "spaced": "\n".join([HEADER, *ROUNDED, ""]).replace(",", "  "),
    "titled": "\n".join(["sep=,", "a title", HEADER, *PRECISE[:8], ""]),
    "twice": "".join(f"{row},{row}\n" for row in [HEADER, *PRECISE[:8]]),
}


def contents() -> Iterator[tuple[str, bytes]]:
    for name in SAMPLES:
        lines = (ROOT / "sample_logs" / name).read_bytes().splitlines(keepends=True)
        yield name, b"".join(lines[:14])
    for name, text in MADE.items():
        yield name, text.encode()
    yield "utf-16", MADE["rounded-lf"][:300].encode("utf-16")


def read(content: bytes, errors: Literal["strict", "skip"]) -> list[Run] | None:
    try:
        reader = CsvLoggerReader(ReadOptions(errors=errors))
        return list(reader.read_content(content, "logs.csv"))
    except CbreplayError:
        return None


def check_every_cut(content: bytes) -> None:
    whole = read(content, "skip")
    assert whole is not None
    for length in range(len(content)):
        for errors in ("strict", "skip"):
            runs = read(content[:length], errors)
            doubted = "may be cut in its last number"
            if runs and any(doubted in note for note in runs[-1].notes):
                runs[-1:] = without_last_row(runs[-1])
            check_beginning(runs or [], whole, length)
            # a line end of UTF-16 is two bytes, and no row ends between two of them
            between = content[:length].rstrip(b"\0").endswith((b"\n", b"\r"))
            noted = not runs or between or len(runs[-1].notes) > 0
            assert noted, (length, errors)


def without_last_row(run: Run) -> list[Run]:
    """Leave out the row that a note doubts, and a run of no other."""
    if run.n_epochs == 1:
        return []
    kept = slice(run.n_epochs - 1)
    rate = run.learning_rate
    shorter = replace(
        run,
        series={name: series.take(kept) for name, series in run.series.items()},
        learning_rate=None if rate is None else rate.take(kept),
        other_learning_rate=None,
        epoch_seconds=None,
    )
    return [shorter]


def check_beginning(runs: list[Run], whole: list[Run], length: int) -> None:
    for part, run in zip(runs, whole, strict=False):
        assert part.first_epoch == run.first_epoch, length
        for name in part.series.keys() & run.series.keys():
            check_values(part.series[name], run.series[name], (name, length))
        if part.learning_rate is not None and run.learning_rate is not None:
            check_values(part.learning_rate, run.learning_rate, ("rate", length))


def check_values(part: Series, whole: Series, place: object) -> None:
    there = part.recorded
    assert whole.recorded[: len(part)][there].all(), place
    left, right = part.values[there], whole.values[: len(part)][there]
    assert left.tobytes() == right.tobytes(), place


@pytest.mark.parametrize(("name", "content"), list(contents()))
def test_a_csv_cut_at_any_byte_is_its_beginning_or_an_error(
    name: str, content: bytes
) -> None:
    assert name
    check_every_cut(content)


def corpus_csvs() -> list[str]:
    """Return small CSVs of other projects, each of another kind."""
    root = corpus_root()
    found = [] if root is None else sorted(root.glob("csv/*/**/*.csv"))
    small = [path for path in found if path.stat().st_size < 5000]
    return [str(path.relative_to(root or path)) for path in small[::2]][:10] or ["none"]


@pytest.mark.slow
@pytest.mark.parametrize("name", corpus_csvs())
def test_a_csv_of_another_project_cut_at_any_byte(name: str) -> None:
    root = corpus_root()
    if root is None:
        pytest.skip(
            "CBREPLAY_CORPUS names no directory with the logs of other projects"
        )
    check_every_cut((root / name).read_bytes())
