"""Logs of other tools, each as small as its tool writes it."""

from __future__ import annotations

import gzip
import json
import math
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cbreplay import ConfigError, LogError, Run, TruncatedLogError
from cbreplay.loading import load_runs
from cbreplay.readers.base import ReadOptions
from cbreplay.readers.formats import FORMATS, format_of, reader_for

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, content: str | bytes, **options: Any) -> list[Run]:
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return load_runs(path, **options)


def column(run: Run, name: str) -> list[float | None]:
    return list(run.series[name])


LIGHTNING = """epoch,lr-Adam,step,test_acc,train_loss,train_loss_step,val_loss
,0.01,0,,,,
0,,49,,,2.5,
0,,99,,,2.25,
0,,99,,,,0.75
0,,99,,1.5,,
,0.001,100,,,,
1,,199,,,,0.5
1,,199,,1.25,,
2,,200,0.9,,,
"""


def test_lightning_rows_of_an_epoch_are_one(tmp_path: Path) -> None:
    (run,) = read(tmp_path / "metrics.csv", LIGHTNING)
    assert column(run, "train_loss") == [1.5, 1.25]
    assert column(run, "val_loss") == [0.75, 0.5]
    assert list(run.series) == ["train_loss", "val_loss"]
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == [np.float32(0.01), np.float32(0.001)]
    assert "8 logged rows make 2 epochs" in run.notes
    assert any("train_loss_step: several values" in note for note in run.notes)
    assert any(
        "test_acc is no series here: only a test logged it" in note
        for note in run.notes
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("epoch,step,loss\n0.5,1,1\n", "line 2: the epoch '0.5'"),
        ("epoch,step,loss\n0,1,x\n0,2,1\n", "line 2: 'x' under loss"),
        ("epoch,step,loss\n0,1,1\n0,2,2\n", "no column has one value for each epoch"),
    ],
)
def test_what_lightning_did_not_write_is_refused(
    tmp_path: Path, content: str, sentence: str
) -> None:
    with pytest.raises(LogError, match=sentence):
        read(tmp_path / "metrics.csv", content)


ULTRALYTICS = """      epoch,      time, train/box_loss,   val/box_loss,    lr/pg0
          1,      10.5,            1.5,            2.5,      0.01
          2,      19.5,           1.25,           2.25,     0.005
"""


def test_ultralytics_counts_epochs_from_1(tmp_path: Path) -> None:
    (run,) = read(tmp_path / "results.csv", ULTRALYTICS)
    assert (run.first_epoch, run.horizon) == (0, 1)
    assert column(run, "train/box_loss") == [1.5, 1.25]
    assert run.learning_rate is not None
    assert list(run.learning_rate) == [np.float32(0.01), np.float32(0.005)]
    assert run.epoch_seconds is not None
    assert list(run.epoch_seconds) == [None, 9.0]
    assert "epochs were taken as counted from 1" in run.notes[0]
    early = ULTRALYTICS.replace("  1,", "  0,").replace("  2,", "  1,")
    (run,) = read(tmp_path / "results.csv", early)
    assert (run.first_epoch, run.horizon) == (0, 1)
    assert not any("counted from 1" in note for note in run.notes)


@pytest.mark.parametrize(
    ("header", "framework"),
    [
        ("epoch,train/loss,val/loss", ""),
        ("epoch,train/loss,val/f1", ""),
        ("epoch,train/loss,metrics/auc", ""),
        # a classifier of Ultralytics names its losses as every loop does
        ("epoch,train/loss,metrics/accuracy_top1", "Ultralytics"),
        ("epoch,train/loss,lr/pg0", "Ultralytics"),
        ("epoch,train/obj_loss,metrics/mAP_0.5", "Ultralytics"),
    ],
)
def test_only_what_ultralytics_alone_writes_makes_a_log_its_own(
    tmp_path: Path, header: str, framework: str
) -> None:
    (run,) = read(tmp_path / "log.csv", f"{header}\n1,1,0.5\n2,0.5,0.6\n")
    assert run.framework == framework
    assert (run.first_epoch, run.horizon) == (0, 1)


def trainer_state(*rows: dict[str, Any], **fields: Any) -> str:
    return json.dumps({"log_history": rows, **fields})


