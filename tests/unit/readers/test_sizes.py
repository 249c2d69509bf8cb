from __future__ import annotations

import gzip
import inspect
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs
from cbreplay.cli.question import Question
from cbreplay.distributed import sweep_logs
from cbreplay.errors import ConfigError, LogError
from cbreplay.readers.base import ReadOptions
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = "epoch,loss,val_loss\n"
ROWS = HEADER + "".join(f"{epoch},{1 / (1 + epoch)},0.5\n" for epoch in range(5))


def wide_csv(n_columns: int) -> str:
    names = ",".join(f"m{number}" for number in range(n_columns - 1))
    return f"epoch,{names}\n0{',1' * (n_columns - 1)}\n1{',1' * (n_columns - 1)}\n"


def write_sparse(path: Path, beginning: bytes) -> Path:
    """Write a file that says it is of 8 GB and takes a few KiB."""
    with path.open("wb") as file:
        file.write(beginning)
        file.truncate(1 << 33)
    return path


def write_bomb(path: Path, beginning: bytes, piece: bytes, n_pieces: int) -> Path:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(beginning)
        for _ in range(n_pieces):
            file.write(piece)
    return path


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def write_points(
    folder: Path, n_points: int, point: Callable[[int], tuple[int, str]]
) -> Path:
    """Write an event file with a value at each step and tag that a point names."""
    points = map(point, range(n_points))
    name = "train/events.out.tfevents.1700000000.host.1.0.v2"
    write_events(folder / name, ((1.0, step, tag, 0.5) for step, tag in points))
    return folder


def write_logs(folder: Path, n_logs: int, n_trainings: int) -> Path:
    """Write logs whose trainings all differ."""
    for log in range(n_logs):
        values = range(log * n_trainings, (log + 1) * n_trainings)
        rows = "".join(f"0,{value},1\n1,{value}.5,2\n" for value in values)
        write(folder / f"{log}.csv", HEADER + rows)
    return folder


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "a sparse CSV": (
        lambda folder: write_sparse(folder / "a.csv", HEADER.encode() + b"0,1,1\n"),
        (
            "it holds more than 256 MiB. If it is a log, raise the limit: "
            "--max-size 9GB or max_bytes=9_000_000_000"
        ),
    ),
    "a sparse JSON": (
        lambda folder: write_sparse(folder / "a.json", b'{"loss": [1, 2]'),
        "it holds more than 256 MiB",
    ),
    "a gzip of rows": (
        lambda folder: write_bomb(
            folder / "a.csv.gz", ROWS.encode(), b"9,1,1\n" * (1 << 18), 180
        ),
        "it holds more than 256 MiB. If it is a log, raise the limit: --max-size",
    ),
    "a gzip of blank lines": (
        lambda folder: write_bomb(
            folder / "a.csv.gz", ROWS.encode(), b"\n" * (1 << 20), 270
        ),
        "it holds more than 256 MiB",
    ),
    "a gzip of JSON": (
        lambda folder: write_bomb(
            folder / "a.json.gz", b'{"loss": [1', b",1" * (1 << 19), 270
        ),
        "it holds more than 256 MiB",
    ),
    "columns": (
        lambda folder: write(folder / "a.csv", wide_csv(30_000)),
        (
            "it has 30,000 columns, more than 26,214. Leave out what is no metric, or "
            "raise the limit: --max-size 308MB or max_bytes=308_000_000"
        ),
    ),
    "lists of JSON": (
        lambda folder: write(
            folder / "a.json", {"loss": [1], **{f"m{i}": [1] for i in range(30_000)}}
        ),
        "it has 30,001 columns",
    ),
    "keys of JSON": (
        lambda folder: write(
            folder / "a.json",
            [{"epoch": i, "loss": 1, f"m{i}": 1} for i in range(30_000)],
        ),
        "it has 30,002 columns",
    ),
    "cells that are not there": (
        lambda folder: write(
            folder / "a.json",
            [{"epoch": i, "loss": 1, f"m{i}": 1} for i in range(5_000)],
        ),
        # 5,000 rows of 5,002 columns, with three values each
        "its 5,000 rows name 5,002 columns between them: 24,995,000 values are missing",
    ),
    "trainings": (
        lambda folder: write(
            folder / "a.csv",
            HEADER + "".join(f"0,{i},1\n1,{i},2\n" for i in range(20_000)),
        ),
        "its header stands once more, 19,999 times: more than 6,553 trainings",
    ),
    "a gap": (
        lambda folder: write(folder / "a.csv", f"{HEADER}0,1,1\n1,1,1\n900000,1,1\n"),
        "the epochs run from 0 to 900000 in 3 rows: 900,001 epochs, more than 65,536",
    ),
    "gaps of many series": (
        lambda folder: write(
            folder / "a.json",
            [{"epoch": at, **{f"m{i}": 1 for i in range(140)}} for at in (0, 65_000)],
        ),
        # 64,999 epochs without a row, in 140 series and as epochs
        "the epochs run from 0 to 65000 in 2 rows: 9,164,859 values are missing",
    ),
    "logs": (
        lambda folder: write_logs(folder, 11_000, 1),
        "11,000 logs lie here, more than 6,553. Ask about fewer at once, or raise",
    ),
    "trainings in several logs": (
        lambda folder: write_logs(folder, 4, 3_000),
        "9,000 logs lie here, more than 6,553",
    ),
    "runs of MLflow": (
        lambda folder: write(
            folder / "a.json",
            [
                {"run_id": f"r{i // 2}", "key": "loss", "value": i, "step": i % 2}
                for i in range(22_000)
            ],
        ),
        "11,000 logs lie here, more than 6,553",
    ),
    "rows of a CSV": (
        lambda folder: write_bomb(
            folder / "a.csv.gz", HEADER.encode(), b"0,1,1\n" * (1 << 18), 5
        ),
        "it has more than 838,860 rows. Leave out what is no epoch, or raise",
    ),
    "lines without a cell": (
        lambda folder: write_bomb(
            folder / "a.csv.gz", ROWS.encode(), b",\n" * (1 << 19), 3
        ),
        "it has more than 838,860 rows",
    ),
    "lines of JSON": (
        lambda folder: write_bomb(
            folder / "a.jsonl.gz", b'{"loss": 1}\n', b"{}\n" * (1 << 19), 3
        ),
        "it has more than 838,860 rows",
    ),
    "long lists": (
        lambda folder: write(folder / "a.json", {"loss": [1] * 300_000}),
        "its lists are long: 300,000 epochs, more than 65,536",
    ),
    "tags of event files": (
        lambda folder: write_points(folder, 30_000, lambda at: (0, f"epoch_m{at}")),
        "it has 30,000 columns",
    ),
    "tags of any tool": (
        lambda folder: write_points(folder, 30_000, lambda at: (0, f"m{at}")),
        "it has 30,000 columns",
    ),
    "tags at other steps": (
        lambda folder: write_points(folder, 5_000, lambda at: (at, f"epoch_m{at}")),
        (
            "its 5,000 series stand at 5,000 steps between them: 24,995,000 values "
            "are missing"
        ),
    ),
    "steps that go back": (
        lambda folder: write_points(
            folder, 20_000, lambda at: (20_000 - at, "epoch_loss")
        ),
        "times: more than 6,553 trainings",
    ),
}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_more_than_the_limit_is_refused_with_the_option_that_raises_it(
    name: str, tmp_path: Path
) -> None:
    make, sentence = REFUSED[name]
    with pytest.raises(LogError) as caught:
        load_runs(make(tmp_path))
    assert sentence in caught.value.sentence
    assert "--max-size" in caught.value.hint
    assert "max_bytes=" in caught.value.hint


