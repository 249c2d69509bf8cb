"""What `lint` finds about Prechelt's stopping rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.rules.checks import Finding, RuleChecks
from cbreplay.rules.monitor_checks import find_absent_monitor, find_opposite_mode
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.checks import CheckedList

__all__ = ["GL", "PQ", "UP"]


def _ratio_of_no_error(known: CheckedList, rule: Any) -> Iterator[Finding]:
    if rule.mode != "min" and known.training.find_direction(rule.monitor) == "max":
        yield known.finding(
            "ratio-of-no-error",
            f"{rule.class_name} cannot watch {rule.monitor}, which should be large",
            "it takes the ratio of an error to the least error",
            "a loss as monitor, or PrecheltUP, which takes no ratio",
        )


def _strip_of_one(known: CheckedList, rule: Any) -> Iterator[Finding]:
    if rule.strip_length == 1:
        yield known.finding(
            "strip-of-one",
            "PrecheltPQ stops at the first epoch that is not the best, whatever alpha "
            "is",
            "in a strip of one epoch the mean training error is the least one, so the "
            "progress is 0 and the quotient infinite",
            "strip_length=5, as Prechelt has it, or PrecheltGL",
        )


def _strip_in_validations(known: CheckedList, rule: Any) -> Iterator[Finding]:
    every, length = known.every(rule), rule.strip_length
    if every > 1 and length > 1:
        yield known.finding(
            "strip-in-validations",
            f"a strip of {length} means {length * every} epochs: {rule.monitor} is "
            f"there in one of {every} epochs only",
            f"epochs without it are skipped, and validation_freq is {every}",
            "the strip in validations: epochs divided by validation_freq",
            "remark",
            facts={"epochs_in_strip": length * every, "validation_freq": every},
        )


def _strips_beyond_plan(known: CheckedList, rule: Any) -> Iterator[Finding]:
    if known.epochs is None:
        return
    seen, needed = known.seen_in_plan(rule), rule.fewest_values
    if 0 < seen < needed:
        yield known.finding(
            "strips-beyond-plan",
            f"{rule.class_name} cannot stop inside the plan, where {rule.monitor} "
            f"has {count(seen, 'value')}",
            f"the earliest stop is at the end of value {needed}",
            "shorter or fewer strips, or more epochs",
            "remark",
            facts={"values_in_plan": seen, "values_needed": needed},
        )


_MONITOR = (find_opposite_mode, find_absent_monitor)
GL = RuleChecks((_ratio_of_no_error, _strips_beyond_plan, *_MONITOR))
PQ = RuleChecks(
    (
        _ratio_of_no_error,
        _strip_of_one,
        _strip_in_validations,
        _strips_beyond_plan,
        *_MONITOR,
    )
)
UP = RuleChecks((_strip_in_validations, _strips_beyond_plan, *_MONITOR))
