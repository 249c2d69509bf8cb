"""What people reported in public of their logs, rebuilt small: no wrong belief is left.

Each test says in its first line what was reported.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from typing import TYPE_CHECKING

import pytest

from cbreplay import load_runs
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask

LOSSES = [0.9, 0.8, 0.7, 0.6, 0.65, 0.66, 0.64, 0.7]


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]))
    return path


def told(ask: Ask, *words: str | Path) -> str:
    answer = ask(*words)
    assert answer.status == 0, answer.err
    return " ".join(answer.out.split())


def test_a_misspelt_monitor_never_acts_and_is_found(ask: Ask, tmp_path: Path) -> None:
    """Training always ends when the patience is reached: monitor='value_loss'."""
    log = write(
        tmp_path / "log.csv",
        "epoch,loss,val_loss",
        [f"{at},{loss},{loss}" for at, loss in enumerate(LOSSES)],
    )
    answer = ask("simulate", log, "--monitor", "value_loss", "--patience", "3")
    assert answer.status == 2
    assert "did you mean 'val_loss'?" in answer.err


def test_the_two_names_of_accuracy_are_told_of(ask: Ask, tmp_path: Path) -> None:
    """An old script stops on val_accuracy, and this Keras calls it val_acc."""
    log = write(
        tmp_path / "log.csv",
        "epoch,acc,loss,val_acc,val_loss",
        [f"{at},{1 - loss},{loss},{1 - loss},{loss}" for at, loss in enumerate(LOSSES)],
    )
    for asked, meant in (("val_accuracy", "val_acc"), ("accuracy", "acc")):
        answer = ask("simulate", log, "--monitor", asked)
        assert answer.status == 2
        assert f"did you mean {meant!r}?" in answer.err


def test_no_patience_is_one_epoch_of_it(ask: Ask, tmp_path: Path) -> None:
    """EarlyStopping() stops at the second epoch although the loss improves: not so."""
    log = write(
        tmp_path / "log.csv",
        "epoch,loss,val_loss",
        [f"{at},{loss},{loss}" for at, loss in enumerate([0.9, 0.8, 0.7, 0.75, 0.6])],
    )
    # the first epoch that is no improvement is the fourth
    said = told(
        ask, "simulate", log, "-c", "EarlyStopping()", "--semantics", "keras-3.15"
    )
    assert "stops at epoch 4 of 5" in said


def test_a_header_that_an_append_wrote_again_is_a_seam(
    ask: Ask, tmp_path: Path
) -> None:
    """CSVLogger(append=True) of old releases writes the header once more."""
    rows = [f"{at},{loss},{loss}" for at, loss in enumerate(LOSSES)]
    head = "epoch,loss,val_loss"
    log = write(tmp_path / "log.csv", head, [*rows[:3], head, *rows[3:]])
    said = told(ask, "inspect", log)
    assert "1 run of 8 epochs" in said
    assert "a fit was resumed at epoch 4 (counted from 1)" in said


def test_a_header_between_two_trainings_parts_them(ask: Ask, tmp_path: Path) -> None:
    """A CSV logger in append mode writes its header between two trainings."""
    head = "epoch\ttrain_loss\tvalid_loss\terror_rate\ttime"
    first = [f"{at}\t{loss}\t{loss}\t{loss}\t00:18" for at, loss in enumerate(LOSSES)]
    second = [
        f"{at}\t{loss}\t{loss + 0.01}\t{loss}\t00:17"
        for at, loss in enumerate(LOSSES[:5])
    ]
    log = write(tmp_path / "history.csv", head, [*first, head, *second])
    assert "2 runs of 5 to 8 epochs" in told(ask, "inspect", log)


def test_a_log_that_a_resumed_training_wrote_over_begins_late(
    ask: Ask, tmp_path: Path
) -> None:
    """metrics.csv of a resumed training holds only the rows from epoch 35 on."""
    rows = [
        row
        for at, loss in enumerate(LOSSES, start=35)
        for row in (f"{at},{at * 10},,{loss}", f"{at},{at * 10},{loss},")
    ]
    log = write(tmp_path / "metrics.csv", "epoch,step,train/loss,val/loss", rows)
    said = told(ask, "simulate", log)
    assert said.startswith(
        "This log begins at epoch 36: what its callbacks saw before is not in it. If a "
        "resumed training wrote over the earlier rows, give that log too"
    )
    assert "was enough" not in said
    # the names alone make it no log of Ultralytics
    assert "Ultralytics" not in said


def test_a_value_that_is_carried_forward_is_doubted(ask: Ask, tmp_path: Path) -> None:
    """A metric that is computed every few epochs is repeated in the rows between."""
    iou = [0.5, 0.6, 0.7, 0.65]
    log = write(
        tmp_path / "training_log.csv",
        "epoch,train_loss,val_loss,eval_iou",
        [f"{at},{0.9**at},{0.95**at},{iou[at // 5]}" for at in range(20)],
    )
    said = told(ask, "simulate", log, "--monitor", "eval_iou", "--mode", "max")
    assert "eval_iou: a new value only every 5 epochs" in said.replace("Eval_", "eval_")
    assert "val_loss: a new value" not in said


def test_a_column_without_any_validation_says_why(ask: Ask, tmp_path: Path) -> None:
    """CSVLogger names val_ columns although fit had no validation data."""
    log = write(
        tmp_path / "training.csv",
        "epoch,loss,val_loss",
        [f"{at},{loss},NA" for at, loss in enumerate(LOSSES)],
    )
    answer = ask("simulate", log)
    assert answer.status == 2
    assert "Keras named it, and never logged a value (every cell is NA)" in answer.err


def test_a_step_that_goes_back_at_each_validation_is_no_restart(
    ask: Ask, tmp_path: Path
) -> None:
    """The step of validation rows flickers to 0 at every epoch."""
    rows = [
        row
        for at, loss in enumerate(LOSSES)
        for row in (f"{loss},{at},0,", f",{at},{at * 10 + 9},{loss}")
    ]
    log = write(tmp_path / "metrics.csv", "val_loss,epoch,step,train_loss", rows)
    assert "stops at 5 of 8" in told(ask, "simulate", log)


def test_a_machine_that_was_restarted_begins_another_training(
    ask: Ask, tmp_path: Path
) -> None:
    """The cloud restarted the machine: a second event file begins at epoch 1 again."""
    for part in ("train", "validation"):
        for start, losses in ((0, LOSSES[:5]), (9000, [x + 0.01 for x in LOSSES])):
            points = [
                (1.6e9 + start + at, at, "epoch_loss", loss)
                for at, loss in enumerate(losses)
            ]
            name = f"events.out.tfevents.{1_600_000_000 + start}.host.1.0.v2"
            write_events(tmp_path / "logs" / part / name, points)
    assert "2 runs of 5 to 8 epochs" in told(ask, "inspect", tmp_path / "logs")


YOLO = "epoch,time,train/box_loss,metrics/mAP50-95(B),val/box_loss,lr/pg0"


def test_a_log_that_a_second_training_was_appended_to_holds_two(
    ask: Ask, tmp_path: Path
) -> None:
    """Ultralytics with exist_ok=True appended to the same results.csv."""
    rows = [f"{at},1,.5,.{at},{LOSSES[at - 1]},0.01" for at in range(1, 7)]
    lower = [f"{loss - 0.1:.2f}" for loss in LOSSES]
    again = [f"{at},1,.4,.{at + 1},{lower[at - 1]},0.01" for at in range(1, 5)]
    write(tmp_path / "train" / "results.csv", YOLO, [*rows, *again])
    said = told(ask, "inspect", tmp_path)
    assert "2 runs of 4 to 6 epochs" in said
    assert "this is number 2, from line 8 on" in said


@pytest.mark.parametrize("first", [0, 1, 3])
def test_a_count_that_begins_again_is_said_with_what_makes_one_training(
    ask: Ask, tmp_path: Path, first: int
) -> None:
    """CSVLogger(append=True) in a second fit without initial_epoch."""
    rows = [f"{at},.5,{loss}" for at, loss in enumerate(LOSSES, first)]
    again = [f"{at},.4,{0.1 + at / 100}" for at in range(first, first + 4)]
    log = write(tmp_path / "logs.csv", "epoch,loss,val_loss", [*rows, *again])
    hint = re.compile(r"--parts rows --seam (\d+) takes both as one training")
    commands = (["inspect"], ["simulate"], ["simulate", "--patience", "2"])
    found = [hint.findall(told(ask, *words, log)) for words in commands]
    assert found[0]
    assert found[0] == found[1] == found[2]
    seam = int(found[0][0])
    (run,) = load_runs(log, parts="rows", seams=[seam])
    assert run.seams == (seam,)
    # the second fit begins there, with its first value
    assert run.series["val_loss"].values[seam - run.first_epoch] == 0.1 + first / 100


def test_a_score_that_ties_in_its_last_digit_is_not_told(
    ask: Ask, tmp_path: Path
) -> None:
    """Ultralytics kept epoch 9 of 309, whose score seemed lower than later ones."""
    scores = [0.28, 0.5, 0.9, 0.995, 0.995, 0.995, 0.995, 0.9949]
    rows = [f"{at},1,.5,{score},.5,0.01" for at, score in enumerate(scores, 1)]
    log = write(tmp_path / "results.csv", YOLO, rows)
    words = ("--monitor", "metrics/mAP50-95(B)", "--mode", "max", "--patience", "3")
    assert "rounds too far to tell which of two values" in told(
        ask, "simulate", log, *words
    )


def test_columns_that_keras_invented_are_no_validation(
    ask: Ask, tmp_path: Path
) -> None:
    """CSVLogger wrote val_loss although there was no validation: every cell is NA."""
    rows = [f"{at},0.{9 - at},NA" for at in range(6)]
    answer = ask("simulate", write(tmp_path / "logs.csv", "epoch,loss,val_loss", rows))
    assert answer.status == 2
    assert "Keras named it, and never logged a value" in answer.err


def test_a_stopped_epoch_of_0_is_no_stop_and_no_epoch(ask: Ask, tmp_path: Path) -> None:
    """MLflow's autologger wrote stopped_epoch 0 of a training that did not stop."""
    rows = [f"val_loss,{loss},{1000 + at},{at}" for at, loss in enumerate(LOSSES)]
    rows += ["stopped_epoch,0,1010,0", "restored_epoch,0,1010,0"]
    log = write(tmp_path / "metrics.csv", "key,value,timestamp,step", rows)
    said = told(ask, "inspect", log)
    assert "1 run of 8 epochs" in said
    assert "series metrics.csv 1-8 0 - - val_loss -" in said


