"""Write the rows of a training as trackers do: Weights & Biases, and MLflow."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.oracles.true_trainings import Row

__all__ = [
    "MLFLOW_META",
    "Files",
    "metrics_of",
    "mlflow_csv",
    "mlflow_stepless",
    "mlflow_store",
    "table",
    "wandb_csv",
    "wandb_json",
    "wandb_steps",
]

# contents by path
Files = dict[str, bytes]
_MLFLOW = "mlruns/47/ab12"
MLFLOW_META = f"{_MLFLOW}/meta.yaml"


def metrics_of(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.values))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], end: str) -> bytes:
    lines = [",".join(cells) for cells in (header, *rows)]
    return "".join(line + end for line in lines).encode()


def _wandb_rows(rows: Sequence[Row]) -> list[dict[str, float]]:
    told: list[dict[str, float]] = []
    for at, row in enumerate(rows):
        rate = {} if row.rate is None else {"learning_rate": row.rate}
        own = {"_step": row.epoch, "_runtime": 1.5 * at, "_timestamp": 1.7e9 + at}
        told.append({**own, "epoch": row.epoch, **row.values, **rate})
    return told


def wandb_json(rows: Sequence[Row]) -> Files:
    return {"history.json": json.dumps(_wandb_rows(rows)).encode()}


def wandb_csv(rows: Sequence[Row]) -> Files:
    told = _wandb_rows(rows)
    names = list(dict.fromkeys(name for row in told for name in row))
    lines = []
    for at, row in enumerate(told):
        cells = [row.get(name, math.nan) for name in names]
        lines.append(
            [str(at), *("" if math.isnan(cell) else repr(cell) for cell in cells)]
        )
    return {"history.csv": table(["", *names], lines, "\n")}


def wandb_steps(rows: Sequence[Row]) -> Files:
    """As run.log() without an epoch: the step alone counts."""
    told = [{n: v for n, v in own.items() if n != "epoch"} for own in _wandb_rows(rows)]
    return {"history.json": json.dumps(told).encode()}


def mlflow_store(rows: Sequence[Row]) -> Files:
    return _mlflow_store_at(rows, {row.epoch: row.epoch for row in rows})


def _mlflow_store_at(rows: Sequence[Row], steps: Mapping[int, int]) -> Files:
    files = {MLFLOW_META: b"run_id: ab12\nstatus: 3\n"}
    lines: dict[str, list[str]] = {}
    for at, row in enumerate(rows):
        rate = {} if row.rate is None else {"learning_rate": row.rate}
        for name, own in {**row.values, **rate}.items():
            told = f"{1_700_000_000_000 + 1000 * at} {own!r} {steps[row.epoch]}\n"
            lines.setdefault(name, []).append(told)
    for name, own_lines in lines.items():
        files[f"{_MLFLOW}/metrics/{name}"] = "".join(own_lines).encode()
    return files


def mlflow_stepless(rows: Sequence[Row]) -> Files:
    """As mlflow.log_metric() without a step, which is 0 then."""
    return _mlflow_store_at(rows, dict.fromkeys((row.epoch for row in rows), 0))


def mlflow_csv(rows: Sequence[Row]) -> Files:
    lines = []
    for name in metrics_of(rows):
        for at, row in enumerate(rows):
            if name in row.values:
                told = [repr(row.values[name]), str(row.epoch)]
                lines.append(["ab12", name, *told, str(1_700_000_000_000 + 1000 * at)])
    header = ["run_id", "key", "value", "step", "timestamp"]
    return {"metrics.csv": table(header, lines, "\n")}
