"""Which columns are learning rates, by the names that people and tools give them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from cbreplay.series_names import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["is_rate_name", "rate_names"]

# splits letters from digits, and "learningRate" in two
_WORDS = "[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+"
# words for whose rate it is: of a parameter group, an optimizer, a network
_WHOSE = frozenset(
    (
        *("x", "pg", "group", "groups", "param", "params", "parameter", "parameters"),
        *("train", "training", "trainer", "current", "epoch"),
        *("optimizer", "optimizers", "optim", "opt"),
        *("adam", "adamw", "sgd", "rmsprop", "adagrad", "nadam", "lion"),
        *("g", "d", "generator", "discriminator", "backbone", "head"),
    )
)
_RATES = frozenset(("lr", "lrs", "learningrate", "learningrates"))
# LearningRateMonitor of Lightning names the optimizer behind it: "lr-Adam/pg1"
_OF_OPTIMIZER = r"lr-[A-Za-z]\w*(?:-[0-9]+)?(?:/pg[0-9]+)?"


@lru_cache(maxsize=4096)
def is_rate_name(name: str) -> bool:
    """Tell whether a column has the name of a learning rate.

    >>> all(map(is_rate_name, ["lr", "Learning_Rate", "lr/pg0", "x/lr0", "lr-Adam"]))
    True
    >>> any(map(is_rate_name, ["val_lr", "min_lr", "lr_loss", "lr-SGD-momentum"]))
    False
    """
    if name.startswith("lr-") and re.fullmatch(_OF_OPTIMIZER, name):
        return True
    words = [word.lower() for word in re.findall(_WORDS, name)]
    said = [word for word in words if not word.isdigit() and word not in _WHOSE]
    return "".join(said) in _RATES


def rate_names(names: Iterable[str]) -> list[str]:
    """Return the columns that are learning rates, Keras's own names first."""
    found = [name for name in names if is_rate_name(name)]
    return sorted(
        found,
        key=lambda name: (*LEARNING_RATE_NAMES, name).index(name),
    )