def test_a_header_in_the_middle_begins_another_training_of_fastai(
    ask: Ask, tmp_path: Path
) -> None:
    """fastai's CSVLogger wrote its header again with append=True."""
    header = "epoch,train_loss,valid_loss,error_rate,time"
    rows = [f"{at},.5,{loss},.1,00:18" for at, loss in enumerate(LOSSES)]
    again = [f"{at},.4,{loss},.1,00:17" for at, loss in enumerate(LOSSES[3:6])]
    log = write(tmp_path / "history.csv", header, [*rows, header, *again])
    said = told(ask, "inspect", log)
    assert "2 runs of 3 to 8 epochs" in said
    assert "left out time: no cell is a number" in said


def test_a_rate_that_was_never_logged_is_said_to_be_empty(
    ask: Ask, tmp_path: Path
) -> None:
    """A logger looked for the rate under an older name: its column stayed empty."""
    rows = [f"{at},.5,{loss}," for at, loss in enumerate(LOSSES)]
    header = "epoch,train_loss,val_loss,learning_rate"
    log = write(tmp_path / "training_log.csv", header, rows)
    assert "left out learning_rate: every cell is empty" in told(ask, "inspect", log)


def test_blank_lines_between_rows_are_no_damage(ask: Ask, tmp_path: Path) -> None:
    """A metrics.csv of Lightning was called malformed for its blank lines."""
    rows = []
    for at, loss in enumerate(LOSSES):
        rows += [f"{at},{9 * at + 8},,{loss}", "", f"{at},{9 * at + 8},.5,", ""]
    log = write(tmp_path / "metrics.csv", "epoch,step,train/loss,val_loss", rows)
    assert "1 run of 8 epochs" in told(ask, "inspect", log)


def test_an_export_of_500_rows_lacks_most_validations(ask: Ask, tmp_path: Path) -> None:
    """run.history() of a run of Lightning held 500 of its rows, few with val_loss."""
    rows, step = [], 0
    for epoch in range(30):
        for _ in range(20):
            rows.append(f"{step},{step},,0.5,")
            step += 1
        rows.append(f"{step},{step},{epoch},,{1 / (epoch + 1)}")
        step += 1
    header = "_step,trainer/global_step,epoch,train_loss_step,val_loss"
    drawn = [row for at, row in enumerate(rows) if at % 5 != 2]
    said = told(
        ask, "simulate", write(tmp_path / "h.csv", header, drawn), "--patience", "3"
    )
    assert "this log cannot tell: it lacks val_loss there" in said


def test_the_metrics_of_dvclive_are_one_training(ask: Ask, tmp_path: Path) -> None:
    """DVCLive writes a file for each metric, under train/ and eval/."""
    metrics = tmp_path / "dvclive" / "plots" / "metrics"
    for at, name in enumerate(("train", "eval")):
        rows = [f"{step}\t{loss + at / 8}" for step, loss in enumerate(LOSSES)]
        write(metrics / name / "loss.tsv", "step\tloss", rows)
    said = told(ask, "simulate", tmp_path)
    assert "the epoch of the best eval/loss, 4" in said


def test_an_evaluation_that_adds_columns_rewrites_the_same_table(
    ask: Ask, tmp_path: Path
) -> None:
    """DeepLabCut appended the whole table at each save, wider from an evaluation on."""
    rows = [f"{at + 1},0.{9 - at}" for at in range(3)]
    wide = [f"{at + 1},0.{9 - at},{loss}" for at, loss in enumerate(LOSSES)]
    header = "epoch,losses/train.total_loss"
    lines = [rows[0], header, *rows[:2], header, *rows]
    lines += [f"{header},losses/eval.total_loss", *wide]
    log = write(tmp_path / "learning_stats.csv", header, lines)
    said = told(ask, "simulate", log, "--patience", "2")
    assert "stops at epoch 6 of 8, and keeps epoch 4" in said


def lightning(path: Path, values: list[float], every: int) -> Path:
    rows = []
    for epoch in range(len(values) * every):
        step = 10 * epoch + 9
        if epoch % every == every - 1:
            rows.append(f"{epoch},{step},,{values[epoch // every]}")
        rows.append(f"{epoch},{step},{1 / (epoch + 1)},")
    return write(path, "epoch,step,train_loss,val_loss", rows)


def yolo(path: Path, values: list[float]) -> Path:
    header = "epoch,time,train/box_loss,metrics/mAP50-95(B),val/box_loss,lr/pg0"
    rows = [
        f"{at + 1},{3.5 * (at + 1)},{1 / (at + 1):.5f},{value:.5g},{1 / (at + 2)},.1"
        for at, value in enumerate(values)
    ]
    return write(path, header, rows)


MAP = ("--monitor", "metrics/mAP50-95(B)", "--mode", "max")


def test_patience_counts_validations_and_no_epochs(ask: Ask, tmp_path: Path) -> None:
    """check_val_every_n_epoch=4: does patience=3 count validations or epochs?"""
    values = [0.9, 0.8, 0.7, 0.75, 0.74, 0.73, 0.76, 0.72]
    log = lightning(tmp_path / "metrics.csv", values, 4)
    said = told(ask, "simulate", log, "--patience", "3")
    assert "stops at epoch 24 of 32, and keeps epoch 12" in said
    assert "a patience counts values, not epochs" in said
    assert "exact" in said


