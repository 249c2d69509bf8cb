"""Hunt through what trackers export.

Hugging Face's ``trainer_state.json``, the exports of Weights & Biases, MLflow, Comet
and Neptune as JSON, JSON Lines and CSV, a metric of MLflow's store, and rows that say
their stage.

    python -m tests.fuzz.exports --minutes 10
"""

from __future__ import annotations

import csv
import functools
import io
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from cbreplay import CbreplayError, load_runs
from tests.fuzz.hunt import Channel, ask, expect, hunt_from_command_line
from tests.fuzz.json_trees import change_tree, damage_text, write_tree

if TYPE_CHECKING:
    import random
    from pathlib import Path

__all__ = ["EXPORTS", "exports_channel"]

_N = 12
_LOSSES = [1 / (epoch + 1) + (epoch % 3) / 10 for epoch in range(_N)]
_ROWS = [
    {"epoch": i, "loss": loss, "val_loss": loss + 0.1} for i, loss in enumerate(_LOSSES)
]
_STATE = {
    "epoch": float(_N),
    "num_train_epochs": _N,
    "log_history": [
        row
        for i, one in enumerate(_LOSSES)
        for row in (
            {"epoch": i + 0.5, "loss": one, "step": 20 * i + 10, "learning_rate": 1e-3},
            {"epoch": i + 1.0, "eval_loss": one, "step": 20 * i + 20},
        )
    ]
    + [{"train_runtime": 3.0, "epoch": float(_N)}],
}
_WANDB = [
    {"_step": i, "_runtime": 1.5 * i, "_timestamp": 1.7e9 + i, **row}
    for i, row in enumerate(_ROWS)
]
_MLFLOW = [
    {"run_id": "ab", "key": key, "value": row[key], "step": i, "timestamp": 1.7e12 + i}
    for i, row in enumerate(_ROWS)
    for key in ("loss", "val_loss")
]
_COMET = [
    {
        "metricName": row["key"],
        "metricValue": str(row["value"]),
        "timestamp": row["timestamp"],
        "step": row["step"],
        "epoch": row["step"],
        "runContext": None,
    }
    for row in _MLFLOW
]
_NEPTUNE = [
    {"step": float(i), "value": loss, "timestamp": f"2024-03-01 10:00:{i:02}.5"}
    for i, loss in enumerate(_LOSSES)
]
_STAGES = [
    *({"step": 9 * row["epoch"], **row, "stage": "fit"} for row in _ROWS),
    {"step": 9 * _N, "epoch": _N, "loss": 0.5, "val_loss": None, "stage": "test"},
]
_STORED = "".join(
    f"{row['timestamp']:.0f} {row['value']} {row['step']}\n" for row in _MLFLOW[::2]
)
_SEEDS: dict[str, Any] = {
    "trainer_state.json": _STATE,
    "wandb.json": _WANDB,
    "wandb.jsonl": _WANDB,
    "wandb.csv": _WANDB,
    "mlflow.json": _MLFLOW,
    "mlflow_metrics.json": {"metrics": _MLFLOW},
    "mlflow.csv": _MLFLOW,
    "comet.json": _COMET,
    "comet_metrics.json": {"metrics": _COMET},
    "comet.csv": _COMET,
    "val_loss.csv": _NEPTUNE,
    "stages.csv": _STAGES,
    "stages.json": _STAGES,
    "stored_loss": _STORED,
}
_KEYS = (
    *("epoch", "step", "_step", "loss", "val_loss", "eval_loss", "key", "value"),
    *("run_id", "timestamp", "learning_rate", "lr", "log_history", "train_runtime"),
    *("history", "params", "columns", "data", "index", "metrics", "0", "epochs"),
    *("metricName", "metricValue", "runContext", "_id", "stage", "train", "val"),
    *("steps", "values", "timestamps", "training_iteration", "epoch 3", "results"),
)


_AXES: tuple[Literal["epoch", "step"] | None, ...] = (None, None, "epoch", "step")
_EMPTY: tuple[Literal["missing", "nan"], ...] = ("missing", "nan")


class Export(NamedTuple):
    """A file, and how it is read."""

    name: str
    content: bytes
    x_axis: Literal["epoch", "step"] | None
    empty: Literal["missing", "nan"]
    command: tuple[str, ...]


def exports_channel(name: str, seeds: dict[str, Any]) -> Channel:
    """Return the channel of files that are written like some."""
    return Channel(name, functools.partial(_make_case, seeds), _check)


def _make_case(seeds: dict[str, Any], pick: random.Random) -> Export:
    name = pick.choice(sorted(seeds))
    tree = change_tree(seeds[name], pick, _KEYS)
    if name.endswith(".csv") and isinstance(tree, list):
        text = _as_csv(tree)
    elif isinstance(tree, str):
        text = tree.encode("utf-8", "replace").decode()
    elif name.endswith(".jsonl") and isinstance(tree, list):
        text = "\n".join(map(write_tree, tree))
    else:
        text = write_tree(tree, indent=pick.choice([None, None, 2]))
    return Export(
        name,
        damage_text(text, pick),
        pick.choice(_AXES),
        pick.choice(_EMPTY),
        pick.choice(_COMMANDS),
    )


_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("simulate", "--format", "json"),
    ("simulate", "--patience", "1:3", "--monitor", "loss"),
    ("inspect", "-v"),
    ("explain", "--patience", "2", "--monitor", "loss", "--format", "json"),
    ("recommend", "--monitor", "loss"),
)


def _as_csv(rows: list[Any]) -> str:
    """Write rows as a CSV, with whatever stands in their cells."""
    text = io.StringIO()
    whole = [row for row in rows if isinstance(row, dict)]
    names = list(dict.fromkeys(name for row in whole for name in row))
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    for row in whole:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode("utf-8", "replace").decode()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else write_tree(value)


def _check(case: Export, place: Path) -> str:
    path = place / case.name
    path.write_bytes(case.content)
    outcome = "refused"
    for errors in ("strict", "skip"):
        try:
            runs = load_runs(path, errors=errors, x_axis=case.x_axis, empty=case.empty)
        except CbreplayError as error:
            expect(str(path) in str(error), str(error))
        else:
            expect(runs != [], "neither a run nor an error")
            for run in runs:
                assert {len(one) for one in run.series.values()} == {run.n_epochs}
                json.dumps(run.notes).encode()
            outcome = "read"
    command, *options = case.command
    ask(command, path, *options)
    path.unlink()
    return outcome


EXPORTS = exports_channel("exports", _SEEDS)

if __name__ == "__main__":
    hunt_from_command_line(EXPORTS)