def test_trainer_that_evaluates_each_epoch_counts_epochs(tmp_path: Path) -> None:
    state = trainer_state(
        {"epoch": 1.0, "loss": 0.5, "learning_rate": 1e-3, "step": 10},
        {"epoch": 1.0, "eval_loss": 0.75, "eval_runtime": 3.0, "step": 10},
        {"epoch": 1.9966, "loss": 0.25, "learning_rate": 1e-3, "step": 20},
        {"epoch": 1.9966, "eval_loss": 0.5, "eval_runtime": 3.0, "step": 20},
        {"epoch": 1.9966, "train_runtime": 9.0, "train_loss": 0.4, "step": 20},
        num_train_epochs=2,
    )
    (run,) = read(tmp_path / "trainer_state.json", state)
    assert (run.first_epoch, run.horizon, run.planned_epochs) == (0, 1, 2)
    assert column(run, "loss") == [0.5, 0.25]
    assert column(run, "eval_loss") == [0.75, 0.5]
    assert list(run.series) == ["loss", "eval_loss"]
    assert run.learning_rate is not None
    assert run.learning_rate.values.tolist() == [np.float32(1e-3)] * 2


def test_what_trainer_cannot_have_counted_is_refused_or_noted(tmp_path: Path) -> None:
    rows = [{"epoch": 1.0, "eval_loss": 0.5}, {"epoch": 1e300, "eval_loss": 0.4}]
    with pytest.raises(LogError, match="is too large for one"):
        read(tmp_path / "trainer_state.json", trainer_state(*rows))
    rows[1]["epoch"] = 2.0
    state = trainer_state(*rows, num_train_epochs=-3)
    (run,) = read(tmp_path / "trainer_state.json", state)
    assert run.planned_epochs is None
    assert any("planned epochs are -3, which is no plan" in note for note in run.notes)


def test_trainer_that_evaluates_within_epochs_counts_evaluations(
    tmp_path: Path,
) -> None:
    state = trainer_state(
        {"epoch": 0.1, "loss": 0.5, "learning_rate": 1e-3, "step": 10},
        {"epoch": 0.2, "loss": 0.4, "learning_rate": 9e-4, "step": 20},
        {"epoch": 0.2, "eval_loss": 0.75, "step": 20},
        {"epoch": 0.4, "eval_loss": 0.5, "step": 40},
        {"epoch": 0.5, "loss": 0.1, "learning_rate": 8e-4, "step": 50},
    )
    (run,) = read(tmp_path / "trainer_state.json", state)
    assert column(run, "eval_loss") == [0.75, 0.5]
    assert list(run.series) == ["eval_loss"]
    # the last rate before the first evaluation; none was logged before the second
    assert run.learning_rate is not None
    assert list(run.learning_rate) == [np.float32(9e-4), None]
    assert "each evaluation was taken as one epoch" in run.notes[0]
    assert any("the rate of its last step stands" in note for note in run.notes)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ('{"log_history": 3}', "no list of logs"),
        ('{"log_history": []}', "log_history is empty"),
        ('{"log_history": [{"epoch": 1', "the JSON breaks off here"),
        (trainer_state({"epoch": 1.0, "loss": "x"}, {"loss": 1.0}), "row 1: 'x'"),
    ],
)
def test_a_state_without_a_log_is_refused(
    tmp_path: Path, state: str, sentence: str
) -> None:
    with pytest.raises(LogError, match=sentence):
        read(tmp_path / "trainer_state.json", state)


WANDB_HISTORY = """,_step,_runtime,_timestamp,epoch,loss,val_loss,batch/loss
0,0,1.5,100.0,,,,3.5
1,1,2.5,101.0,,,,3.25
2,2,3.5,102.0,0,0.5,0.75,
3,3,5.5,105.0,1,0.25,NaN,
"""


def test_a_history_of_wandb_is_folded_by_epoch(tmp_path: Path) -> None:
    (run,) = read(tmp_path / "history.csv", WANDB_HISTORY)
    assert column(run, "loss") == [0.5, 0.25]
    assert math.isnan(run.series["val_loss"].values[1])
    assert run.series["val_loss"].recorded.tolist() == [True, True]
    assert run.epoch_seconds is not None
    assert list(run.epoch_seconds) == [None, 3.0]
    assert list(run.series) == ["loss", "val_loss"]


def test_a_history_of_wandb_in_json_reads_as_its_csv(tmp_path: Path) -> None:
    rows = [
        {"_step": 0, "epoch/epoch": 0, "epoch/loss": 0.5, "epoch/val_loss": "NaN"},
        {"_step": 1, "epoch/epoch": 1, "epoch/loss": 0.25, "epoch/val_loss": None},
    ]
    for content in (json.dumps(rows), "\n".join(map(json.dumps, rows))):
        (run,) = read(tmp_path / "history.json", content)
        assert column(run, "loss") == [0.5, 0.25]
        assert run.series["val_loss"].recorded.tolist() == [True, False]


