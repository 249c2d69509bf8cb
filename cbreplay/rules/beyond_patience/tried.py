"""The values of these rules that `recommend` tries beside a patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.rules.tried_values import TriedValues

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import Mode

__all__ = ["EMA", "MEAN", "SMOOTHED_PATIENCE", "TARGET", "spread_targets"]

SMOOTHED_PATIENCE = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80)
_ORIGIN = "patience 1 to 80"
# targets easier than the worst run's best are tried too, by these shares of it
_EASIER = (0.05, 0.1, 0.25)
_TENTHS = range(0, 11, 2)


def spread_targets(best: Sequence[float], mode: Mode) -> tuple[float, ...]:
    """Return targets: those that 0, 1/5, ... 5/5 of the runs reach, and easier ones.

    `best` are the best values of the runs. Targets are rounded to three digits, as
    people would write them.

    Examples
    --------
    >>> spread_targets([0.30004, 0.5], "min")
    (0.3, 0.5, 0.525, 0.55, 0.625)
    >>> spread_targets([0.9], "max")
    (0.9, 0.855, 0.81, 0.675)
    """
    hardest_first = sorted(best, reverse=mode == "max")
    last = len(hardest_first) - 1
    reached = [hardest_first[round(last * tenth / 10)] for tenth in _TENTHS]
    away = abs(reached[-1]) if mode == "min" else -abs(reached[-1])
    values = [*reached, *(reached[-1] + share * away for share in _EASIER)]
    return tuple(dict.fromkeys(float(f"{value:.3g}") for value in values))


EMA = TriedValues("patience", SMOOTHED_PATIENCE, _ORIGIN)
MEAN = TriedValues("patience", SMOOTHED_PATIENCE, _ORIGIN)
TARGET = TriedValues(
    "target",
    spread_targets,
    "values that some of the runs reach",
    beside_patience=(5, 10, 20),
)
