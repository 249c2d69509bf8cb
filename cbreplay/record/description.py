"""What ``run.json`` says about a training: its Keras, its model, its callbacks."""

from __future__ import annotations

import math
import platform
from datetime import UTC, datetime
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cbreplay.record.keras_callbacks import describe_callback
from cbreplay.rules.keras.custom_code import root_of
from cbreplay.rules.registry import find_rule
from cbreplay.run_metadata import RUN_SCHEMA
from cbreplay.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "describe_keras",
    "describe_optimizer",
    "describe_run",
    "describe_user_callback",
    "find_schedule",
    "metric_directions",
    "read_rate",
]


def describe_run(
    fit: Mapping[str, Any],
    callbacks: Sequence[str] | None,
    *,
    metrics: Mapping[str, str | None],
    optimizer: Mapping[str, Any],
    named: Mapping[str, Any] = MappingProxyType({}),
    beside: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return what ``run.json`` says when a fit begins.

    `named` are members that say which training it is, `beside` those about its list.
    """
    return {
        "schema": RUN_SCHEMA,
        "written_by": f"cbreplay {__version__}",
        **named,
        "started": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "wall_seconds": None,
        "keras": describe_keras(),
        "fit": fit,
        "callbacks": callbacks,
        **beside,
        "metrics": metrics,
        "optimizer": optimizer,
        "ended": None,
        "earlier_fits": [],
    }


def describe_keras() -> dict[str, str]:
    """Return the versions of Keras, its backend, numpy and Python."""
    import keras
    import numpy as np

    backend = keras.backend.backend()
    return {
        "package": "keras",
        "version": keras.__version__,
        "backend": backend,
        "backend_version": import_module(backend).__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def metric_directions(model: Any) -> dict[str, str | None]:  # noqa: ANN401 - a keras.Model
    """Return which way each metric improves, as Keras resolves ``mode="auto"``.

    None where Keras knows no direction. As in
    keras/src/callbacks/monitor_callback.py, Keras 3.15.1; the model must be built.
    """
    directions: dict[str, str | None] = {"loss": "min"}
    known = {"up": "max", "down": "min"}
    for holder in model.metrics:
        for metric in getattr(holder, "metrics", []):
            directions[metric.name] = known.get(getattr(metric, "_direction", ""))
    return directions


def describe_optimizer(model: Any) -> dict[str, Any]:  # noqa: ANN401 - a keras.Model
    """Return the optimizer's class, and its present rate or its schedule.

    Both are None if the model has no optimizer, or several.
    """
    optimizer = _optimizer_of(model)
    if optimizer is None:
        return {"initial_learning_rate": None, "schedule": None}
    schedule = find_schedule(optimizer)
    rate = None if schedule is not None else read_rate(model)
    steps = _count_steps(optimizer)
    return {
        "class": type(optimizer).__name__,
        "initial_learning_rate": rate if rate and math.isfinite(rate) else None,
        "schedule": None if schedule is None else describe_callback(schedule),
        # above 0 if the model was trained before, even if epochs count from 0 again
        **({"steps_taken": steps} if steps else {}),
    }


def _optimizer_of(model: Any) -> Any:  # noqa: ANN401 - keras is untyped
    """Return the one optimizer of a model; None without one, or with several."""
    import keras

    optimizer = getattr(model, "optimizer", None)
    return optimizer if isinstance(optimizer, keras.optimizers.Optimizer) else None


def _count_steps(optimizer: Any) -> int:  # noqa: ANN401 - keras is untyped
    """Return how many steps an optimizer has taken; 0 if it does not count them."""
    import keras

    try:
        return int(keras.ops.convert_to_numpy(optimizer.iterations))
    except (AttributeError, TypeError, ValueError):
        return 0


def find_schedule(optimizer: Any) -> Any:  # noqa: ANN401 - keras is untyped
    """Return the LearningRateSchedule that an optimizer was given; None without one."""
    import keras

    held = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(held, "_learning_rate", None)
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return rate if isinstance(rate, schedule) else None


def read_rate(model: Any) -> float | None:  # noqa: ANN401 - a keras.Model
    """Return the learning rate of a model's optimizer at this moment.

    None where there is no one rate: no optimizer, several, or a schedule by steps.
    """
    import keras

    optimizer = _optimizer_of(model)
    if optimizer is None or find_schedule(optimizer) is not None:
        return None
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def describe_user_callback(callback: Any) -> str:  # noqa: ANN401 - any Keras callback
    """Return a callback of a user's training as text for ``run.json``.

    Arguments are written only for callbacks that can be replayed: those of others may
    be secret (an address, a token), and no replay needs them.

    Examples
    --------
    >>> class RemoteMonitor:
    ...     def __init__(self, root, headers=None):
    ...         self.root, self.headers = root, headers
    >>> describe_user_callback(RemoteMonitor("https://me:secret@example.org"))
    'RemoteMonitor(...)'
    """
    kind = type(callback)
    known = find_rule(kind.__name__) is not None
    if known and root_of(kind) == "keras":
        return describe_callback(callback)
    return f"{kind.__name__}(...)"