def test_steps_far_apart_are_counted_and_noted(tmp_path: Path) -> None:
    content = "_step,_runtime,loss\n0,1,3\n50,2,2\n100,3,1\n"
    (run,) = read(tmp_path / "history.csv", content)
    assert (run.first_epoch, run.horizon) == (0, 2)
    # a training's loss of every 50th batch is of no epoch
    assert run.axis_unit == "evaluations"
    content = content.replace("loss", "val_loss")
    (run,) = read(tmp_path / "validation.csv", content)
    assert any("each logged step (0, 50, 100, ...)" in note for note in run.notes)


WANDB_CHART = """"Step","one - val_loss","one - val_loss__MIN","one - val_loss__MAX",\
"two - val_loss","two - val_loss__MIN","two - val_loss__MAX"
"0","0.5","0.5","0.5","","",""
"1","0.25","0.25","0.25","0.75","0.75","0.75"
"2","","","","0.5","0.5","0.5"
"""
# the second line is drawn between .5 and 1 at step 1
WANDB_AVERAGE = WANDB_CHART.replace('"0.75","0.75","0.75"', '"0.75","0.5","1"')


# two runs of different lengths, each with W&B's own steps from 0
TWO_RUNS = {"calm-sea-1": [0.5, 0.25], "bold-sun-2": [0.75, 0.5, 0.625]}


def _steps(losses: list[float], **beside: object) -> list[dict[str, object]]:
    return [{"_step": at, "val_loss": loss, **beside} for at, loss in enumerate(losses)]


@pytest.mark.parametrize(
    "held",
    [
        {name: _steps(own) for name, own in TWO_RUNS.items()},
        {
            key: {"name": name, "config": {"lr": 0.1}, "history": _steps(own)}
            for key, (name, own) in zip(("x1", "y2"), TWO_RUNS.items(), strict=True)
        },
        [{"name": name, "history": _steps(own)} for name, own in TWO_RUNS.items()],
        [row for name, own in TWO_RUNS.items() for row in _steps(own, run=name)],
        [row for name, own in TWO_RUNS.items() for row in _steps(own, name=name)],
        [
            {"name": name, "_step": [*range(len(own))], "val_loss": own}
            for name, own in TWO_RUNS.items()
        ],
    ],
)
def test_several_histories_of_wandb_in_one_json_are_runs_by_their_names(
    tmp_path: Path, held: object
) -> None:
    path = tmp_path / "history.json"
    path.write_text(json.dumps(held))
    runs = load_runs(path)
    found = {run.name.split("#")[1]: list(run.series["val_loss"]) for run in runs}
    assert found == TWO_RUNS


@pytest.mark.parametrize("goes_on", [False, True])
def test_histories_of_wandb_in_one_table_are_runs_by_the_column_that_names_them(
    tmp_path: Path, *, goes_on: bool
) -> None:
    """Folds that one run of W&B logged in turn share its steps, which go on."""
    rows, step = [], 0
    for fold, own in enumerate(TWO_RUNS.values()):
        step = step if goes_on else 0
        for loss in own:
            rows.append(f"{step},{step}.5,{fold},{loss}")
            step += 1
    path = tmp_path / "history.csv"
    path.write_text("\n".join(["_step,_runtime,fold,val_loss", *rows, ""]))
    runs = load_runs(path)
    assert [list(run.series["val_loss"]) for run in runs] == [*TWO_RUNS.values()]
    assert [run.name for run in runs] == [
        "history.csv#fold=0",
        "history.csv#fold=1",
    ]


@pytest.mark.parametrize("name", ["batch_size", "dropout"])
def test_a_setting_that_changes_while_steps_of_wandb_go_on_is_of_one_run(
    tmp_path: Path, name: str
) -> None:
    rows = [
        {"_step": at, "epoch": at, "val_loss": 1 / (at + 1), name: 32 if at < 3 else 64}
        for at in range(6)
    ]
    path = tmp_path / "history.json"
    path.write_text(json.dumps(rows))
    (run,) = load_runs(path)
    assert run.n_epochs == 6
    assert run.possible_seams == {3}


def test_a_step_of_wandb_that_holds_a_list_is_no_run(tmp_path: Path) -> None:
    rows = _steps([0.5, 0.25], images=[{"path": "a.png"}])
    path = tmp_path / "history.json"
    path.write_text(json.dumps(rows))
    (run,) = load_runs(path)
    assert list(run.series["val_loss"]) == [0.5, 0.25]


def test_a_chart_of_wandb_holds_a_run_for_each_line(tmp_path: Path) -> None:
    one, two = read(tmp_path / "chart.csv", WANDB_CHART)
    assert (one.name, two.name) == ("chart.csv#one", "chart.csv#two")
    assert column(one, "val_loss") == [0.5, 0.25]
    assert column(two, "val_loss") == [0.75, 0.5]
    assert (two.first_epoch, two.horizon) == (1, 2)
    (again,) = load_runs(f"{tmp_path}/chart.csv#two")
    assert again.name == "chart.csv#two"


