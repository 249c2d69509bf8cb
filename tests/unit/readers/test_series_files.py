"""Logs with a file for each series of one training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from cbreplay import LogError, load_runs
from tests.oracles.tensorboard_loader import write_events

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOSSES = [0.9, 0.7, 0.5, 0.6, 0.65]


def page(path: Path, values: list[float]) -> None:
    """What TensorBoard's page offers of one series."""
    rows = [f"{1.6e9 + at},{at},{value}" for at, value in enumerate(values)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["Wall time,Step,Value", *rows, ""]))


def live(path: Path, name: str, values: list[float]) -> None:
    """What DVCLive writes of one metric."""
    rows = [f"{step}\t{value}" for step, value in enumerate(values)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([f"step\t{name}", *rows, ""]))


@pytest.mark.parametrize(
    ("files", "series"),
    [
        (
            ["run-train-tag-epoch_loss.csv", "run-validation-tag-epoch_loss.csv"],
            ["loss", "val_loss"],
        ),
        (
            ["run-a_train-tag-epoch_loss.csv", "run-a_validation-tag-epoch_loss.csv"],
            ["loss", "val_loss"],
        ),
        (
            ["run-.-tag-Loss_train.csv", "run-.-tag-Loss_val.csv"],
            ["Loss_train", "Loss_val"],
        ),
    ],
)
def test_downloads_of_one_run_are_one_training(
    tmp_path: Path, files: list[str], series: list[str]
) -> None:
    page(tmp_path / files[0], [loss - 0.1 for loss in LOSSES])
    page(tmp_path / files[1], LOSSES)
    (run,) = load_runs(tmp_path)
    assert list(run.series) == series
    assert list(run.series[series[1]]) == LOSSES
    assert any("hold a series each" in note for note in run.notes)


@pytest.mark.parametrize(
    "files",
    [
        # of two runs, and two downloads of one series
        ["run-a_validation-tag-epoch_loss.csv", "run-b_validation-tag-epoch_loss.csv"],
        ["run-a-tag-Loss_val.csv", "run-a-tag-Loss_val.csv.gz"],
    ],
)
def test_downloads_of_the_same_series_are_none(
    tmp_path: Path, files: list[str]
) -> None:
    import gzip

    for at, name in enumerate(files):
        page(tmp_path / "plain.csv", [loss + at for loss in LOSSES])
        content = (tmp_path / "plain.csv").read_bytes()
        if name.endswith(".gz"):
            content = gzip.compress(content)
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "runs" / name).write_bytes(content)
    assert len(load_runs(tmp_path / "runs")) == 2


def test_series_of_other_lengths_stay_apart(tmp_path: Path) -> None:
    page(tmp_path / "run-.-tag-Loss_train.csv", LOSSES)
    page(tmp_path / "run-.-tag-Loss_val.csv", LOSSES[:3])
    assert len(load_runs(tmp_path)) == 2


def test_a_series_of_every_second_epoch_is_laid_over_all_of_them(
    tmp_path: Path,
) -> None:
    page(tmp_path / "run-train-tag-epoch_loss.csv", LOSSES)
    steps = [1, 3]
    rows = [f"{1.6e9 + step},{step},{LOSSES[step]}" for step in steps]
    path = tmp_path / "run-validation-tag-epoch_loss.csv"
    path.write_text("\n".join(["Wall time,Step,Value", *rows, ""]))
    (run,) = load_runs(tmp_path)
    assert list(run.series["val_loss"]) == [None, 0.7, None, 0.6, None]


def test_the_metrics_of_dvclive_are_one_training(tmp_path: Path) -> None:
    metrics = tmp_path / "dvclive" / "plots" / "metrics"
    live(metrics / "train" / "loss.tsv", "loss", [loss - 0.1 for loss in LOSSES])
    live(metrics / "eval" / "loss.tsv", "loss", LOSSES)
    (run,) = load_runs(tmp_path)
    assert set(run.series) == {"eval/loss", "train/loss"}
    assert list(run.series["eval/loss"]) == LOSSES


