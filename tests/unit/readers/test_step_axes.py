"""Logs of other tools whose rows are evaluations or steps, and no epochs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from cbreplay import EarlyStopping, LogError, lint_callbacks, replay_run
from cbreplay.evidence.holes import find_gap
from cbreplay.loading import load_runs

if TYPE_CHECKING:
    from pathlib import Path

    from cbreplay import Run


def read(path: Path, content: str, **options: Any) -> Run:
    path.write_text(content, encoding="utf-8")
    (run,) = load_runs(path, **options)
    return run


def state(*rows: dict[str, Any]) -> str:
    return json.dumps({"log_history": rows})


def evaluation(epoch: float, step: int, **values: float) -> dict[str, float]:
    return {"epoch": epoch, "step": step, **values}


EACH_EPOCH = (
    evaluation(1.0, 10, eval_loss=0.75),
    evaluation(2.0, 20, eval_loss=0.5),
)


def test_evaluations_within_epochs_know_their_steps(tmp_path: Path) -> None:
    rows = (evaluation(0.2, 20, eval_loss=0.75), evaluation(0.4, 40, eval_loss=0.5))
    run = read(tmp_path / "trainer_state.json", state(*rows))
    assert run.steps is not None
    assert run.steps.tolist() == [20, 40]
    assert "patience counts evaluations" in run.notes[0]
    assert "the rows are those of the steps 20 to 40" in run.notes


def test_evaluations_are_epochs_or_rows_as_the_user_says(tmp_path: Path) -> None:
    path = tmp_path / "trainer_state.json"
    assert read(path, state(*EACH_EPOCH)).steps is None
    counted = read(path, state(*EACH_EPOCH), x_axis="step")
    assert counted.steps is not None
    assert counted.steps.tolist() == [10, 20]
    within = state(evaluation(0.2, 20, eval_loss=0.75))
    given = read(path, within, x_axis="epoch")
    assert given.steps is None
    assert given.notes == ("each evaluation is one epoch, as given",)


def test_evaluations_of_several_data_sets_are_one_epoch(tmp_path: Path) -> None:
    run = read(
        tmp_path / "trainer_state.json",
        state(
            evaluation(1.0, 10, eval_a_loss=0.75),
            evaluation(1.0, 10, eval_b_loss=0.5),
            evaluation(2.0, 20, eval_a_loss=0.25),
            evaluation(2.0, 20, eval_b_loss=0.125),
        ),
    )
    assert list(run.series["eval_a_loss"]) == [0.75, 0.25]
    assert list(run.series["eval_b_loss"]) == [0.5, 0.125]
    assert run.notes == ()


def test_an_evaluation_after_the_training_is_no_epoch(tmp_path: Path) -> None:
    # trainer.evaluate() with load_best_model_at_end: the loss of the best model
    rows = (
        *EACH_EPOCH,
        evaluation(2.0, 20, train_runtime=9.0, train_loss=0.6),
        evaluation(2.0, 20, eval_loss=0.5),
    )
    run = read(tmp_path / "trainer_state.json", state(*rows))
    assert list(run.series["eval_loss"]) == [0.75, 0.5]
    assert run.notes == ("left out 1 evaluation after the end of the training",)


def test_a_state_without_its_first_epochs_is_no_evidence(tmp_path: Path) -> None:
    late = [evaluation(2.0 + at, 20 + 10 * at, eval_loss=0.5 + at) for at in range(3)]
    run = read(tmp_path / "trainer_state.json", state(*late))
    assert (run.first_epoch, find_gap(run, "eval_loss")) == (1, 1)
    # with eval_delay, rows of the training stand before the first evaluation
    logged = {"loss": 0.9, "epoch": 1.0, "step": 10}
    run = read(tmp_path / "trainer_state.json", state(logged, *late))
    assert (run.first_epoch, find_gap(run, "eval_loss")) == (1, None)


@pytest.mark.parametrize(("steps", "lost"), [((20, 60, 80), 1), ((20, 40, 80, 100), 2)])
def test_the_first_of_few_evaluations_tells_that_one_between_is_lost(
    tmp_path: Path, steps: tuple[int, ...], lost: int
) -> None:
    """Every 20 steps: an evaluation every 40 would have none at step 20."""
    rows = [evaluation(step / 100, step, eval_loss=60 / step) for step in steps]
    run = read(tmp_path / "trainer_state.json", state(*rows))
    assert find_gap(run, "eval_loss") == lost


def test_evaluations_within_epochs_whose_first_are_lost_are_no_evidence(
    tmp_path: Path,
) -> None:
    """Two lie before step 60; where a training row does, evaluations began late."""
    rows = [
        evaluation(step / 100, step, eval_loss=60 / step) for step in (60, 80, 100, 120)
    ]
    path = tmp_path / "trainer_state.json"
    run = read(path, state(*rows))
    assert (run.first_epoch, run.horizon) == (2, 5)
    assert find_gap(run, "eval_loss") == 2
    late = read(path, state(evaluation(0.2, 20, loss=1.5), *rows))
    assert (late.first_epoch, find_gap(late, "eval_loss")) == (0, None)


def test_evaluations_within_epochs_keep_their_steps_out_of_order(
    tmp_path: Path,
) -> None:
    """They were numbered as they stand, and a stop was exact that never came."""
    losses = {20: 0.9, 60: 0.7, 40: 0.8, 80: 0.6}
    rows = [evaluation(step / 100, step, eval_loss=own) for step, own in losses.items()]
    path = tmp_path / "trainer_state.json"
    run = read(path, state(*rows), errors="skip")
    assert run.series["eval_loss"].values.tolist() == [0.9, 0.8, 0.7, 0.6]


def test_checks_of_lightning_whose_first_are_lost_are_no_evidence(
    tmp_path: Path,
) -> None:
    """A check every 25 steps, the first after 75: two are lost."""
    rows = [f"{step // 50},{step},,{1 / step}\n" for step in (74, 99, 124, 149)]
    header = "epoch,step,train_loss,val_loss\n"
    run = read(tmp_path / "metrics.csv", header + "".join(rows), x_axis="step")
    assert (run.first_epoch, run.horizon) == (2, 5)
    assert run.steps is not None
    assert run.steps.tolist() == [74, 99, 124, 149]
    assert find_gap(run, "val_loss") == 2
    rows.insert(0, "0,24,0.5,\n")
    late = read(tmp_path / "metrics.csv", header + "".join(rows), x_axis="step")
    assert (late.first_epoch, find_gap(late, "val_loss")) == (0, None)


def test_a_last_evaluation_that_is_twice_as_far_away_shows_that_one_is_lost(
    tmp_path: Path,
) -> None:
    rows = [f"{step // 50},{step},{1 / step}\n" for step in (24, 49, 99)]
    content = "epoch,step,val_loss\n" + "".join(rows)
    run = read(tmp_path / "metrics.csv", content, x_axis="step")
    assert find_gap(run, "val_loss") == 2


def test_an_evaluation_before_the_training_is_no_epoch(tmp_path: Path) -> None:
    rows = (evaluation(0, 0, eval_loss=2.0), *EACH_EPOCH)
    run = read(tmp_path / "trainer_state.json", state(*rows))
    assert (run.first_epoch, list(run.series["eval_loss"])) == (0, [0.75, 0.5])
    assert run.notes == ("left out 1 evaluation before the first step",)


def test_what_trainer_logs_and_is_no_series_is_noted(tmp_path: Path) -> None:
    rows = (
        evaluation(1.0, 10, eval_loss=0.75, eval_runtime=3.0),
        evaluation(1.5, 15, loss=0.5),
    )
    run = read(tmp_path / "trainer_state.json", state(*rows))
    assert run.notes == (
        "left out 1 row after the last evaluation",
        "left out eval_runtime: a measure of the machine, not the model",
        "left out loss: no row has a value of it",
    )


WANDB = """_step,train/loss,val/loss
0,0.9,
50,0.8,
99,,0.75
150,0.7,
199,,0.5
"""


def test_evaluations_of_wandb_are_rows_on_request(tmp_path: Path) -> None:
    run = read(tmp_path / "history.csv", WANDB, x_axis="step")
    assert list(run.series["val/loss"]) == [0.75, 0.5]
    assert run.steps is not None
    assert run.steps.tolist() == [99, 199]
    assert (
        "a step with a value of val/loss: patience counts evaluations" in run.notes[0]
    )
    assert "3 values between them were left out" in run.notes[0]


def test_evaluations_of_wandb_are_counted_by_the_trainer_s_steps(
    tmp_path: Path,
) -> None:
    """Two validations an epoch, and the row of the training between: _step 2, 5."""
    names = "_step,epoch,trainer/global_step,val_loss,train_loss\n"
    rows = "0,0,9,.9,\n1,0,19,.8,\n2,0,19,,.7\n3,1,29,.6,\n4,1,39,.5,\n5,1,39,,.4\n"
    log = tmp_path / "history.csv"
    log.write_text(names + rows, encoding="ascii")
    (run,) = load_runs(log, x_axis="step")
    assert list(run.series["val_loss"]) == [0.9, 0.8, 0.6, 0.5]
    assert run.steps is not None
    assert run.steps.tolist() == [9, 19, 29, 39]


def test_steps_of_wandb_are_epochs_on_request(tmp_path: Path) -> None:
    run = read(tmp_path / "history.csv", "_step,loss\n2,0.5\n4,0.25\n", x_axis="epoch")
    assert (run.first_epoch, list(run.series["loss"])) == (2, [0.5, None, 0.25])
    assert run.steps is None
    assert "each step is one epoch, as given" in run.notes


def test_evaluations_of_a_chart_of_wandb_know_their_steps(tmp_path: Path) -> None:
    chart = '"Step","a - val_loss","a - val_loss__MIN","a - val_loss__MAX"\n'
    chart += '"99","0.75","0.75","0.75"\n"199","0.5","0.5","0.5"\n'
    run = read(tmp_path / "chart.csv", chart, x_axis="step")
    assert run.steps is not None
    assert run.steps.tolist() == [99, 199]


def test_evaluations_within_epochs_of_lightning_are_rows_on_request(
    tmp_path: Path,
) -> None:
    log = "epoch,step,val_loss,train_loss\n0,9,0.9,\n0,19,0.8,\n0,19,,0.7\n1,29,0.6,\n"
    path = tmp_path / "metrics.csv"
    assert "val_loss" not in read(path, log).series
    run = read(path, log, x_axis="step")
    assert list(run.series["val_loss"]) == [0.9, 0.8, 0.6]
    assert list(run.series["train_loss"]) == [None, 0.7, None]
    assert run.steps is not None
    assert run.steps.tolist() == [9, 19, 29]


@pytest.mark.parametrize("between", ["", "0.5"])
def test_evaluations_across_the_epochs_of_lightning_lack_no_epoch(
    tmp_path: Path, between: str
) -> None:
    """``val_check_interval=150`` with epochs of 100 steps: none in 3, 6, 9, ..."""
    rows = ["epoch,step,train_loss,val_loss"]
    for step in range(49, 1500, 50):
        if between:
            rows.append(f"{step // 100},{step},{between},")
        if (step + 1) % 150 == 0:
            rows.append(f"{step // 100},{step},,{1 / step}")
    log = tmp_path / "metrics.csv"
    log.write_text("\n".join([*rows, ""]), encoding="ascii")
    (run,) = load_runs(log)
    assert run.axis_unit == "evaluations"
    assert list(run.series["val_loss"]) == [1 / step for step in range(149, 1500, 150)]
    # where a row is lacking, nothing tells how many evaluations there were
    del rows[rows.index(f"5,599,,{1 / 599}")]
    log.write_text("\n".join([*rows, ""]), encoding="ascii")
    (run,) = load_runs(log)
    assert run.axis_unit == "epochs"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", r"this JSON holds nothing: \[\]"),
        ("{}", r"this JSON holds nothing: \{\}"),
        ("null", "this JSON is null, not the lists or rows of a log"),
        ("3.5", "this JSON is 3.5, not the lists or rows of a log"),
        ('"loss"', 'this JSON is "loss", not the lists or rows of a log'),
        ('{"loss": []}', "the lists in this JSON are empty"),
        ("[0.5]", "this JSON is one list of numbers, without a name"),
        ('{"loss"', "the JSON breaks off here"),
        ("{'loss': [0.5]}", "this is how Python prints a dict, and no JSON"),
    ],
)
def test_json_that_is_no_log_says_what_it_holds(
    tmp_path: Path, content: str, said: str
) -> None:
    with pytest.raises(LogError, match=said):
        read(tmp_path / "e.json", content)


@pytest.mark.parametrize("name", ["epoch", "epochs", "Epoch"])
@pytest.mark.parametrize(
    "content",
    ['{"%s": [3, 4], "loss": [1, 2]}', '[{"%s": 3, "loss": 1}, {"%s": 4, "loss": 2}]'],
)
def test_epochs_in_json_are_found_by_their_name(
    tmp_path: Path, name: str, content: str
) -> None:
    run = read(tmp_path / "h.json", content.replace("%s", name))
    assert (run.first_epoch, list(run.series)) == (3, ["loss"])


def test_epochs_of_a_frame_are_found_by_their_name() -> None:
    frame = pd.DataFrame({"Epoch": [3, 4], "loss": [1.0, 2.0]})
    for source in (frame, frame.set_index("Epoch")):
        (run,) = load_runs(source)
        assert (run.first_epoch, list(run.series)) == (3, ["loss"])


def test_a_log_of_one_line_of_json_is_one_epoch(tmp_path: Path) -> None:
    run = read(tmp_path / "log.jsonl", '{"epoch": 0, "loss": 0.5}\n')
    assert (run.first_epoch, list(run.series["loss"])) == (0, [0.5])


def test_a_frame_that_pandas_split_is_read_by_its_columns(tmp_path: Path) -> None:
    frame = '{"columns":["epoch","loss"],"index":[7,8],"data":[[0,0.5],[1,0.25]]}'
    run = read(tmp_path / "history.json", frame)
    assert list(run.series) == ["loss"]
    assert list(run.series["loss"]) == [0.5, 0.25]


def test_numbers_that_json_holds_as_text_are_read_and_noted(tmp_path: Path) -> None:
    # as json.dump writes them with default=str
    run = read(tmp_path / "history.json", '{"loss": ["0.5", "0.25"], "name": "a"}')
    assert list(run.series["loss"]) == [0.5, 0.25]
    assert "numbers that were written as text were read as numbers" in run.notes


def test_a_line_of_json_that_is_cut_is_dropped_on_request(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    content = '{"epoch": 0, "loss": 0.5}\n{"epoch": 1, "lo\n'
    with pytest.raises(LogError, match="line 2: this line is not JSON"):
        read(path, content)
    run = read(path, content, errors="skip")
    assert list(run.series["loss"]) == [0.5]
    assert "dropped as damaged: line 2" in run.notes[0]


def test_a_changing_rate_of_a_history_as_json_is_doubted_as_in_a_csv(
    tmp_path: Path,
) -> None:
    run = read(tmp_path / "h.json", '{"loss": [1, 2], "lr": [0.5, 0.25]}')
    assert any("whether a second callback rewrote it" in note for note in run.notes)


def test_lines_of_json_with_iterations_are_counted_as_the_user_says(
    tmp_path: Path,
) -> None:
    # as Detectron2's metrics.json
    path = tmp_path / "metrics.json"
    content = '{"iteration": 19, "total_loss": 0.9}\n'
    content += '{"iteration": 39, "total_loss": 0.8, "env": "linux"}\n'
    plain = read(path, content)
    # a loss of every 20th batch is of no epoch
    assert (plain.n_epochs, plain.axis_unit) == (2, "evaluations")
    assert "left out env: no cell is a number" in plain.notes
    counted = read(path, content, x_axis="step")
    assert counted.steps is not None
    assert counted.steps.tolist() == [19, 39]


def test_an_epoch_ends_where_there_is_a_validation(tmp_path: Path) -> None:
    # training is logged at each of 8 steps, validation at the end of 2 epochs
    rows = "".join(f"{step},{1 / step},\n" for step in range(1, 9))
    rows = rows.replace("4,0.25,", "4,0.25,0.5").replace("8,0.125,", "8,0.125,0.4")
    text = "step,train_loss,val_loss\n" + rows
    run = read(tmp_path / "log.csv", text, x_axis="epoch")
    assert list(run.series["val_loss"]) == [0.5, 0.4]
    assert (run.n_epochs, run.axis_unit) == (2, "epochs")
    assert "2 of its steps have a value of a validation" in run.notes[0]
    run = read(tmp_path / "log.csv", text, x_axis="step")
    assert (run.n_epochs, run.axis_unit) == (2, "evaluations")


def test_validations_at_global_steps_are_counted_as_epochs(tmp_path: Path) -> None:
    steps = [467 + 468 * epoch for epoch in range(30) if epoch != 7]
    rows = "".join(f"{1.5e9 + step},{step},{1 / step}\n" for step in steps)
    path = tmp_path / "run-a-tag-Loss_val.csv"
    run = read(path, f"Wall time,Step,Value\n{rows}", x_axis="epoch")
    assert (run.first_epoch, run.horizon, run.recorded_epochs) == (0, 29, 29)
    assert not run.series["Loss_val"].recorded[7]
    assert "the steps from 467 to 14039 were numbered" in " ".join(run.notes)


def test_steps_on_a_short_cadence_are_epochs_as_given(tmp_path: Path) -> None:
    rows = "".join(f"{step},{1 / step}\n" for step in range(4, 60, 5))
    run = read(tmp_path / "log.csv", f"step,val_loss\n{rows}", x_axis="epoch")
    assert (run.first_epoch, run.horizon, run.recorded_epochs) == (4, 59, 12)


def test_a_sample_without_epochs_is_refused(tmp_path: Path) -> None:
    steps = [33 * (n // 5) + (0, 1, 10, 13, 27)[n % 5] for n in range(40)]
    rows = "".join(f"{step},{1 / (step + 1)}\n" for step in steps)
    with pytest.raises(LogError, match="irregular distances") as caught:
        read(tmp_path / "history.csv", f"_step,loss\n{rows}")
    assert "run.scan_history()" in caught.value.hint


def test_three_steps_without_a_cadence_are_not_counted(tmp_path: Path) -> None:
    # of a training whose steps 0, 1, 2, ... a sample kept these of
    content = "_step,val_loss\n0,0.5\n11,0.5\n19,0.5625\n"
    with pytest.raises(LogError, match="its 3 steps stand at irregular distances"):
        read(tmp_path / "history.csv", content)
    # 10 batches an epoch, of which the second had one more
    run = read(tmp_path / "log.csv", "_step,val_loss\n9,0.5\n20,0.4\n29,0.3\n")
    assert run.has_row.tolist() == [True, True, True]


def test_a_step_with_two_whole_rows_may_be_where_a_fit_was_resumed(
    tmp_path: Path,
) -> None:
    content = "_step,val_loss\n0,1.25\n1,1.125\n1,0.5\n2,0.5\n"
    run = read(tmp_path / "history.csv", content)
    assert run.seams == (1,) == tuple(run.possible_seams)
    assert run.series["val_loss"].others == {1: (1.125,)}


@pytest.mark.parametrize("cadence", [1, 21])
def test_a_step_that_is_lacking_is_an_epoch_without_values(
    tmp_path: Path, cadence: int
) -> None:
    # 30 evaluations, of which an export drew all but 5
    drawn = [n for n in range(30) if n not in (4, 5, 11, 17, 23)]
    rows = "".join(f"{n * cadence + cadence - 1},{1 / (n + 1)}\n" for n in drawn)
    content = f"_step,val_loss\n{rows}"
    for options in ({}, {"x_axis": "step"}):
        run = read(tmp_path / "history.csv", content, **options)
        assert run.has_row.nonzero()[0].tolist() == drawn
        assert find_gap(run, "val_loss") == 4


def test_an_evaluation_that_is_lacking_has_the_step_that_it_would_have_had(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{step},{1 / step}\n" for step in [24, 49, 99, 124, 149, 160])
    run = read(tmp_path / "log.csv", f"step,val_loss\n{rows}", x_axis="step")
    assert run.steps is not None
    assert run.steps.tolist() == [24, 49, 74, 99, 124, 149, 160]
    assert find_gap(run, "val_loss") == 2


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "history.json"])
def test_validations_among_many_steps_are_never_called_by_those_unasked(
    tmp_path: Path, name: str
) -> None:
    # 40 steps, validated at each tenth
    told = [
        {"step": step, "train_loss": 1 / (step + 1)}
        | ({"val_loss": 2 / step} if step % 10 == 9 else {})
        for step in range(40)
    ]
    frame = pd.DataFrame(told)
    content = {
        "log.csv": frame.to_csv(index=False),
        "log.jsonl": "".join(json.dumps(row) + "\n" for row in told),
        "history.json": json.dumps([row | {"_step": row["step"]} for row in told]),
    }[name]
    path = tmp_path / name
    with pytest.raises(LogError, match="rows are steps, and val_loss has a value at 4"):
        read(path, content)
    assert read(path, content, x_axis="epoch").n_epochs == 4


def test_an_epoch_of_a_step_more_or_less_is_one_epoch(tmp_path: Path) -> None:
    steps = [27, 54, 81, 110, 137, 164, 191, 220, 225]
    rows = "".join(f"{step},{1 / step}\n" for step in steps)
    run = read(tmp_path / "history.csv", f"_step,val_loss\n{rows}")
    assert run.has_row.all()
    assert run.n_epochs == len(steps)


def test_few_steps_at_irregular_distances_are_a_sample_too(tmp_path: Path) -> None:
    rows = "".join(f"{step},{1 / step}\n" for step in [20, 83, 104, 146, 251, 293])
    with pytest.raises(LogError, match="its 6 steps stand at irregular distances"):
        read(tmp_path / "history.csv", f"_step,val_loss\n{rows}")


@pytest.mark.parametrize(
    "steps",
    [[0, 2, 3], [0, 1, 4, 6], [0, 1, 4, 7, 8], [0, 1, 22], [0, 2, 4, 6, 7, 8]],
)
def test_steps_that_may_be_epochs_some_of_which_are_lost_have_holes(
    tmp_path: Path, steps: list[int]
) -> None:
    """They were numbered in their order, as if none was lacking."""
    rows = "".join(f"{step},{1 / (step + 1)}\n" for step in steps)
    run = read(tmp_path / "history.csv", f"_step,val_loss\n{rows}")
    assert run.has_row.nonzero()[0].tolist() == steps
    lost = {*range(steps[-1])} - {*steps}
    gap = find_gap(run, "val_loss")
    assert gap is not None
    assert gap <= min(lost)


# four steps an epoch, validated with the last of each
STEPPED = "step,train_loss,val_loss\n" + "".join(
    f"{step},{1 / (step + 1)},{step / 16 if step % 4 == 3 else ''}\n"
    for step in range(12)
)


@pytest.mark.parametrize("apart", [True, False])
def test_losses_every_50_batches_between_validations_are_no_epochs(
    tmp_path: Path, *, apart: bool
) -> None:
    rows = []
    for step in range(50, 1001, 50):
        judged = "" if step % 100 else f"{1 / step}"
        rows.append(f"{step},{1 / (step + 1)},{'' if apart else judged}")
        if judged and apart:
            rows.append(f"{step},,{judged}")
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["step,loss,val_loss", *rows, ""]), encoding="ascii")
    with pytest.raises(LogError, match=r"val_loss has a value at 10 of [23]0"):
        load_runs(log)
    (run,) = load_runs(log, x_axis="step")
    assert run.n_epochs == 10


def test_steps_are_never_called_epochs_unasked(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    with pytest.raises(LogError, match="rows are steps, and val_loss has a value at 3"):
        read(path, STEPPED)
    given = read(path, STEPPED, x_axis="epoch")
    assert given.n_epochs == 3
    assert given.steps is None
    assert list(given.series["val_loss"]) == [3 / 16, 7 / 16, 11 / 16]
    counted = read(path, STEPPED, x_axis="step")
    assert counted.steps is not None
    assert counted.steps.tolist() == [3, 7, 11]


@pytest.mark.parametrize("name", ["iter", "batch"])
def test_batches_of_an_epoch_are_one_epoch(tmp_path: Path, name: str) -> None:
    rows = [(epoch, batch) for epoch in range(3) for batch in range(4)]
    content = f"epoch,{name},train_loss,val_mae\n" + "".join(
        f"{epoch},{batch},{batch / 8},{epoch / 8 if batch == 3 else ''}\n"
        for epoch, batch in rows
    )
    run = read(tmp_path / "log.csv", content)
    assert run.n_epochs == 3
    assert list(run.series["val_mae"]) == [0, 1 / 8, 2 / 8]
    assert "several values in an epoch" in run.left_out["train_loss"]
    counted = read(tmp_path / "log.csv", content, x_axis="step")
    assert list(counted.series["val_mae"]) == [0, 1 / 8, 2 / 8]
    assert counted.steps is not None


def test_batches_alone_are_no_epochs(tmp_path: Path) -> None:
    rows = "".join(f"{at // 4},{at % 4},{at / 16}\n" for at in range(12))
    content = f"epoch,batch,loss\n{rows}"
    with pytest.raises(LogError, match="no column has one value for each epoch"):
        read(tmp_path / "log.csv", content)
    run = read(tmp_path / "log.csv", content, x_axis="step")
    assert list(run.series["loss"]) == [at / 16 for at in range(12)]


def test_where_no_name_says_what_is_watched_the_first_error_asks_for_it_too(
    tmp_path: Path,
) -> None:
    # neither a loss nor a score by its name
    rows = "".join(
        f"{step},{step},{step if step % 4 == 3 else ''}\n" for step in range(16)
    )
    with pytest.raises(LogError) as caught:
        read(tmp_path / "log.csv", f"step,train_loss,val_box\n{rows}")
    assert "x_axis='epoch'" in caught.value.hint
    assert "name what to watch, as monitor, and its direction, as mode" in (
        caught.value.hint
    )


def test_the_steps_of_evaluations_stay_where_the_first_has_another_number(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{step},{1 / step}\n" for step in [20, 40, 60])
    content = f"step,val_loss\n{rows}"
    run = read(tmp_path / "log.csv", content, x_axis="step", first_epoch=2)
    assert run.first_epoch == 2
    assert run.steps is not None
    assert run.steps.tolist() == [20, 40, 60]


def test_an_evaluation_that_trainer_s_log_lacks_is_a_hole(tmp_path: Path) -> None:
    # every 50 steps of epochs of 120; the one at step 150 was lost
    rows = [
        evaluation(step / 120, step, eval_loss=1 / step)
        for step in range(50, 401, 50)
        if step != 150
    ]
    run = read(tmp_path / "trainer_state.json", state(*rows))
    assert run.axis_unit == "evaluations"
    assert run.steps is not None
    assert run.steps.tolist() == list(range(50, 401, 50))
    assert find_gap(run, "eval_loss") == 2


# every step twice, with other values: TensorBoard shows both points
TWICE = "".join(
    f"{at},{0.9 - at / 10:.1f}\n{at},{0.91 - at / 10:.2f}\n" for at in range(5)
)


@pytest.mark.parametrize(
    ("name", "header", "options"),
    [
        ("log.csv", "step,val_loss", {}),
        ("log.csv", "step,val_loss", {"x_axis": "step"}),
        ("log.csv", "step,val_loss", {"x_axis": "epoch"}),
        ("val_loss.csv", "step,value", {}),
        ("run-validation-tag-epoch_loss.csv", "Wall time,Step,Value", {}),
        ("log.jsonl", "", {}),
    ],
)
def test_two_values_of_a_step_are_no_two_epochs(
    tmp_path: Path, name: str, header: str, options: dict[str, Any]
) -> None:
    rows = [line.split(",") for line in TWICE.splitlines()]
    if name.endswith("jsonl"):
        lines = [f'{{"epoch": {at}, "val_loss": {value}}}' for at, value in rows]
    elif header.startswith("Wall"):
        lines = [header, *(f"1600000000,{at},{value}" for at, value in rows)]
    else:
        lines = [header, *(",".join(row) for row in rows)]
    run = read(tmp_path / name, "\n".join([*lines, ""]), **options)
    series = run.series["val_loss"]
    assert list(series) == [0.91, 0.81, 0.71, 0.61, 0.51]
    assert series.others == {at: (round(0.9 - at / 10, 1),) for at in range(5)}


def test_rows_of_a_step_for_training_and_validation_are_one_epoch(
    tmp_path: Path,
) -> None:
    rows = [f"{at},{1 - at / 10},\n{at},,{2 - at / 10}\n" for at in range(4)]
    run = read(tmp_path / "log.csv", "step,loss,val_loss\n" + "".join(rows))
    assert list(run.series["loss"]) == [1.0, 0.9, 0.8, 0.7]
    assert list(run.series["val_loss"]) == [2.0, 1.9, 1.8, 1.7]


def test_stages_of_many_rows_are_no_steps_with_several_values(tmp_path: Path) -> None:
    rows = [f"{at // 5},{1 - at / 100}\n" for at in range(20)]
    run = read(tmp_path / "log.csv", "step,val_loss\n" + "".join(rows))
    assert run.n_epochs == 20


def steps_csv(steps: list[int]) -> str:
    """Write a table whose only axis is a column of steps."""
    rows = "".join(f"{step},{at / 64}\n" for at, step in enumerate(steps))
    return f"step,val_loss\n{rows}"


def test_rows_lost_between_steps_of_a_csv_are_holes(tmp_path: Path) -> None:
    """Its steps are 100 apart, and those of the fourth and fifth epoch are missing."""
    steps = [100, 200, 300, *range(600, 1100, 100)]
    run = read(tmp_path / "log.csv", steps_csv(steps))
    assert run.n_epochs == 10
    assert run.has_row.tolist() == [True] * 3 + [False] * 2 + [True] * 5


@pytest.mark.parametrize("kind", ["csv", "json", "frame", "dict"])
@pytest.mark.parametrize("name", ["batches", "num_updates", "time/total_timesteps"])
@pytest.mark.parametrize("usual", [1, 100])
def test_rows_lost_between_counts_of_another_name_are_holes(
    tmp_path: Path, kind: str, name: str, usual: int
) -> None:
    """Rows 4 and 5 of ten are missing."""
    counts = [usual * at for at in (1, 2, 3, *range(6, 11))]
    losses = [1 / at for at in counts]
    table = pd.DataFrame({name: counts, "val_loss": losses, "tokens": counts})
    source: Any = {"frame": table, "dict": table.to_dict("list")}.get(kind)
    if source is None:
        source = tmp_path / f"log.{kind}"
        if kind == "csv":
            table.to_csv(source, index=False)
        else:
            table.to_json(source, orient="records")
    (run,) = load_runs(source)
    assert run.has_row.tolist() == [True] * 3 + [False] * 2 + [True] * 5
    assert list(run.series) == ["val_loss", "tokens"]
    assert f"column {name} counts on from row to row: it is the step" in run.notes


@pytest.mark.parametrize("name", ["seconds", "reward", "true_negatives"])
def test_times_and_metrics_count_no_rows(name: str) -> None:
    values = [1, 2, 3, 6, 7, 9, 10] if name == "true_negatives" else [*range(1, 8)]
    values[-1] += 1
    (run,) = load_runs({name: values, "val_loss": [1 / at for at in values]})
    assert (run.n_epochs, list(run.series)) == (7, [name, "val_loss"])


@pytest.mark.parametrize(
    "waits", [[0, 1, 0, 1, 2, 3], [0, 1, 2, 0, 1, 2, 3], [1, 2, 3, 1, 2, 1, 2]]
)
def test_how_long_a_callback_waited_counts_no_rows(waits: list[int]) -> None:
    (run,) = load_runs({"wait": waits, "val_loss": [1 / (1 + at) for at in waits]})
    assert (run.n_epochs, list(run.series)) == (len(waits), ["wait", "val_loss"])


def test_counts_of_another_name_that_begin_anew_are_of_another_training() -> None:
    rounds = [10, 20, 30, 40, 10, 20, 30]
    losses = [0.9, 0.8, 0.7, 0.75, 0.95, 0.85, 0.65]
    runs = load_runs({"round": rounds, "val_loss": losses})
    assert [run.n_epochs for run in runs] == [4, 3]


def test_trials_that_are_counted_are_no_rows_of_one_training(tmp_path: Path) -> None:
    rates = [0.1, 0.01, 0.2, 0.05, 0.3, 0.001, 0.02]
    rows = "".join(f"{2 * at + 1},{rate},{rate}\n" for at, rate in enumerate(rates))
    with pytest.raises(LogError, match="its rows seem to be trials"):
        read(tmp_path / "log.csv", f"number,lr,val_loss\n{rows}")


def test_a_history_thinned_at_regular_places_is_refused_as_a_sample(
    tmp_path: Path,
) -> None:
    """Of five epochs in three a tracker keeps one, so that they are 2 or 1 apart."""
    steps = [at * 5 // 3 for at in range(24)]
    with pytest.raises(LogError, match="24 steps stand at irregular distances"):
        read(tmp_path / "log.csv", steps_csv(steps))
    rows = "".join(f"val_loss,{at / 64},1,{step}\n" for at, step in enumerate(steps))
    with pytest.raises(LogError, match="24 steps stand at irregular distances"):
        read(tmp_path / "metrics.csv", f"key,value,timestamp,step\n{rows}")


def test_epochs_of_one_step_more_or_cut_short_are_regular(tmp_path: Path) -> None:
    steps = [467 * at + at % 2 for at in range(1, 9)]
    run = read(tmp_path / "log.csv", steps_csv([*steps, steps[-1] + 90]))
    assert run.n_epochs == 9


def test_steps_that_begin_again_begin_another_training(tmp_path: Path) -> None:
    steps = [100, 200, 300, 400, 500, 600]
    log = tmp_path / "log.csv"
    log.write_text(steps_csv([*steps, *steps[:4]]))
    assert [run.n_epochs for run in load_runs(log)] == [6, 4]
    (whole,) = load_runs(log, parts="rows")
    assert whole.n_epochs == 10


def test_a_trainer_log_that_each_save_appends_whole_is_one_training(
    tmp_path: Path,
) -> None:
    """A callback dumped log_history at each evaluation, below what stood there."""
    rows = [evaluation(float(at), 10 * at, eval_loss=1 / at) for at in range(1, 9)]
    grown = [row for n in range(1, 9) for row in rows[:n]]
    twice = [row for row in rows for _ in range(2)]
    for held in (grown, twice):
        run = read(tmp_path / "trainer_state.json", state(*held))
        assert list(run.series["eval_loss"]) == [1 / at for at in range(1, 9)]
        assert any("that repeat others of their step" in note for note in run.notes)


def test_a_trainer_that_went_back_to_an_earlier_step_wrote_two_fits(
    tmp_path: Path,
) -> None:
    rows = [evaluation(float(at), 10 * at, eval_loss=1 / at) for at in range(1, 9)]
    again = [evaluation(float(at), 10 * at, eval_loss=2 / at) for at in range(6, 13)]
    log = tmp_path / "log_history.json"
    log.write_text(json.dumps([*rows, *again]))
    assert [run.n_epochs for run in load_runs(log)] == [8, 7]
    (joined,) = load_runs(log, parts="join")
    assert (joined.n_epochs, joined.seams) == (12, (5,))


def test_a_table_of_steps_that_stands_there_twice_keeps_its_last_row(
    tmp_path: Path,
) -> None:
    """The row that MLflow's autologger writes once more is of another step."""
    rows = "".join(f"{100 * at},{1 / (at + 7)},{1 / (at + 9)}\n" for at in range(1, 9))
    run = read(tmp_path / "log.csv", f"step,loss,val_loss\n{rows}{rows}")
    assert run.n_epochs == 8
    assert not any("MLflow" in note for note in run.notes)
    assert any("stand there once more" in note for note in run.notes)


