"""A run in MLflow's own store: a file of ``timestamp value step`` for each metric."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cbreplay import LogError
from cbreplay.cli.log_here import find_log_here
from cbreplay.loading import load_runs
from tests.oracles.tensorboard_loader import write_events

VAL_LOSS = [0.9, 0.7, 0.8, 0.75]


def store_run(root: Path, name: str = "0a1b2c", shift: float = 0.0) -> Path:
    """Write a run as MLflow's store of files does."""
    run = root / "mlruns" / "4711" / name
    (run / "metrics" / "val").mkdir(parents=True)
    (run / "meta.yaml").write_text(f"run_id: {name}\nstatus: 3\n", encoding="utf-8")
    for key, values in {
        "loss": [value / 2 + shift for value in VAL_LOSS],
        "val/loss": [value + shift for value in VAL_LOSS],
    }.items():
        lines = [
            f"{1_700_000_000_000 + step} {value} {step}\n"
            for step, value in enumerate(values)
        ]
        (run / "metrics" / key).write_text("".join(lines), encoding="utf-8")
    return run


@pytest.mark.parametrize("asked", ["", "mlruns", "mlruns/4711/0a1b2c"])
def test_a_run_of_the_store_is_read(tmp_path: Path, asked: str) -> None:
    store_run(tmp_path)
    (run,) = load_runs(tmp_path / asked)
    assert run.series["val/loss"].values.tolist() == VAL_LOSS
    assert (run.first_epoch, run.horizon) == (0, 3)


def test_a_rate_of_step_0_whose_metrics_lost_it_tells_where_epochs_begin(
    tmp_path: Path,
) -> None:
    metrics = store_run(tmp_path) / "metrics"
    lines = (metrics / "loss").read_text(encoding="utf-8").splitlines(keepends=True)
    rates = [" ".join([line.split()[0], "0.01", line.split()[2]]) for line in lines]
    (metrics / "lr").write_text("\n".join(rates) + "\n", encoding="utf-8")
    for key in ("loss", "val/loss"):
        _, *rest = (metrics / key).read_text(encoding="utf-8").splitlines()
        (metrics / key).write_text("\n".join(rest) + "\n", encoding="utf-8")
    (run,) = load_runs(tmp_path)
    assert run.series["val/loss"].values.tolist() == VAL_LOSS[1:]
    # without the row of the rate they would begin at 1, and count from it
    assert (run.first_epoch, run.begins_at, run.counts_from) == (1, 0, 0)


@pytest.mark.parametrize("asked", ["metrics", "metrics/loss", "metrics/val"])
def test_a_metric_of_the_store_is_its_run(tmp_path: Path, asked: str) -> None:
    (run,) = load_runs(store_run(tmp_path) / asked)
    assert set(run.series) == {"loss", "val/loss"}


def test_a_metric_is_its_run_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = store_run(tmp_path) / "metrics"
    for here, asked in ((metrics, "loss"), (metrics / "val", "loss"), (metrics, ".")):
        monkeypatch.chdir(here)
        (run,) = load_runs(asked)
        assert set(run.series) == {"loss", "val/loss"}


@pytest.mark.parametrize("name", ["val_loss", "val_loss.txt"])
def test_a_metric_that_was_copied_alone_is_called_by_its_file(
    tmp_path: Path, name: str
) -> None:
    metric = store_run(tmp_path / "from") / "metrics" / "val" / "loss"
    (tmp_path / name).write_bytes(metric.read_bytes())
    (run,) = load_runs(tmp_path / name)
    assert run.series["val_loss"].values.tolist() == VAL_LOSS


def test_metrics_that_were_copied_without_their_run_are_read(tmp_path: Path) -> None:
    run = store_run(tmp_path)
    (run / "meta.yaml").unlink()
    (read,) = load_runs(tmp_path)
    assert set(read.series) == {"loss", "val/loss"}


