"""Logs as tools write them, broken off or written again: what is told of each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ask
    from tests.oracles.tensorboard_loader import Point

# the best is the fourth; patience 2 stops two epochs later
LOSSES = [0.9, 0.8, 0.7, 0.6, 0.65, 0.66, 0.64, 0.7, 0.71, 0.72]
PATIENCE_2 = "stops at epoch 6 of 10, and keeps epoch 4"


def told(ask: Ask, *words: str | Path) -> str:
    answer = ask(*words)
    assert answer.status == 0, answer.err
    return " ".join(answer.out.split())


def refused(ask: Ask, *words: str | Path) -> str:
    answer = ask(*words)
    assert answer.status == 2, answer.out
    return " ".join(answer.err.split())


def lines(path: Path, header: str, rows: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]))
    return path


def events(path: Path, tag: str, at: dict[int, float], start: float = 1.6e9) -> None:
    points: list[Point] = [(start + step, step, tag, own) for step, own in at.items()]
    write_events(path / f"events.out.tfevents.{start:.0f}.host.1.0.v2", points)


def test_a_hole_in_event_files_was_no_empty_cell(ask: Ask, tmp_path: Path) -> None:
    """An event file has no cells: --empty nan would change nothing there."""
    held = dict(enumerate(LOSSES))
    events(tmp_path / "train", "epoch_loss", held)
    del held[5]
    events(tmp_path / "validation", "epoch_loss", held)
    said = told(ask, "simulate", tmp_path, "--patience", "2")
    assert "From epoch 6 on this log cannot tell: it lacks val_loss there" in said
    assert "No value was written there: give the whole history" in said
    assert "--empty" not in said
    # in a CSV the same hole may be a NaN of pandas
    rows = [f"{at},.5,{'' if at == 5 else loss}" for at, loss in enumerate(LOSSES)]
    log = lines(tmp_path / "log.csv", "epoch,loss,val_loss", rows)
    assert "--empty nan" in told(ask, "simulate", log, "--patience", "2")


@pytest.mark.parametrize("tags", [["loss"], ["Loss/val", "Loss/train"]])
def test_values_at_one_step_name_what_works(
    ask: Ask, tmp_path: Path, tags: list[str]
) -> None:
    """A loop wrote everything at step 0: no step is an epoch, but each value may be."""
    points: list[Point] = [
        (1.6e9 + at, 0, tag, loss) for at, loss in enumerate(LOSSES) for tag in tags
    ]
    write_events(tmp_path / "events.out.tfevents.1600000000.host.1.0", points)
    error = refused(ask, "simulate", tmp_path)
    assert "all values stand at one step" in error
    assert "--x-axis" not in error
    advised = error.split("next epoch's: ")[1].split()
    assert advised == ["--parts", "rows", "--monitor", tags[0], "--mode", "min"]
    assert PATIENCE_2 in told(ask, "simulate", tmp_path, *advised, "--patience", "2")


@pytest.mark.parametrize("between", ["_", "/"])
def test_curves_without_the_file_of_their_training_are_one(
    ask: Ask, tmp_path: Path, between: str
) -> None:
    """The directories that add_scalars made were copied without the file above them."""
    for curve, more in (("train", 0.1), ("val", 0.0)):
        held = {at: loss - more for at, loss in enumerate(LOSSES)}
        events(tmp_path / "a" / f"loss{between}{curve}", "loss", held)
    words = ("--x-axis", "epoch", "--monitor", f"loss{between}val", "--mode", "min")
    said = told(ask, "simulate", tmp_path, *words, "--patience", "2")
    assert PATIENCE_2 in said


def test_a_sweep_over_losses_is_no_curve_of_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    """loss_mse/ and loss_mae/ are called by no data set: two trainings."""
    for name, more in (("mse", 0.1), ("mae", 0.0)):
        held = {at: loss - more for at, loss in enumerate(LOSSES)}
        events(tmp_path / f"loss_{name}", "loss", held)
    said = told(ask, "inspect", tmp_path, "--x-axis", "epoch")
    assert said.startswith("2 runs of 10 epochs")


def test_workers_in_directories_beside_each_other_wrote_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    """rank0/ and rank1/ hold every second step, in the order of their times."""
    for rank in (0, 1):
        for part in ("train", "validation"):
            held = {at: loss for at, loss in enumerate(LOSSES) if at % 2 == rank}
            events(tmp_path / "a" / f"rank{rank}" / part, "epoch_loss", held)
    said = told(ask, "simulate", tmp_path, "--patience", "2")
    assert PATIENCE_2 in said
    assert "wrote the steps of one training in turn" in said


def test_two_trainings_validated_at_other_epochs_are_two(
    ask: Ask, tmp_path: Path
) -> None:
    """One began when the other had ended: it filled no gap of that."""
    for seed in (0, 1):
        held = {at: loss for at, loss in enumerate(LOSSES) if at % 2 == seed}
        events(tmp_path / f"seed{seed}", "epoch_loss", held, 1.6e9 + 100 * seed)
    said = told(ask, "inspect", tmp_path)
    assert said.startswith("2 runs of 5 epochs")
    assert "its epochs stand in the gaps of seed1" in said


def test_a_csv_has_no_times_and_so_its_workers_are_a_doubt(
    ask: Ask, tmp_path: Path
) -> None:
    """The advice of the doubt works: in one directory they are one training."""
    header = "epoch,loss,val_loss"
    for rank in (0, 1):
        rows = [f"{at},.5,{loss}" for at, loss in enumerate(LOSSES) if at % 2 == rank]
        lines(tmp_path / "a" / f"rank{rank}" / "log.csv", header, rows)
        lines(tmp_path / "b" / f"rank{rank}.csv", header, rows)
    said = told(ask, "inspect", tmp_path / "a")
    assert said.startswith("2 runs of 5 epochs")
    assert "put their files into one directory, to be read as one" in said
    assert PATIENCE_2 in told(ask, "simulate", tmp_path / "b", "--patience", "2")


@pytest.mark.parametrize("ends", [range(1, 11), [4, 6, 8, 10], [4, 7, 9, 10]])
def test_a_save_that_appends_its_last_rows_is_one_training(
    ask: Ask, tmp_path: Path, ends: list[int]
) -> None:
    """Each save appended its last four rows: they overlap, to the digit."""
    rows = [f"{at},{loss - 0.1:.4f},{loss:.4f}" for at, loss in enumerate(LOSSES)]
    saved = [row for end in ends for row in rows[max(0, end - 4) : end]]
    log = lines(tmp_path / "log.csv", "epoch,loss,val_loss", saved)
    said = told(ask, "simulate", log, "--patience", "2")
    assert PATIENCE_2 in said
    assert "they were read once" in said


def test_rows_that_stand_twice_once_may_be_a_fit_that_was_resumed(
    ask: Ask, tmp_path: Path
) -> None:
    """A deterministic training repeats its rows: whether it was resumed is open.

    In a fit that begins with epoch 7 patience 4 would count anew from there and not
    stop at epoch 8 (0.6 in epoch 4 is the best); in one fit it does.
    """
    rows = [f"{at},{loss - 0.1:.4f},{loss:.4f}" for at, loss in enumerate(LOSSES)]
    saved = [*rows[:6], *rows[3:]]
    log = lines(tmp_path / "log.csv", "epoch,loss,val_loss", saved)
    said = told(ask, "simulate", log, "--patience", "4")
    assert "at epoch 7 a fit was resumed, or the same one went on" in said
    whole = told(ask, "simulate", log, "--patience", "4", "--resume", "never")
    assert "stops at epoch 8 of 10, and keeps epoch 4" in whole
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")


def test_rows_that_differ_are_of_another_fit(ask: Ask, tmp_path: Path) -> None:
    """The same epochs with other digits are no rows that were written again."""
    rows = [f"{at},{loss:.4f}" for at, loss in enumerate(LOSSES)]
    other = [f"{at},{loss + 0.0001:.4f}" for at, loss in enumerate(LOSSES)]
    log = lines(tmp_path / "log.csv", "epoch,val_loss", [*rows[:6], *other[4:]])
    assert told(ask, "inspect", log).startswith("2 runs of 6 epochs")


@pytest.mark.parametrize("at", ["step", "epoch"])
def test_points_below_the_name_of_their_curve_are_read(
    ask: Ask, tmp_path: Path, at: str
) -> None:
    """What get_metric_history returns was saved by name, without its keys."""
    held = {
        name: [
            {"value": loss + more, at: epoch, "timestamp": 1000 + epoch}
            for epoch, loss in enumerate(LOSSES)
        ]
        for name, more in (("loss", 0.1), ("val_loss", 0.0))
    }
    log = tmp_path / "metrics.json"
    log.write_text(json.dumps(held))
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")


WIDE = "step,loss,val_loss"


def test_the_restored_model_is_no_epoch_of_a_wide_table_too(
    ask: Ask, tmp_path: Path
) -> None:
    """MLflow's metrics were pivoted: a column each, and what it says of the callback.

    Of 10 epochs the best is the fourth, so that 6 came after it: patience 7 is not in
    the log, and the eleventh row makes it no epoch longer.
    """
    values = [f"{loss - 0.1:.4f},{loss:.4f}" for loss in (*LOSSES, LOSSES[3])]
    rows = [f"{at},{own},," for at, own in enumerate(values)]
    rows[0] = f"{rows[0][:-2]},3.0,9.0"
    header = f"{WIDE},restored_epoch,stopped_epoch"
    log = lines(tmp_path / "metrics.csv", header, rows)
    said = told(ask, "simulate", log)
    assert "stops at 5 of 10" in said
    assert "7 or more not in the log: it ends at epoch 10" in said
    assert "it repeats all values of step 3" in said


def test_a_training_that_stands_still_has_no_restored_model(
    ask: Ask, tmp_path: Path
) -> None:
    """A dead network repeats its row at each step: all of them are epochs."""
    rows = [f"{at},0.{9 - at}1234,0.{9 - at}5678" for at in range(4)]
    rows += [f"{at},0.693147,0.693155" for at in range(4, 8)]
    wide = lines(tmp_path / "wide.csv", WIDE, rows)
    assert told(ask, "inspect", wide).startswith("1 run of 8 epochs")
    keyed = [
        f"{key},{row.split(',')[place]},{1000 + at},{at}"
        for place, key in ((1, "loss"), (2, "val_loss"))
        for at, row in enumerate(rows)
    ]
    log = lines(tmp_path / "keyed.csv", "key,value,timestamp,step", keyed)
    assert told(ask, "inspect", log).startswith("1 run of 8 epochs")


def test_a_header_above_every_row_begins_no_fit(ask: Ask, tmp_path: Path) -> None:
    """A logger opened the file anew for each epoch, and wrote its header each time."""
    header = "epoch,loss,val_loss"
    rows = [f"{at},.5,{loss}" for at, loss in enumerate(LOSSES)]
    text = "".join(f"{header}\n{row}\n" for row in rows)
    log = tmp_path / "log.csv"
    log.write_text(text)
    said = told(ask, "simulate", log, "--patience", "2")
    assert PATIENCE_2 in said
    assert "resumed" not in said
    assert "header stands above every row" in said


def test_a_validation_of_mmengine_is_of_the_epoch_that_its_step_names(
    ask: Ask, tmp_path: Path
) -> None:
    """scalars.json: a training's step counts batches, a validation's epochs."""
    rows: list[dict[str, float]] = []
    for at, loss in enumerate(LOSSES, start=1):
        rows += [
            {"lr": 0.01, "loss": loss, "epoch": at, "step": 100 * at - after}
            for after in (50, 0)
        ]
        rows.append({"coco/bbox_mAP": round(1 - loss, 3), "step": at})
    log = tmp_path / "vis_data" / "scalars.json"
    log.parent.mkdir()
    log.write_text("\n".join([*map(json.dumps, rows), ""]))
    words = ("--monitor", "coco/bbox_mAP", "--mode", "max", "--patience", "2")
    assert PATIENCE_2 in told(ask, "simulate", tmp_path, *words)


def test_a_first_row_that_says_what_was_trained_is_no_epoch(
    ask: Ask, tmp_path: Path
) -> None:
    """MMDetection's log begins with its environment and its seed."""
    rows: list[dict[str, object]] = [{"env_info": "torch 1.9", "seed": 0}]
    rows += [{"epoch": at, "val_loss": own} for at, own in enumerate(LOSSES, 1)]
    log = tmp_path / "None.log.json"
    log.write_text("\n".join([*map(json.dumps, rows), ""]))
    said = told(ask, "inspect", log)
    assert "series None.log.json 1-10 0 - - val_loss -" in said
    assert "left out the first row, which says env_info, seed" in said