# as evaluations that are planned at growing distances
APART = [
    [1, 2, 4, 8, 16, 32, 64],
    [0, 1, 2, 4, 8, 16, 32],
    [1, 2, 5, 10, 20, 50, 100],
    [100, 200, 400, 800, 1600, 3200, 6400],
]


@pytest.mark.parametrize("steps", APART)
def test_steps_further_and_further_apart_are_counted_if_the_user_says_so(
    tmp_path: Path, steps: list[int]
) -> None:
    rows = [f"{step},{1 / (at + 1)}" for at, step in enumerate(steps)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["step,val_loss", *rows, ""]))
    with pytest.raises(LogError, match="stand further and further apart") as caught:
        load_runs(log)
    assert "x_axis='step'" in str(caught.value)
    (run,) = load_runs(log, x_axis="step")
    assert list(run.series["val_loss"]) == [1 / (at + 1) for at in range(7)]
    assert run.steps is not None
    assert run.steps.tolist() == steps


@pytest.mark.parametrize("epochs", APART)
def test_epochs_further_and_further_apart_are_counted_if_the_user_says_so(
    tmp_path: Path, epochs: list[int]
) -> None:
    rows = [f"{epoch},{1 / (at + 1)}" for at, epoch in enumerate(epochs)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    (run,) = load_runs(log)
    (note,) = [note for note in run.notes if "further and further apart" in note]
    assert "--parts rows" in note
    (run,) = load_runs(log, parts="rows")
    assert list(run.series["val_loss"]) == [1 / (at + 1) for at in range(7)]


@pytest.mark.parametrize(
    "epochs", [[0, 1, 2, 3, 7, 8], [0, 1, 3, 9], [0, 5, 10, 15, 20]]
)
def test_lost_rows_stand_at_no_growing_distances(
    tmp_path: Path, epochs: list[int]
) -> None:
    rows = [f"{epoch},{1 / (at + 1)}" for at, epoch in enumerate(epochs)]
    log = tmp_path / "log.csv"
    log.write_text("\n".join(["epoch,val_loss", *rows, ""]))
    (run,) = load_runs(log)
    assert not any("further apart" in note for note in run.notes)


@pytest.mark.parametrize("axis", ["epoch", "step"])
def test_a_series_with_values_between_the_evaluations_is_not_said_to_be_empty(
    tmp_path: Path, axis: str
) -> None:
    rows = [
        f"{step},{'' if step % 6 == 5 else 0.5},{0.75 if step % 6 == 5 else ''}\n"
        for step in range(36)
    ]
    log = "_step,train_loss,val_loss\n" + "".join(rows)
    run = read(tmp_path / "history.csv", log, x_axis=axis)
    assert "left out train_loss: no row that was kept has a value of it" in run.notes


def test_an_epoch_without_a_validation_between_others_is_a_hole_in_a_log_of_lightning(
    tmp_path: Path,
) -> None:
    """Each epoch has a row of its own for the validation: the lost ones leave none."""
    lines = ["epoch,step,train_loss,val_loss"]
    for epoch in range(10):
        lines += [f"{epoch},{9 + 10 * epoch},,0.5"] * (epoch not in {4, 5})
        lines.append(f"{epoch},{9 + 10 * epoch},0.25,")
    content = "\n".join([*lines, ""])
    for empty in ("missing", "nan"):
        run = read(tmp_path / "metrics.csv", content, empty=empty)
        assert find_gap(run, "val_loss") == 4
        assert not run.empty_cells


def test_what_is_logged_several_times_an_epoch_is_not_said_to_be_absent(
    tmp_path: Path,
) -> None:
    """Lightning with val_check_interval=0.25: lint said that nothing was validated."""
    lines = ["epoch,step,train_loss,val_loss"]
    for at in range(16):
        lines.append(f"{at // 4},{25 * at + 24},,{1 / (at + 1)}")
        lines += [f"{at // 4},{25 * at + 24},0.25,"] * (at % 4 == 3)
    run = read(tmp_path / "metrics.csv", "\n".join([*lines, ""]))
    assert "val_loss" in run.left_out
    assert not lint_callbacks([EarlyStopping(restore_best_weights=True)], run=run)
    (finding,) = lint_callbacks([EarlyStopping("val_acc", mode="max")], run=run)
    assert finding.code == "absent-monitor"


def test_an_epoch_zero_without_a_value_is_still_epoch_zero(tmp_path: Path) -> None:
    # W&B leaves the cell of NaN empty
    rows = "".join(
        f"{at},{at},{at}.5,{at},{'' if at == 0 else 0.5}\n" for at in range(5)
    )
    run = read(tmp_path / "h.csv", f",_step,_runtime,epoch,val_loss\n{rows}")
    assert (run.first_epoch, run.counts_from) == (1, 0)
    assert find_gap(run, "val_loss") == 1


# one evaluation every 52 steps, as _step counts 50 batches and two other calls
LATE = [(206, 0.5), (258, 0.25), (310, 0.375), (362, 0.4)]


@pytest.mark.parametrize("x_axis", [None, "step"])
def test_a_history_of_wandb_whose_first_steps_are_lost_begins_late(
    tmp_path: Path, x_axis: str | None
) -> None:
    content = "_step,val_loss\n" + "".join(f"{at},{loss}\n" for at, loss in LATE)
    run = read(tmp_path / "history.csv", content, x_axis=x_axis)
    # 50, 102 and 154 came before
    assert (run.first_epoch, run.begins_at) == (3, 0)
    assert replay_run(run, EarlyStopping(patience=2)).evidence == "incomplete"


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_steps_of_which_the_first_are_lost_are_not_counted_from_one(
    tmp_path: Path, ending: str
) -> None:
    rows = [{"step": at * 50, "val_loss": loss} for at, (_, loss) in enumerate(LATE, 4)]
    lines = [f"{row['step']},{row['val_loss']}" for row in rows]
    table = "\n".join(["step,val_loss", *lines, ""])
    content = table if ending == "csv" else "\n".join(map(json.dumps, rows))
    run = read(tmp_path / f"log.{ending}", content)
    assert run.first_epoch == 3
    assert "3 epochs came before it" in " ".join(run.notes)


def test_an_evaluation_that_comes_late_in_a_history_lacks_none_before(
    tmp_path: Path,
) -> None:
    batches = "".join(f"{at},0.5,\n" for at in range(0, 200, 10))
    judged = "".join(f"{at},,{loss}\n" for at, loss in LATE)
    content = f"_step,loss,val_loss\n{batches}{judged}"
    run = read(tmp_path / "history.csv", content, x_axis="step", parts="rows")
    assert run.first_epoch == 0


# each row of a training logged, as _step counts them, and every 9th evaluated
EVERY = range(90)


def sample(kept: set[int], evaluated: dict[int, float], step: str = "_step") -> str:
    rows = "".join(f"{at},0.5,{evaluated.get(at, '')}\n" for at in sorted(kept))
    return f"{step},loss,val_loss\n{rows}"


@pytest.mark.parametrize("step", ["_step", "step"])
@pytest.mark.parametrize("x_axis", [None, "step"])
def test_a_few_evaluations_in_a_sample_are_not_all(
    tmp_path: Path, x_axis: str | None, step: str
) -> None:
    evaluated = {62: 0.5, 71: 0.6, 80: 0.7}
    # 8, 17, ..., 53 were evaluated too
    kept = {1, 4, 5, 14, 20, 22, 31, 40, 42, 47, 55, 58, 69, 74, 82, *evaluated}
    with pytest.raises(LogError, match="its 18 steps stand at irregular distances"):
        read(tmp_path / "a.csv", sample(kept, evaluated, step), x_axis=x_axis)
    told = {"x_axis": "step", "parts": "rows"}
    assert read(tmp_path / "a.csv", sample(kept, evaluated, step), **told).horizon == 2


@pytest.mark.parametrize("x_axis", [None, "step"])
def test_a_few_evaluations_on_a_plan_are_all(
    tmp_path: Path, x_axis: str | None
) -> None:
    """The loop logs its training every few seconds, and evaluates every 1000 steps."""
    evaluated = {1000: 0.5, 2000: 0.4, 3000: 0.45}
    kept = {at * at * 3 % 2999 + 1 for at in range(2, 40)} | evaluated.keys()
    path = tmp_path / "a.csv"
    if x_axis is None:
        with pytest.raises(LogError, match="val_loss has a value at 3 of") as caught:
            read(path, sample(kept, evaluated, "step"))
        assert "--x-axis step" in caught.value.hint
        return
    run = read(path, sample(kept, evaluated, "step"), x_axis=x_axis)
    assert run.series["val_loss"].values.tolist() == [0.5, 0.4, 0.45]
    # W&B draws samples, and a few that are left may stand so by chance
    with pytest.raises(LogError, match="steps stand at irregular distances"):
        read(path, sample(kept, evaluated), x_axis=x_axis)


def test_an_evaluation_that_would_have_been_where_rows_lack_was_lost(
    tmp_path: Path,
) -> None:
    evaluated = {at: 1 / at for at in (26, 35, 44, 53, 62, 71, 80, 89)}
    late = read(tmp_path / "a.csv", sample({*EVERY}, evaluated), x_axis="step")
    assert late.first_epoch == 0
    # a sample without the evaluations of steps 8 and 17
    content = sample({*EVERY} - {8, 17}, evaluated)
    run = read(tmp_path / "b.csv", content, x_axis="step")
    assert (run.first_epoch, run.begins_at) == (2, 0)
    assert replay_run(run, EarlyStopping(patience=2)).evidence == "incomplete"


@pytest.mark.parametrize(
    "batches",
    [
        # counted in each epoch, or through all of them, as Lightning does
        {117 * epoch + at for epoch in range(7) for at in (0, 50, 100)},
        {*range(49, 819, 50)},
    ],
)
def test_a_few_evaluations_among_rows_every_50_batches_are_all(
    tmp_path: Path, batches: set[int]
) -> None:
    # epochs of 117 batches, of which the first four were not evaluated
    evaluated = {584: 0.5, 701: 0.6, 818: 0.7}
    content = sample({*batches, *evaluated}, evaluated)
    run = read(tmp_path / "a.csv", content, x_axis="step")
    assert run.first_epoch == 0
    assert replay_run(run, EarlyStopping(patience=2)).evidence == "exact"


# Detectron2's writer every 20 iterations, an evaluation every 100, counted from 0
OF_DETECTRON = [
    {"iteration": at, "total_loss": 1 / (at + 1), "lr": 0.001}
    | ({"bbox/AP": at / 20} if (at + 1) % 100 == 0 else {})
    for at in range(19, 600, 20)
]


def test_the_evaluations_of_detectron_are_counted_and_not_its_rows(
    tmp_path: Path,
) -> None:
    content = "\n".join(map(json.dumps, OF_DETECTRON))
    with pytest.raises(LogError, match=r"bbox/AP has a value at 6 of 30.*mode='max'"):
        read(tmp_path / "metrics.json", content)
    run = read(tmp_path / "metrics.json", content, x_axis="step")
    assert (run.axis_unit, run.n_epochs) == ("evaluations", 6)
    assert list(run.series["bbox/AP"]) == [at / 20 for at in range(99, 600, 100)]


def test_the_steps_of_determined_are_no_series(tmp_path: Path) -> None:
    rows = [f"{at}00,{1 / at},{1 / at if at % 6 == 0 else ''}" for at in range(1, 25)]
    content = "\n".join(["steps_completed,loss,val_loss", *rows, ""])
    with pytest.raises(LogError, match="val_loss has a value at 4 of 24"):
        read(tmp_path / "log.csv", content)
    run = read(tmp_path / "log.csv", content, x_axis="step")
    assert list(run.series["val_loss"]) == [1 / 6, 1 / 12, 1 / 18, 1 / 24]
    assert "steps_completed" not in run.series