def test_an_average_of_a_chart_is_no_training(tmp_path: Path) -> None:
    # it was read, and patience called enough on values that no training saw
    with pytest.raises(LogError, match="two - val_loss is an average"):
        read(tmp_path / "chart.csv", WANDB_AVERAGE)
    (one,) = load_runs(tmp_path / "chart.csv", errors="skip")
    assert column(one, "val_loss") == [0.5, 0.25]
    assert any("left out two - val_loss: an average" in note for note in one.notes)


def test_the_epochs_of_hugging_face_are_known_in_wandb(tmp_path: Path) -> None:
    # report_to="wandb": a row of the training and one of the evaluation, of one epoch
    rows = [
        row
        for epoch, loss in enumerate((0.9, 0.5, 0.7), start=1)
        for row in (
            f"{2 * epoch - 2},{loss},{epoch},{50 * epoch},",
            f"{2 * epoch - 1},,{epoch},{50 * epoch},{loss}",
        )
    ]
    header = "_step,train/loss,train/epoch,train/global_step,eval/loss"
    (run,) = read(tmp_path / "history.csv", "\n".join([header, *rows, ""]))
    # the six steps were six epochs
    assert (run.first_epoch, run.horizon) == (0, 2)
    assert column(run, "eval/loss") == [0.9, 0.5, 0.7]


@pytest.mark.parametrize(
    ("name", "header", "line"),
    [
        ("a.csv", "epoch,step,eval_loss", "{epoch},{step},{loss}"),
        ("b.csv", "epoch,eval_loss", "{epoch},{loss}"),
        ("c.csv", "_step,train/epoch,eval/loss", "{step},{epoch},{loss}"),
        ("d.jsonl", "", '{{"epoch": {epoch}, "step": {step}, "eval_loss": {loss}}}'),
    ],
)
def test_rows_within_epochs_are_evaluations(
    tmp_path: Path, name: str, header: str, line: str
) -> None:
    losses = [0.9, 0.8, 0.7, 0.6, 0.5, 0.6, 0.7, 0.8]
    rows = [
        line.format(epoch=at / 4, step=10 * at, loss=loss)
        for at, loss in enumerate(losses, start=1)
    ]
    content = "\n".join([*([header] if header else []), *rows, ""])
    (run,) = read(tmp_path / name, content)
    # two epochs, called eight in JSON lines and in W&B's history
    assert run.axis_unit == "evaluations"
    assert run.steps is not None
    (judged,) = [own for own in run.series if own.startswith("eval")]
    assert column(run, judged) == losses


ENDS = [
    [0.99, 1.98, 2.97, 3.96],
    [0.9997, 1.9994, 2.9991, 3.9988],
    [0.995, 1.995, 2.995, 3.995],
    [1.0, 2.0, 3.0, 3.98],
]


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize(
    ("name", "header", "line"),
    [
        ("a.csv", "epoch,step,eval_loss", "{epoch},{step},{loss}"),
        ("b.csv", "epoch,eval_loss", "{epoch},{loss}"),
        ("c.csv", "_step,train/epoch,eval/loss", "{step},{epoch},{loss}"),
        ("d.jsonl", "", '{{"epoch": {epoch}, "step": {step}, "eval_loss": {loss}}}'),
    ],
)
def test_rows_at_nearly_each_epoch_s_end_are_epochs(
    tmp_path: Path, ends: list[float], name: str, header: str, line: str
) -> None:
    losses = [0.9, 0.8, 0.7, 0.6]
    rows = [
        line.format(epoch=end, step=49 * (at + 1), loss=losses[at])
        for at, end in enumerate(ends)
    ]
    content = "\n".join([*([header] if header else []), *rows, ""])
    (run,) = read(tmp_path / name, content)
    assert (run.first_epoch, run.n_epochs, run.axis_unit) == (0, 4, "epochs")
    (judged,) = [own for own in run.series if own.startswith("eval")]
    assert column(run, judged) == losses


@pytest.mark.parametrize("ends", ENDS[:3])
def test_trainer_that_evaluates_just_before_each_epoch_s_end_counts_epochs(
    tmp_path: Path, ends: list[float]
) -> None:
    rows = [
        {"epoch": end, "eval_loss": 1 / (at + 1), "step": 49 * (at + 1)}
        for at, end in enumerate(ends)
    ]
    state = {"log_history": rows, "num_train_epochs": 4, "global_step": 196}
    (run,) = read(tmp_path / "trainer_state.json", json.dumps(state))
    assert (run.first_epoch, run.n_epochs, run.planned_epochs) == (0, 4, 4)


