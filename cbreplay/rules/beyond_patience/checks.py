"""Findings about these rules by their parameters alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.rules.checks import Finding, RuleChecks
from cbreplay.rules.monitor_checks import find_absent_monitor, find_opposite_mode
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList

__all__ = ["SMOOTHED", "TARGET"]


def _patience_beyond_plan(known: CheckedList, rule: Any) -> Iterator[Finding]:
    if known.epochs is None:
        return
    # the first value is the best mean, and none is waited on
    seen, needed = known.seen_in_plan(rule), rule.patience + 1
    if 0 < seen < needed:
        yield known.finding(
            "patience-beyond-plan",
            f"{rule.class_name} cannot stop inside the plan: patience {rule.patience}, "
            f"and {rule.monitor} has {count(seen, 'value')} there",
            f"it takes {needed} values to stop",
            "a smaller patience, or more epochs",
            "remark",
            facts={"values_in_plan": seen, "values_needed": needed},
        )


_MONITOR = (find_opposite_mode, find_absent_monitor)
SMOOTHED = RuleChecks((_patience_beyond_plan, *_MONITOR))
TARGET = RuleChecks(_MONITOR)