def test_the_limit_that_the_sentence_names_is_enough(tmp_path: Path) -> None:
    log = write(tmp_path / "a.csv", wide_csv(26_500))
    with pytest.raises(LogError, match="raise the limit: max_bytes=272_000_000"):
        load_runs(log)
    (run,) = load_runs(log, max_bytes=272_000_000)
    assert len(run.series) == 26_499


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_just_the_limit_is_read(tmp_path: Path, *, packed: bool) -> None:
    content = (HEADER + "".join(f"{i},1,{i}\n" for i in range(20_000))).encode()
    log = tmp_path / "a.csv"
    log.write_bytes(gzip.compress(content) if packed else content)
    (run,) = load_runs(log, max_bytes=len(content))
    assert run.horizon == 19_999
    with pytest.raises(LogError, match="more than"):
        load_runs(log, max_bytes=len(content) - 1)


@pytest.mark.no_cover
@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("kind", ["csv", "json", "events"])
def test_gzip_files_hold_no_more_together_than_one_may(
    tmp_path: Path, kind: str, *, several: bool
) -> None:
    logs = [write_packed(tmp_path / str(log), log, kind) for log in range(5)]
    sources = logs if several else [tmp_path]
    # a log of 3,000 epochs has over 60 kB
    assert len(load_runs(*sources, max_bytes=2_000_000)) == 5
    assert max(log.stat().st_size for log in logs) < 40_000
    sentence = "the gzip files here hold more than 200 kB together. Ask about fewer"
    with pytest.raises(LogError, match=sentence) as caught:
        load_runs(*sources, max_bytes=200_000)
    assert "--max-size" in caught.value.hint
    # what is looked at, or asked about before, is not counted
    assert load_runs(logs[0], max_bytes=200_000)