def test_weights_are_restored_at_the_planned_end_by_keras_3_alone(
    ask: Ask, tmp_path: Path
) -> None:
    """The best of 40 epochs is 37, patience 5: which weights are left?"""
    losses = [0.9 - at / 100 for at in range(37)] + [0.6, 0.61, 0.62]
    rows = [f"{at},{loss - 0.1},{loss}" for at, loss in enumerate(losses)]
    log = write(tmp_path / "logs.csv", "epoch,loss,val_loss", rows)
    asked = ("simulate", log, "--patience", "5", "--planned-epochs", "40")
    for semantics, kept in (("keras-3.15", 37), ("tf_keras-2.15", 40)):
        said = told(ask, *asked, "--semantics", semantics)
        assert f"runs to the planned end, epoch 40, and keeps epoch {kept}" in said


def test_each_wait_reduces_the_rate_once_more(ask: Ask, tmp_path: Path) -> None:
    """ReduceLROnPlateau(patience=2) reduces every second epoch: is this a bug?"""
    losses = [0.7, 0.69, 0.686] + [0.6861] * 13
    # what float32 makes of .001, .0002, .00004, .000008, .0000016 and the floor
    rates = ["0.0010000000474974513"] * 5
    for rate in ("0.00020000000949949026", "4.0000002627493814e-05"):
        rates += [rate] * 2
    rates += ["8.000000889296643e-06"] * 2 + ["1.6000001323845936e-06"] * 2
    rates += ["9.999999974752427e-07"] * 3
    rows = [
        f"{at},.5,{rate},{loss}"
        for at, (loss, rate) in enumerate(zip(losses, rates, strict=True))
    ]
    log = write(tmp_path / "logs.csv", "epoch,loss,lr,val_loss", rows)
    reduces = "ReduceLROnPlateau(patience=2, factor=0.2, min_lr=1e-6)"
    stops = "EarlyStopping(patience=8)"
    answer = ask("simulate", log, "-c", stops, "-c", reduces, "--format", "json")
    (result,) = json.loads(answer.out)["results"]
    # zero-based: after the epochs 5, 7, 9 and 11, at which it stops
    assert [each["epoch"] for each in result["reductions"]] == [4, 6, 8, 10]
    assert (result["stopped_epoch"], result["evidence"]) == (10, "exact")


def test_a_checkpoint_that_goes_on_forgets_what_was_best(
    ask: Ask, tmp_path: Path
) -> None:
    """A resumed ModelCheckpoint saves .58 although .6 was reached before."""
    rows = [f"{at},.5,{value}" for at, value in enumerate([0.58, 0.59, 0.57, 0.61])]
    log = write(tmp_path / "logs.csv", "epoch,loss,val_iou", rows)
    saved = "'best.keras', monitor='val_iou', mode='max', save_best_only=True"
    for known, epochs in (("", [0, 1, 3]), (", initial_value_threshold=0.6", [3])):
        callback = f"ModelCheckpoint({saved}{known})"
        answer = ask("simulate", log, "-c", callback, "--format", "json")
        (result,) = json.loads(answer.out)["results"]
        assert [save[0] for save in result["saves"]] == epochs


def test_a_best_epoch_that_was_hardly_better_is_the_best(
    ask: Ask, tmp_path: Path
) -> None:
    """YOLO stops at 309 for patience 300: epoch 9 is best, though .995 came later."""
    values = [0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.9951] + [0.995] * 36
    log = yolo(tmp_path / "results.csv", values)
    said = told(ask, "simulate", log, *MAP, "--patience", "30")
    assert "stops at epoch 39 of 45, and keeps epoch 9, the best on record" in said
    assert "By Keras's rules: Ultralytics may decide otherwise" in said


def test_a_spike_of_pretrained_weights_can_be_left_out(
    ask: Ask, tmp_path: Path
) -> None:
    """Fitness is best at epoch 2, then drops and grows: let the first epochs pass."""
    values = [0.1, 0.6] + [0.1 + 0.012 * at for at in range(38)]
    log = yolo(tmp_path / "results.csv", values)
    asked = ("simulate", log, *MAP, "--patience", "10")
    assert "stops at epoch 12 of 40, and keeps epoch 2" in told(ask, *asked)
    later = told(ask, *asked, "--start-from-epoch", "5")
    assert "does not stop inside this log, which ends at epoch 40" in later


def test_a_longer_patience_than_its_own_is_not_in_the_log(
    ask: Ask, tmp_path: Path
) -> None:
    """YOLO was stopped by patience 10 of 100 epochs: would 20 have helped?"""
    log = yolo(
        tmp_path / "results.csv", [0.1 + at / 50 for at in range(23)] + [0.5] * 10
    )
    settings = "task: detect\nepochs: 100\npatience: 10\nmodel: yolov8n.pt\n"
    (tmp_path / "args.yaml").write_text(settings)
    said = told(ask, "simulate", log, *MAP)
    assert "33 epochs of 100 planned" in said
    assert "11 or more not in the log: it ends at epoch 33" in said
    assert "args.yaml: 100 epochs were planned, with a patience of 10" in said


def test_a_validation_that_is_called_otherwise_is_named(
    ask: Ask, tmp_path: Path
) -> None:
    """EarlyStopping on val_loss, which is not available: valid/loss is."""
    rows = []
    for at, loss in enumerate(LOSSES):
        rows += [f"{at},{9 * at + 8},{1 - loss},{loss},", f"{at},{9 * at + 8},,,.5"]
    log = write(
        tmp_path / "metrics.csv", "epoch,step,valid/acc,valid/loss,train/loss", rows
    )
    assert "keeps the epoch of the best valid/loss, 4" in told(ask, "simulate", log)
    answer = ask("simulate", log, "--monitor", "val_loss")
    assert "did you mean 'valid/loss'?" in answer.err


def test_event_files_without_a_rate_have_none(ask: Ask, tmp_path: Path) -> None:
    """TensorBoard logs no learning rate although ReduceLROnPlateau changes it."""
    for at, writer in enumerate(("train", "validation")):
        (tmp_path / writer).mkdir()
        name = "events.out.tfevents.1600000000.host.1.0"
        points = [
            (1.6e9 + epoch, epoch, "epoch_loss", loss - at / 8)
            for epoch, loss in enumerate(LOSSES)
        ]
        write_events(tmp_path / writer / name, points)
    callbacks = (
        "ReduceLROnPlateau(patience=1, factor=0.2)",
        "EarlyStopping(patience=3)",
    )
    asked = ("simulate", tmp_path, "-c", callbacks[0], "-c", callbacks[1])
    said = told(ask, *asked)
    assert (
        "This setting changes the learning rate after epoch 5, and the log shows no "
        "such change: from there on it says nothing" in said
    )
    assert "No learning rate is recorded: it is taken as constant" in said


def test_what_is_restored_has_another_loss_than_its_epoch(
    ask: Ask, tmp_path: Path
) -> None:
    """The weights that EarlyStopping(monitor='loss') returns do not have that loss."""
    losses = [270.5954, 113.6899, 58.7962, 45.0612, 36.8283, 33.2164, 38.8818, 48.5781]
    rows = [f"{at},{loss}" for at, loss in enumerate(losses)]
    log = write(tmp_path / "logs.csv", "epoch,loss", rows)
    callback = "EarlyStopping(monitor='loss', patience=2, restore_best_weights=True)"
    said = told(ask, "simulate", log, "-c", callback)
    assert "stops at epoch 8 of 8, and keeps epoch 6" in said
    assert "the weights that an epoch ends with, which are kept, have another" in said