@pytest.mark.parametrize(
    "fractions", [[0.9, 1.8, 2.7, 3.6], [1.5, 3.0, 4.5], [0.99, 1.98, 3.96, 4.95]]
)
def test_rows_that_drift_off_the_epochs_are_evaluations(
    tmp_path: Path, fractions: list[float]
) -> None:
    rows = "".join(f"{end},{1 / end}\n" for end in fractions)
    (run,) = read(tmp_path / "log.csv", f"epoch,val_loss\n{rows}")
    assert run.axis_unit == "evaluations"


def test_one_fraction_among_epochs_is_damage(tmp_path: Path) -> None:
    rows = "epoch,val_loss\n0,.9\n1,.8\n1.5,.7\n3,.6\n"
    with pytest.raises(LogError, match=r"'1\.5' is not a whole number"):
        read(tmp_path / "log.csv", rows)


def test_a_chart_over_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="over 'wall', not over epochs or steps"):
        read(tmp_path / "chart.csv", WANDB_CHART.replace('"Step"', '"wall"'))


MLFLOW = """Run ID,Key,Value,Step,Timestamp
ab,loss,0.5,0,1
ab,loss,0.25,1,2
ab,val_loss,0.75,0,1
cd,loss,1.5,0,1
"""


def test_mlflow_holds_a_row_for_each_key_and_step(tmp_path: Path) -> None:
    ab, cd = read(tmp_path / "metrics.csv", MLFLOW)
    assert (ab.name, cd.name) == ("metrics.csv#ab", "metrics.csv#cd")
    assert column(ab, "loss") == [0.5, 0.25]
    assert column(ab, "val_loss") == [0.75, None]
    metrics = [
        {"key": "loss", "value": 0.5, "timestamp": 1, "step": 0},
        {"key": "loss", "value": 0.25, "timestamp": 2, "step": 1},
    ]
    (run,) = read(tmp_path / "metrics.json", json.dumps({"metrics": metrics}))
    assert column(run, "loss") == [0.5, 0.25]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("key,value,step\nloss,1,x\n", "the step 'x' of 'loss'"),
        ("key,value,step\nloss,1\n", "2 cells under 3 columns"),
        ("key,value,step\n", "no metric in it"),
    ],
)
def test_an_mlflow_export_that_is_damaged_is_refused(
    tmp_path: Path, content: str, sentence: str
) -> None:
    with pytest.raises(LogError, match=sentence):
        read(tmp_path / "metrics.csv", content)


@pytest.mark.parametrize("header", ["key,value,step", "metric,value,epoch"])
def test_a_metric_beside_others_may_be_written_in_percent(
    tmp_path: Path, header: str
) -> None:
    rows = "loss,.9,0\naccuracy,61.5%,0\nloss,.8,1\naccuracy,70%,1\n"
    (run,) = read(tmp_path / "log.csv", f"{header}\n{rows}")
    assert column(run, "accuracy") == [61.5, 70.0]
    assert column(run, "loss") == [0.9, 0.8]
    assert "accuracy is written in percent: 61.5% was read as 61.5" in run.notes


def test_the_earlier_value_of_a_step_in_percent_is_a_number(tmp_path: Path) -> None:
    rows = "accuracy,61.5%,0\naccuracy,60%,1\naccuracy,70%,1\n"
    (run,) = read(tmp_path / "log.csv", f"key,value,step\n{rows}")
    assert run.series["accuracy"].others == {1: (60.0,)}


@pytest.mark.parametrize("steps", ["Step,", "step,"])
def test_a_directory_finds_a_table_of_a_training_and_its_validation(
    tmp_path: Path, steps: str
) -> None:
    rows = "0,.9,.95\n1,.8,.85\n"
    (tmp_path / "export.csv").write_text(f"{steps}run/train,run/validation\n{rows}")
    (run,) = load_runs(tmp_path)
    assert column(run, "run/validation") == [0.95, 0.85]


def test_a_directory_finds_a_history_of_any_metric(tmp_path: Path) -> None:
    history = {"kappa": [0.1, 0.2], "val_kappa": [0.1, 0.3]}
    (tmp_path / "history.json").write_text(json.dumps(history), encoding="utf-8")
    (tmp_path / "config.json").write_text('{"val_share": 0.2}', encoding="utf-8")
    (run,) = load_runs(tmp_path)
    assert list(run.series["val_kappa"]) == history["val_kappa"]


def test_a_directory_says_how_a_table_without_epochs_is_read(tmp_path: Path) -> None:
    (tmp_path / "export.csv").write_text("run/train,run/validation\n.9,.95\n.8,.85\n")
    with pytest.raises(LogError, match="no column of epochs; given by its name, its"):
        load_runs(tmp_path)
    (run,) = load_runs(tmp_path / "export.csv")
    assert column(run, "run/validation") == [0.95, 0.85]
    # a table of models holds no training
    (tmp_path / "export.csv").write_text("model,acc train,acc test\na,.9,.95\n")
    with pytest.raises(LogError, match="no log that is known"):
        load_runs(tmp_path)


