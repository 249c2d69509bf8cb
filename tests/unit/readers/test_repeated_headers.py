"""Logs in which a header stands above the rows of each fit, perhaps numbered anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cbreplay import LogError, Run, load_runs
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.csv_logger import CsvLoggerReader

if TYPE_CHECKING:
    from pathlib import Path

# val_auc of three folds, two epochs each
FOLDS = [[0.5, 0.625], [0.75, 0.8125], [0.6875, 0.5625]]


def read(text: str, **options: str) -> list[Run]:
    reader = CsvLoggerReader(ReadOptions(**options))  # type: ignore[arg-type]  # literals
    return list(reader.read_content(text.encode(), "logs.csv"))


def appended(names: list[str], folds: list[list[float]]) -> str:
    """Return a table for each fold, one below the other, each under its own header."""
    lines = []
    for name, values in zip(names, folds, strict=True):
        lines.append(f"epoch,loss,{name}")
        lines += [f"{epoch},{value / 2},{value}" for epoch, value in enumerate(values)]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize(
    "names", [["", "_1", "_2"], ["_4", "_5", "_6"], ["", "_2", "_4"]]
)
def test_fits_whose_metric_keras_numbered_are_runs_of_one_metric(
    names: list[str],
) -> None:
    called = [f"val_auc{number}" for number in names]
    runs = read(appended(called, FOLDS))
    assert [list(run.series[called[0]]) for run in runs] == FOLDS
    (note,) = [note for note in runs[0].notes if "Keras numbers" in note]
    assert note == (
        f"read {called[1]} and {called[2]} as {called[0]}: Keras numbers the metrics "
        "of a second model, and a callback that watches the first one's name sees no "
        "value there"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # the k of a metric
        ("hits_5", "hits_10"),
        ("auc_1,auc_2", "auc_2,auc_3"),
        ("auc,acc", "acc_1,auc_1"),
        ("auc", "acc_1"),
        ("auc_2", "auc_1"),
    ],
)
def test_other_names_are_another_header(first: str, second: str) -> None:
    row = "0" + ",0.5" * (first.count(",") + 1)
    with pytest.raises(LogError, match="line 3: from here on another header holds"):
        read(f"epoch,{first}\n{row}\nepoch,{second}\n{row}\n")


@pytest.mark.parametrize(
    "names", [["val_auc"] * 3, ["val_auc", "val_auc_1", "val_auc_2"]]
)
def test_fits_of_one_epoch_below_a_header_each_are_trainings(names: list[str]) -> None:
    runs = read(appended(names, [fold[:1] for fold in FOLDS]))
    assert [list(run.series["val_auc"]) for run in runs] == [[0.5], [0.75], [0.6875]]
    # they may as well be one model that was fitted again and again
    assert "--parts rows" in runs[1].notes[-1]


def test_fits_of_one_epoch_below_a_header_each_are_one_training_as_given() -> None:
    text = appended(["val_auc"] * 3, [fold[:1] for fold in FOLDS])
    (run,) = read(text, parts="rows")
    assert list(run.series["val_auc"]) == [0.5, 0.75, 0.6875]


def test_one_row_that_stands_there_three_times_below_its_header_is_read_once() -> None:
    (run,) = read(appended(["val_auc"] * 3, [FOLDS[0][:1]] * 3))
    assert list(run.series["val_auc"]) == [0.5]
    assert any("its rows stand there 2 times more" in note for note in run.notes)


def test_rows_of_one_epoch_within_a_fit_are_doubtful_below_a_second_header_too() -> (
    None
):
    rows = "0,1\n0,2\n0,3\n"
    with pytest.raises(LogError, match="every row is epoch 0"):
        read(f"epoch,loss\n{rows}epoch,loss\n{rows}")


@pytest.mark.parametrize(
    ("names", "shared"),
    [
        (["auc_5", "auc_10"], False),
        (["auc_5", "auc_6"], True),
        (["auc", "auc_10"], True),
    ],
)
def test_names_that_differ_in_a_number_may_be_several_metrics_in_files_too(
    tmp_path: Path, names: list[str], *, shared: bool
) -> None:
    for name, values in zip(names, FOLDS, strict=False):
        (tmp_path / f"{name}.csv").write_text(appended([name], [values]))
    called = {name for run in load_runs(tmp_path) for name in run.series} - {"loss"}
    assert called == ({"auc"} if shared else {*names})


def test_a_header_that_pandas_read_as_a_row_is_none() -> None:
    """A log to which each fit appended its header was read and saved with an index."""
    lines = appended(["val_auc"] * 2, FOLDS[:2]).splitlines()
    numbered = [f"{at},{line}" for at, line in enumerate(lines[1:])]
    runs = read("\n".join([f",{lines[0]}", *numbered, ""]))
    assert [list(run.series["val_auc"]) for run in runs] == FOLDS[:2]


def test_headers_that_stand_again_are_listed() -> None:
    header = "epoch,loss\n"
    runs = read(f"{header}0,1\n1,2\n{header}0,3\n1,4\n{header}0,5\n1,6\n")
    assert "the header stands again above line 5, line 8" in runs[0].notes