def test_no_patience_is_off_elsewhere(ask: Ask, tmp_path: Path) -> None:
    """In YOLO patience=0 turns early stopping off; in Keras it is the shortest."""
    log = yolo(tmp_path / "results.csv", [0.1, 0.6, 0.1, 0.2, 0.3])
    said = told(ask, "simulate", log, *MAP, "--patience", "0")
    assert "stops at epoch 3 of 5" in said
    assert "By Keras's rules: Ultralytics may decide otherwise" in said


def test_a_dump_of_the_whole_history_at_each_save_is_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    """Each save appends all rows as JSON lines: the first save is one row alone."""
    dumps = [
        json.dumps({"epoch": at, "loss": LOSSES[at], "val_loss": LOSSES[at]})
        for n_rows in range(1, len(LOSSES) + 1)
        for at in range(n_rows)
    ]
    log = tmp_path / "history.jsonl"
    log.write_text("\n".join([*dumps, ""]))
    said = told(ask, "inspect", log)
    assert "1 run of 8 epochs" in said
    # eight tables, of which the last holds the rows of the seven before
    assert "its rows stand there 7 times more: they were read once" in said
    assert "36 logged rows" not in said


def test_a_row_that_is_written_twice_is_no_table(ask: Ask, tmp_path: Path) -> None:
    """A loop that logs every epoch twice, to the digit, dumps no table again."""
    rows = [
        json.dumps({"key": "val_loss", "value": loss, "step": at, "timestamp": at})
        for at, loss in enumerate(LOSSES)
        for _ in range(2)
    ]
    log = tmp_path / "metrics.jsonl"
    log.write_text("\n".join([*rows, ""]))
    said = told(ask, "inspect", log)
    assert "1 run of 8 epochs" in said
    assert "stand there" not in said


def test_rows_that_are_missing_are_no_empty_cells(ask: Ask, tmp_path: Path) -> None:
    """A sample of a Keras log: there is no cell that --empty nan could read."""
    epochs = [4, 5, 6, 14, 18, 24, 26, 27, 33]
    log = write(
        tmp_path / "log.csv",
        "epoch,val_loss",
        [f"{epoch},{1 - epoch / 40}" for epoch in epochs],
    )
    said = told(ask, "simulate", log, "--patience", "5")
    assert "Rows are missing: give the whole log" in said
    assert "--empty nan" not in said


def test_what_mlflow_returns_is_read_however_it_was_saved(
    ask: Ask, tmp_path: Path
) -> None:
    """Semicolons, a list for each key, and a chart's data without its times."""
    values = [("loss", 0.05), ("val_loss", 0.0)]
    points = [
        {"key": key, "value": loss - less, "step": at, "timestamp": 1000 * at}
        for key, less in values
        # 0.7 as in epoch 3 would be the restored model's once more
        for at, loss in enumerate([*LOSSES[:-1], 0.71])
    ]
    rows = [";".join(str(cell) for cell in point.values()) for point in points]
    cut = write(tmp_path / "cut.csv", "key;value;step;timestamp", rows)
    by_key = tmp_path / "by_key.json"
    lists = {
        key: [point for point in points if point["key"] == key] for key, _ in values
    }
    by_key.write_text(json.dumps(lists))
    chart = write(
        tmp_path / "chart.csv",
        "Run,metric,step,value",
        [f"a,{point['key']},{point['step']},{point['value']}" for point in points],
    )
    for log in (cut, by_key, chart):
        # best at epoch 4, 0.6; three epochs later patience 3 has run out
        said = told(ask, "simulate", log, "--patience", "3")
        assert "stops at epoch 7 of 8, and keeps epoch 4" in said


def test_two_values_of_every_epoch_are_no_last_words(ask: Ask, tmp_path: Path) -> None:
    """Two writers wrote every step: the second value of the last is no test's."""
    points = [
        (1000.0 + at, at, f"{name}loss", loss + more)
        for at, loss in enumerate(LOSSES)
        for more in (0.0, 0.2)
        for name in ("", "val_")
    ]
    write_events(tmp_path / "events.out.tfevents.1.host", points, "simple_value")
    said = told(ask, "inspect", tmp_path)
    assert "loss, val_loss: several values in 8 epochs" in said
    assert "after the training" not in said