def test_what_tensorboardx_exports_is_read(ask: Ask, tmp_path: Path) -> None:
    """export_scalars_to_json: a time, a step and a value in each point."""
    held = {
        f"runs/a/loss/{curve}": [
            [1.6e9 + at, at, loss + more] for at, loss in enumerate(LOSSES)
        ]
        for curve, more in (("train", 0.1), ("val", 0.0))
    }
    (tmp_path / "all_scalars.json").write_text(json.dumps(held))
    words = ("--monitor", "runs/a/loss/val", "--mode", "min", "--patience", "2")
    assert PATIENCE_2 in told(ask, "simulate", tmp_path, *words)


def test_a_frame_that_pandas_wrote_with_its_schema_is_read(
    ask: Ask, tmp_path: Path
) -> None:
    """DataFrame(history.history).to_json(orient="table"): the index is no series."""
    fields = [{"name": name} for name in ("index", "loss", "val_loss")]
    data = [
        {"index": at, "loss": 0.5, "val_loss": own} for at, own in enumerate(LOSSES)
    ]
    log = tmp_path / "history.json"
    log.write_text(json.dumps({"schema": {"fields": fields}, "data": data}))
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")
    assert "index" not in told(ask, "inspect", log)


def test_a_log_that_ray_wrote_twice_is_one_training(ask: Ask, tmp_path: Path) -> None:
    """progress.csv holds the settings as columns, result.json below a name."""
    rows = [
        {"val_loss": loss, "training_iteration": at, "config": {"lr": 0.1}}
        for at, loss in enumerate(LOSSES, start=1)
    ]
    (tmp_path / "result.json").write_text("\n".join([*map(json.dumps, rows), ""]))
    cells = [f"{loss},{at},0.1" for at, loss in enumerate(LOSSES, start=1)]
    header = "val_loss,training_iteration,config/dropout"
    lines(tmp_path / "progress.csv", header, cells)
    assert told(ask, "inspect", tmp_path).startswith("1 run of 10 epochs")
    assert PATIENCE_2 in told(ask, "simulate", tmp_path, "--patience", "2")