@pytest.mark.parametrize(
    "cut", [" 3\n", "5 3\n", "1700000000003 0.75 3\n", "0003 0.75 3\n", "\n"]
)
def test_a_line_of_the_store_that_is_being_written_is_left_out(
    tmp_path: Path, cut: str
) -> None:
    """Without its step it was taken for a value at step 0, and of another fit."""
    run = store_run(tmp_path)
    metric = run / "metrics" / "val" / "loss"
    metric.write_text(metric.read_text().removesuffix(cut))
    (read,) = load_runs(run)
    left = read.series["val/loss"]
    assert left.recorded.tolist() == [True, True, True, False]
    if not cut.startswith("17"):
        note = "the last line (4) of val/loss has no line end, as if it were just"
        assert any(note in own for own in read.notes)


def test_other_tables_of_numbers_are_no_metric(tmp_path: Path) -> None:
    log = tmp_path / "val_loss"
    log.write_text("0.5 0.25 0\n0.4 0.2 1\n", encoding="utf-8")
    with pytest.raises(LogError, match="numbers, not column names"):
        load_runs(log)


def test_each_run_of_an_experiment_is_one(tmp_path: Path) -> None:
    store_run(tmp_path)
    store_run(tmp_path, "1b2c3d", shift=0.01)
    runs = load_runs(tmp_path)
    assert [run.name.rpartition("/")[2] for run in runs] == ["0a1b2c", "1b2c3d"]


def test_a_line_that_is_no_metric_is_named(tmp_path: Path) -> None:
    run = store_run(tmp_path)
    (run / "metrics" / "loss").write_text("1700000000000\n", encoding="utf-8")
    with pytest.raises(LogError, match="no timestamp, value and step") as caught:
        load_runs(run)
    assert caught.value.line == 1


def test_a_directory_called_metrics_is_no_store(tmp_path: Path) -> None:
    logs = tmp_path / "metrics"
    logs.mkdir()
    (logs / "logs.csv").write_text("epoch,loss\n0,1.0\n1,0.5\n", encoding="utf-8")
    (tmp_path / "meta.yaml").write_text("name: mine\n", encoding="utf-8")
    (run,) = load_runs(logs)
    assert run.recorded_epochs == 2


def test_the_records_of_trackers_are_named_with_their_export(tmp_path: Path) -> None:
    # the connection alone ends a transaction and stays open: Python 3.13 warns of it
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow.db")) as store, store:
        store.execute("create table metrics (key, value, step)")
    with pytest.raises(LogError, match=r"SQLite.*get_metric_history"):
        load_runs(tmp_path)
    record = tmp_path / "run-1.wandb"
    record.write_bytes(b":W&B\xe1\xbe\x00" + bytes(64))
    with pytest.raises(LogError, match=r"W&B's own record.*scan_history"):
        load_runs(record)


def test_a_summary_of_weights_and_biases_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "wandb-summary.json"
    path.write_text('{"_step": 3, "loss": 0.1, "val_loss": 0.2}', encoding="utf-8")
    with pytest.raises(LogError, match="summary"):
        load_runs(path)


def test_the_data_of_a_chart_on_its_page_are_read(tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    rows = [
        f"{run},{run_id},{key},{step},{1_700_000_000_000 + step},{value}"
        for run, run_id, shift in (("bold-fox", "a1", 0.0), ("calm-owl", "b2", 0.125))
        for key, values in (("loss", [0.75, 0.5]), ("val_loss", [0.875, 0.625]))
        for step, value in enumerate(value + shift for value in values)
    ]
    path.write_text("\n".join(["Run,Run ID,metric,step,timestamp,value", *rows, ""]))
    runs = load_runs(path)
    assert [list(run.series["val_loss"]) for run in runs] == [[0.875, 0.625], [1, 0.75]]
    assert [list(run.series["loss"]) for run in runs] == [[0.75, 0.5], [0.875, 0.625]]


@pytest.mark.parametrize(
    "here", ["", "mlruns", "run", "run/metrics", "run/metrics/val"]
)
def test_the_log_here_may_be_a_run_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, here: str
) -> None:
    run = store_run(tmp_path)
    place = tmp_path / here.replace("run/", f"{run}/") if "/" in here else tmp_path
    monkeypatch.chdir({"run": run, "mlruns": tmp_path / "mlruns"}.get(here, place))
    assert Path(find_log_here()).resolve() == run.resolve()