def test_the_times_of_older_versions_of_dvclive_are_no_series(tmp_path: Path) -> None:
    metrics = tmp_path / "plots" / "metrics"
    for data_set in ("train", "eval"):
        rows = [f"{1.6e9 + at}\t{at}\t{loss}" for at, loss in enumerate(LOSSES)]
        path = metrics / data_set / "loss.tsv"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(["timestamp\tstep\tloss", *rows, ""]))
    (run,) = load_runs(tmp_path)
    assert sorted(run.series) == ["eval/loss", "train/loss"]
    # files of one name are told apart
    assert "eval/loss.tsv, train/loss.tsv hold a series each" in " ".join(run.notes)


def test_downloads_of_several_runs_are_called_as_their_runs(tmp_path: Path) -> None:
    for at, name in enumerate(["seed0", "seed1"]):
        page(tmp_path / f"{name}_train-tag-epoch_loss.csv", LOSSES)
        losses = [loss + at / 8 for loss in LOSSES]
        page(tmp_path / f"{name}_validation-tag-epoch_loss.csv", losses)
    named = {run.name: run.series["val_loss"][0] for run in load_runs(tmp_path)}
    assert named == {"seed0": 0.9, "seed1": 1.025}


RATES = [float(np.float32(rate)) for rate in (1e-3, 1e-3, 1e-3, 1e-3, 5e-4)]


@pytest.mark.parametrize("tag", ["epoch_learning_rate", "epoch_lr"])
def test_a_downloaded_rate_is_that_of_the_event_files(tmp_path: Path, tag: str) -> None:
    events, downloads = tmp_path / "events", tmp_path / "downloads"
    train = {"epoch_loss": LOSSES, tag: RATES}
    for writer, series in {
        "train": train,
        "validation": {"epoch_loss": LOSSES},
    }.items():
        points = [
            (1.6e9 + at, at, name, values[at])
            for at in range(len(LOSSES))
            for name, values in series.items()
        ]
        write_events(events / writer / "events.out.tfevents.1.a", points)
        for name, values in series.items():
            page(downloads / f"run-{writer}-tag-{name}.csv", values)
    (there,), (here,) = load_runs(events), load_runs(downloads)
    assert here.learning_rate is not None
    assert there.learning_rate is not None
    assert list(here.learning_rate) == list(there.learning_rate) == RATES
    assert here.rate_source == there.rate_source
    assert here.learning_rate_rounding == there.learning_rate_rounding == {}
    assert list(here.series) == list(there.series) == ["loss", "val_loss"]


@pytest.mark.parametrize(
    "rates",
    [
        {"epoch_learning_rate": RATES[:-1]},
        {"lr_pg0": RATES, "lr_pg1": [2 * rate for rate in RATES]},
    ],
    ids=["of other epochs", "several"],
)
def test_a_rate_that_is_not_the_one_of_all_keeps_no_metric_apart(
    tmp_path: Path, rates: dict[str, list[float]]
) -> None:
    page(tmp_path / "run-train-tag-epoch_loss.csv", LOSSES)
    page(tmp_path / "run-validation-tag-epoch_loss.csv", LOSSES)
    for tag, values in rates.items():
        page(tmp_path / f"run-train-tag-{tag}.csv", values)
    (run,) = load_runs(tmp_path)
    assert list(run.series) == ["loss", "val_loss"]
    assert run.learning_rate is None
    left_out = [note for note in run.notes if "only a learning rate" in note]
    assert len(left_out) == len(rates)


def test_a_rate_alone_is_no_log(tmp_path: Path) -> None:
    page(tmp_path / "run-train-tag-epoch_learning_rate.csv", RATES)
    for source in (tmp_path, tmp_path / "run-train-tag-epoch_learning_rate.csv"):
        with pytest.raises(LogError, match="no metric, only a learning rate"):
            load_runs(source)