@pytest.mark.parametrize("metric", ["Logloss", "RMSE"])
def test_the_tables_of_catboost_are_one_training(
    ask: Ask, tmp_path: Path, metric: str
) -> None:
    """learn_error.tsv and test_error.tsv lie in catboost_info/, beside event files."""
    for name, more in (("learn", 0.1), ("test", 0.0)):
        values = {at: loss + more for at, loss in enumerate(LOSSES)}
        rows = [f"{at}\t{value}" for at, value in values.items()]
        lines(tmp_path / f"{name}_error.tsv", f"iter\t{metric}", rows)
        (tmp_path / name).mkdir()
        events(tmp_path / name, metric, values)
    words = ("--monitor", f"test/{metric}", "--mode", "min", "--patience", "2")
    answer = told(ask, "simulate", tmp_path, *words)
    assert PATIENCE_2 in answer
    # the same values, and no log that was left out
    assert "--x-axis" not in answer
    # without the tables, nothing says what the steps are
    assert "--x-axis" in refused(ask, "inspect", tmp_path / "learn")


def test_catboost_evaluates_the_trees_that_it_numbers(ask: Ask, tmp_path: Path) -> None:
    """With metric_period=5 these are 0, 5, 10, ... and the last."""
    at = [*range(0, 5 * (len(LOSSES) - 1), 5), 5 * (len(LOSSES) - 1) - 1]
    rows = [f"{own}\t{loss}" for own, loss in zip(at, LOSSES, strict=True)]
    log = lines(tmp_path / "test_error.tsv", "iter\tLogloss", rows)
    assert f" 1-{at[-1] + 1} " in told(ask, "inspect", log)
    words = ("--monitor", "Logloss", "--mode", "min", "--patience", "2")
    assert "only at every 5th epoch" in told(ask, "simulate", log, *words)


