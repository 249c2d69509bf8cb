"""The rules that wait for nothing: a decision, and how they ended, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.explain.digits import spoken_float

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cbreplay.explain.ending import Ending
    from cbreplay.explain.sentences import Moment

__all__ = ["ENDINGS", "MOMENTS"]


def _tell_loss(moment: Moment) -> str:
    if moment.value is None:
        return "no loss in this epoch: goes on"
    if not moment.decision.stop:
        return f"the loss, {spoken_float(moment.value)}, is finite: goes on"
    told = f"the loss is {spoken_float(moment.value)}: stop within the epoch"
    if moment.callback.raise_error:
        told += ", by an error; no callback sees its end"
    return told


def _tell_finite(ending: Ending, index: int) -> str:
    return f"{ending.name_of(index)} saw no loss that is NaN or infinite"


# by the callback's class
MOMENTS: Mapping[str, Callable[[Moment], str]] = {
    "TerminateOnNaN": _tell_loss,
}
ENDINGS: Mapping[str, Callable[[Ending, int], str]] = {
    "TerminateOnNaN": _tell_finite,
}