@pytest.mark.parametrize(
    "names",
    [["seed0_val_f1", "seed1_val_f1"], ["resnet_loss", "vgg_loss"], ["a_auc", "b_auc"]],
)
def test_one_metric_under_several_names_is_of_several_trainings(
    tmp_path: Path, names: list[str]
) -> None:
    """Only their names tell whose they are: no two losses are those of one training."""
    for at, name in enumerate(names):
        page(tmp_path / f"{name}.csv", [loss + at for loss in LOSSES])
    first, second = load_runs(tmp_path)
    assert first.series.keys() | second.series.keys() <= {"val_f1", *names}
    assert not any("one training" in note for note in [*first.notes, *second.notes])


def test_series_of_a_seed_are_one_training_called_by_it(tmp_path: Path) -> None:
    for seed in ("seed0", "seed1"):
        for at, name in enumerate(("train_f1", "val_f1", "val_kappa")):
            values = [loss + at + int(seed[-1]) / 10 for loss in LOSSES]
            page(tmp_path / f"{seed}_{name}.csv", values)
    runs = load_runs(tmp_path)
    assert [run.name for run in runs] == ["seed0", "seed1"]
    assert all(set(run.series) == {"train_f1", "val_f1", "val_kappa"} for run in runs)


def test_files_of_a_series_each_keep_what_they_say_of_it(tmp_path: Path) -> None:
    directory = tmp_path / "run"
    directory.mkdir()
    for name in ("loss", "val_loss"):
        rows = [
            f"{epoch},{'' if epoch == 2 else 0.9 / (epoch + 1)}"
            for epoch in (0, 1, 2, 3)
        ]
        (directory / f"{name}.csv").write_text("\n".join([f"epoch,{name}", *rows, ""]))
    (run,) = load_runs(directory)
    # both have an empty cell, in which a NaN may have stood
    assert run.empty_cells == {"loss", "val_loss"}


def rows_of_mlflow(key: str, steps: Iterable[int]) -> list[str]:
    return [f"{key},{1 / at},{1_700_000_000_000 + at},{at}" for at in steps]


@pytest.mark.parametrize("x_axis", ["epoch", "step"])
def test_files_of_mlflow_whose_steps_differ_read_as_the_one_file(
    tmp_path: Path, x_axis: Any
) -> None:
    # a training that is logged every four epochs, and validated every twelve
    head = "key,value,timestamp,step"
    parts = {
        "loss": rows_of_mlflow("loss", range(4, 25, 4)),
        "val_loss": rows_of_mlflow("val_loss", (12, 24)),
    }
    whole = tmp_path / "whole.csv"
    whole.write_text("\n".join([head, *parts["loss"], *parts["val_loss"], ""]))
    place = tmp_path / "parts"
    place.mkdir()
    for key, rows in parts.items():
        (place / f"{key}.csv").write_text("\n".join([head, *rows, ""]))
    (expected,) = load_runs(whole, x_axis=x_axis)
    (run,) = load_runs(place, x_axis=x_axis)
    pd.testing.assert_frame_equal(run.to_frame(), expected.to_frame())
    for source in (whole, place):
        with pytest.raises(LogError, match="val_loss has a value at 2 of 6"):
            load_runs(source)


def test_files_of_mlflow_may_each_have_a_form_of_their_own(tmp_path: Path) -> None:
    names = ("key", "value", "timestamp", "step")
    loss = rows_of_mlflow("loss", range(4, 25, 4))
    val_loss = [row.split(",") for row in rows_of_mlflow("val_loss", (12, 24))]
    told = [dict(zip(names, row, strict=True)) for row in val_loss]
    turned = [",".join(reversed(row)) for row in ([*names], *val_loss)]
    forms = {
        "val_loss.csv": "\n".join([*turned, ""]),
        "val_loss.json": json.dumps({"metrics": told}),
    }
    for name, text in forms.items():
        place = tmp_path / name.replace(".", "_")
        place.mkdir()
        (place / "loss.csv").write_text("\n".join([",".join(names), *loss, ""]))
        (place / name).write_text(text)
        (run,) = load_runs(place, x_axis="step")
        assert [*run.series["val_loss"]] == [1 / 12, 1 / 24]
        assert [*run.series["loss"]] == [1 / 12, 1 / 24]