def test_an_mlflow_export_that_each_save_appended_is_one_training(
    tmp_path: Path,
) -> None:
    """Without steps, too, where a row that stands twice would be two epochs."""
    header = "key,value,timestamp,step\n"
    log = tmp_path / "metrics.csv"
    for step in ("{}", "0"):
        rows = [f"loss,{9 - at},{10 * at},{step.format(at)}\n" for at in range(4)]
        log.write_text("".join(header + "".join(rows[:n]) for n in (2, 3, 4)))
        (run,) = load_runs(log)
        assert list(run.series["loss"]) == [9, 8, 7, 6]
        # what follows below another header is another part of it
        log.write_text(header + "".join(rows[:2]) + header + "".join(rows[2:]))
        (run,) = load_runs(log)
        assert list(run.series["loss"]) == [9, 8, 7, 6]


def test_a_page_of_what_mlflow_s_server_holds_is_said_to_be_one(tmp_path: Path) -> None:
    rows = [{"key": "loss", "value": 9 - at, "step": at} for at in range(4)]
    page = tmp_path / "rest.json"
    for token in ("", "AbC"):
        page.write_text(json.dumps({"metrics": rows, "next_page_token": token}))
        (run,) = load_runs(page)
        assert any("next_page_token" in note for note in run.notes) is bool(token)


def test_a_damaged_row_of_an_mlflow_export_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("key,value,step\nloss,0.5,0\nloss,0.3\nloss,0.25,1\n")
    with pytest.raises(LogError, match="line 3: 2 cells under 3 columns"):
        load_runs(path)
    (run,) = load_runs(path, errors="skip")
    assert run.series["loss"].values.tolist() == [0.5, 0.25]
    assert run.n_dropped == 1


def test_an_mlflow_export_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(b"key,value,step\nloss,1,\0\n")
    with pytest.raises(
        LogError, match=r"the step .*x00.* of 'loss' is not a whole number"
    ):
        list(reader_for("mlflow", ReadOptions()).read(str(path)))


@pytest.mark.parametrize(
    ("name", "content", "losses"),
    [
        # a training may be writing the last line
        ("log.jsonl", '{"epoch": 0, "loss": 1}\n{"epoch": 1, "lo', [1]),
        ("log.csv", "key,value,step\nloss,1,0\nloss,.5", [1]),
        ("log.csv", "key,value,step\nloss,1,0\nloss,.5,1", [1, 0.5]),
        # a step that may be 10, and a value that may be .52
        ("log.csv", "key,value,step\nloss,1,9\nloss,.5,10\nloss,.4,1", [1, 0.5]),
        ("log.csv", "key,step,value\nloss,0,1\nloss,1,.53\nloss,2,.5", [1, 0.53]),
    ],
)
def test_a_last_line_without_line_end_is_noted_in_every_format(
    tmp_path: Path, name: str, content: str, losses: list[float]
) -> None:
    (run,) = read(tmp_path / name, content)
    assert column(run, "loss") == losses
    assert any("has no line end" in note for note in run.notes)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_only_a_line_end_ends_a_line_of_json(tmp_path: Path, end: str) -> None:
    """JSON may hold the other signs at which Python's splitlines() cuts."""
    rows = [
        {"epoch": epoch, "loss": 1 - epoch / 4, "said": "a\u2028b\x85c"}
        for epoch in range(3)
    ]
    text = end.join(json.dumps(row, ensure_ascii=False) for row in rows) + end
    (run,) = read(tmp_path / "log.jsonl", text)
    assert column(run, "loss") == [1, 0.75, 0.5]


@pytest.mark.parametrize(
    "held",
    [
        {"loss": [0.5, 0.25], "val_loss": [1.0, None]},
        {"history": {"loss": [0.5, 0.25], "val_loss": [1.0, None]}, "epoch": [0, 1]},
        {"loss": {"0": 0.5, "1": 0.25}, "val_loss": {"1": None, "0": 1.0}},
        [{"epoch": 0, "loss": 0.5, "val_loss": 1.0}, {"epoch": 1, "loss": 0.25}],
        {"loss": [0.5, 0.25], "val_loss": [1.0, None], "model": "resnet"},
    ],
)
def test_a_history_as_json_is_read_however_it_was_written(
    tmp_path: Path, held: object
) -> None:
    (run,) = read(tmp_path / "history.json", json.dumps(held))
    assert column(run, "loss") == [0.5, 0.25]
    assert column(run, "val_loss") == [1.0, None]