def test_what_mlflow_measures_of_the_machine_is_no_epoch(tmp_path: Path) -> None:
    """mlflow.enable_system_metrics_logging(): a step each ten seconds, of its own."""
    rows = [f"val_loss,{1 / (at + 1)},{at},{at}" for at in range(4)]
    rows += [f"system/cpu_utilization_percentage,{at},{at},{at}" for at in range(9)]
    log = tmp_path / "metrics.csv"
    log.write_text("\n".join(["key,value,timestamp,step", *rows, ""]))
    (run,) = load_runs(log)
    assert (run.n_epochs, list(run.series)) == (4, ["val_loss"])
    assert any(note.startswith("left out system/cpu") for note in run.notes)
    log.write_text("\n".join(["key,value,timestamp,step", *rows[4:], ""]))
    with pytest.raises(LogError, match="there is no metric in it"):
        load_runs(log)


def test_an_epoch_that_is_logged_as_a_metric_is_the_epoch(tmp_path: Path) -> None:
    """Hugging Face's callback logs it so, and in a row of its own it is no header."""
    rows = [
        f"{key},{value},{at},{50 * at}"
        for at in range(1, 5)
        for key, value in (("epoch", at), ("val_loss", 1 / at))
    ]
    log = tmp_path / "metrics.csv"
    log.write_text("\n".join(["key,value,timestamp,step", *rows, ""]))
    (run,) = load_runs(log)
    assert list(run.series["val_loss"]) == [1 / at for at in range(1, 5)]


def test_the_event_files_that_the_autologger_copies_are_of_its_run(
    tmp_path: Path,
) -> None:
    run = store_run(tmp_path)
    points = [
        (1_700_000_000.0 + step, step, "epoch_loss", loss / 2)
        for step, loss in enumerate(VAL_LOSS)
    ]
    logs = run / "artifacts" / "tensorboard_logs" / "train"
    write_events(logs / "events.out.tfevents.1.host", points)
    (found,) = load_runs(tmp_path)
    assert set(found.series) == {"loss", "val/loss"}
    assert any("log and the event files are one" in note for note in found.notes)


def fit_rows(begin: int, losses: list[float]) -> list[str]:
    """What the autologger writes of a fit, with the model that was restored."""
    rows = [f"loss,{loss},{begin + at},{at}\n" for at, loss in enumerate(losses)]
    end, best = begin + len(losses), losses.index(min(losses))
    return [
        *rows,
        f"restored_epoch,{best},{end},0\n",
        f"loss,{min(losses)},{end},{len(losses)}\n",
        f"test_loss,0.7,{end + 1},0\n",
    ]


def test_fits_that_were_logged_to_one_run_in_turn_are_told_by_their_times(
    tmp_path: Path,
) -> None:
    folds = [[0.91, 0.72, 0.83], [0.94, 0.85, 0.76, 0.87]]
    first, second = fit_rows(100, folds[0]), fit_rows(200, folds[1])
    log = tmp_path / "metrics.csv"
    # as get_metric_history returns it, metric by metric
    rows = sorted([*first, *second], key=lambda row: row.partition(",")[0])
    log.write_text("key,value,timestamp,step\n" + "".join(rows), encoding="ascii")
    found = load_runs(log)
    assert [list(run.series["loss"]) for run in found] == folds
    assert [run.name for run in found] == ["metrics.csv#1", "metrics.csv#2"]


@pytest.mark.parametrize(
    "times",
    [
        # one writer beside the other
        [1, 3, 5, 2, 4, 6],
        # the second goes on from the middle of the first
        [1, 2, 3, 4, 5, 6],
    ],
)
def test_values_of_two_writers_or_of_a_resumed_fit_are_no_fits_in_turn(
    tmp_path: Path, times: list[int]
) -> None:
    steps = [0, 1, 2, 1, 2, 3] if times[1] == 2 else [0, 1, 2, 0, 1, 2]
    rows = [
        f"loss,0.{at + 1},{time},{step}\n"
        for at, (time, step) in enumerate(zip(times, steps, strict=True))
    ]
    log = tmp_path / "metrics.csv"
    log.write_text("key,value,timestamp,step\n" + "".join(rows), encoding="ascii")
    (run,) = load_runs(log)
    assert run.series["loss"].others


