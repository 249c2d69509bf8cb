"""What Comet's ``get_metrics()`` answers: a row for each metric and value."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay.errors import LogError
from cbreplay.readers.other_tools.json_rows import as_number
from cbreplay.wording.words import count, list_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.readers.base import Damage

__all__ = ["are_of_comet", "with_steps"]

_NAME, _VALUE = "metricname", "metricvalue"


def are_of_comet(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether rows, whose keys are in small letters, are metrics of Comet."""
    return bool(rows) and {_NAME, _VALUE} <= rows[0].keys()


def with_steps(
    rows: Sequence[Mapping[str, Any]], source: str, damage: Damage
) -> list[dict[str, Any]]:
    """Return rows as MLflow's: a key, a value and a step, and the epoch of each step.

    What was logged with an epoch alone stands at the last step of that epoch. What has
    neither, as the measures of the machine, is left out with a remark.

    Raises
    ------
    LogError
        If no row has a step or an epoch.
    """
    ends: dict[float, float] = {}
    for row in rows:
        step, epoch = _number(row.get("step")), _number(row.get("epoch"))
        if step is not None and epoch is not None:
            ends[epoch] = max(step, ends.get(epoch, step))
    told: list[dict[str, Any]] = []
    epochs: dict[tuple[Any, float], float] = {}
    left_out: dict[str, None] = {}
    for row in rows:
        step, epoch = _number(row.get("step")), _number(row.get("epoch"))
        if step is None and epoch is not None:
            step = ends.get(epoch, None if ends else epoch)
        if step is None:
            left_out.setdefault(str(row.get(_NAME)))
            continue
        experiment = row.get("experimentkey")
        if epoch is not None:
            epochs[experiment, step] = epoch
        own = {"key": row.get(_NAME), "value": row.get(_VALUE), "step": step}
        told.append({**own, "timestamp": row.get("timestamp"), "run": experiment})
    if not told:
        problem = "no value in it has a step or an epoch"
        hint = "Log with one: experiment.log_metric(name, value, epoch=epoch)"
        raise LogError(problem, source=source, hint=hint)
    if left_out:
        shown = list_first([*left_out], _SHOWN)
        what = count(len(left_out), "metric")
        damage.remarks.append(f"left out {what} without step and epoch: {shown}")
    told += [
        {"key": "epoch", "value": epoch, "step": step, "run": experiment}
        for (experiment, step), epoch in epochs.items()
    ]
    return told


_SHOWN = 5


def _number(value: object) -> float | None:
    number = as_number(value)
    return None if number is None or math.isnan(number) else number