def test_the_plan_of_a_history_as_json_is_kept(tmp_path: Path) -> None:
    held = {"history": {"loss": [1.0]}, "epoch": [0], "params": {"epochs": 9}}
    (run,) = read(tmp_path / "history.json", json.dumps(held))
    assert run.planned_epochs == 9


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"loss": "mse"}', "no lists of numbers"),
        ('{"loss": [1, 2', "the JSON breaks off here"),
        ('{"loss": [1, 2]} x', "Extra data"),
        ('{"epoch": 0, "loss": 1}\n{"epoch": 1, "lo\n', "line 2: this line is not"),
        ('{"loss": [' + "[" * 100_000, "nested too deeply"),
        ('{"loss": [' + "9" * 5000 + "]}", "not the JSON of a log"),
        ('[{"loss": 1}, 2]', "no lists of numbers"),
        ('{"loss": {"0": 1, "%s": 2}}' % ("9" * 5000), "no lists of numbers"),
        ('{"loss": [1%s]}' % ("0" * 400), "no cell of a metric is a number"),
        ('{"loss": [1], "epoch": [1%s]}' % ("0" * 30), "epoch '1e\\+30' is too large"),
    ],
)
def test_json_that_is_no_log_is_refused(
    tmp_path: Path, content: str, sentence: str
) -> None:
    with pytest.raises(LogError, match=sentence):
        read(tmp_path / "history.json", content)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_is_refused_with_what_to_write_instead(
    tmp_path: Path, protocol: int
) -> None:
    content = pickle.dumps({"loss": [1.0]}, protocol=protocol)
    with pytest.raises(LogError, match="runs the code that is in it") as caught:
        read(tmp_path / "history.pkl", content)
    assert "json.dump" in str(caught.value)