def test_what_trainer_s_table_has_no_log_of_is_missing(
    ask: Ask, tmp_path: Path
) -> None:
    """Notebooks and model cards show "No log" until logging_steps are over."""
    rows = [
        f"{at + 1},{'No log' if at < 2 else 0.5},{v}" for at, v in enumerate(LOSSES)
    ]
    log = lines(tmp_path / "card.csv", "Epoch,Training Loss,Validation Loss", rows)
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")


def test_a_history_of_aim_whose_epochs_are_empty_is_read_by_its_steps(
    ask: Ask, tmp_path: Path
) -> None:
    header = "metric.name,metric.context,step,epoch,time,value"
    rows = [f"val_loss,,{at},,{at + 0.5},{loss}" for at, loss in enumerate(LOSSES)]
    log = lines(tmp_path / "aim.csv", header, rows)
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")


def test_the_attributes_of_neptune_s_exporter_are_one_training(
    ask: Ask, tmp_path: Path
) -> None:
    header = "run_id,attribute_path,attribute_type,step,timestamp,float_value"
    rows = [
        f"R-1,metrics/{part}/loss,float_series,{at},2025-01-01 00:00:{at:02},{loss}"
        for part in ("train", "val")
        for at, loss in enumerate(LOSSES)
    ]
    log = lines(tmp_path / "series.csv", header, rows)
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")


