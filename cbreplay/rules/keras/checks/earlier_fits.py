"""Findings about what a callback brings into a fit from an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.rules.checks import Finding
from cbreplay.rules.keras.model_checkpoint import ModelCheckpoint
from cbreplay.rules.keras.versions import spoken_semantics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList
    from cbreplay.rules.keras.early_stopping import EarlyStopping
    from cbreplay.rules.keras.reduce_lr_on_plateau import ReduceLROnPlateau

__all__ = ["find_carried_best"]


def find_carried_best(
    known: CheckedList,
    index: int,
    callback: EarlyStopping | ModelCheckpoint | ReduceLROnPlateau,
) -> Iterator[Finding]:
    """Yield that a callback takes its best from one model's fit into the next."""
    before = known.kept_in[index] if known.kept_in else ""
    semantics = known.training.semantics
    if not before or not callback.carries(semantics):
        return
    saves = isinstance(callback, ModelCheckpoint)
    outcome = "saves only" if saves else "sees an improvement only"
    file = ", with a filepath of its own" if saves else ""
    yield Finding(
        "best-of-earlier-fit",
        index,
        f"from the second fit on, {callback.class_name} {outcome} where a value "
        f"beats the best {callback.monitor} of all earlier fits, of other models",
        f"{before}, and the callback is made once: {spoken_semantics(semantics.name)} "
        "does not reset its best when a fit begins",
        f"a new {callback.class_name} for each fit{file}",
    )