def test_a_pickle_never_runs(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (type(tmp_path).touch, (tmp_path / "ran",))

    for name in ("history.pkl", "history.csv", "history"):
        with pytest.raises(LogError):
            read(tmp_path / name, pickle.dumps(Bomb()))
    assert not (tmp_path / "ran").exists()


def test_a_compressed_log_is_read(tmp_path: Path) -> None:
    content = gzip.compress(b"epoch,loss\r\n0,0.5\r\n1,0.25\r\n")
    (run,) = read(tmp_path / "logs.csv.gz", content)
    assert column(run, "loss") == [0.5, 0.25]
    assert [one.name for one in load_runs(tmp_path)] == [tmp_path.name]


@pytest.mark.parametrize("end", [12, 20, -9, -1])
def test_a_compressed_log_that_breaks_off_is_truncated(
    tmp_path: Path, end: int
) -> None:
    rows = "".join(f"{i},{math.sin(i)!r}\r\n" for i in range(50))
    content = gzip.compress(f"epoch,loss\r\n{rows}".encode())
    with pytest.raises(TruncatedLogError):
        read(tmp_path / "logs.csv.gz", content[:end])


def test_damage_within_a_compressed_log_is_named(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(b"epoch,loss\r\n0,0.5\r\n" * 50))
    content[15] ^= 255
    with pytest.raises(LogError, match=r"compressed file is damaged|cannot be read"):
        read(tmp_path / "logs.csv.gz", bytes(content))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_of_the_table_has_a_reader(name: str) -> None:
    assert hasattr(reader_for(name, ReadOptions()), "read")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", '{"optimizer": "adam"}'),
        ("data.csv", "x,y\n1,2\n"),
        ("notes.txt", "epoch 3 was best\n"),
        ("train.log", "INFO starting\nepoch 0 loss 1\n"),
        ("empty.csv", ""),
        ("image.csv", b"\x89PNG\r\n\x1a\n\0\0"),
    ],
)
def test_what_is_no_log_has_no_format(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    data = content.encode() if isinstance(content, str) else content
    (tmp_path / name).write_bytes(data)
    assert format_of(str(tmp_path / name)) is None


@pytest.mark.parametrize(("empty", "is_there"), [("missing", False), ("nan", True)])
def test_null_in_a_history_is_missing_or_nan_as_the_user_says(
    tmp_path: Path, empty: str, *, is_there: bool
) -> None:
    # pandas writes NaN so
    held = {"loss": [3.0, 2.0, 1.0], "val_loss": [0.5, None, 0.25]}
    (run,) = read(tmp_path / "history.json", json.dumps(held), empty=empty)
    assert bool(run.series["val_loss"].recorded[1]) == is_there
    assert math.isnan(run.series["val_loss"].values[1])


def test_lists_below_others_are_called_by_their_paths(tmp_path: Path) -> None:
    # evals_result_ of XGBoost, and a curve as ClearML returns it
    held = {"validation_0": {"rmse": [0.5, 0.4]}, "validation_1": {"rmse": [0.6, 0.5]}}
    (run,) = read(tmp_path / "evals.json", json.dumps(held))
    assert column(run, "validation_1/rmse") == [0.6, 0.5]
    curves = {
        name: {"name": name, "x": [0, 1, 2], "y": [y, y / 2, y / 4]}
        for name, y in (("train", 8.0), ("validation", 4.0))
    }
    (run,) = read(tmp_path / "scalars.json", json.dumps({"loss": curves}))
    assert set(run.series) == {"loss/train", "loss/validation"}
    assert column(run, "loss/validation") == [4.0, 2.0, 1.0]
    # with gaps they are points, each of a step that was logged
    curves["train"]["x"] = curves["validation"]["x"] = [0, 5, 7]
    (run,) = read(tmp_path / "scalars.json", json.dumps({"loss": curves}))
    losses = run.series["loss/validation"]
    assert losses.recorded.nonzero()[0].tolist() == [0, 5, 7]
    assert losses.values[losses.recorded].tolist() == [4.0, 2.0, 1.0]
    assert any("each logged step (0, 5, 7, ...)" in note for note in run.notes)


def test_rows_with_values_below_their_data_set_are_read(tmp_path: Path) -> None:
    rows = [
        {"epoch": at, "train": {"loss": 1.0 / at}, "val": {"loss": 2.0 / at}}
        for at in (1, 2, 4)
    ]
    (run,) = read(tmp_path / "history.json", json.dumps(rows))
    assert column(run, "loss") == [1.0, 0.5, None, 0.25]
    assert column(run, "val_loss") == [2.0, 1.0, None, 0.5]


@pytest.mark.parametrize(
    "written", ["01.02.2024 10:0{}", "2024-02-0{}T10:00:00", "2/{}/24", "00:01:0{}"]
)
def test_a_date_of_each_row_does_not_name_it(tmp_path: Path, written: str) -> None:
    rows = "".join(f"{1 / at};{at};{written.format(at)}\n" for at in range(1, 6))
    (run,) = read(tmp_path / "log.csv", f"loss;val_loss;Datum\n{rows}")
    assert run.recorded_epochs == 5


def test_epochs_have_names_in_other_languages(tmp_path: Path) -> None:
    text = "Epoche;loss;val_loss\n3;0,5;0,4\n4;0,25;0,2\n"
    (run,) = read(tmp_path / "log.csv", text)
    assert (run.first_epoch, run.horizon) == (3, 4)


def test_histories_under_their_names_are_trainings(tmp_path: Path) -> None:
    held = {
        "resnet": {"loss": [3.0, 2.0], "val_loss": [3.5, 2.5], "seconds": 9},
        "vgg": {"loss": [4.0, 1.0], "val_loss": [4.5, 1.5], "seconds": 8},
    }
    first, second = read(tmp_path / "histories.json", json.dumps(held))
    assert (first.name, second.name) == (
        "histories.json#resnet",
        "histories.json#vgg",
    )
    assert column(second, "val_loss") == [4.5, 1.5]
    first, second = read(tmp_path / "folds.json", json.dumps([*held.values()]))
    assert (first.name, second.name) == ("folds.json#1", "folds.json#2")
    # one alone is a wrapper
    (run,) = read(tmp_path / "one.json", json.dumps({"resnet": held["resnet"]}))
    assert set(run.series) == {"loss", "val_loss"}


def test_rows_with_lists_in_them_are_no_histories(tmp_path: Path) -> None:
    rows = [{"loss": 1 / at, "lr": [0.5, 0.5]} for at in (1, 2, 4)]
    (run,) = read(tmp_path / "rows.json", json.dumps(rows))
    assert column(run, "loss") == [1.0, 0.5, 0.25]


def test_a_plan_that_no_training_has_is_not_used(tmp_path: Path) -> None:
    held = {
        "history": {"loss": [3.0, 2.0], "val_loss": [2.0, 1.0]},
        "params": {"epochs": 10**30},
    }
    (run,) = read(tmp_path / "history.json", json.dumps(held))
    assert run.planned_epochs is None
    assert "is no plan" in " ".join(run.notes)
    with pytest.raises(ConfigError, match="no training has"):
        read(tmp_path / "history.json", json.dumps(held), planned_epochs=10**30)


def test_fits_of_one_epoch_in_json_lines_are_numbered_by_their_rows(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log.jsonl"
    rows = [{"epoch": 0, "val_loss": loss} for loss in (0.9, 0.7, 0.8)]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows))
    # as a CSV of such fits is refused and read
    with pytest.raises(LogError, match=r"every row is epoch 0\. .*parts='rows'"):
        load_runs(log)
    (run,) = load_runs(log, parts="rows")
    assert column(run, "val_loss") == [0.9, 0.7, 0.8]