def test_validations_within_an_epoch_name_the_option_in_event_files_too(
    ask: Ask, tmp_path: Path
) -> None:
    """Lightning validates twice an epoch: the plain question is told what to ask."""
    points = [
        (1000.0 + at, 50 * at, tag, number)
        for at, loss in enumerate(LOSSES)
        for tag, number in (
            ("epoch", float(at // 2)),
            ("val_loss", loss),
            *([("train_loss", loss)] if at % 2 else []),
        )
    ]
    write_events(tmp_path / "events.out.tfevents.1.host", points, "simple_value")
    answer = ask("simulate", tmp_path)
    assert answer.status == 2
    assert "--x-axis step makes a row of each evaluation" in answer.err
    assert "8 evaluations" in told(ask, "simulate", tmp_path, "--x-axis", "step")


def test_a_file_of_tensorboards_page_keeps_its_series_when_it_is_renamed(
    ask: Ask, tmp_path: Path
) -> None:
    """Older pages write run_, people put other words there, browsers add (1)."""
    for name in (
        "run_validation-tag-epoch_loss.csv",
        "My run validation-tag-epoch_loss (1).csv",
        "val_loss.csv",
    ):
        log = write(
            tmp_path / name,
            "Wall time,Step,Value",
            [f"{1000 + at},{at},{loss}" for at, loss in enumerate(LOSSES)],
        )
        said = told(ask, "simulate", log, "--patience", "3")
        assert "stops at epoch 7 of 8, and keeps epoch 4" in said


def test_a_log_of_nothing_but_validations_within_epochs_names_the_option(
    ask: Ask, tmp_path: Path
) -> None:
    """Lightning validated twice an epoch and never logged the training's loss."""
    log = write(
        tmp_path / "metrics.csv",
        "epoch,step,train_loss,val_loss",
        [f"{at // 2},{50 * at},,{loss}" for at, loss in enumerate(LOSSES)],
    )
    answer = ask("simulate", log)
    assert answer.status == 2
    assert "no column has one value for each epoch" in answer.err
    assert "count evaluations: --x-axis step" in answer.err


def test_validations_within_epochs_name_the_option_whatever_they_are_called(
    ask: Ask, tmp_path: Path
) -> None:
    """A user of Lightning logs valid/loss twice an epoch, and train/loss once."""
    rows = [f"{at // 2},{50 * at},,{loss}" for at, loss in enumerate(LOSSES)]
    rows += [f"{at},{100 * at + 60},{0.5}," for at in range(4)]
    rows.sort(key=lambda row: int(row.split(",")[1]))
    log = write(tmp_path / "metrics.csv", "epoch,step,train/loss,valid/loss", rows)
    answer = ask("simulate", log)
    assert answer.status == 2
    assert "Left out was valid/loss: several values in an epoch" in answer.err
    assert (
        "(--x-axis step makes a row of each evaluation). Choose another" in answer.err
    )
    said = told(ask, "simulate", log, "--x-axis", "step", "--patience", "3")
    assert "stops at evaluation 7 of 8, and keeps evaluation 4" in said


def test_values_without_steps_and_times_are_numbered_as_they_stand(
    ask: Ask, tmp_path: Path
) -> None:
    """Metrics were logged without a step, and copied with one time for all."""
    for times, way in (
        ([7] * 8, "as they stand in the file, for their times are equal"),
        ([*range(8)], "by their times"),
        (
            [0, 0, 1, 2, 3, 4, 5, 6],
            "by their times, and where these are equal as they stand in the file",
        ),
    ):
        rows = [
            f"val_loss,{loss},{1600000000000 + 1000 * time},0"
            for loss, time in zip(LOSSES, times, strict=True)
        ]
        log = write(tmp_path / "metrics.csv", "key,value,timestamp,step", rows)
        said = told(ask, "simulate", log, "--patience", "3")
        assert "stops at epoch 7 of 8, and keeps epoch 4" in said
        assert f"All values stand at step 0: they were numbered {way}; " in said


def test_a_database_of_mlflow_tells_no_order_of_equal_times(
    ask: Ask, tmp_path: Path
) -> None:
    """It sorts the values of one time by size: the last two may be any way round."""
    times = [0, 1, 2, 3, 4, 5, 6, 6]
    for losses in (sorted(LOSSES), [*LOSSES[:6], *sorted(LOSSES[6:])]):
        each = [7] * 8 if losses == sorted(LOSSES) else times
        rows = [
            f"val_loss,{loss},{1600000000000 + 1000 * time},0"
            for loss, time in zip(losses, each, strict=True)
        ]
        log = write(tmp_path / "metrics.csv", "key,value,timestamp,step", rows)
        answer = ask("simulate", log, "--patience", "3")
        assert answer.status == 2
        assert "those of one time are not in the order of logging" in answer.err


def test_a_checkpoint_that_keeps_the_worst_is_in_the_headline(
    ask: Ask, tmp_path: Path
) -> None:
    """Keras 2.15 knows auc in EarlyStopping, and not in ModelCheckpoint."""
    rows = [f"{at},{1 - loss:.2f}" for at, loss in enumerate(LOSSES)]
    log = write(tmp_path / "logs.csv", "epoch,val_auc", rows)
    said = told(
        ask,
        *("simulate", log, "--semantics", "keras-2.15"),
        *("-c", "EarlyStopping('val_auc', patience=3, restore_best_weights=True)"),
        *("-c", "ModelCheckpoint('best.h5', 'val_auc', save_best_only=True)"),
    )
    assert "and keeps epoch 4, the best on record" in said
    assert (
        "ModelCheckpoint takes the worst val_auc for the best, and saves that." in said
    )
    assert "mode='auto' means 'min' for val_auc in ModelCheckpoint." in said


@pytest.mark.parametrize("metric", ["val_r2_score", "val_f1_m", "val_F1Score"])
def test_a_mode_that_keeps_the_worst_is_in_the_headline(
    ask: Ask, tmp_path: Path, metric: str
) -> None:
    """By Keras's table of metrics, or by its plain name, larger is better."""
    rows = [f"{at},{1 - loss:.2f}" for at, loss in enumerate(LOSSES)]
    log = write(tmp_path / "logs.csv", f"epoch,{metric}", rows)
    setting = f"EarlyStopping('{metric}', mode='min', patience=2)"
    said = told(ask, "simulate", log, "-c", setting)
    assert f"Larger {metric} is better: best here is the lowest." in said


def test_a_direction_that_keras_2_guesses_is_in_the_headline(
    ask: Ask, tmp_path: Path
) -> None:
    """A ranking metric of a script is called so that its name tells no direction."""
    rows = [f"{at},{1 - loss:.2f}" for at, loss in enumerate(LOSSES)]
    log = write(tmp_path / "logs.csv", "epoch,val_hits", rows)
    setting = ("-c", "EarlyStopping('val_hits', patience=2)")
    for command in ("simulate", "explain"):
        said = told(ask, command, log, "--semantics", "keras-2.15", *setting)
        assert "mode='auto' takes the lowest val_hits for the best." in said
    said = told(ask, "simulate", log, *setting, "--mode", "max")
    assert "for the best" not in said


def test_a_sample_that_lacks_its_beginning_does_not_lack_where_it_begins(
    ask: Ask, tmp_path: Path
) -> None:
    rows = [f"{at},{at},{loss},{loss}" for at, loss in enumerate(LOSSES, 5) if at != 9]
    log = write(tmp_path / "history.csv", "_step,epoch,loss,val_loss", rows)
    said = told(ask, "simulate", log, "--patience", "3")
    assert "From epoch 6 on this log cannot tell: it lacks val_loss before" in said


def test_the_path_that_lint_asks_for_is_one_that_it_takes(
    ask: Ask, tmp_path: Path
) -> None:
    for fold in ("a", "b"):
        rows = [f"{at},{loss}{ord(fold)}" for at, loss in enumerate(LOSSES)]
        write(tmp_path / fold / "training.log", "epoch,val_loss", rows)
    setting = ("-c", "EarlyStopping(patience=3)")
    refusal = ask("lint", tmp_path, *setting)
    assert refusal.status == 2
    path = refusal.err.rpartition("Give the PATH of one, as ")[2].strip()
    assert path == str(tmp_path / "a" / "training.log")
    assert ask("lint", path, *setting).status == 0
    # two trainings in one log
    rows = [f"{at},{loss}" for at, loss in [*enumerate(LOSSES), *enumerate(LOSSES[3:])]]
    two = write(tmp_path / "two" / "logs.csv", "epoch,val_loss", rows)
    refusal = ask("lint", two.parent, *setting)
    path = refusal.err.rpartition("Give the PATH of one, as ")[2].strip()
    assert path == f"{two}#1"
    assert ask("lint", path, *setting).status == 0


def test_evaluations_of_a_sample_are_not_counted(ask: Ask, tmp_path: Path) -> None:
    """W&B's export holds 500 sampled rows, and so some of the evaluations."""
    pick = random.Random(5)  # noqa: S311 - no secret
    rows = []
    for at in range(60):
        # the best is at evaluation 41
        loss = 0.4 + abs(at - 40) / 100
        rows += [f"{21 * at + batch},{0.3 + at / 1e4}," for batch in range(20)]
        rows.append(f"{21 * at + 20},,{loss:.2f}")
    header = "_step,train/loss,eval/loss"
    whole = write(tmp_path / "whole.csv", header, rows)
    drawn = [rows[at] for at in sorted(pick.sample(range(len(rows)), 500))]
    log = write(tmp_path / "wandb_history.csv", header, drawn)
    for way in ([], ["--x-axis", "step"], ["--x-axis", "epoch"]):
        said_so = [*way, "--monitor", "eval/loss", "--mode", "min"] if way else []
        answer = ask("simulate", log, *said_so, "--patience", "5")
        assert answer.status == 2
        assert "evaluations stand at irregular distances, as in a sample" in answer.err
        options = answer.err.rpartition("if it is whole: ")[2].split()
        said = told(ask, "simulate", log, *said_so, *options, "--patience", "5")
        assert "stops at evaluation" in said or "stops at epoch" in said
    for axis in ("step", "epoch"):
        said = told(ask, "simulate", whole, "--x-axis", axis, "--patience", "5")
        assert "46 of 60, and keeps" in said


def test_a_table_that_holds_nan_and_is_appended_again_is_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    """The whole history is appended at each save, one of its losses is NaN."""
    losses = [0.9, 0.8, "nan", 0.6, 0.65, 0.66, 0.64, 0.7]
    rows = [f"{at},{loss}" for n in range(1, 9) for at, loss in enumerate(losses[:n])]
    log = write(tmp_path / "stats.csv", "epoch,val_loss", rows)
    said = told(ask, "simulate", log, "--patience", "3")
    assert "stops at epoch 7 of 8, and keeps epoch 4" in said
    assert "Its rows stand there 7 times more" in said
    # two trainings that fail alike are two
    failed = ["0,0.9", "1,nan", "2,nan"]
    log = write(tmp_path / "failed.csv", "epoch,val_loss", [*failed, *failed])
    assert "2 runs" in told(ask, "inspect", log)


def test_a_sole_series_without_a_telling_name_is_offered_to_be_typed(
    ask: Ask, tmp_path: Path
) -> None:
    """A download of TensorBoard's page was called validation.csv."""
    log = write(
        tmp_path / "validation.csv",
        "Wall time,Step,Value",
        [f"{1000 + at},{at},{loss}" for at, loss in enumerate(LOSSES)],
    )
    answer = ask("simulate", log, "--patience", "3")
    assert answer.status == 2
    options = answer.err.partition("Watch that one, as ")[2].partition(",")[0].split()
    assert options == ["--monitor", "Value", "--mode", "min"]
    said = told(ask, "simulate", log, "--patience", "3", *options)
    assert "stops at epoch 7 of 8, and keeps epoch 4" in said


def test_what_logs_with_holes_lose_is_a_bound_and_enters_no_advice(
    ask: Ask, tmp_path: Path
) -> None:
    """A row is lost in each of nine logs: the best may have been in it."""
    for fold in range(9):
        # of one beginning they would be branches of one training
        begun = [loss + fold / 1000 for loss in LOSSES]
        losses = [*begun, 0.72 + fold / 100, 0.75, 0.8, 0.9]
        for name, lost in (("whole", ()), ("holed", (9,))):
            rows = [f"{at},{x}" for at, x in enumerate(losses) if at not in lost]
            write(tmp_path / name / f"{fold}.csv", "epoch,val_loss", rows)
    planned = ("--planned-epochs", "12")
    said = told(ask, "recommend", tmp_path / "holed", *planned)
    assert (
        "No setting is recommended: no log tells what any patience would have" in said
    )
    assert "the log has a hole there; counted, never averaged" in said
    assert "9 of 9" not in said
    assert "9 of 9" in told(ask, "recommend", tmp_path / "whole", *planned)
    said = told(ask, "simulate", tmp_path / "holed", "-v")
    lacking = "values are missing, a better one perhaps, and from the first of them on"
    assert f"{lacking} nothing is known: 0.csv, 1.csv" in said
    assert lacking not in told(ask, "simulate", tmp_path / "whole")


def test_what_was_logged_once_is_no_reason_against_values_without_steps(
    ask: Ask, tmp_path: Path
) -> None:
    """log_metric without a step, and test_loss logged once after the fit."""
    rows = [
        f"{name},{loss + more},{1600000000000 + at * 1000},0"
        for name, more in (("loss", -0.05), ("val_loss", 0))
        for at, loss in enumerate(LOSSES)
    ]
    once = ["test_loss,0.7,1600000099999,0", "best_epoch,3,1600000099999,0"]
    log = write(tmp_path / "m.csv", "key,value,timestamp,step", rows + once)
    said = told(ask, "simulate", log)
    # by hand: of LOSSES the best is the fourth, .6, and the fifth is worse
    assert "patience 1 was enough: it keeps the best epoch, 4, and stops at 5" in said
    assert "Left out best_epoch, test_loss: one value, of no epoch." in said
    several = [f"acc,{at},{1600000000000 + at},0" for at in range(3)]
    log = write(tmp_path / "m.csv", "key,value,timestamp,step", rows + once + several)
    answer = ask("simulate", log)
    assert answer.status == 2
    assert "told apart: loss 8, val_loss 8, acc 3" in " ".join(answer.err.split())


def test_a_validation_every_third_epoch_logged_without_steps_is_counted_by_its_times(
    ask: Ask, tmp_path: Path
) -> None:
    """MLflow's log_metric without step, for a loop that validates every third epoch."""
    rows = [f"loss,{1 / (at + 1)},{1600000000000 + at},0" for at in range(24)]
    rows += [
        f"val_loss,{loss},{1600000000002 + 3 * at + 0.5},0"
        for at, loss in enumerate(LOSSES)
    ]
    log = write(tmp_path / "m.csv", "key,value,timestamp,step", rows)
    answer = ask("simulate", log)
    assert "val_loss has a value at 8 of 24" in " ".join(answer.err.split())
    said = told(ask, "simulate", log, "--x-axis", "step")
    # by hand: of LOSSES the fourth is the best, .6, and the fifth is worse
    assert "it keeps the best evaluation, 4, and stops at 5 of 8" in said


@pytest.mark.parametrize("minute", ["2024-01-01 10:0{}:00", "2024-01-01T10:0{}:00Z"])
def test_times_that_are_dates_tell_values_without_steps_apart(
    ask: Ask, tmp_path: Path, minute: str
) -> None:
    """MLflow's values at step 0, exported with pandas's dates, the newest first."""
    rows = [
        f"{name},{loss},{minute.format(at)},0"
        for name in ("loss", "val_loss")
        # the last of LOSSES is the third again, as a restored model's would be
        for at, loss in reversed([*enumerate(LOSSES[:-1])])
    ]
    log = write(tmp_path / "m.csv", "key,value,timestamp,step", rows)
    said = told(ask, "simulate", log)
    assert "it keeps the best epoch, 4, and stops at 5 of 7" in said
    rows[3] = rows[3].replace("2024", "soon")
    write(tmp_path / "m.csv", "key,value,timestamp,step", rows)
    answer = ask("simulate", log)
    assert "cannot be told apart: a time is 'soon-01-01" in answer.err


def test_a_sample_says_what_is_whole_of_tensorboard_too(
    ask: Ask, tmp_path: Path
) -> None:
    """TensorBoard's page offers a sample of a long series as a CSV."""
    steps = [0, 1, 4, 5, 9, 11, 12, 18]
    rows = [f"{1.6e9 + at},{at},{loss}" for at, loss in zip(steps, LOSSES, strict=True)]
    log = tmp_path / "run-validation-tag-epoch_loss.csv"
    said = told(ask, "simulate", write(log, "Wall time,Step,Value", rows))
    assert "It looks like a sample: give the whole history (of W&B" in said
    assert "of TensorBoard its event files). " in said


def test_workers_that_write_packed_files_in_turn_are_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    """Three workers write every third epoch each, as .csv.gz or JSON lines."""
    for worker in range(3):
        own = [(at, loss) for at, loss in enumerate(LOSSES) if at % 3 == worker]
        rows = "".join(f"{at},{loss},{loss}\n" for at, loss in own)
        packed = tmp_path / "packed" / f"log{worker}.csv.gz"
        packed.parent.mkdir(exist_ok=True)
        packed.write_bytes(gzip.compress(f"epoch,loss,val_loss\n{rows}".encode()))
        lines = [json.dumps({"epoch": at, "val_loss": loss}) for at, loss in own]
        write(tmp_path / "lines" / f"log{worker}.jsonl", lines[0], lines[1:])
    for place in ("packed", "lines"):
        said = told(ask, "simulate", tmp_path / place)
        assert "patience 1 was enough: it keeps the best epoch, 4" in said
        assert "stops at 5 of 8" in said


@pytest.mark.parametrize(
    ("second", "headline"),
    [
        # a second fit has new callbacks: its best is .36, of epoch 7
        (range(4, 8), "which ends at epoch 8; so far it keeps epoch 7"),
        (range(1, 8, 2), "stops at epoch 7 of 8, and keeps epoch 4"),
    ],
)
def test_what_a_second_model_of_a_training_numbered_is_one_metric(
    ask: Ask, tmp_path: Path, second: range, headline: str
) -> None:
    """A model was compiled once more to go on, or each of two workers made its own."""
    tags = {at: "epoch_auc_1" if at in second else "epoch_auc" for at in range(8)}
    for number, tag in enumerate(["epoch_auc", "epoch_auc_1"]):
        points = [
            (1600000000.0 + at, at, tag, 1 - loss)
            for at, loss in enumerate(LOSSES)
            if tags[at] == tag
        ]
        name = f"events.out.tfevents.{points[0][0]:.0f}.host.{number}.0.v2"
        write_events(tmp_path / "validation" / name, points)
    said = told(ask, "simulate", tmp_path, "--monitor", "val_auc", "--patience", "3")
    assert headline in said
    assert "ead val_auc_1 as val_auc: Keras numbers" in said
    assert ("A fit was resumed at epoch 5" in said) is (second[0] > 1)


def test_histories_put_below_each_other_have_one_metric(
    ask: Ask, tmp_path: Path
) -> None:
    """pandas.concat gives each name a column of its own."""
    rows = [
        f"{at},0.5,{1 - loss:.2f}," if at < 4 else f"{at},0.5,,{1 - loss:.2f}"
        for at, loss in enumerate(LOSSES)
    ]
    log = write(tmp_path / "logs.csv", "epoch,val_loss,val_auc,val_auc_1", rows)
    said = told(ask, "simulate", log, "--monitor", "val_auc", "--patience", "3")
    # the second fit has new callbacks: its best is .36, of epoch 7
    assert "A fit was resumed at epoch 5 (counted from 1)" in said
    # metrics at 1 and 5 of a ranking are two
    header = "epoch,val_loss,hits_1,hits_5"
    answer = ask(
        "inspect", write(tmp_path / "hits.csv", header, rows), "--format", "json"
    )
    (run,) = json.loads(answer.out)["runs"]
    assert run["series"] == ["val_loss", "hits_1", "hits_5"]


def test_folds_of_one_file_have_one_metric_too(ask: Ask, tmp_path: Path) -> None:
    """Folds name their metric val_auc, val_auc_1, val_auc_2; one JSON holds all."""
    folds = {
        f"fold{number}": {"loss": LOSSES, f"val_auc{more}": [1 - x for x in LOSSES]}
        for number, more in enumerate(("", "_1", "_2"))
    }
    log = tmp_path / "folds.json"
    log.write_text(json.dumps(folds))
    said = told(ask, "simulate", log, "--monitor", "val_auc", "--patience", "1")
    assert "On all 3 runs this setting keeps the best val_auc of each" in said


def test_a_renamed_metric_is_renamed_in_rows_that_were_written_again(
    ask: Ask, tmp_path: Path
) -> None:
    """Keras calls it val_auc_1 in the second fold, which was broken off and resumed."""
    first, later = [0.5, 0.6, 0.7, 0.6, 0.6, 0.6], [0.75, 0.8, 0.85, 0.84, 0.83]
    rows = [f"{at},1,{own}" for at, own in [*enumerate(first), *enumerate(later, 4)]]
    write(tmp_path / "fold1.csv", "epoch,loss,val_auc", rows[:4] + rows[6:])
    write(tmp_path / "fold2.csv", "epoch,loss,val_auc_1", rows)
    asked = ("--parts", "join", "--monitor", "val_auc", "--patience", "2")
    said = told(ask, "simulate", tmp_path, *asked, "--keep", "last")
    # by hand: epoch 3 is the best of its first fit, which two worse ones end at epoch
    # 5: a row that was written again, so that no later fit follows
    assert "fold2.csv 2 - - - - <= 4 unknown from 5" in said


@pytest.mark.parametrize("filler", ["0", "0.0", "-1"])
def test_a_number_that_stands_for_no_validation_is_none(
    ask: Ask, tmp_path: Path, filler: str
) -> None:
    """A loop validates in every third epoch, and writes val_loss 0 in the others."""
    judged = [0.9, 0.6, 0.5, 0.55, 0.56]
    rows = [f"{at},1,{judged[at // 3] if at % 3 == 2 else filler}" for at in range(15)]
    log = write(tmp_path / "log.csv", "epoch,loss,val_loss", rows)
    said = told(ask, "simulate", log)
    # by hand: the third value, of epoch 9, is the best, and the next one is worse
    assert "it keeps the best epoch, 9, and stops at 12 of 15" in said
    assert "stands in all epochs but one in 3, and was read as no value" in said
    # zeros without such a rhythm are values
    rows[3] = "3,1,0.7"
    said = told(ask, "simulate", write(log, "epoch,loss,val_loss", rows))
    assert "read as no value" not in said


def test_what_stands_for_no_validation_is_none_in_each_fit_of_a_training(
    ask: Ask, tmp_path: Path
) -> None:
    """A fit of 9 epochs is resumed at its 7th; it validates in every third epoch."""
    judged = {2: 0.9, 5: 0.6, 8: 0.5, 11: 0.55, 14: 0.56}
    rows = [f"{at},1,{judged.get(at, 0)}" for at in range(15)]
    again = tmp_path / "again"
    again.mkdir()
    log = write(again / "log.csv", "epoch,loss,val_loss", rows[:9] + rows[6:])
    asked = ("simulate", log, "--parts", "join", "--patience", "6")
    # by hand: each value of the first fit is its best, so no patience ends it
    assert "does not stop inside this log, which ends at epoch 15" in told(ask, *asked)
    parts = tmp_path / "parts"
    parts.mkdir()
    write(parts / "a.csv", "epoch,loss,val_loss", rows[:6])
    write(parts / "b.csv", "epoch,loss,val_loss", rows[6:])
    said = told(ask, "simulate", parts, "--patience", "3")
    # the two values after epoch 9, the best one, are fewer than the patience
    assert "so far it keeps epoch 9" in said


def test_a_whole_table_at_each_save_that_was_resumed_is_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    """DeepLabCut's logger appended the whole table at each save, resumed after four."""
    header = "step,losses/train.total_loss,losses/eval.total_loss"
    rows = [f"{at},{loss},{loss}" for at, loss in enumerate(LOSSES, start=1)]
    blocks = [rows[:end] for end in range(1, 5)] + [rows[4:end] for end in range(5, 9)]
    written = [line for block in blocks for line in [header, *block]]
    said = told(ask, "simulate", write(tmp_path / "l.csv", written[0], written[1:]))
    # by hand: the fourth epoch is the best, and the fit was resumed after it
    assert "l.csv: 8 epochs;" in said
    assert "A fit was resumed at epoch 5 (counted from 1)" in said
    assert "best 0.6000 at epoch 4 of 8" in said


def test_copies_in_a_log_of_two_trainings_are_of_both(ask: Ask, tmp_path: Path) -> None:
    """Each save appends the whole table again, of two trainings one after the other."""
    tables = [
        [f"{at},{loss + shift}" for at, loss in enumerate(LOSSES[:rows])]
        for shift in (0, 1)
        for rows in range(2, 9)
    ]
    text = "".join("\n".join(["epoch,val_loss", *rows, ""]) for rows in tables)
    log = tmp_path / "log.csv"
    log.write_text(text)
    said = told(ask, "inspect", log)
    assert "2 runs of 8 epochs" in said
    # six tables of each are repeated: none of them alone has twelve
    assert "the rows of trainings in this log stand there 12 times more" in said


def test_two_such_notes_of_one_log_are_no_other_run(ask: Ask, tmp_path: Path) -> None:
    """A training that was resumed twice was told as one of two runs."""
    header = "epoch,loss,val_loss"
    rows = [f"{at},{loss},{loss}" for at, loss in enumerate(LOSSES)]
    log = tmp_path / "log.csv"
    text = [header, *rows[:2], header, *rows[2:4], header, *rows[4:], ""]
    log.write_text("\n".join(text))
    said = told(ask, "inspect", log)
    assert "a fit was resumed at epoch 3" in said
    assert "a fit was resumed at epoch 5" in said
    assert "1 other run" not in said


def test_a_part_that_may_go_on_says_so_beside_the_table(
    ask: Ask, tmp_path: Path
) -> None:
    """A training that Lightning resumed has a directory for each part."""
    header = "epoch,step,train_loss,val_loss"
    for part in (0, 1):
        rows = [
            f"{at},{10 * at + 9},{loss},{loss}"
            for at, loss in enumerate(LOSSES)
            if (at < 5) == (part == 0)
        ]
        write(tmp_path / f"version_{part}" / "metrics.csv", header, rows)
    said = told(ask, "simulate", tmp_path)
    assert "version_1: it begins where version_0 ends" in said


def test_what_a_difference_is_worth_is_said_of_shown_ones(
    ask: Ask, tmp_path: Path
) -> None:
    """The fit before kept a better epoch, and no patience stops in the second."""
    rows = [f"{at},{loss},{loss}" for at, loss in enumerate((0.9, 0.5, 0.2))]
    later = [f"{3 + at},{0.9 - at / 20},{0.9 - at / 20}" for at in range(6)]
    header = "epoch,loss,val_loss"
    log = write(tmp_path / "log.csv", header, [*rows, header, *later])
    said = told(ask, "simulate", log)
    assert "No patience stops inside this log" in said
    assert "two in three" not in said


def test_a_min_delta_beyond_the_record_is_told_with_the_advice(
    ask: Ask, tmp_path: Path
) -> None:
    """min_delta=1 on an accuracy: no value is ever an improvement."""
    for seed in range(4):
        rows = [f"{at},{round(0.3 + at / 100 + seed / 1000, 4)}" for at in range(30)]
        write(tmp_path / f"s{seed}.csv", "epoch,val_accuracy", rows)
    watch = ("--monitor", "val_accuracy", "--mode", "max", "--min-delta", "1")
    said = told(ask, "recommend", tmp_path, *watch, "--planned-epochs", "30")
    assert "no early stopping at all scores better." in said.split("callbacks =")[0]
    assert "min_delta 1 is more than val_accuracy changed" in said


def test_rates_rounded_too_far_are_not_said_to_have_been_kept(
    ask: Ask, tmp_path: Path
) -> None:
    """A table saved with three decimals: 0.001, its half and its quarter."""
    # as ReduceLROnPlateau(factor=.5, patience=2) left them, at the ends of 5 and 9
    rates = [0.001] * 5 + [0.0005] * 4 + [0.00025] * 3
    losses = [0.7, 0.69, 0.68, 0.69, 0.69, 0.67, 0.66, 0.67, 0.67, 0.65, 0.64, 0.63]
    rows = [
        f"{at},{rate:.3f},{loss}"
        for at, (rate, loss) in enumerate(zip(rates, losses, strict=True))
    ]
    # the half is written as the whole: 0.001
    assert rows[5].split(",")[1] == "0.001"
    log = write(tmp_path / "log.csv", "epoch,learning_rate,val_loss", rows)
    reduce = ("-c", "ReduceLROnPlateau(factor=0.5, patience=2)")
    for command in ("simulate", "explain"):
        said = told(ask, command, log, *reduce)
        assert "the log has too few digits to show such a change:" in said
        assert "which kept it" not in said
    told_alone = ask("simulate", log, *reduce, "--format", "json").out
    assert '"diverged_by": "hidden"' in told_alone
    # a tenth of 0.001 would have been written as 0.000
    tenth = "ReduceLROnPlateau(factor=0.1, patience=2)"
    assert "too few digits" not in told(ask, "simulate", log, "-c", tenth)
    # with all digits the record has what the setting does
    for at, rate in enumerate(rates):
        rows[at] = f"{at},{rate:.5f},{losses[at]}"
    log = write(tmp_path / "log.csv", "epoch,learning_rate,val_loss", rows)
    assert "may hide one" not in told(ask, "simulate", log, *reduce)


def test_a_rate_that_is_not_recorded_is_not_said_to_have_been_kept(
    ask: Ask, tmp_path: Path
) -> None:
    """The training may have reduced its rate itself: the log does not tell."""
    losses = [0.9, 0.8, 0.81, 0.82, 0.83, 0.5, 0.4]
    rows = [f"{epoch},0.001,{loss}" for epoch, loss in enumerate(losses)]
    reduce = ("-c", "ReduceLROnPlateau(patience=2)")
    log = write(tmp_path / "log.csv", "epoch,learning_rate,val_loss", rows)
    assert "recorded training, which kept it," in told(ask, "simulate", log, *reduce)
    rows = [row.replace(",0.001", "") for row in rows]
    log = write(tmp_path / "log.csv", "epoch,val_loss", rows)
    said = told(ask, "simulate", log, *reduce)
    assert "recorded training, which is taken to have kept it," in said
    assert "which kept it" not in said


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "EarlyStopping('val_accuracy', patience=3, baseline=80)",
            "Baseline 80 is never beaten in the record, where the best val_accuracy",
        ),
        (
            (
                "ModelCheckpoint('a.keras', 'val_accuracy', save_best_only=True, "
                "initial_value_threshold=85)"
            ),
            "ModelCheckpoint saves no file: initial_value_threshold 85 is never beaten",
        ),
        (
            "ReduceLROnPlateau('val_accuracy', patience=2, min_lr=0.1)",
            "ReduceLROnPlateau never acts: min_lr 0.1 is not below the initial",
        ),
        (
            "ReduceLROnPlateau('val_accuracy', patience=2, cooldown=1)",
            "Cooldown 1 acts as cooldown 0.",
        ),
    ],
)
def test_a_setting_in_other_units_says_that_it_does_not_act(
    ask: Ask, tmp_path: Path, setting: str, said: str
) -> None:
    """An accuracy between 0 and 1 beside settings that are meant for percents."""
    values = [0.5, 0.6, 0.7, 0.69, 0.68, 0.67, 0.71]
    rows = [f"{epoch},0.001,{value}" for epoch, value in enumerate(values)]
    log = write(tmp_path / "log.csv", "epoch,learning_rate,val_accuracy", rows)
    assert said in told(ask, "simulate", log, "-c", setting)


