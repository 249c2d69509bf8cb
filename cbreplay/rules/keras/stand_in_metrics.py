"""``model.metrics`` of the stand-in model, for Keras's search for a direction.

``_set_monitor_op`` of Keras 3 (keras/src/callbacks/early_stopping.py from 3.0 on,
monitor_callback.py from 3.11 on) looks among the compiled metrics for the one that its
monitor names, and reads its ``_direction``. The log names the metrics, so this can be
answered as `resolve_mode` does for a rule; no other question about them can.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from cbreplay.rules.keras.metric_directions import find_direction

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

    from cbreplay.rules.training import Training

__all__ = ["compiled_metrics", "looks_for_a_direction"]


class Refuses(Protocol):
    """What can refuse a question that no log answers: the `Ledger`."""

    training: Training

    def refuse(self, asked: str, reason: str = "") -> NoReturn:
        """Raise EvidenceError."""
        ...


class NamedMetric:
    """A compiled metric: its name, and which way it improves."""

    def __init__(self, name: str, ledger: Refuses) -> None:
        self.name, self._ledger = name, ledger

    @property
    def _direction(self) -> str:
        mode = find_direction(self.name, self._ledger.training.directions)
        if mode is None:
            self._ledger.refuse(
                f"the direction of {self.name!r} for a mode='auto'",
                "Keras asks the compiled metric, and this log does not name it. "
                "Write mode='min' or mode='max' where the callback is made",
            )
        return "up" if mode == "max" else "down"


def looks_for_a_direction(frame: FrameType) -> bool:
    """Return whether a frame is Keras's own code in search of a direction."""
    if frame.f_code.co_name != "_set_monitor_op":
        return False
    return str(frame.f_globals.get("__name__", "")).startswith("keras.src.callbacks.")


def compiled_metrics(logged: Iterable[str], ledger: Refuses) -> list[Any]:
    """Return ``model.metrics`` for Keras's search, by the names of logged series."""
    names = dict.fromkeys(name.removeprefix("val_") for name in logged)
    metrics = [NamedMetric(name, ledger) for name in names if name != "loss"]
    # the class that Keras looks for; made without its variables
    kind = sys.modules["keras.src.trainers.compile_utils"].MetricsList
    named = type("CompiledMetrics", (kind,), {"metrics": metrics})
    return [object.__new__(named)]
