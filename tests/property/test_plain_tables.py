"""The plain way and the careful way read each table to equal runs, notes, errors."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from cbreplay import CbreplayError, Run, Series, load_runs
from cbreplay.readers import formats
from cbreplay.readers.base import Damage, ReadOptions
from cbreplay.readers.columns import csv_table
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.readers.columns.table import LogTable

SHARED_PATH = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
PLAIN_LOGS = [
    "overfit.csv",
    "digits-mlp-plateau/logs.csv",
    "digits-cnn-resumed/logs.csv",
]
# each cell is read otherwise by somebody: a sign, an exponent, too large, no number
CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(0, 2, width=32).map(repr),
    st.integers(-3, 40).map(str),
    st.sampled_from(
        [
            "+1",
            ".5",
            "1.",
            "1e400",
            "-1e999",
            "1E-3",
            "",
            " 1",
            "e",
            "1_0",
            "NA",
            "nan",
            '"1"',
            "1,5",
            "--1",
            "1-2",
            "0x1",
            "inf",
            "-0.0",
            "1e",
            "tensor(0.5)",
            "٣",
        ]
    ),
)
NAMES = st.sampled_from(
    [
        "epoch",
        "Epoch",
        "epochs",
        "loss",
        "val_loss",
        "lr",
        "learning_rate",
        "LR",
        "acc",
        "nan",
        "inf",
        "NA",
        "",
        "a b",
        "step",
        "index",
        "0",
        "#",
        "loss",
        "x/y",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", "\r\r\n", "\r", "\n\n"])


@st.composite
def plain_logs(draw: st.DrawFn) -> bytes:
    """A table of numbers, whose epochs may restart, repeat, jump or be no epochs."""
    names = draw(
        st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True)
    )
    end = draw(st.sampled_from(["\n", "\r\n"]))
    epochs = draw(
        st.one_of(
            st.integers(1, 12).map(range),
            st.lists(st.integers(0, 6), min_size=1, max_size=12),
            st.lists(st.sampled_from([-1, 0.5, 1e17, 2, 3]), min_size=1, max_size=4),
        )
    )
    values = st.one_of(st.floats(0, 2, width=32), st.just(1e300))
    rows = [[epoch, *(draw(values) for _ in names)] for epoch in epochs]
    first = draw(st.sampled_from(["epoch", "Epoch", "step", "index", "loss"]))
    lines = [",".join([first, *names]), *(",".join(map(repr, row)) for row in rows)]
    return "".join(line + end for line in lines).encode()


@st.composite
def odd_logs(draw: st.DrawFn) -> bytes:
    """A table in which anything may be odd."""
    width = draw(st.integers(1, 4))
    names = draw(st.lists(NAMES, min_size=width, max_size=width))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))
    end = draw(ENDS)
    text = "".join(",".join(row) + end for row in [names, *rows])
    cut = draw(st.sampled_from([0, 0, 0, 1, 2]))
    return text[: len(text) - cut].encode()


@given(content=plain_logs())
@example(content=b"epoch,loss\n0,1\n1,2\n")
@SHARED_PATH
def test_a_table_of_numbers_is_read_alike_in_both_ways(
    content: bytes, tmp_path: Path
) -> None:
    assert read_at_once(content) is not None
    check(content, tmp_path)


@given(content=odd_logs())
@example(content=b"epoch,loss\n0,0.5\n1")
@example(content=b"epoch,loss\n0,1e400\n1,2\n")
@example(content=b"epoch,loss,loss\n0,1,1\n1,2,2\n")
@example(content=b"epoch,loss\r\n0,1\n1,2\r\n")
@example(content=b"loss,step,loss\n0.0,inf,0.0\n0.0,inf,0.0\n")
@SHARED_PATH
def test_an_odd_table_is_read_alike_in_both_ways(
    content: bytes, tmp_path: Path
) -> None:
    check(content, tmp_path)


@pytest.mark.parametrize("name", PLAIN_LOGS)
def test_what_keras_writes_is_plain(name: str) -> None:
    content = (ROOT / "sample_logs" / name).read_bytes()
    plain = read_at_once(content)
    assert plain is not None
    rows = [line.split(",") for line in content.decode().split("\r\n")[1:-1]]
    values = np.array([cells.values for cells in plain.columns.values()])
    assert values.T.tolist() == [list(map(float, row)) for row in rows]


def test_every_table_of_other_projects_is_read_alike_in_both_ways(corpus: Path) -> None:
    paths = [path for path in sorted(corpus.rglob("*")) if path.is_file()]
    tables = [path for path in paths if path.suffix in (".csv", ".log", ".tsv", ".txt")]
    n_plain = 0
    for path in tables:
        careful = carefully(path)
        assert told_of(path) == careful, path
        n_plain += read_at_once(path.read_bytes()) is not None
    assert 4 * n_plain > len(tables)


def read_at_once(content: bytes) -> LogTable | None:
    return csv_table.read_plain(content, "logs.csv", Damage(ReadOptions()))


def check(content: bytes, directory: Path) -> None:
    log = directory / "logs.csv"
    log.write_bytes(content)
    for source in (log, directory):
        careful = carefully(source)
        assert told_of(source) == careful


def carefully(source: Path) -> Any:
    """Read with the plain way closed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_table, "read_plain", lambda *_: None)
        patch.setattr(formats, "split_plain_names", lambda _: None)
        return told_of(source)


def told_of(source: Path) -> Any:
    """Return all that is known of the runs under a path, or the error."""
    try:
        return [told_of_run(run) for run in load_runs(source, errors="skip")]
    except CbreplayError as error:
        return type(error), str(error)


def told_of_run(run: Run) -> list[Any]:
    return [comparable(getattr(run, field.name)) for field in fields(run)]


def comparable(held: Any) -> Any:
    """Return a value that is equal to another if and only if all its bits are."""
    if isinstance(held, Series):
        values = held.values.dtype.str, held.values.tobytes()
        return *values, held.recorded.tobytes(), dict(held.others)
    if isinstance(held, np.ndarray):
        return held.dtype.str, held.tobytes()
    if hasattr(held, "items"):
        return [(name, comparable(own)) for name, own in held.items()]
    return held
