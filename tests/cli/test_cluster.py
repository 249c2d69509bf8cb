"""``simulate --scheduler``: real workers read and sweep the logs."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import distributed
import pytest

from tests.conftest import Ask, start_workers, table_lines, write_csv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with start_workers(1) as cluster:
        yield cluster.scheduler_address


def as_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.slow
def test_the_cells_are_those_of_the_answer_here(
    ask: Ask, tmp_path: Path, address: str
) -> None:
    for name, losses in {"a": [0.5, 0.4, 0.45, 0.5], "b": [0.9, 0.8, 0.7]}.items():
        (tmp_path / "runs" / name).mkdir(parents=True)
        write_csv(tmp_path / "runs" / name / "logs.csv", losses)
    (tmp_path / "runs" / "bad").mkdir()
    (tmp_path / "runs" / "bad" / "logs.csv").write_text("no,log\n")
    words: list[Any] = [
        "simulate",
        tmp_path / "runs",
        "--patience",
        "1,2",
        "--format",
        "csv",
    ]
    there = ask(*words, "--scheduler", address)
    assert there.status == 0, there.err
    assert "left out: " in there.err
    assert "bad" in there.err
    (tmp_path / "runs" / "bad" / "logs.csv").unlink()
    here = as_rows(ask(*words).out)
    asked = ("EarlyStopping.patience", "stopped_epoch", "kept_epoch", "evidence")
    cells = [[row[key] for key in asked] for row in as_rows(there.out)]
    assert cells == [[row[key] for key in asked] for row in here]
    # patience 1: [.5 .4 .45] stops at 2 and keeps 1; the second falls all the time
    assert cells[0] == ["1", "2", "1", "exact"]
    assert cells[2] == ["1", "", "2", "censored"]
    table = ask(*words[:-1], "markdown", "--scheduler", address).out
    titles, _, first, *_ = [line.split("|") for line in table_lines(table)]
    shown = {
        title.strip(): cell.strip() for title, cell in zip(titles, first, strict=True)
    }
    # people count from 1
    assert (shown["stopped epoch"], shown["kept epoch"]) == ("3", "2")
    screen = ask(*words[:-1], "table", "--scheduler", address).out
    assert screen.startswith("The logs decide 2 of 4 cells: 2 settings on 2 runs.")


def test_what_cannot_be_asked_of_a_cluster_is_refused(ask: Ask, tmp_path: Path) -> None:
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4])
    for words, message in (
        (["--scheduler", "tcp://127.0.0.1:1"], "Name some with -c or --patience"),
        (["--patience", "1", "--scheduler", "nowhere"], "no scheduler answers"),
        (
            ["--patience", "1", "--format", "json", "--scheduler", "tcp://127.0.0.1:1"],
            "Choose --format csv or parquet",
        ),
    ):
        answer = ask("simulate", log, *words)
        assert (answer.status, answer.out) == (2, "")
        assert message in answer.err


def write_script(path: Path) -> Path:
    """Write a training under one EarlyStopping of tf_keras; another goes to no fit."""
    path.write_text(
        "import tf_keras\n"
        "from tf_keras.callbacks import EarlyStopping\n"
        "unused = EarlyStopping(patience=9)\n"
        "model.fit(x, callbacks=[EarlyStopping(patience=1)])\n"
    )
    return path


def test_a_script_s_version_has_to_be_named_where_no_log_is_read(
    ask: Ask, tmp_path: Path
) -> None:
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4])
    script = write_script(tmp_path / "train.py")
    answer = ask(
        "simulate", log, "-c", f"@{script}", "--scheduler", "tcp://127.0.0.1:1"
    )
    assert (answer.status, answer.out) == (2, "")
    # the newest tf_keras that is known, as `lint` takes it for such a script
    assert "the script trains under tf_keras-2.21" in answer.err
    assert "--semantics tf_keras-2.21" in answer.err


@pytest.mark.slow
def test_what_a_script_does_not_tell_is_said_once(
    ask: Ask, tmp_path: Path, address: str
) -> None:
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4, 0.45, 0.5])
    script = write_script(tmp_path / "train.py")
    words = ("simulate", log, "-c", f"@{script}", "--semantics", "tf_keras-2.21")
    answer = ask(*words, "--format", "csv", "--scheduler", address)
    assert answer.status == 0, answer.err
    # [.5 .4 .45]: patience 1 stops in the third epoch, and restores nothing
    (row,) = as_rows(answer.out)
    assert (row["stopped_epoch"], row["kept_epoch"]) == ("2", "2")
    assert answer.err.count("goes to no fit that was read") == 1


@pytest.mark.parametrize(
    "error",
    [
        # LoopRunner.start asserts a loop that a busy machine has not begun in 10 s
        AssertionError(),
        RuntimeError("can't start new thread"),
        TimeoutError("timed out after 10 s"),
    ],
    ids=repr,
)
def test_a_client_that_cannot_begin_is_no_defect(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(distributed, "Client", fail)
    log = write_csv(tmp_path / "logs.csv", [0.5, 0.4, 0.45])
    options = ("--patience", "1", "--scheduler", "tcp://me:pw@h:1")
    answer = ask("simulate", log, *options)
    assert answer.status == 2
    assert "no scheduler answers" in answer.err
    assert "pw" not in answer.err