def test_the_rate_that_skorch_s_scheduler_records_is_no_metric(
    ask: Ask, tmp_path: Path
) -> None:
    """LRScheduler writes the rate that the epoch was trained at as event_lr."""
    log = tmp_path / "history.json"
    rates = [0.5 if at < 4 else 0.25 for at in range(len(LOSSES))]
    rows = [
        {"epoch": at + 1, "valid_loss": loss, "event_lr": rate}
        for at, (loss, rate) in enumerate(zip(LOSSES, rates, strict=True))
    ]
    log.write_text(json.dumps(rows))
    watched = "monitor='valid_loss', patience=9, mode='min'"
    answer = told(ask, "simulate", log, "-c", f"ReduceLROnPlateau({watched})")
    # it was lowered after epoch 4, where this setting keeps it
    assert "rate changes at 4" in answer
    assert "taken as constant" not in answer


def test_a_version_that_begins_where_another_ends_may_go_on_from_it(
    ask: Ask, tmp_path: Path
) -> None:
    """Lightning resumed from a checkpoint, in version_1/: its advice works."""
    header = "epoch,step,train_loss,val_loss"
    rows = [f"{at},{10 * at + 9},,{loss}" for at, loss in enumerate(LOSSES)]
    logs = tmp_path / "lightning_logs"
    for version, own in enumerate((rows[:6], rows[6:])):
        lines(logs / f"version_{version}" / "metrics.csv", header, own)
        lines(tmp_path / "one" / f"{version}.csv", header, own)
    said = told(ask, "inspect", logs)
    assert said.startswith("2 runs of 4 to 6 epochs")
    assert "it begins where version_0 ends" in said
    one = told(ask, "simulate", tmp_path / "one", "--patience", "2")
    assert PATIENCE_2 in one


def test_what_fastai_leaves_out_is_missing(ask: Ask, tmp_path: Path) -> None:
    """Its logger writes #na# where an epoch has no value."""
    rows = [f"{at},{'#na#' if at == 9 else 0.5},{own}" for at, own in enumerate(LOSSES)]
    log = lines(tmp_path / "history.csv", "epoch,loss,val_loss", rows)
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")
    assert "loss (9 of 10)" in told(ask, "inspect", log)


@pytest.mark.parametrize("word", ["1.#QNAN", "-1.#IND00", "1.#INF000"])
def test_numbers_of_older_windows_are_read(ask: Ask, tmp_path: Path, word: str) -> None:
    """What its C library prints for NaN and infinity is no damage.

    Neither is below 0.6, so patience 2 stops where it would at a worse number.
    """
    values = [*map(str, LOSSES)]
    values[4] = word
    rows = [f"{at},0.5,{own}" for at, own in enumerate(values)]
    log = lines(tmp_path / "log.csv", "epoch,loss,val_loss", rows)
    assert PATIENCE_2 in told(ask, "simulate", log, "--patience", "2")


@pytest.mark.parametrize(("name", "begin"), [("bz2", b"BZh9"), ("xz", b"\xfd7zXZ\0")])
def test_what_another_program_packed_is_to_be_unpacked(
    ask: Ask, tmp_path: Path, name: str, begin: bytes
) -> None:
    """Only gzip is unpacked: the others are called by their names."""
    log = tmp_path / f"log.csv.{name}"
    log.write_bytes(begin + b"\x00\x01\x02")
    assert "packed. Unpack it" in refused(ask, "inspect", log)


