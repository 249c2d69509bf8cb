"""Findings about Prechelt's stopping rules by their parameters alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.lint.finding import Finding
from cbreplay.rules.keras.metric_directions import find_direction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cbreplay.lint.finding import Known

__all__ = ["PRECHELT_CHECKS"]


def _ratio_of_no_error(
    known: Known,
    index: int,
    one: Any,  # noqa: ANN401 - any rule of Prechelt's
) -> Iterator[Finding]:
    if hasattr(one, "strips") or one.mode == "min":
        return
    if find_direction(one.monitor, known.training) == "max":
        yield Finding(
            "ratio-of-no-error",
            index,
            f"{type(one).__name__} cannot watch {one.monitor}, which should be large",
            "it takes the ratio of an error to the least error",
            "a loss as monitor, or PrecheltUP, which takes no ratio",
        )


def _strip_of_one(
    known: Known,  # noqa: ARG001 - one signature for all checks
    index: int,
    one: Any,  # noqa: ANN401 - as above
) -> Iterator[Finding]:
    if hasattr(one, "training_monitor") and one.strip_length == 1:
        yield Finding(
            "strip-of-one",
            index,
            "PrecheltPQ stops at the first epoch that is not the best, whatever alpha "
            "is",
            "in a strip of one epoch the mean training error is the least one, so the "
            "progress is 0 and the quotient infinite",
            "strip_length=5, as Prechelt has it, or PrecheltGL",
        )


def _strip_in_validations(
    known: Known,
    index: int,
    one: Any,  # noqa: ANN401 - as above
) -> Iterator[Finding]:
    every, length = known.every(one), getattr(one, "strip_length", 1)
    if every > 1 and length > 1:
        yield Finding(
            "strip-in-validations",
            index,
            f"a strip of {length} means {length * every} epochs: {one.monitor} is "
            f"there in one of {every} epochs only",
            f"epochs without it are skipped, and validation_freq is {every}",
            "the strip in validations: epochs divided by validation_freq",
            "remark",
        )


def _strips_beyond_plan(
    known: Known,
    index: int,
    one: Any,  # noqa: ANN401 - as above
) -> Iterator[Finding]:
    if known.epochs is None:
        return
    seen, needed = known.seen_in_plan(one), _fewest_values(one)
    if 0 < seen < needed:
        yield Finding(
            "strips-beyond-plan",
            index,
            f"{type(one).__name__} cannot stop inside the plan, where {one.monitor} "
            f"has {seen:g} {'value' if seen == 1 else 'values'}",
            f"the earliest stop is at the end of value {needed}",
            "shorter or fewer strips, or more epochs",
            "remark",
        )


def _fewest_values(one: Any) -> int:  # noqa: ANN401 - as above
    """Return after how many values a rule can stop at the earliest."""
    if hasattr(one, "strips"):
        # the first strip has none before it
        return int((one.strips + 1) * one.strip_length)
    # one to be the best, and one that is worse
    return max(int(getattr(one, "strip_length", 2)), 2)


PRECHELT_CHECKS: tuple[Callable[[Known, int, Any], Iterator[Finding]], ...] = (
    _ratio_of_no_error,
    _strip_of_one,
    _strip_in_validations,
    _strips_beyond_plan,
)