def write_packed(folder: Path, number: int, kind: str) -> Path:
    """Write a log of 3,000 epochs, packed."""
    folder.mkdir()
    losses = [1 + (epoch * (number + 3) % 7) / 1e5 for epoch in range(3_000)]
    if kind == "events":
        name = "events.out.tfevents.1700000000.host.1.0.v2"
        points = ((1.0, step, "epoch_loss", loss) for step, loss in enumerate(losses))
        log = write_events(folder / name, points, "simple_value")
    elif kind == "json":
        # a list of its own tells it apart: 20 letters an epoch
        named = {"loss": losses, "val_loss": [loss + 1e-9 for loss in losses]}
        log = write(folder / "log.json", named)
    else:
        rows = (f"{epoch},{loss},{loss}\n" for epoch, loss in enumerate(losses))
        log = write(folder / "log.csv", HEADER + "".join(rows))
    log.write_bytes(gzip.compress(log.read_bytes(), 9))
    return log


def test_a_pipe_is_read_up_to_the_limit() -> None:
    reading, writing = os.pipe()
    os.write(writing, ROWS.encode())
    os.close(writing)
    try:
        with pytest.raises(LogError, match="more than 50 bytes"):
            load_runs(f"/dev/fd/{reading}", max_bytes=50)
    finally:
        os.close(reading)


def test_a_run_json_takes_a_64th(tmp_path: Path) -> None:
    write(tmp_path / "logs.csv", ROWS)
    write(tmp_path / "run.json", {"schema": 1, "experiment": "x" * 5_000_000})
    (run,) = load_runs(tmp_path)
    assert any("it holds more than 4 MiB" in note for note in run.notes)
    assert run.metadata is None
    (run,) = load_runs(tmp_path, max_bytes=400_000_000)
    assert run.metadata is not None


def test_beside_others_a_file_that_is_too_large_is_left_out_with_a_note(
    tmp_path: Path,
) -> None:
    write(tmp_path / "a.csv", ROWS)
    write_sparse(tmp_path / "b.csv", HEADER.encode() + b"0,1,1\n" * 1000)
    (run,) = load_runs(tmp_path)
    assert any("--max-size 9GB" in note for note in run.notes)


def test_one_default_stands_everywhere() -> None:
    usual = ReadOptions().max_bytes
    assert usual == 256 * 1024**2 == Question().reading.max_bytes
    for function in (load_runs, sweep_logs):
        assert inspect.signature(function).parameters["max_bytes"].default == usual


def test_a_limit_is_a_number_of_bytes() -> None:
    with pytest.raises(ConfigError, match="max_bytes"):
        load_runs({"loss": [1]}, max_bytes=0)


# each is of some megabytes, and none of more than the limit
READ: dict[str, Callable[[Path], Path]] = {
    "blank lines": lambda folder: write(
        folder / "a.csv", ROWS + "\n" * 800_000 + "5,1,1\n"
    ),
    "comments": lambda folder: write(
        folder / "a.csv", ROWS + "# none\n" * 500_000 + "5,1,1\n"
    ),
    "comments above": lambda folder: write(
        folder / "a.csv", "# none\n" * 500_000 + ROWS
    ),
    "columns": lambda folder: write(folder / "a.csv", wide_csv(26_000)),
    "epochs": lambda folder: write(
        folder / "a.csv", HEADER + "".join(f"{i},1,{i}\n" for i in range(65_000))
    ),
    "a gap": lambda folder: write(folder / "a.csv", f"{HEADER}0,1,1\n65000,1,1\n"),
    "lists": lambda folder: write(
        folder / "a.json", {"loss": [0.5] * 65_000, "val_loss": [1] * 65_000}
    ),
    "fits that resumed each other": lambda folder: write(
        folder / "a.csv",
        "".join(f"{HEADER}{i},{i},1\n" for i in range(6_500)),
    ),
}
MEASURED = """
import sys
import numpy, cbreplay, cbreplay.readers.csv_logger
def peak():
    # not ru_maxrss, which begins with what the process that starts this one has
    with open("/proc/self/status") as file:
        (taken,) = [line.split()[1] for line in file if line.startswith("VmHWM")]
    return int(taken) * 1024
before = peak()
(run,) = cbreplay.load_runs(sys.argv[1])
print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory, as Linux tells it")
@pytest.mark.parametrize("name", READ)
def test_memory_stays_in_proportion_to_what_is_there(name: str, tmp_path: Path) -> None:
    log = READ[name](tmp_path)
    found = subprocess.run(  # noqa: S603 - this Python, and text of ours
        [sys.executable, "-c", MEASURED, str(log)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) <= 10 * log.stat().st_size + 200_000_000
