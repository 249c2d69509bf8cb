"""What a file is: tables on their side, phases, and what is no log of a training."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import LogError, Run, load_runs

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, content: str | bytes, name: str = "log.csv") -> Run:
    log = path / name
    log.write_bytes(content.encode() if isinstance(content, str) else content)
    (run,) = load_runs(log)
    return run


def refusal(path: Path, content: str | bytes, name: str = "log.csv") -> str:
    log = path / name
    log.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(LogError) as caught:
        load_runs(log)
    assert caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        # as pandas writes a history that was turned
        (",0,1,2\nloss,.9,.7,.6\nval_loss,.8,.5,.75\n", 0),
        ("epoch,0,1,2\nloss,.9,.7,.6\nval_loss,.8,.5,.75\n", 0),
        ("epoch,1,2,3\nloss,.9,.7,.6\nval_loss,.8,.5,.75\n", 0),
        ("epoch,5,6,7\nloss,.9,.7,.6\nval_loss,.8,.5,.75\n", 5),
        ("metric;1;2;3\nloss;.9;.7;.6\nval_loss;.8;.5;.75\n", 0),
        ("Metric,Epoch 1,Epoch 2,Epoch 3\nloss,.9,.7,.6\nval_loss,.8,.5,.75\n", 0),
        ("name,epoch_0,epoch_1,epoch_2\nloss,.9,.7,.6\nval_loss,.8,.5,.75\n", 0),
        # without a header, each name before its values
        ("loss,.9,.7,.6\nval_loss,.8,.5,.75\n", 0),
    ],
)
def test_a_table_on_its_side_is_read_by_its_rows(
    tmp_path: Path, text: str, first: int
) -> None:
    run = read(tmp_path, text)
    assert list(run.series) == ["loss", "val_loss"]
    assert list(run.series["val_loss"]) == [0.8, 0.5, 0.75]
    assert run.first_epoch == first
    assert any("the table stands on its side" in note for note in run.notes)
    (found,) = load_runs(tmp_path)
    assert found.n_epochs == 3


def test_a_table_on_its_side_may_have_holes(tmp_path: Path) -> None:
    run = read(tmp_path, ",0,1,2\nloss,.9,.7,.6\nval_loss,.8,,.75\n")
    assert list(run.series["val_loss"]) == [0.8, None, 0.75]
    said = refusal(tmp_path, ",0,1,2\nloss,.9,x,.6\nval_loss,.8,.5,.7\n")
    assert "column 2: 'x' under loss is not a number" in said


def test_columns_called_by_numbers_are_columns(tmp_path: Path) -> None:
    run = read(tmp_path, ",0,1\n0,.9,.8\n1,.7,.5\n")
    assert list(run.series) == ["0", "1"]


PHASES = [(1, "warmup"), (2, "warmup"), (3, "full"), (4, "full")]


def phased(rows: list[tuple[int, str]], name: str = "phase") -> str:
    lines = [
        f"{epoch},{phase},{1 / (at + 1)}\n" for at, (epoch, phase) in enumerate(rows)
    ]
    return f"epoch,{name},val_loss\n" + "".join(lines)


def test_phases_of_one_training_are_one_run(tmp_path: Path) -> None:
    run = read(tmp_path, phased(PHASES))
    assert (run.first_epoch, run.horizon) == (0, 3)
    assert "column phase names phases: warmup, full" in run.notes


def test_phases_that_each_count_their_own_are_trainings(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(phased([(1, "warmup"), (2, "warmup"), (1, "full"), (2, "full")]))
    assert [run.n_epochs for run in load_runs(log)] == [2, 2]


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([(1, "train"), (1, "val"), (2, "train"), (2, "val")], "phase"),
        ([(1, "train"), (2, "train"), (1, "val"), (2, "val")], "phase"),
        ([(1, "loss"), (2, "loss"), (1, "acc"), (2, "acc")], "metric"),
    ],
)
def test_rows_of_several_kinds_are_refused(
    tmp_path: Path, rows: list[tuple[int, str]], name: str
) -> None:
    assert "its rows are of several kinds" in refusal(tmp_path, phased(rows, name))


def test_a_step_that_counts_the_rows_is_the_epoch(tmp_path: Path) -> None:
    run = read(tmp_path, "step,loss\n1,.9\n2,.7\n3,.6\n")
    assert (list(run.series), run.first_epoch, run.horizon) == (["loss"], 0, 2)
    assert any("step, which counts the rows, was taken" in note for note in run.notes)
    other = read(tmp_path, "step,loss\n10,.9\n20,.7\n30,.6\n")
    assert list(other.series) == ["loss"]
    assert "left out step: it counts steps" in other.notes


@pytest.mark.parametrize("names", ["epoch,step,loss", "epoch,loss,step", "epoch,loss"])
@pytest.mark.parametrize("steps", [(1, 2, 3), (10, 20, 30)])
def test_a_column_of_epochs_without_one_is_as_good_as_none(
    tmp_path: Path, names: str, steps: tuple[int, ...]
) -> None:
    cells = [
        {"epoch": "", "step": str(step), "loss": loss}
        for step, loss in zip(steps, (".9", ".7", ".6"), strict=True)
    ]
    rows = [",".join(row[name] for name in names.split(",")) for row in cells]
    run = read(tmp_path, "\n".join([names, *rows, ""]))
    assert list(run.series) == ["loss"]
    assert run.series["loss"].values.tolist() == [0.9, 0.7, 0.6]
    assert run.notes[0] == "left out epoch: no row has one"
    assert not any("there is no epoch column" in note for note in run.notes)


MODELS = [
    {"name": "SVM", "accuracy": 0.9, "f1_loss": 0.8},
    {"name": "Forest", "accuracy": 0.8, "f1_loss": 0.7},
]


@pytest.mark.parametrize(
    ("name", "held", "sentence"),
    [
        ("models.json", MODELS, "its rows are no epochs: name is 'SVM' and 'Forest'"),
        (
            "models.json",
            {"name": ["SVM", "Forest"], "loss": [0.9, 0.8]},
            "its lists are no epochs: name is 'SVM' and 'Forest'",
        ),
        (
            "eval_metrics.json",
            {"eval_loss": 0.5, "eval_accuracy": 0.9, "epoch": 3.0},
            "this is what one evaluation or training came to",
        ),
        (
            "all_results.json",
            {"epoch": 3.0, "train_loss": 0.5, "train_runtime": 9.0},
            "this is what one evaluation or training came to",
        ),
        (
            "catboost_training.json",
            {"meta": {}, "iterations": [{"learn": [0.5], "iteration": 0}]},
            "this is CatBoost's own log",
        ),
    ],
)
def test_summaries_and_tables_of_models_are_no_runs(
    tmp_path: Path, name: str, held: Any, sentence: str
) -> None:
    assert sentence in refusal(tmp_path, json.dumps(held), name)
    # beside a log they are passed by
    (tmp_path / "logs.csv").write_text("epoch,loss\n0,1\n1,.5\n")
    (run,) = load_runs(tmp_path)
    assert run.n_epochs == 2


def test_a_table_of_models_is_no_run_as_csv_either(tmp_path: Path) -> None:
    said = refusal(tmp_path, "model,loss,accuracy\nSVM,.5,.9\nForest,.4,.8\n")
    assert "its rows are no epochs: model is 'SVM' and 'Forest'" in said


def test_one_logged_epoch_is_a_run(tmp_path: Path) -> None:
    row = {"epoch": 0, "loss": 0.5, "val_loss": 0.4}
    assert read(tmp_path, json.dumps(row), "log.jsonl").n_epochs == 1


def test_rows_under_their_epochs_are_read(tmp_path: Path) -> None:
    held = {"1": {"loss": 0.9, "val_loss": 0.8}, "2": {"loss": 0.7, "val_loss": 0.5}}
    run = read(tmp_path, json.dumps(held), "log.json")
    assert (run.first_epoch, list(run.series["val_loss"])) == (0, [0.8, 0.5])


def test_lists_under_their_data_sets_are_read(tmp_path: Path) -> None:
    held = {"train": {"loss": [0.9, 0.7]}, "val": {"loss": [0.8, 0.5]}, "lr": [1, 1]}
    run = read(tmp_path, json.dumps(held), "log.json")
    assert list(run.series) == ["loss", "val_loss"]
    assert list(run.series["val_loss"]) == [0.8, 0.5]


def test_rows_that_say_when_they_were_written_may_be_epochs(tmp_path: Path) -> None:
    rows = "2024-01-01 10:00,.9\n2024-01-01 10:01,.7\n"
    run = read(tmp_path, "timestamp,loss\n" + rows)
    assert list(run.series["loss"]) == [0.9, 0.7]


def zipped(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


def tarred(name: str) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    return held.getvalue()


def saved(array: Any) -> bytes:
    held = io.BytesIO()
    np.save(held, array, allow_pickle=True)
    return held.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "a workbook of Excel"),
        (zipped("loss.npy"), "an archive of numpy's arrays"),
        (zipped("metadata.json", "config.json"), "a saved model"),
        (zipped("logs.csv"), "this is a zip archive. Unpack it"),
        (tarred("logs.csv"), "this is a tar archive. Unpack it"),
        (gzip.compress(tarred("logs.csv"), mtime=0), "this is a tar archive"),
        ("<!DOCTYPE HTML>\n<p>logs.csv\n", "this is a web page. Give the log that"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "an HDF5 file"),
        (b"PAR1" + bytes(50), "a Parquet table"),
        (saved(np.ones((4, 500))), "of the shape (4, 500) and without names"),
        (saved(np.array({"loss": [0.5]}, dtype=object)), "this is a pickle"),
        ("{'loss': [0.5, 0.25]}", "this is how Python prints a dict"),
        ("2025-06-04 17:36:55,37 - cpu\n2025-06-04 17:36:56,38 - x\n", "free text"),
        ("Epoch 1: loss .5\nEpoch 2: loss .4\n", "this is free text"),
    ],
)
def test_what_is_no_log_is_called_by_its_name(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    assert sentence in refusal(tmp_path, content, "history.log")


PROSE = {
    "README.md": (
        "# title\n\n[![Build](https://x)](https://x)\nWe train, and then,\n"
        "of 30 epochs, 7, keep the best.\n\n| model | acc |\n|---|---|\n| a | .5 |\n\n"
        'Its "own" score, said \'so\', is "own",\nand one (1, 2) more.\n'
    ),
    "link.md": "[![Build](https://x)](https://x)\n\nIt trains, 3 times.\n",
    "page.rst": (
        "Title\n=====\n\n.. code-block:: python\n\n"
        '   x = [1, 2, 3]\n   y = "a", 5\n\nEpoch\n-----\nIt, 3, is.\n'
    ),
    "LICENSE": (
        "Copyright 2015, Somebody, 3\nAll rights reserved.\n\n"
        "1. Redistributions, 2, of source\n"
        '2. Provided "AS IS", and ANY "EXPRESS OR\n'
    ),
    "trace.txt": (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 12, in <module>\n    fit(x, 3, "a"b)\n'
        "ValueError: shapes (3, 4) and (5,)\n"
    ),
    "stdout.txt": "[1,  2000] loss: 2.173\n[1,  4000] loss: 1.853\nFinished\n",
    "train.log": "[2026-11-26 10:00:00] INFO start\n[2026-11-26 10:00:01] loss .5\n",
    "info.log": "[INFO] start\n[INFO] epoch 1, loss .5\n",
    "settings.ini": "[training]\nrate = 0.1\n",
    "settings.yaml": "rate: 0.1\nsizes: [1, 2]\nname: a, 5\n",
    "train.sh": '#!/bin/sh\nset -e\npython train.py 0.1, 3\necho "a" b\n',
    "letter.txt": "Dear all,\nthe results are in, 5, and fine.\nRegards\n",
    "word.txt": "it has finished\n",
}


@pytest.mark.parametrize("name", PROSE)
def test_what_is_written_for_people_is_free_text(tmp_path: Path, name: str) -> None:
    said = refusal(tmp_path, PROSE[name], name)
    assert said.endswith(
        f"{name}: this is free text and no table of numbers. Give a CSV with a row for "
        "each epoch, as Keras's CSVLogger('logs.csv') or the logger of another library "
        "writes it"
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        # damaged tables, and no sentences
        ("loss,val_loss\n0.5,0.25\n0.4\n", "line 3: 1 cell under 2 columns"),
        ("loss;acc\n0.5;0.25;0.1\n", "line 2: 3 cells under 2 columns"),
        (",0,1\nloss,.5,.4\nval_loss,.5,.4,.3\n", "line 3: 4 cells under 3 columns"),
        ("[0.5, oops]", "line 1: Expecting value"),
        ('[{"loss": 1}, {"loss": oops}]', "line 1: Expecting value"),
        ('{"loss": 1} x\n{"loss": 2}\n', "line 1: this line is not JSON"),
        # rows below no header
        ("Epoch 0, 0.5, 0.6\nEpoch 1, 0.4, 0.5\n", "there is no epoch column"),
        ("# a title\n", "only blank lines and comments"),
    ],
)
def test_what_is_damaged_is_no_free_text(
    tmp_path: Path, content: str, sentence: str
) -> None:
    assert sentence in refusal(tmp_path, content, "history.log")