def test_shares_of_a_small_data_set_that_come_again_are_an_epoch(
    ask: Ask, tmp_path: Path
) -> None:
    """0.9 and 0.85 have three digits together: they tell of no restored model."""
    shares = [(0.7, 0.6), (0.9, 0.85), (0.95, 0.8), (0.9, 0.85)]
    rows = [f"{at},{own},{judged}" for at, (own, judged) in enumerate(shares)]
    log = lines(tmp_path / "log.csv", "step,acc,val_acc", rows)
    said = told(ask, "inspect", log, "--x-axis", "epoch")
    assert "1 run of 4 epochs" in said
    assert "restored" not in said


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_epoch_that_a_resumed_fit_wrote_again_has_advice_that_works(
    ask: Ask, tmp_path: Path, suffix: str
) -> None:
    """A fit broken off in its sixth epoch wrote it, and the resumed one once more.

    With the later row alone the losses are LOSSES, but callbacks begin anew at epoch
    6: patience 3 sees 0.66 as its first best, 0.64 improves, 0.7, 0.71 and 0.72 do not.
    """
    losses = [*LOSSES[:5], 0.1, *LOSSES[5:]]
    epochs = [*range(6), *range(5, 10)]
    pairs = list(zip(epochs, losses, strict=True))
    log = tmp_path / f"log.{suffix}"
    if suffix == "csv":
        lines(log, "epoch,loss,val_loss", [f"{at},.5,{loss}" for at, loss in pairs])
    else:
        rows = [json.dumps({"epoch": at, "val_loss": loss}) for at, loss in pairs]
        lines(log, rows[0], rows[1:])
    asked = ("simulate", log, "-c", "EarlyStopping(patience=3)")
    assert "the later rows stand: --parts join" in told(ask, *asked)
    assert "stops at epoch 10 of 10" in told(ask, *asked, "--parts", "join")


def test_of_xgboosts_data_sets_the_last_is_suggested(ask: Ask, tmp_path: Path) -> None:
    """Its documentation: of several in eval_set the last is used for early stopping."""
    log = tmp_path / "evals.json"
    sets = {f"validation_{at}": {"logloss": LOSSES} for at in range(2)}
    log.write_text(json.dumps(sets))
    assert "as --monitor validation_1/logloss --mode min" in refused(
        ask, "simulate", log
    )


def test_a_cell_of_a_step_that_logged_something_else_is_no_nan(
    ask: Ask, tmp_path: Path
) -> None:
    """W&B made a row of each call: of the third epoch the validation's is lost."""
    rows = [
        own
        for at, loss in enumerate(LOSSES)
        for own in (f"{2 * at},{at},0.5,", f"{2 * at + 1},{at},,{loss}")
    ]
    del rows[5]
    log = lines(tmp_path / "history.csv", "_step,epoch,loss,val_loss", rows)
    said = told(ask, "simulate", log, "--patience", "5")
    assert "From epoch 3 on this log cannot tell" in said
    assert "scan_history" in said
    assert "--empty nan" not in said


def test_a_sample_of_steps_is_told_from_lost_rows(ask: Ask, tmp_path: Path) -> None:
    """W&B's own steps count from 0; of 30 of them a sample holds 20."""
    steps = [at for at in range(30) if at % 3 != 1]
    rows = [f"{at},0.{90 - at}" for at in steps]
    log = lines(tmp_path / "history.csv", "_step,val_loss", rows)
    assert "It looks like a sample" in told(ask, "simulate", log, "--patience", "5")


@pytest.mark.parametrize("first", [0, 1])
def test_a_row_of_nothing_but_empty_cells_is_no_lost_row(
    ask: Ask, tmp_path: Path, first: int
) -> None:
    """A training diverged to NaN, which pandas wrote as empty cells."""
    rows = [f"{first + at},0.5,{loss}" for at, loss in enumerate(LOSSES[:6])]
    rows += [f"{first + at},," for at in range(6, 10)]
    log = lines(tmp_path / "history.csv", "epoch,loss,val_loss", rows)
    said = told(ask, "simulate", log, "--patience", "8")
    assert "From epoch 7 on this log cannot tell" in said
    assert "If those cells are empty because they were NaN: --empty nan" in said
    assert "val_loss is missing in 4 of 10 epochs; --empty nan" in said
