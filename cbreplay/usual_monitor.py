"""The one validation loss of logs that do not call it ``val_loss``, as Keras does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbreplay.series_names import PARTS_OF_CAMEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Run

__all__ = ["find_sole_loss", "holds_values"]

_USUAL = "val_loss"
# in this order: some people call their validation data a test
_VALIDATIONS = (
    {"val", "valid", "validate", "validation", "eval", "evaluate", "evaluation"},
    {"test", "dev"},
)
_LOSS = {"loss", "losses", "error"}


def find_sole_loss(runs: Sequence[Run]) -> str | None:
    """Return the validation loss of logs without val_loss, if every run has that one.

    Its name holds a word for validation and one for a loss, as ``eval_loss``,
    ``Loss/val`` and ``losses/eval.total_loss`` do; or for a test, where none is called
    a validation. None where a run has ``val_loss``, or none or several such series.
    """
    if any(holds_values(run, _USUAL) for run in runs):
        return None
    for words in _VALIDATIONS:
        candidates = {name for run in runs for name in _losses(run, words)}
        if len(candidates) == 1:
            (name,) = candidates
            return name if all(holds_values(run, name) for run in runs) else None
        if candidates:
            return None
    return None


def _losses(run: Run, validation: set[str]) -> list[str]:
    named = [
        (name, set(re.split(r"[\W_]+", re.sub(PARTS_OF_CAMEL, "_", name).lower())))
        for name in run.series
    ]
    return [
        name
        for name, words in named
        # a best value so far is no loss of an epoch
        if words & validation and words & _LOSS and "best" not in words
    ]


def holds_values(run: Run, name: str) -> bool:
    """Return whether a run has a value of a series in any epoch."""
    return name in run.series and bool(run.series[name].recorded.any())
