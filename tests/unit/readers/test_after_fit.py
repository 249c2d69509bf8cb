"""Rows that are no epoch: what is logged when a training is over, or has not begun."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest

from cbreplay import (
    EarlyStopping,
    LogError,
    Run,
    UnknownMonitorError,
    load_runs,
    replay_run,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read(path: Path, text: str, name: str = "metrics.csv") -> Run:
    log = path / name
    log.write_text(text, encoding="utf-8")
    (run,) = load_runs(log)
    return run


HEADER = "epoch,step,train_loss,val_loss,test_loss\n"
# two epochs of ten steps, each validated once, before the row of the training
TWO = "0,9,,.8,\n0,9,.9,,\n1,19,,.6,\n1,19,.7,,\n"


@pytest.mark.parametrize(
    "after",
    [
        # trainer.test: at the epoch and step that come next, or once more at the last
        "2,20,,,.65\n",
        "1,19,,,.65\n",
        # trainer.validate, of the last or the best weights
        "2,20,,.6,\n",
        "1,19,,.61,\n",
        # both, in either order
        "2,20,,.6,\n2,20,,,.65\n",
        "2,20,,,.65\n2,20,,.6,\n",
    ],
)
def test_tests_and_validations_after_fit_are_left_out(
    tmp_path: Path, after: str
) -> None:
    run = read(tmp_path, HEADER + TWO + after)
    assert (run.first_epoch, run.horizon) == (0, 1)
    assert list(run.series["val_loss"]) == [0.8, 0.6]
    assert list(run.series["train_loss"]) == [0.9, 0.7]
    assert "test_loss" not in run.series
    assert any("outside the training" in note for note in run.notes)


def test_a_word_for_the_stage_is_no_value_of_the_training(tmp_path: Path) -> None:
    rows = "fit,0,9,,.8,\nfit,0,9,.9,,\nfit,1,19,,.6,\nfit,1,19,.7,,\n"
    run = read(tmp_path, f"stage,{HEADER}{rows}test,2,20,,,.65\n")
    assert (run.first_epoch, run.horizon) == (0, 1)
    assert list(run.series) == ["train_loss", "val_loss"]


@pytest.mark.parametrize("rows", [TWO, "0,9,.9,,\n0,9,,.8,\n1,19,.7,,\n1,19,,.6,\n"])
def test_the_last_validation_of_the_training_stays(tmp_path: Path, rows: str) -> None:
    run = read(tmp_path, HEADER + rows)
    assert list(run.series["val_loss"]) == [0.8, 0.6]
    assert not any("left out" in note for note in run.notes)


def test_a_validation_before_the_first_step_is_left_out(tmp_path: Path) -> None:
    run = read(tmp_path, HEADER + "0,0,,2.5,\n" + TWO)
    assert list(run.series["val_loss"]) == [0.8, 0.6]


def test_columns_are_known_by_words_in_their_names(tmp_path: Path) -> None:
    header = "Test MSE,Train loss,Valid MSE,epoch,step\n"
    rows = ",,5.5,0,0\n,,4.5,1,1\n,3.5,,1,1\n,,2.5,2,2\n1.5,,,3,3\n"
    run = read(tmp_path, header + rows)
    assert list(run.series["Valid MSE"]) == [5.5, 4.5, 2.5]
    assert "Test MSE" not in run.series


@pytest.mark.parametrize(
    ("rows", "values"),
    [
        # every validation has three steps before it, the last one step
        ("0,2,.9\n1,5,.8\n2,8,.7\n3,9,.8\n", [0.9, 0.8, 0.7]),
        # once more at the last epoch
        ("0,2,.9\n1,5,.8\n2,8,.7\n2,8,.8\n", [0.9, 0.8, 0.7]),
        # epochs of one step each: nothing tells the last from the others
        ("0,0,.9\n1,1,.8\n2,2,.7\n3,3,.8\n", [0.9, 0.8, 0.7, 0.8]),
    ],
)
def test_a_log_of_validations_only_is_judged_by_its_steps(
    tmp_path: Path, rows: str, values: list[float]
) -> None:
    run = read(tmp_path, "epoch,step,val_loss\n" + rows)
    assert list(run.series["val_loss"]) == values


@pytest.mark.parametrize(
    ("rows", "n_values"),
    [
        # one epoch of 20 steps, validated every fifth; the next row of the training
        # would be that of the fiftieth step
        ("0,4,,.9,\n0,9,,.8,\n0,14,,.7,\n0,19,,.6,\n", 4),
        # and once more when the training has ended
        ("0,4,,.9,\n0,9,,.8,\n0,14,,.7,\n0,19,,.6,\n0,20,,.6,\n", 4),
        # every 15 of the steps, 20 an epoch: the third epoch has two, 44 and 59
        ("0,9,.9,,\n0,14,,.9,\n1,29,.8,,\n1,29,,.8,\n2,44,,.7,\n2,59,,.6,\n", 4),
        ("0,14,,.9,\n1,29,,.8,\n2,44,,.7,\n2,59,,.6,\n", 4),
        ("0,14,,.9,\n1,29,,.8,\n2,44,,.7,\n2,59,,.6,\n3,60,,.6,\n", 4),
        ("0,14,,.9,\n1,29,,.8,\n2,44,,.7,\n2,59,,.6,\n2,60,,.6,\n", 4),
        # every 25 of 50 steps an epoch, of which the second, at step 49, was lost
        ("0,24,,.9,\n1,74,,.8,\n1,99,,.7,\n", 3),
        # every 15 of 40 steps an epoch: 14, 29, 54, 69; the fit ended at step 79
        ("0,14,,.9,\n0,29,,.8,\n1,54,,.7,\n1,69,,.6,\n1,79,,.6,\n", 4),
    ],
)
def test_validations_at_the_steps_of_the_others_are_of_the_training(
    tmp_path: Path, rows: str, n_values: int
) -> None:
    log = tmp_path / "metrics.csv"
    log.write_text(HEADER + rows, encoding="utf-8")
    (run,) = load_runs(log, x_axis="step")
    own = run.series["val_loss"]
    assert own.values[own.recorded].tolist() == [0.9, 0.8, 0.7, 0.6][:n_values]


def test_a_test_series_of_every_epoch_is_a_series(tmp_path: Path) -> None:
    rows = "0,9,.9,,.8\n1,19,.7,,.6\n2,29,.5,,.5\n"
    run = read(tmp_path, HEADER + rows)
    assert list(run.series["test_loss"]) == [0.8, 0.6, 0.5]


MLFLOW = "key,value,timestamp,step\n"


def mlflow(*steps: dict[str, float]) -> str:
    rows = [
        f"{key},{value},{1000 * step},{step}\n"
        for step, values in enumerate(steps)
        for key, value in values.items()
    ]
    return MLFLOW + "".join(rows)


FITTED: list[dict[str, float]] = [
    {"loss": 0.9, "val_loss": 0.8},
    {"loss": 0.7, "val_loss": 0.5},
    {"loss": 0.6, "val_loss": 0.75},
]


def test_the_restored_model_of_mlflow_is_no_epoch(tmp_path: Path) -> None:
    run = read(tmp_path, mlflow(*FITTED, FITTED[1]))
    assert list(run.series["val_loss"]) == [0.8, 0.5, 0.75]
    assert "left out the last step, 3: it repeats all values of step 1" in run.notes[0]
    # what the autologger says about the EarlyStopping is no series
    ending = "stopped_epoch,2,3000,3\nrestored_epoch,1,3000,3\n"
    run = read(tmp_path, mlflow(*FITTED, FITTED[1]) + ending)
    assert (list(run.series), run.n_epochs) == (["loss", "val_loss"], 3)


def test_the_restored_epoch_of_mlflow_is_known_among_equal_ones(tmp_path: Path) -> None:
    rows = [FITTED[0], FITTED[1], FITTED[1], FITTED[2], FITTED[1]]
    # three steps hold the same values: nothing tells whether the last is one of them
    assert read(tmp_path, mlflow(*rows)).n_epochs == 5
    ending = "stopped_epoch,3,3000,4\nrestored_epoch,1,3000,4\n"
    run = read(tmp_path, mlflow(*rows) + ending)
    assert list(run.series["val_loss"]) == [0.8, 0.5, 0.5, 0.75]


def test_no_step_is_a_restored_model_where_mlflow_names_no_restored_epoch(
    tmp_path: Path,
) -> None:
    """The autologger names it if, and only if, EarlyStopping put weights back."""
    stopped = "stopped_epoch,3,3000,4\n"
    assert read(tmp_path, mlflow(*FITTED, FITTED[1]) + stopped).n_epochs == 4


@pytest.mark.parametrize(
    ("stopped", "best"),
    # XGBoost counts its iterations from 0, LightGBM from 1; the last is the best here
    [(2, 2), (3, 3)],
)
def test_the_best_iteration_of_boosted_trees_is_no_other_one(
    tmp_path: Path, stopped: int, best: int
) -> None:
    """Their autologger writes it once more too, also if it is the last one."""
    rows = [{"l2": own} for own in (0.9, 0.8, 0.7, 0.7)]
    ending = f"stopped_iteration,{stopped},3000,0\nbest_iteration,{best},3000,0\n"
    run = read(tmp_path, mlflow(*rows) + ending)
    assert list(run.series["l2"]) == [0.9, 0.8, 0.7]
    assert list(run.series) == ["l2"]


def test_the_restored_model_may_be_of_an_epoch_that_was_not_logged(
    tmp_path: Path,
) -> None:
    """With every_n_iter=2 the epochs 0, 2 and 4 are logged; 3 is put back after 5."""
    logged = {0: 0.9, 2: 0.7, 4: 0.8, 6: 0.6}
    rows = "".join(f"val_loss,{own},{at}000,{at}\n" for at, own in logged.items())
    ending = "stopped_epoch,5,6000,0\nrestored_epoch,3,6000,0\n"
    run = read(tmp_path, MLFLOW + rows + ending)
    assert list(run.series["val_loss"]) == [0.9, 0.7, 0.8]
    assert any("step, 6: its values are those of step 3" in own for own in run.notes)


def test_a_best_value_logged_once_more_at_the_last_step_is_no_step_of_its_own(
    tmp_path: Path,
) -> None:
    rows = mlflow(*FITTED) + f"val_loss,{FITTED[1]['val_loss']},9000,2\n"
    run = read(tmp_path, rows)
    assert run.n_epochs == len(FITTED)
    assert run.series["val_loss"].others == {2: (0.75,)}


def test_a_metric_that_is_nan_all_along_hides_no_restored_model(tmp_path: Path) -> None:
    rows = [{**values, "f1": math.nan} for values in [*FITTED, FITTED[1]]]
    run = read(tmp_path, mlflow(*rows))
    assert list(run.series["val_loss"]) == [0.8, 0.5, 0.75]


def test_what_a_script_logs_beside_is_not_written_once_more(tmp_path: Path) -> None:
    # the autologger writes its own metrics as step 3; the script's rate ends before
    rows = [{**values, "lr": 0.001} for values in FITTED]
    run = read(tmp_path, mlflow(*rows, FITTED[1]))
    assert list(run.series["val_loss"]) == [0.8, 0.5, 0.75]
    said = "left out the last step, 3: its values are those of step 1"
    assert any(said in note for note in run.notes)


@pytest.mark.parametrize(
    "last",
    [
        # one of both differs
        {"loss": 0.7, "val_loss": 0.51},
        # one of both is missing
        {"loss": 0.7},
    ],
)
def test_another_last_step_of_mlflow_is_an_epoch(
    tmp_path: Path, last: dict[str, float]
) -> None:
    assert read(tmp_path, mlflow(*FITTED, last)).n_epochs == 4


def test_one_series_of_few_digits_repeats_itself_by_chance(tmp_path: Path) -> None:
    few = [{"val_acc": value} for value in (0.5, 0.9, 0.8, 0.9)]
    assert read(tmp_path, mlflow(*few)).n_epochs == 4
    many = [{"val_acc": value} for value in (0.5, 0.912345, 0.8, 0.912345)]
    assert read(tmp_path, mlflow(*many)).n_epochs == 3


@pytest.mark.parametrize("empty", ["missing", "nan"])
def test_a_value_of_mlflow_without_a_row_is_no_empty_cell(
    tmp_path: Path, empty: Literal["missing", "nan"]
) -> None:
    """A row that was lost was no NaN; one that stands there without a value may be."""
    losses = [f"loss,{'' if at == 3 else 1 / (at + 1)},{at},{at}" for at in range(6)]
    scores = [f"acc,{at / 7},{at},{at}" for at in range(6) if at != 3]
    whole = [f"mae,{at / 9},{at},{at}" for at in range(6)]
    log = tmp_path / "metrics.csv"
    log.write_text(MLFLOW + "\n".join([*losses, *scores, *whole, ""]))
    (run,) = load_runs(log, empty=empty)
    assert not run.series["acc"].recorded[3]
    assert run.series["loss"].recorded[3] == (empty == "nan")
    assert run.empty_cells == ({"loss"} if empty == "missing" else set())


def test_the_restored_model_is_known_in_a_table_of_metric_names_too(
    tmp_path: Path,
) -> None:
    """What people write of client.get_metric_history, with pandas."""
    losses = [0.912345, 0.612345, 0.712345, 0.812345, 0.612345]
    rows = [
        f"{name},{step},{step * 1000},{loss}"
        for name in ("loss", "val_loss")
        for step, loss in enumerate(losses)
    ]
    table = "\n".join(["metric_name,step,timestamp,value", *rows, ""])
    assert read(tmp_path, table).n_epochs == 4


def test_values_of_mlflow_without_steps_are_numbered_by_their_times(
    tmp_path: Path,
) -> None:
    rows = "loss,.9,1,0\nval_loss,.8,2,0\nloss,.7,3,0\nval_loss,.6,4,0\n"
    run = read(tmp_path, MLFLOW + rows)
    assert list(run.series["val_loss"]) == [0.8, 0.6]
    broken_off = read(tmp_path, MLFLOW + rows + "loss,.6,5,0\n")
    assert broken_off.series["val_loss"].recorded.tolist() == [True, True, False]
    # two validations behind one loss are not of two epochs
    with pytest.raises(LogError, match="told apart: loss 3, val_loss 2"):
        read(tmp_path, MLFLOW + rows.replace(",3,", ",5,") + "loss,.6,6,0\n")


def test_two_values_of_a_step_of_mlflow_are_both_kept(tmp_path: Path) -> None:
    rows = "loss,.9,1,0\nloss,.7,2,1\nloss,.6,3,1\nloss,.5,4,2\nloss,.4,5,3\n"
    run = read(tmp_path, MLFLOW + rows)
    assert list(run.series["loss"]) == [0.9, 0.6, 0.5, 0.4]
    assert run.series["loss"].others == {1: (0.7,)}
    # a fit may have been resumed there, as where steps go back
    assert run.possible_seams == {1}
    rows = "loss,.9,1,0\nloss,.7,2,1\nloss,.6,3,2\nloss,.5,4,1\nloss,.4,5,2\n"
    assert read(tmp_path, MLFLOW + rows).possible_seams == {1, 2}


def test_two_loggers_of_every_step_of_mlflow_resume_nothing(tmp_path: Path) -> None:
    rows = "loss,.9,1,0\nloss,.8,2,0\nloss,.6,3,1\nloss,.5,4,1\n"
    run = read(tmp_path, MLFLOW + rows)
    assert (run.series["loss"].others, run.seams) == ({0: (0.9,), 1: (0.6,)}, ())


# MLflow's callbacks for Keras log validation_loss without a step, before the epoch ends
BESIDE = [("loss", step, 10 * step + 9) for step in range(3)]
STEPLESS = [("validation_loss", 0, 10 * step + 5) for step in range(3)]


def logged(*rows: tuple[str, int, int]) -> str:
    lines = [
        f"{key},0.{number},{time},{step}\n"
        for number, (key, step, time) in enumerate(rows, start=1)
    ]
    return MLFLOW + "".join(lines)


def test_a_metric_without_steps_has_those_that_its_times_tell(tmp_path: Path) -> None:
    run = read(tmp_path, logged(*BESIDE, *STEPLESS))
    assert list(run.series["loss"]) == [0.1, 0.2, 0.3]
    assert list(run.series["validation_loss"]) == [0.4, 0.5, 0.6]


@pytest.mark.parametrize(
    "rows",
    [
        # one more than there are steps, as of model.evaluate() after the fit
        [*STEPLESS, ("validation_loss", 0, 35)],
        # two of one epoch
        [*STEPLESS[:2], ("validation_loss", 0, 16)],
        # at one time
        [STEPLESS[0]] * 3,
    ],
)
def test_a_metric_without_steps_that_no_time_tells_is_left_out(
    tmp_path: Path, rows: list[tuple[str, int, int]]
) -> None:
    run = read(tmp_path, logged(*BESIDE, *rows))
    assert list(run.series) == ["loss"]
    assert "stand at one step" in run.left_out["validation_loss"]


@pytest.mark.parametrize("step", [0, 1])
def test_a_step_that_was_logged_twice_is_no_second_epoch(
    tmp_path: Path, step: int
) -> None:
    """One validation stands twice beside a loss whose step stands twice too."""
    losses = [("loss", 0, 9), ("loss", 1, 19)]
    first, *again = [("val_loss", step, 10 * step + 10), ("loss", step, 10 * step + 11)]
    again.append(("val_loss", step, 10 * step + 12))
    run = read(tmp_path, logged(*losses, first, *again))
    assert run.series["val_loss"].recorded.tolist() == [step == 0, step == 1]
    assert run.series["val_loss"].others == {step: (0.3,)}
    assert list(run.series["loss"].others) == [step]


def test_a_value_at_the_time_of_the_epoch_before_may_be_of_that_epoch(
    tmp_path: Path,
) -> None:
    """The second validation came when the first epoch was logged."""
    rows = [*STEPLESS[:1], ("validation_loss", 0, 9), *STEPLESS[2:]]
    assert list(read(tmp_path, logged(*BESIDE, *rows)).series) == ["loss"]


@pytest.mark.parametrize("step", [0, 5])
def test_one_row_that_stands_twice_is_no_log_of_two_epochs(
    tmp_path: Path, step: int
) -> None:
    rows = f"loss,.9,1,{step}\nval_loss,.8,2,{step}\n"
    again = f"loss,.9,3,{step}\nval_loss,.8,4,{step}\n"
    with pytest.raises(LogError, match="told apart: loss 2, val_loss 2"):
        read(tmp_path, MLFLOW + rows + again)
    changed = again.replace(".9", ".7")
    assert list(read(tmp_path, MLFLOW + rows + changed).series["loss"]) == [0.9, 0.7]


@pytest.mark.parametrize(
    "text",
    [
        # decimal commas, as Excel writes them
        "key;value;timestamp;step\nloss;0,9;1000;0\nloss;0,7;2000;1\n",
        # times in seconds, and rows in no order
        "key,value,timestamp,step\nloss,.7,2.5,0\nloss,.9,1.5,0\n",
        # a comment above the names
        "# my run\nkey,value,timestamp,step\nloss,.9,1,0\nloss,.7,2,1\n",
        # each save appended the list of all rows
        (
            '[{"key":"loss","value":0.9,"step":0}]\n'
            '[{"key":"loss","value":0.9,"step":0},{"key":"loss","value":0.7,"step":1}]\n'
        ),
        # no steps at all
        "key,value,timestamp\nloss,.9,1000\nloss,.7,2000\n",
        '[{"key":"loss","value":0.9,"timestamp":1},{"key":"loss","value":0.7,"timestamp":2}]',
    ],
)
def test_an_export_of_mlflow_is_read_however_it_was_saved(
    tmp_path: Path, text: str
) -> None:
    assert list(read(tmp_path, text).series["loss"]) == [0.9, 0.7]


def trainer(*rows: dict[str, float]) -> str:
    return json.dumps(list(rows))


TRAINED: list[dict[str, float]] = [
    {"loss": 0.9, "grad_norm": 1.5, "learning_rate": 2e-5, "epoch": 0.5, "step": 5},
    {"loss": 0.8, "grad_norm": 1.5, "learning_rate": 1e-5, "epoch": 1.0, "step": 10},
    {"eval_loss": 0.75, "eval_runtime": 1.0, "epoch": 1.0, "step": 10},
    {"loss": 0.7, "grad_norm": 1.5, "learning_rate": 0.0, "epoch": 2.0, "step": 20},
    {"eval_loss": 0.5, "eval_runtime": 1.0, "epoch": 2.0, "step": 20},
]
SUMMARY = {"train_runtime": 9.0, "train_loss": 0.8, "epoch": 2.0, "step": 20}
AGAIN = {"eval_loss": 0.55, "eval_runtime": 1.0, "epoch": 2.0, "step": 20}


@pytest.mark.parametrize("after", [[], [SUMMARY], [SUMMARY, AGAIN, AGAIN], [AGAIN]])
def test_a_log_history_that_was_saved_by_itself_is_read_as_trainer_s(
    tmp_path: Path, after: list[dict[str, float]]
) -> None:
    run = read(tmp_path, trainer(*TRAINED, *after), "history.json")
    assert list(run.series["eval_loss"]) == [0.75, 0.5]
    assert run.learning_rate is not None
    assert list(run.learning_rate) == [np.float32(1e-5), 0.0]
    n_again = after.count(AGAIN)
    assert any("after the end of the training" in n for n in run.notes) == bool(n_again)


WRITERS: dict[str, Callable[[pd.DataFrame], str]] = {
    "history.csv": lambda rows: rows.to_csv(),
    "logs.csv": lambda rows: rows.to_csv(index=False),
    "records.json": lambda rows: rows.to_json(orient="records"),
    "lines.jsonl": lambda rows: rows.to_json(orient="records", lines=True),
    "columns.json": lambda rows: rows.to_json(),
    "trainer.jsonl": lambda _: "".join(
        json.dumps(row) + "\n" for row in [*TRAINED, SUMMARY, AGAIN]
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_log_history_is_read_alike_however_it_was_saved(
    tmp_path: Path, name: str
) -> None:
    # the epochs of Trainer are quotients, and its first ends at 1.0
    text = WRITERS[name](pd.DataFrame([*TRAINED, SUMMARY, AGAIN]))
    run = read(tmp_path, text, name)
    assert (run.first_epoch, run.n_epochs) == (0, 2)
    assert run.framework == "Hugging Face"
    assert list(run.series["eval_loss"]) == [0.75, 0.5]
    assert not run.series["eval_loss"].others
    assert any("after the end of the training" in note for note in run.notes)


def test_a_loop_of_ones_own_with_epochs_and_steps_counts_as_it_begins(
    tmp_path: Path,
) -> None:
    rows = "1,10,.9,.8\n2,20,.8,.7\n3,30,.7,.75\n"
    run = read(tmp_path, f"epoch,step,train_loss,val_loss\n{rows}")
    assert (run.first_epoch, run.counts_from, run.framework) == (0, 1, "")
    # validated every second epoch, and each training row further apart than that
    rows = "1,19,,.8\n3,39,,.7\n5,59,,.75\n"
    run = read(tmp_path, f"epoch,step,train_loss,val_loss\n{rows}")
    assert (run.first_epoch, run.framework) == (1, "Lightning")
    assert np.flatnonzero(run.has_row).tolist() == [0, 2, 4]


def test_steps_show_that_an_epoch_came_before_number_one(tmp_path: Path) -> None:
    # 25 steps to an epoch: 49 is the last of the second one, which has the number 1
    rows = "1,49,.9,.8\n2,74,.8,.7\n3,99,.7,.75\n"
    run = read(tmp_path, f"epoch,step,train_loss,val_loss\n{rows}")
    assert (run.first_epoch, run.counts_from, run.framework) == (1, 0, "Lightning")
    # the value of the first epoch is lost: it may have been the best
    stopping = EarlyStopping(patience=1)
    assert replay_run(run, [stopping], semantics="keras-3.15").gap_epoch == 1


def test_evaluations_of_two_data_sets_at_one_step_are_one(tmp_path: Path) -> None:
    other = {"eval_b_loss": 0.4, "eval_b_runtime": 1.0, "epoch": 2.0, "step": 20}
    run = read(tmp_path, trainer(*TRAINED, other), "history.json")
    assert list(run.series["eval_b_loss"]) == [None, 0.4]
    assert list(run.series["eval_loss"]) == [0.75, 0.5]


def test_a_series_that_was_left_out_says_why(tmp_path: Path) -> None:
    rows = "0,4,.9,\n0,9,.8,\n0,9,,.9\n1,14,.7,\n1,19,.6,\n1,19,,.7\n"
    run = read(tmp_path, "epoch,step,val_loss,train_loss\n" + rows)
    with pytest.raises(UnknownMonitorError) as caught:
        replay_run(run, [EarlyStopping()], semantics="keras-3.15")
    said = str(caught.value)
    assert "it has train_loss. The log's val_loss was left out: several" in said
    assert "x_axis='step'" in said