def test_a_log_that_begins_inside_another_may_be_a_resumed_one(
    ask: Ask, tmp_path: Path
) -> None:
    # the second fit began with other weights: its losses are others
    first = "\n".join(f"{epoch},{1 / (epoch + 2)}" for epoch in range(8))
    second = "\n".join(f"{epoch},{2 / (epoch + 2)}" for epoch in range(6, 14))
    for name, rows in (("a", first), ("b", second)):
        (tmp_path / f"{name}.csv").write_text(f"epoch,val_loss\n{rows}\n")
    said = " ".join(ask("inspect", tmp_path).out.split())
    assert "b.csv: it begins inside a.csv: if that training was resumed here" in said
    assert "a.csv: it begins inside" not in said
    # the way that is named makes one run of them, of epochs 1 to 14
    joined = tmp_path / "joined.csv"
    joined.write_text(f"epoch,val_loss\n{first}\n{second}\n")
    assert "1 run of 14 epochs" in ask("inspect", joined, "--parts", "join").out


def test_a_rate_that_may_have_been_read_before_or_after_is_said_to_be_so(
    ask: Ask, tmp_path: Path
) -> None:
    """Event files of the very setting that is asked for: "the log shows no change".

    A row holds the rate before the reduction at its end or after it. Here the rows fall
    with epoch 6: by the one reading after epoch 5, as the setting does, by the other
    after epoch 6.
    """
    rates = [0.5] * 5 + [0.25] * 3
    losses = [0.7, 0.6, 0.5, 0.5, 0.5, 0.4, 0.3, 0.2]
    points = [
        (float(at), at, tag, value)
        for at, row in enumerate(zip(losses, rates, strict=True))
        for tag, value in zip(("epoch_loss", "epoch_learning_rate"), row, strict=True)
    ]
    write_events(tmp_path / "train" / "events.out.tfevents.1.host.1.0.v2", points)
    rule = "ReduceLROnPlateau('loss', factor={}, patience=2)"
    said = told(ask, "simulate", tmp_path, "-c", rule.format(0.5))
    assert (
        "rates can be read two ways, of which one does not show such a change" in said
    )
    # no reading has a fifth of the rate
    said = told(ask, "simulate", tmp_path, "-c", rule.format(0.1))
    assert "and the log shows no such change" in said


def test_rows_that_compare_rounded_values_are_doubted(ask: Ask, tmp_path: Path) -> None:
    """Ultralytics writes 5 digits: equal ones may be an improvement, and what waits."""
    rows = [f"{at},1.2346" for at in range(1, 10)]
    log = write(tmp_path / "results.csv", "epoch,val/box_loss", rows)
    asked = ("--monitor", "val/box_loss", "--patience", "7")
    said = told(ask, "explain", log, *asked)
    assert "From epoch 8 on this log cannot tell" in said
    assert "from epoch 2 on, rows compare its values as if they were exact" in said
    # what is compared is further apart than the digits hide
    rows = [f"{at},{1.2 + at / 10:.4f}" for at in range(1, 10)]
    write(log, "epoch,val/box_loss", rows)
    assert "what a row says" not in told(ask, "explain", log, *asked)
