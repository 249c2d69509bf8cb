"""Logs with a row for each data set: what each row's values are called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import cbreplay
from cbreplay.errors import LogError

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay.run import Run

Row = dict[str, Any]
LOSS, VAL_LOSS = [0.9, 0.7, 0.5], [0.95, 0.75, 0.8]
TRAIN: list[Row] = [
    {"epoch": at, "split": "train", "loss": own, "lr": 0.1}
    for at, own in enumerate(LOSS, start=1)
]
VAL: list[Row] = [
    {"epoch": at, "split": "val", "loss": own, "lr": 0.1}
    for at, own in enumerate(VAL_LOSS, start=1)
]
TURNS = [row for pair in zip(TRAIN, VAL, strict=True) for row in pair]


def as_lines(path: Path, rows: list[Row]) -> Path:
    path = path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def as_csv(path: Path, rows: list[Row]) -> Path:
    path = path / "log.csv"
    header = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(str(row.get(name, "")) for name in header) for row in rows]
    path.write_text("\n".join([",".join(header), *lines, ""]))
    return path


def called(rows: list[Row], name: str, words: dict[str, str]) -> list[Row]:
    """Return the rows with another name for their column of data sets."""
    others = [{key: own for key, own in row.items() if key != "split"} for row in rows]
    return [
        {name: words[row["split"]], **other}
        for row, other in zip(rows, others, strict=True)
    ]


def values(run: Run, name: str) -> list[float]:
    found: list[float] = run.series[name].values.tolist()
    return found


@pytest.mark.parametrize("write", [as_lines, as_csv])
@pytest.mark.parametrize(
    "name", ["split", "phase", "mode", "set", "stage", "subset", "type"]
)
@pytest.mark.parametrize(
    "rows",
    [
        TURNS,
        TRAIN + VAL,
        VAL + TRAIN,
        [row for pair in zip(VAL, TRAIN, strict=True) for row in pair],
    ],
    ids=["turns", "blocks", "val-block-first", "val-first"],
)
def test_each_data_set_has_series_of_its_own(
    tmp_path: Path, write: Any, name: str, rows: list[Row]
) -> None:
    words = {"train": "Train", "val": "valid"}
    (run,) = cbreplay.load_runs(write(tmp_path, called(rows, name, words)))
    assert values(run, "loss") == LOSS
    assert values(run, "val_loss") == VAL_LOSS
    assert run.n_epochs == 3
    assert f"{name} says which data set a row is of" in " ".join(run.notes)


@pytest.mark.parametrize("write", [as_lines, as_csv])
def test_a_validation_that_was_not_reached_had_no_cell(
    tmp_path: Path, write: Any
) -> None:
    (run,) = cbreplay.load_runs(write(tmp_path, TURNS[:-1]))
    assert run.series["val_loss"].recorded.tolist() == [True, True, False]
    assert "val_loss" not in run.empty_cells


def test_many_rows_keep_their_data_sets(tmp_path: Path) -> None:
    rows = [
        {"epoch": at, "phase": word, "loss": at + half}
        for at in range(1200)
        for word, half in (("train", 0.5), ("val", 0.25))
    ]
    (run,) = cbreplay.load_runs(as_csv(tmp_path, rows))
    assert np.array_equal(run.series["val_loss"].values, np.arange(1200) + 0.25)


@pytest.mark.parametrize("write", [as_lines, as_csv])
def test_an_epoch_that_stands_again_may_be_a_resumed_fit(
    tmp_path: Path, write: Any
) -> None:
    more = [
        {"epoch": at, "split": word, "loss": at / 8}
        for at in (2, 3, 4, 5)
        for word in ("train", "val")
    ]
    rows = [{**row, "lr": 0.1} for row in more]
    path = write(tmp_path, [*TURNS[:4], *rows])
    (run,) = cbreplay.load_runs(path)
    assert run.written_again
    (joined,) = cbreplay.load_runs(path, parts="join")
    # the later rows of epoch 2 stand: 2 / 8
    assert values(joined, "val_loss") == [0.95, 0.25, 0.375, 0.5, 0.625]
    assert joined.seams == (1,)


def test_a_logged_nan_is_the_validation_s(tmp_path: Path) -> None:
    rows = [*TURNS[:3], {**TURNS[3], "loss": float("nan")}, *TURNS[4:]]
    (run,) = cbreplay.load_runs(as_lines(tmp_path, rows))
    assert np.isnan(run.series["val_loss"].values).tolist() == [False, True, False]
    assert run.series["val_loss"].recorded.all()


def test_a_second_training_below_is_another_run(tmp_path: Path) -> None:
    again = [{**row, "loss": row["loss"] / 2} for row in TURNS[:4]]
    first, second = cbreplay.load_runs(as_csv(tmp_path, TURNS + again))
    assert (first.n_epochs, second.n_epochs) == (3, 2)
    assert values(second, "val_loss") == [own / 2 for own in VAL_LOSS[:2]]


@pytest.mark.parametrize("write", [as_lines, as_csv])
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((TRAIN + VAL) * 2, "epoch does not tell which are of one training"),
        (
            [{"split": row["split"], "loss": row["loss"]} for row in TURNS],
            "nothing says which of them are of one epoch. Add a column epoch",
        ),
        (
            called(TURNS, "split", {"train": "fold1", "val": "fold2"}),
            "its rows are of several kinds: split is 'fold1' and 'fold2'",
        ),
        (
            called(TURNS, "split", {"train": "val", "val": "valid"}),
            "split is 'val' and 'valid', and val_loss may be either's",
        ),
    ],
    ids=["blocks-twice", "no-epoch", "folds", "one-data-set-twice"],
)
def test_what_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, write: Any, rows: list[Row], said: str
) -> None:
    with pytest.raises(LogError) as error:
        cbreplay.load_runs(write(tmp_path, rows))
    assert said in str(error.value)
    assert "x-axis" not in str(error.value)


def test_batches_in_rows_are_left_out_and_their_validation_is_read(
    tmp_path: Path,
) -> None:
    rows = [
        row
        for at, own in enumerate(VAL_LOSS, start=1)
        for row in (
            *({"epoch": at, "mode": "train", "loss": own + i} for i in range(3)),
            {"epoch": at, "mode": "val", "loss": own},
        )
    ]
    (run,) = cbreplay.load_runs(as_lines(tmp_path, rows))
    assert values(run, "val_loss") == VAL_LOSS
    assert "loss" not in run.series


def as_json(path: Path, held: Any) -> Path:
    path = path / "log.json"
    path.write_text(json.dumps(held))
    return path


def below(rows: list[Row], *names: str) -> list[Row]:
    return [{name: row[name] for name in names} for row in rows]


@pytest.mark.parametrize(
    "held",
    [
        {"train": below(TRAIN, "epoch", "loss"), "val": below(VAL, "epoch", "loss")},
        {"valid": below(VAL, "epoch", "loss"), "train": below(TRAIN, "epoch", "loss")},
        {"train": below(TRAIN, "loss"), "val": below(VAL, "loss")},
        {"config": {"lr": 0.1}, "training": TRAIN, "validation": VAL},
        {"history": {"train": TRAIN, "val": VAL}},
        {
            "loss": [[1, 0.9], [2, 0.7], [3, 0.5]],
            "val_loss": [[1, 0.95], [2, 0.75], [3, 0.8]],
        },
        {
            "loss": {"1": 0.9, "2": 0.7, "3": 0.5},
            "val_loss": {"1": 0.95, "2": 0.75, "3": 0.8},
        },
        {
            "train": {"loss": [[0, 0.9], [1, 0.7], [2, 0.5]]},
            "val": {"loss": [[0, 0.95], [1, 0.75], [2, 0.8]]},
        },
    ],
    ids=[
        "rows",
        "val-first",
        "no-epoch",
        "config",
        "below-history",
        "pairs",
        "by-index",
        "nested-pairs",
    ],
)
def test_a_document_holds_rows_or_points_below_names(tmp_path: Path, held: Any) -> None:
    (run,) = cbreplay.load_runs(as_json(tmp_path, held))
    assert values(run, "loss") == LOSS
    assert values(run, "val_loss") == VAL_LOSS


@pytest.mark.parametrize(
    ("held", "at"),
    [
        ({"train": TRAIN, "val": VAL[:-1]}, 2),
        ({"train": TRAIN, "val": [VAL[0], VAL[2]]}, 1),
        ({"loss": [[0, 3], [1, 2], [2, 1.5]], "val_loss": [[0, 0.5], [1, 0.4]]}, 2),
    ],
    ids=["last", "middle", "pairs"],
)
def test_a_value_that_has_no_row_is_missing(tmp_path: Path, held: Any, at: int) -> None:
    (run,) = cbreplay.load_runs(as_json(tmp_path, held))
    recorded = run.series["val_loss"].recorded
    assert np.flatnonzero(~recorded).tolist() == [at]
    assert not run.empty_cells


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (
            {"train": below(TRAIN, "loss"), "val": below(VAL[:-1], "loss")},
            "nothing says which of them are of one epoch. Add a column epoch",
        ),
        (
            {"loss": [[0.9, 0], [0.7, 1], [0.5, 2]]},
            "loss holds pairs, whose first numbers are no rising steps: [0.9, 0]",
        ),
        (
            {"loss": [[1, 1], [2, 2], [3, 3]]},
            "either number of loss may be the step: [1, 1], [2, 2]",
        ),
        (
            {"loss": [[100, 0.5], [200, 0.4]], "val_loss": [[1, 0.5]]},
            "val_loss has a value at 1, where loss has none",
        ),
    ],
    ids=["no-epoch", "value-first", "either", "other-steps"],
)
def test_a_document_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, held: Any, said: str
) -> None:
    with pytest.raises(LogError) as error:
        cbreplay.load_runs(as_json(tmp_path, held))
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "index"])
def test_the_index_of_rows_of_data_sets_is_not_said_to_be_left_out(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "log.csv"
    rows = [("train", 0, 0.9), ("train", 1, 0.7), ("val", 0, 0.8), ("val", 1, 0.6)]
    lines = [f"{at},{step},{loss},{own}" for at, (own, step, loss) in enumerate(rows)]
    path.write_text("\n".join([f"{name},step,loss,split", *lines, ""]))
    (run,) = cbreplay.load_runs(path)
    assert list(run.series["loss"]) == [0.9, 0.7]
    assert list(run.series["val_loss"]) == [0.8, 0.6]
    assert not any("left out" in note for note in run.notes)
