"""Rows that are evaluations and no epochs: how they are known, and what is said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["TRAINER_SPEED", "VALIDATION", "evaluation_note", "shown"]

# a series of evaluations, by its name
VALIDATION = re.compile(
    r"(^|[^a-z])(val|valid|validation|eval|evaluation|test|dev)([^a-z]|$)",
    re.IGNORECASE,
)
# what Hugging Face's Trainer adds to an evaluation
TRAINER_SPEED = (
    "runtime",
    "samples_per_second",
    "steps_per_second",
    "model_preparation_time",
)
_SHOWN = 8


def evaluation_note(judged: Sequence[str], n_between: int) -> str:
    """Say what the rows are, and what was left out between them."""
    of = f"a step with a value of {shown(judged)}" if judged else "a step"
    note = (
        f"each row is one evaluation, {of}: patience counts evaluations, and an epoch "
        "here is the number of one"
    )
    if n_between:
        note += f"; {n_between} values between them were left out"
    return note


def shown(names: Sequence[str]) -> str:
    """Write some names shortly: the first few."""
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
