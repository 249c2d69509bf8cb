"""Logs with one value a row, beside the name of its metric."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import cbreplay
from cbreplay.errors import LogError

if TYPE_CHECKING:
    from pathlib import Path

LOSS, VAL_LOSS = [0.9, 0.7, 0.5], [0.95, 0.75, 0.8]
TURNS = [
    row
    for at, (own, judged) in enumerate(zip(LOSS, VAL_LOSS, strict=True))
    for row in ((at, "loss", own), (at, "val_loss", judged))
]
BLOCKS = sorted(TURNS, key=lambda row: row[1])
Rows = list[tuple[Any, ...]]


def as_csv(path: Path, names: str, rows: Rows) -> Path:
    path = path / "log.csv"
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([names, *lines, ""]))
    return path


def as_lines(path: Path, names: str, rows: Rows) -> Path:
    path = path / "log.jsonl"
    keys = names.split(",")
    path.write_text(
        "".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows)
    )
    return path


def series(path: Path) -> dict[str, list[float]]:
    (run,) = cbreplay.load_runs(path)
    return {name: own.values.tolist() for name, own in run.series.items()}


@pytest.mark.parametrize("write", [as_csv, as_lines])
@pytest.mark.parametrize("rows", [TURNS, BLOCKS], ids=["turns", "blocks"])
@pytest.mark.parametrize(
    "names",
    ["epoch,metric,value", "epoch,name,value", "epoch,variable,value"],
)
def test_each_metric_is_a_series(
    tmp_path: Path, write: Any, rows: Rows, names: str
) -> None:
    found = series(write(tmp_path, names, rows))
    assert found == {"loss": LOSS, "val_loss": VAL_LOSS}


@pytest.mark.parametrize("write", [as_csv, as_lines])
def test_a_directory_finds_tags_at_steps(tmp_path: Path, write: Any) -> None:
    write(tmp_path, "step,tag,value", BLOCKS)
    assert series(tmp_path) == {"loss": LOSS, "val_loss": VAL_LOSS}


def test_many_metrics_at_each_step_are_no_seldom_validation(tmp_path: Path) -> None:
    # of four rows of each step one is of a validation: it has every step
    rows = [
        (at, tag, at + part / 4)
        for at in range(6)
        for part, tag in enumerate(["loss", "acc", "f1", "val_loss"])
    ]
    found = series(as_csv(tmp_path, "step,tag,value", rows))
    assert found["val_loss"] == [at + 0.75 for at in range(6)]


def test_steps_tell_the_order_of_blocks_inside_epochs(tmp_path: Path) -> None:
    # two batches of an epoch, and its validation at the second
    rows: Rows = [
        (at, 2 * at + half, "loss", own + half)
        for at, own in enumerate(LOSS)
        for half in (0, 1)
    ]
    rows += [(at, 2 * at + 1, "val_loss", own) for at, own in enumerate(VAL_LOSS)]
    path = as_csv(tmp_path, "epoch,step,tag,value", rows)
    # the loss has several values in each epoch
    assert series(path) == {"val_loss": VAL_LOSS}


def test_the_data_set_of_a_metric_stands_before_it(tmp_path: Path) -> None:
    # as.data.frame(history) of R
    rows = [
        (at, own, "loss", data)
        for data, values in (("training", LOSS), ("validation", VAL_LOSS))
        for at, own in enumerate(values, start=1)
    ]
    found = series(as_csv(tmp_path, "epoch,value,metric,data", rows))
    assert found == {"loss": LOSS, "val_loss": VAL_LOSS}


def test_data_sets_may_be_columns_beside_each_metric(tmp_path: Path) -> None:
    rows: Rows = [
        (at, "loss", *pair) for at, pair in enumerate(zip(LOSS, VAL_LOSS, strict=True))
    ]
    found = series(as_csv(tmp_path, "epoch,metric,train,val", rows))
    assert found == {"loss": LOSS, "val_loss": VAL_LOSS}


def test_a_validation_every_second_epoch_was_not_logged_between(tmp_path: Path) -> None:
    rows = [row for row in TURNS if row[1] == "loss" or row[0] != 1]
    (run,) = cbreplay.load_runs(as_csv(tmp_path, "epoch,metric,value", rows))
    assert run.series["val_loss"].recorded.tolist() == [True, False, True]
    assert "val_loss" not in run.empty_cells


def test_a_logged_nan_is_the_metric_s(tmp_path: Path) -> None:
    rows = [*TURNS[:-1], (2, "val_loss", "nan")]
    (run,) = cbreplay.load_runs(as_csv(tmp_path, "epoch,metric,value", rows))
    assert np.isnan(run.series["val_loss"].values).tolist() == [False, False, True]
    assert run.series["val_loss"].recorded.all()


def test_a_second_training_below_is_another_run(tmp_path: Path) -> None:
    rows = [(seed, *row) for seed in (0, 1) for row in TURNS]
    runs = cbreplay.load_runs(as_csv(tmp_path, "seed,epoch,metric,value", rows))
    assert [run.name for run in runs] == ["log.csv#seed=0", "log.csv#seed=1"]
    assert not any("CSVLogger" in note for note in runs[0].notes)


# what each run adds to every value
RUNS = {"a": 0.0, "b": 1.0}
OF_RUNS: list[Rows] = [
    # run below run, metric below metric, epoch below epoch
    [(run, *row[:2], row[2] + RUNS[run]) for run in RUNS for row in TURNS],
    [(run, *row[:2], row[2] + RUNS[run]) for row in BLOCKS for run in RUNS],
    [(run, *row[:2], row[2] + RUNS[run]) for row in TURNS for run in RUNS],
]


@pytest.mark.parametrize("write", [as_csv, as_lines])
@pytest.mark.parametrize("rows", OF_RUNS, ids=["runs", "blocks", "turns"])
@pytest.mark.parametrize("name", ["run", "model_name"])
def test_a_column_of_runs_tells_the_trainings(
    tmp_path: Path, write: Any, rows: Rows, name: str
) -> None:
    path = write(tmp_path, f"{name},epoch,metric,value", rows)
    runs = cbreplay.load_runs(path)
    assert [run.name.rpartition("#")[2] for run in runs] == [f"{name}=a", f"{name}=b"]
    for run, more in zip(runs, RUNS.values(), strict=True):
        assert run.series["loss"].values.tolist() == [own + more for own in LOSS]
        expected = [own + more for own in VAL_LOSS]
        assert run.series["val_loss"].values.tolist() == expected


def test_numbers_of_runs_tell_the_trainings_too(tmp_path: Path) -> None:
    rows = [("ab".index(run), *row) for run, *row in OF_RUNS[1]]
    runs = cbreplay.load_runs(as_csv(tmp_path, "seed,epoch,metric,value", rows))
    assert [run.name for run in runs] == ["log.csv#seed=0", "log.csv#seed=1"]
    assert list(runs[0].series["val_loss"]) == VAL_LOSS
    assert list(runs[1].series["val_loss"]) == [own + 1 for own in VAL_LOSS]


def test_runs_that_take_turns_in_a_table_are_no_two_values(tmp_path: Path) -> None:
    rows = [(run, at, own + RUNS[run]) for at, own in enumerate(LOSS) for run in RUNS]
    runs = cbreplay.load_runs(as_csv(tmp_path, "run,epoch,loss", rows))
    assert list(runs[0].series["loss"]) == LOSS
    assert list(runs[1].series["loss"]) == [own + 1 for own in LOSS]
    assert "its rows were sorted by run" in runs[0].notes


@pytest.mark.parametrize("rates", [(0.1, 0.01), (0.01, 0.1, 0.001)])
def test_trainings_with_a_rate_each_may_take_turns(
    tmp_path: Path, rates: tuple[float, ...]
) -> None:
    rows = [(at, rate, own + rate) for at, own in enumerate(LOSS) for rate in rates]
    runs = cbreplay.load_runs(as_csv(tmp_path, "epoch,lr,loss", rows))
    assert len(runs) == len(rates)
    for run, rate in zip(runs, rates, strict=True):
        assert list(run.series["loss"]) == [own + rate for own in LOSS]
        assert run.learning_rate is not None
        assert {*run.learning_rate} == {float(np.float32(rate))}


def test_rates_that_a_schedule_repeats_in_each_epoch_tell_no_trainings(
    tmp_path: Path,
) -> None:
    # a cosine that begins anew in each epoch, of which three steps are logged
    cosine = [0.1, 0.075, 0.025, 0.1 / 3]
    rows = [(at, rate, own + rate) for at, own in enumerate(LOSS) for rate in cosine]
    with pytest.raises(LogError, match="epoch 0 has several rows"):
        cbreplay.load_runs(as_csv(tmp_path, "epoch,lr,loss", rows))


def test_what_an_epoch_says_once_is_a_series_beside_the_metrics(tmp_path: Path) -> None:
    rows = [(*row, 10 * row[0] + 5) for row in BLOCKS]
    found = series(as_csv(tmp_path, "epoch,metric,value,seconds", rows))
    assert found == {"loss": LOSS, "val_loss": VAL_LOSS, "seconds": [5, 15, 25]}


@pytest.mark.parametrize(
    ("names", "rows", "said"),
    [
        (
            "epoch,metric,value",
            BLOCKS * 2,
            "metric is 'loss' and 'val_loss', and epoch does not tell which are of one",
        ),
        (
            "epoch,metric,value",
            [*TURNS, ("", "val_loss", 0.3)],
            "line 8: this row names a metric, and no epoch",
        ),
        (
            "epoch,metric,value",
            [(f"epoch_{at}", *row) for at, *row in TURNS],
            "line 2: the epoch 'epoch_0' is not a whole number",
        ),
        (
            "class,epoch,name,value",
            [(own, *row) for own in "ab" for row in BLOCKS],
            "'loss' and 'val_loss', beside class. Give a log for each class, without",
        ),
        (
            "epoch,metric,value,std",
            [(*row, row[2] / 10) for row in TURNS],
            "beside std. Leave std out, or give one row for each epoch, with a column",
        ),
    ],
    ids=["blocks-twice", "no-epoch", "no-number", "classes", "std"],
)
def test_what_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, names: str, rows: Rows, said: str
) -> None:
    with pytest.raises(LogError) as error:
        cbreplay.load_runs(as_csv(tmp_path, names, rows))
    assert said in str(error.value)


def test_a_flag_of_epochs_that_were_validated_tells_no_data_set(tmp_path: Path) -> None:
    rows: Rows = [(at, at % 2 == 0, own) for at, own in enumerate(LOSS)]
    # a second fit below the first one
    runs = cbreplay.load_runs(as_csv(tmp_path, "epoch,validation,loss", rows * 2))
    assert [run.series["loss"].values.tolist() for run in runs] == [LOSS] * len(runs)
    assert not any("val_loss" in run.series for run in runs)


@pytest.mark.parametrize(
    ("name", "train", "val"),
    [
        ("training", True, False),
        ("is_train", 1, 0),
        ("validation", "false", "true"),
        ("is_val", 0, 1),
    ],
)
def test_yes_and_no_tell_the_data_set(
    tmp_path: Path, name: str, train: object, val: object
) -> None:
    rows = [(at, train if metric == "loss" else val, own) for at, metric, own in TURNS]
    found = series(as_csv(tmp_path, f"epoch,{name},loss", rows))
    assert found == {"loss": LOSS, "val_loss": VAL_LOSS}


def test_yes_and_no_without_epochs_are_no_epochs(tmp_path: Path) -> None:
    rows = [(int(metric == "loss"), own) for _, metric, own in TURNS]
    with pytest.raises(LogError, match="is_training is '1' and '0', and nothing says"):
        cbreplay.load_runs(as_csv(tmp_path, "is_training,loss", rows))


def test_a_refusal_shows_what_stands_in_a_column_of_yes_and_no(tmp_path: Path) -> None:
    rows = [(at, int(metric == "loss"), own) for at, metric, own in BLOCKS * 2]
    with pytest.raises(LogError, match="is_training is '1' and '0', and epoch does"):
        cbreplay.load_runs(as_csv(tmp_path, "epoch,is_training,loss", rows))


@pytest.mark.parametrize("names", ["id,step,tag,value", "id,epoch,metric,value"])
def test_the_number_of_a_row_says_nothing_of_it(tmp_path: Path, names: str) -> None:
    rows = [(number, *row) for number, row in enumerate(BLOCKS)]
    found = series(as_csv(tmp_path, names, rows))
    assert found == {"loss": LOSS, "val_loss": VAL_LOSS}


@pytest.mark.parametrize(
    ("names", "sets"),
    [
        # as Aim writes its metrics; the second has the columns of MLflow's too
        ("run.hash,metric.name,context,step,value", ("{'subset': 'train'}", "val")),
        ("run,metric,context.subset,step,value", ("train", "val")),
    ],
)
def test_a_data_set_beside_one_metric_is_no_training_of_its_own(
    tmp_path: Path, names: str, sets: tuple[str, str]
) -> None:
    rows: Rows = [
        ("abc", "loss", name, at, own)
        for name, values in zip(sets, (LOSS, VAL_LOSS), strict=True)
        for at, own in enumerate(values)
    ]
    assert series(as_csv(tmp_path, names, rows)) == {"loss": LOSS, "val_loss": VAL_LOSS}


def test_metrics_that_name_their_data_set_keep_their_names(tmp_path: Path) -> None:
    # a column says the same once more
    rows: Rows = [
        (name, subset, at, own)
        for name, subset, values in (
            ("loss", "train", LOSS),
            ("validation_loss", "val", VAL_LOSS),
        )
        for at, own in enumerate(values)
    ]
    found = series(as_csv(tmp_path, "key,subset,step,value", rows))
    assert found == {"loss": LOSS, "validation_loss": VAL_LOSS}


# what tbparse and TensorBoard.dev make of the directories of Keras's two writers
@pytest.mark.parametrize("runs", [["a"], ["a", "b"], ["day/a", "day/b"]])
@pytest.mark.parametrize("name", ["dir_name", "run"])
@pytest.mark.parametrize("slash", ["/", "\\"])
def test_a_path_tells_the_run_and_the_data_set_of_a_row(
    tmp_path: Path, name: str, runs: list[str], slash: str
) -> None:
    losses = {"train": LOSS, "validation": VAL_LOSS}
    rows = [
        (step, "epoch_loss", at + loss, f"{run}/{own}".replace("/", slash))
        for at, run in enumerate(runs)
        for own, values in losses.items()
        for step, loss in enumerate(values)
    ]
    found = cbreplay.load_runs(as_csv(tmp_path, f"step,tag,value,{name}", rows))
    assert len(found) == len(runs)
    for at, run in enumerate(found):
        assert list(run.series["loss"]) == [at + loss for loss in LOSS]
        assert list(run.series["val_loss"]) == [at + loss for loss in VAL_LOSS]


def test_tags_of_keras_are_its_logs_and_those_by_the_iteration_are_none(
    tmp_path: Path,
) -> None:
    rates = [0.01, 0.01, 0.005]
    rows: Rows = [
        *(("train", "epoch_loss", at, own) for at, own in enumerate(LOSS)),
        *(("train", "epoch_learning_rate", at, own) for at, own in enumerate(rates)),
        *(("train", "batch_loss", 5 * at, own) for at, own in enumerate(LOSS)),
        *(("validation", "epoch_loss", at, own) for at, own in enumerate(VAL_LOSS)),
        # Keras's callback writes it with each evaluation, at the number of batches
        *(
            ("validation", "evaluation_loss_vs_iterations", 100 * at + 100, own)
            for at, own in enumerate(VAL_LOSS)
        ),
    ]
    (run,) = cbreplay.load_runs(as_csv(tmp_path, "run,tag,step,value", rows))
    assert {name: list(own) for name, own in run.series.items()} == {
        "loss": LOSS,
        "val_loss": VAL_LOSS,
    }
    # as of event files: it may be the rate before or after the reduction of an epoch
    assert run.other_learning_rate is not None


def test_a_tag_of_a_script_beside_that_of_keras_is_another_series(
    tmp_path: Path,
) -> None:
    rows: Rows = [
        *(("epoch_loss", at, own) for at, own in enumerate(LOSS)),
        *(("loss", at, own) for at, own in enumerate(VAL_LOSS)),
    ]
    (run,) = cbreplay.load_runs(as_csv(tmp_path, "tag,step,value", rows))
    assert {name: list(own) for name, own in run.series.items()} == {
        "epoch_loss": LOSS,
        "loss": VAL_LOSS,
    }