@pytest.mark.parametrize("name", ["run.json", "exported.json"])
def test_a_run_of_mlflow_export_import_is_a_log(tmp_path: Path, name: str) -> None:
    """Its run.json holds the metrics too, below what MLflow knows of the run."""
    losses = [0.9, 0.7, 0.8]
    points = [
        {"value": loss, "timestamp": 1_700_000_000_000 + step, "step": step}
        for step, loss in enumerate(losses)
    ]
    run = {"info": {"run_id": "1a2b"}, "params": {}, "metrics": {"val_loss": points}}
    path = tmp_path / "1a2b" / name
    path.parent.mkdir()
    path.write_text(json.dumps({"system": {"script": "export_run.py"}, "mlflow": run}))
    for asked in (tmp_path, path):
        (found,) = load_runs(asked)
        assert list(found.series["val_loss"]) == losses


@pytest.mark.parametrize("name", ["metrics.csv", "metrics.json"])
def test_the_attributes_of_metrics_are_read_as_python_calls_them(
    tmp_path: Path, name: str
) -> None:
    """As ``[vars(metric) for metric in client.get_metric_history(...)]`` has them."""
    history = pd.DataFrame({"_key": "val_loss", "_value": VAL_LOSS, "_step": range(4)})
    history["_timestamp"] = history["_step"] + 1_700_000_000_000
    as_csv, as_json = history.to_csv(index=False), history.to_json(orient="records")
    (tmp_path / name).write_text(as_csv if name.endswith(".csv") else as_json)
    (run,) = load_runs(tmp_path / name)
    assert list(run.series["val_loss"]) == VAL_LOSS


# of 30 examples, as Keras's accuracy in float32: the last epoch has as many as the 4th
CORRECT = (20, 22, 24, 27, 26, 25, 28, 26, 24, 27)
SHARES = [float(np.float32(own / 30)) for own in CORRECT]


def history_file(
    place: Path, key: str, values: list[float], every: int = 1, begin: int = 0
) -> Path:
    """Write what get_metric_history returns of one key."""
    steps = range(begin, begin + every * len(values), every)
    rows = [
        f"{key},{own},{at}000,{at}\n" for at, own in zip(steps, values, strict=True)
    ]
    path = place / f"{key}.csv"
    path.write_text("key,value,timestamp,step\n" + "".join(rows), encoding="utf-8")
    return path


def test_a_last_share_of_few_examples_may_be_an_epoch(tmp_path: Path) -> None:
    (run,) = load_runs(history_file(tmp_path, "val_accuracy", SHARES))
    assert run.series["val_accuracy"].values.tolist() == SHARES
    assert any("if MLflow's autologger wrote it" in note for note in run.notes)


@pytest.mark.parametrize("asked", ["", "val_accuracy.csv"])
def test_files_of_one_key_each_tell_together_where_a_training_stopped(
    tmp_path: Path, asked: str
) -> None:
    history_file(tmp_path, "val_accuracy", [*SHARES, SHARES[4]])
    history_file(tmp_path, "loss", [1 / (at + 3) for at in [*range(10), 4]])
    history_file(tmp_path, "stopped_epoch", [9.0])
    history_file(tmp_path, "restored_epoch", [4.0])
    (run,) = load_runs(tmp_path / asked)
    assert run.series["val_accuracy"].values.tolist() == SHARES
    with pytest.raises(LogError, match="it says where a training stopped"):
        load_runs(tmp_path / "restored_epoch.csv")


@pytest.mark.parametrize(("begin", "unit"), [(4, "evaluations"), (0, "epochs")])
def test_a_loss_every_few_batches_of_the_autologger_is_of_no_epochs(
    tmp_path: Path, begin: int, unit: str
) -> None:
    """With every_n_iter=4 it logs batches at 4, 8, ...; a loop logs epoch 0 first."""
    losses = [1 / (at + 2) for at in range(9)]
    path = history_file(tmp_path, "loss", losses, every=4, begin=begin)
    (run,) = load_runs(path)
    assert run.axis_unit == unit
    (run,) = load_runs(path, x_axis="epoch")
    assert run.axis_unit == "epochs"
    history_file(tmp_path, "val_loss", losses, every=4, begin=begin)
    (run,) = load_runs(tmp_path)
