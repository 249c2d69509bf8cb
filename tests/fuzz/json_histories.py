"""Hunt through histories that somebody wrote as JSON.

Keras's History as lists, as an object, as rows and as what pandas makes of it; rows
below a name, below the number of their epoch, and with their values below another name;
one history for each data set; what Sacred, Ray Tune and Lightning's users write.

    python -m tests.fuzz.json_histories --minutes 10
"""

from __future__ import annotations

from typing import Any

from tests.fuzz.exports import exports_channel
from tests.fuzz.hunt import hunt_from_command_line

__all__ = ["JSON_HISTORIES"]

_N = 12
_LOSSES = [1 / (epoch + 1) + (epoch % 3) / 10 for epoch in range(_N)]
_ROWS = [
    {"epoch": i, "loss": loss, "val_loss": loss + 0.1} for i, loss in enumerate(_LOSSES)
]
_LISTS = {key: [row[key] for row in _ROWS] for key in ("loss", "val_loss")}
_PAIRS = [{"loss": loss, "val_loss": loss + 0.1} for loss in _LOSSES]
_SEEDS: dict[str, Any] = {
    "history.json": _LISTS,
    "rates.json": {**_LISTS, "learning_rate": [0.1] * _N, "time": list(range(_N))},
    "history_object.json": {
        "history": _LISTS,
        "params": {"epochs": 20, "steps": 4, "verbose": 0},
        "epoch": list(range(_N)),
    },
    "rows.json": _ROWS,
    "rows.jsonl": _ROWS,
    "nameless.json": _PAIRS,
    "below.json": {"epochs": _ROWS, "config": {"lr": 0.1}},
    "metrics.json": [{"epoch": i, "metrics": row} for i, row in enumerate(_PAIRS)],
    "metrics.jsonl": [{"epoch": i, "metrics": row} for i, row in enumerate(_PAIRS)],
    "sets.jsonl": [
        {"epoch": i, "train": {"loss": loss}, "val": {"loss": loss + 0.1}}
        for i, loss in enumerate(_LOSSES)
    ],
    "numbered.json": {str(i): row for i, row in enumerate(_PAIRS)},
    "named.json": {f"epoch {i + 1}": row for i, row in enumerate(_PAIRS)},
    "sets.json": {"train": {"loss": _LOSSES}, "val": {"loss": _LOSSES[::-1]}},
    "runs.json": {"first": _LISTS, "second": {"val_loss": _LOSSES[::-1]}},
    "list.json": [_LISTS, {"val_loss": _LOSSES[::-1], "loss": _LOSSES}],
    "frame.json": {
        key: {str(row): one for row, one in enumerate(values)}
        for key, values in _LISTS.items()
    },
    "split.json": {
        "columns": ["epoch", "loss", "val_loss"],
        "index": list(range(_N)),
        "data": [list(row.values()) for row in _ROWS],
    },
    "sacred.json": {
        name: {
            "steps": list(range(_N)),
            "timestamps": [f"2024-03-01T10:00:{i:02}.5" for i in range(_N)],
            "values": values,
        }
        for name, values in _LISTS.items()
    },
    "result.json": [
        {"training_iteration": i + 1, "val_loss": loss, "config": {"lr": 0.1}}
        for i, loss in enumerate(_LOSSES)
    ],
    "points.json": {key: list(enumerate(values)) for key, values in _LISTS.items()},
}

JSON_HISTORIES = exports_channel("json_histories", _SEEDS)

if __name__ == "__main__":
    hunt_from_command_line(JSON_HISTORIES)
