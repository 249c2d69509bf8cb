"""Write the rows of a training as people's tools do, each in its own files."""

from __future__ import annotations

import itertools
import json
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pandas as pd

from tests.oracles.logs_of_trackers import (
    Files,
    metrics_of,
    mlflow_csv,
    mlflow_stepless,
    mlflow_store,
    table,
    wandb_csv,
    wandb_json,
    wandb_steps,
)
from tests.oracles.tensorboard_loader import (
    Point,
    event,
    record,
    value,
    version_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.oracles.true_trainings import Row

__all__ = ["WRITERS", "Files", "Writer", "keras_events"]


class Writer(NamedTuple):
    """A tool that logs trainings.

    Parameters
    ----------
    write : callable
        Returns the files of some rows, which may be out of order or of two fits.
    names : mapping of str to str
        What it calls a metric, where that is not Keras's name.
    begins_anywhere : bool
        Whether a log of it that begins at a later epoch may be a whole training.
    numbered : bool
        Whether its rows tell their epochs.
    drops_nan : bool
        Whether NaN leaves no value in its log, or one that cannot be told from none.
    appends : bool
        Whether a second fit can be logged below the first.
    keeps_rates : bool
        Whether it logs the learning rate.
    validation_freqs : sequence of int
        After how many epochs those who use it validate.
    digits : int
        With how many it writes a number.
    x_axis : {"step"} or None
        What has to be said so that a row of it is a row of the training.
    hold : callable or None
        Returns the object that one of its files stands for, where it writes none.
    """

    write: Callable[[Sequence[Row]], Files]
    names: Mapping[str, str] = {}
    begins_anywhere: bool = True
    numbered: bool = True
    drops_nan: bool = False
    appends: bool = True
    keeps_rates: bool = True
    validation_freqs: Sequence[int] = (1, 1, 1, 2, 3)
    digits: int = 17
    x_axis: Literal["step"] | None = None
    hold: Callable[[bytes], Any] | None = None


def _keras_csv(separator: str) -> Callable[[Sequence[Row]], Files]:
    def write(rows: Sequence[Row]) -> Files:
        names = metrics_of(rows)
        if rows[0].rate is not None:
            # without a validation in the first epoch, Keras expects one of each key
            judged = any(name.startswith("val_") for name in rows[0].values)
            names += ["learning_rate"] + ["val_learning_rate"] * (not judged)
        names.sort()
        lines = []
        for row in rows:
            held = {**row.values, "learning_rate": row.rate}
            cells = [repr(held[name]) if name in held else "NA" for name in names]
            lines.append([str(row.epoch), *cells])
        content = table(["epoch", *names], lines, "\r\n").decode()
        return {"log.csv": content.replace(",", separator).encode()}

    return write


def _renamed(
    write: Callable[[Sequence[Row]], Files], names: Mapping[str, str]
) -> Callable[[Sequence[Row]], Files]:
    def write_renamed(rows: Sequence[Row]) -> Files:
        told = []
        for row in rows:
            values = {names.get(name, name): own for name, own in row.values.items()}
            told.append(row._replace(values=values))
        return write(told)

    return write_renamed


# of a second model in one session, whose metric Keras gives a number
_NUMBERED = {"accuracy": "auc_1", "val_accuracy": "val_auc_1"}


def _pandas_csv(rows: Sequence[Row]) -> Files:
    # a History has no epochs: the index is the place in its lists
    names = metrics_of(rows) + ["learning_rate"] * (rows[0].rate is not None)
    lines = []
    for at, row in enumerate(rows):
        held = {**row.values, "learning_rate": row.rate}
        cells = [held.get(name, math.nan) for name in names]
        told = [
            "" if cell is None or math.isnan(cell) else repr(cell) for cell in cells
        ]
        lines.append([str(at), *told])
    return {"history.csv": table(["", *names], lines, "\n")}


def _own_csv(rows: Sequence[Row]) -> Files:
    """As a loop of one's own does, which counts from 1."""
    names = metrics_of(rows) + ["lr"] * (rows[0].rate is not None)
    lines = []
    for row in rows:
        held = {**row.values, "lr": row.rate}
        cells = [repr(held[name]) if name in held else "" for name in names]
        lines.append([str(row.epoch + 1), *cells])
    return {"metrics.csv": table(["epoch", *names], lines, "\n")}


# names of other conventions
_VALID = {"loss": "train_loss", "val_loss": "valid_loss", "val_accuracy": "valid_acc"}
_SLASHED = {"loss": "Loss/train", "val_loss": "Loss/val"}


def _json_history(rows: Sequence[Row]) -> Files:
    names = metrics_of(rows)
    lists: dict[str, list[float | None]] = {
        name: [row.values[name] for row in rows if name in row.values] for name in names
    }
    if rows[0].rate is not None:
        lists["learning_rate"] = [row.rate for row in rows]
    return {"history.json": json.dumps(lists).encode()}


def _history(rows: Sequence[Row]) -> Files:
    """As the History that fit returns, which knows its epochs."""
    (lists,) = _json_history(rows).values()
    told = {"history": json.loads(lists), "epoch": [row.epoch for row in rows]}
    return {"history": json.dumps(told).encode()}


def _as_history(content: bytes) -> SimpleNamespace:
    return SimpleNamespace(**json.loads(content), params={})


def _as_frame(content: bytes) -> pd.DataFrame:
    return pd.DataFrame([json.loads(line) for line in content.splitlines()])


def _json_rows(rows: Sequence[Row]) -> Files:
    told = []
    for row in rows:
        rate = {} if row.rate is None else {"learning_rate": row.rate}
        told.append({"epoch": row.epoch, **row.values, **rate})
    return {"log.jsonl": "".join(json.dumps(row) + "\n" for row in told).encode()}


_LIGHTNING = {
    "loss": "train_loss",
    "accuracy": "train_acc",
    "val_accuracy": "val_acc",
}
_STEPS = 25


def _lightning(rows: Sequence[Row]) -> Files:
    return _lightning_with(rows, 1)


def _lightning_checks(rows: Sequence[Row]) -> Files:
    """As with val_check_interval=0.5: two validations an epoch."""
    return _lightning_with(rows, 2)


def _lightning_with(rows: Sequence[Row], n_checks: int) -> Files:
    names = [_LIGHTNING.get(name, name) for name in sorted(metrics_of(rows))]
    header = ["epoch", *names, "step"]
    lines = []
    for row in rows:
        own = {_LIGHTNING.get(name, name): held for name, held in row.values.items()}
        step = (row.epoch + 1) * _STEPS - 1
        place = {"epoch": str(row.epoch // n_checks), "step": str(step)}
        for part in (True, False):
            held = {n: repr(v) for n, v in own.items() if (n[:4] == "val_") is part}
            if held:
                lines.append([{**place, **held}.get(name, "") for name in header])
    return {"lightning_logs/version_0/metrics.csv": table(header, lines, "\n")}


_ULTRALYTICS = {
    "loss": "train/box_loss",
    "accuracy": "train/cls_loss",
    "val_loss": "val/box_loss",
    "val_accuracy": "metrics/mAP50(B)",
}


def _ultralytics(rows: Sequence[Row]) -> Files:
    names = sorted(metrics_of(rows), key=list(_ULTRALYTICS).index)
    header = ["epoch", *(_ULTRALYTICS[name] for name in names)]
    lines = []
    for row in rows:
        cells = [f"{row.values.get(name, math.nan):.5g}" for name in names]
        lines.append([str(row.epoch + 1), *cells])
    return {"train/results.csv": table(header, lines, "\n")}


def write_points(points: Sequence[Point]) -> bytes:
    """Return an event file of Keras with these points."""
    payloads = [version_event(1.7e9)]
    payloads += [event(wall, step, value(tag, n)) for wall, step, tag, n in points]
    return b"".join(map(record, payloads))


def keras_points(rows: Sequence[Row], started: float = 1.7e9) -> dict[str, list[Point]]:
    """Return what Keras's TensorBoard callback writes: for each writer, its points."""
    points: dict[str, list[Point]] = {"train": [], "validation": []}
    for at, row in enumerate(rows):
        wall = started + 10 * at
        for name, own in row.values.items():
            writer = "validation" if name.startswith("val_") else "train"
            tag = f"epoch_{name.removeprefix('val_')}"
            points[writer].append((wall, row.epoch, tag, own))
        if row.rate is not None:
            points["train"].append((wall, row.epoch, "epoch_learning_rate", row.rate))
    return {writer: own for writer, own in points.items() if own}


def keras_events(rows: Sequence[Row], begins: int = 0) -> Files:
    """Return the event files of a fit, which began `begins` epochs after the first."""
    started = 1_700_000_000 + 10 * begins
    return {
        f"logs/{writer}/events.out.tfevents.{started}.host.1.0.v2": write_points(own)
        for writer, own in keras_points(rows, started).items()
    }


def _two_event_writers(rows: Sequence[Row]) -> Files:
    """As a custom callback does that logs beside Keras's own, in a directory above."""
    files = _keras_events(rows)
    points = [
        (1.7e9 + 10 * at + 1, row.epoch, "weight_norm", 0.5 * at + row.epoch)
        for at, row in enumerate(rows)
    ]
    files["logs/events.out.tfevents.1700000001.host.1.1.v2"] = write_points(points)
    return files


def _keras_events(rows: Sequence[Row]) -> Files:
    """As Keras does: each fit has files of its own."""
    back = [at for at in range(1, len(rows)) if rows[at].epoch < rows[at - 1].epoch]
    files: Files = {}
    for begin, end in itertools.pairwise([0, *back, len(rows)]):
        files |= keras_events(rows[begin:end], begin)
    return files


def _tensorboard_page(rows: Sequence[Row]) -> Files:
    files = {}
    for writer, points in keras_points(rows).items():
        for tag in dict.fromkeys(tag for _, _, tag, _ in points):
            lines = [
                [repr(wall), str(step), repr(own)]
                for wall, step, name, own in points
                if name == tag
            ]
            content = table(["Wall time", "Step", "Value"], lines, "\n")
            files[f"run-{writer}-tag-{tag}.csv"] = content
    return files


_TRAINER = {
    "val_loss": "eval_loss",
    "val_accuracy": "eval_accuracy",
    "accuracy": "accuracy",
}


def _trainer_state(rows: Sequence[Row]) -> Files:
    return _trainer_state_with(rows, 1)


def _trainer_evaluations(rows: Sequence[Row]) -> Files:
    """As with eval_steps: four evaluations an epoch."""
    return _trainer_state_with(rows, 4)


def _trainer_state_with(rows: Sequence[Row], n_checks: int) -> Files:
    history: list[dict[str, float]] = []
    for row in rows:
        place = {"epoch": (row.epoch + 1) / n_checks, "step": 20 * (row.epoch + 1)}
        own = {_TRAINER.get(name, name): held for name, held in row.values.items()}
        training = {n: v for n, v in own.items() if not n.startswith("eval_")}
        judged = {n: v for n, v in own.items() if n.startswith("eval_")}
        if training:
            history.append({**training, **place})
        if judged:
            history.append({**judged, **place})
    state = {
        "epoch": len(rows) / n_checks,
        "global_step": 20 * len(rows),
        "num_train_epochs": 100,
        "log_history": history,
    }
    return {"checkpoint/trainer_state.json": json.dumps(state, indent=1).encode()}


WRITERS: dict[str, Writer] = {
    "keras csv": Writer(_keras_csv(",")),
    "keras csv;": Writer(_keras_csv(";")),
    "second model": Writer(_renamed(_keras_csv(","), _NUMBERED), _NUMBERED),
    "own csv": Writer(_own_csv),
    "own csv, valid_loss": Writer(_renamed(_own_csv, _VALID), _VALID),
    "own csv, Loss/val": Writer(_renamed(_own_csv, _SLASHED), _SLASHED),
    "pandas csv": Writer(_pandas_csv, numbered=False, drops_nan=True, appends=False),
    "json history": Writer(_json_history, numbered=False, appends=False),
    "json rows": Writer(_json_rows),
    "history object": Writer(
        _history, appends=False, validation_freqs=[1], hold=_as_history
    ),
    "dict of lists": Writer(
        _json_history, numbered=False, appends=False, hold=json.loads
    ),
    "data frame": Writer(_json_rows, drops_nan=True, hold=_as_frame),
    "wandb json": Writer(wandb_json),
    "wandb csv": Writer(wandb_csv, drops_nan=True),
    "wandb steps": Writer(wandb_steps, validation_freqs=[1]),
    "mlflow store": Writer(mlflow_store),
    "mlflow stepless": Writer(
        mlflow_stepless, numbered=False, appends=False, keeps_rates=False
    ),
    "mlflow csv": Writer(mlflow_csv, keeps_rates=False),
    "lightning": Writer(
        _lightning, _LIGHTNING, False, appends=False, keeps_rates=False
    ),
    "lightning checks": Writer(
        _lightning_checks,
        _LIGHTNING,
        begins_anywhere=False,
        appends=False,
        keeps_rates=False,
        validation_freqs=[1],
        x_axis="step",
    ),
    "ultralytics": Writer(
        _ultralytics,
        _ULTRALYTICS,
        begins_anywhere=False,
        keeps_rates=False,
        validation_freqs=[1],
        digits=5,
    ),
    "keras events": Writer(_keras_events),
    "two event writers": Writer(_two_event_writers, appends=False),
    "tensorboard page": Writer(_tensorboard_page, appends=False),
    "trainer state": Writer(
        _trainer_state,
        _TRAINER,
        begins_anywhere=False,
        appends=False,
        keeps_rates=False,
        validation_freqs=[1],
    ),
    "trainer evaluations": Writer(
        _trainer_evaluations,
        _TRAINER,
        begins_anywhere=False,
        appends=False,
        keeps_rates=False,
        validation_freqs=[1],
    ),
}
