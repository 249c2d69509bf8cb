"""A driven training beside its replay, decision by decision."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cbreplay import (
    CbreplayError,
    LearningRateScheduler,
    Run,
    replay_fits,
    replay_run,
)

if TYPE_CHECKING:
    from cbreplay.replay import Replay, Step
    from tests.oracles.adversarial import Case
    from tests.oracles.keras_driver import Driven


def find_difference(case: Case, driven: Driven, semantics: str) -> str | None:
    """Replay what was driven, and say where the two part; None where they agree."""
    run = recorded_run(case, driven)
    try:
        replay = replay_run(run, case.callbacks, semantics=semantics)
    except CbreplayError as error:
        if _is_same_error(str(error), case, driven):
            return None
        return f"ours refuses: {error}; Keras raises {driven.error}"
    return compare(case, driven, replay)


def find_difference_of_fits(
    cases: list[Case], driven: list[Driven], semantics: str
) -> str | None:
    """Replay the same instances over several driven fits, and say where they part."""
    if any(one.error for one in driven):
        # the others tell what errors are
        return None
    runs = [recorded_run(*pair) for pair in zip(cases, driven, strict=True)]
    replays = replay_fits(runs, cases[0].callbacks, semantics=semantics)
    found = map(compare, cases, driven, replays)
    return next((f"fit {at}: {one}" for at, one in enumerate(found) if one), None)


def compare(case: Case, driven: Driven, replay: Replay) -> str | None:
    """Say where a replay and the training that was driven part."""
    if driven.error:
        return f"Keras raises {driven.error}"
    rate = replay.learning_rate
    ours: dict[str, Any] = {
        "divergence": replay.divergence_epoch,
        "stopped": replay.stopped_epoch,
        "by": list(replay.stopped_by),
        "kept": replay.kept_epoch,
        "rates": [] if rate is None else rate.values.tolist(),
        "reductions": [(one.epoch, one.new) for one in replay.reductions],
        "saves": list(replay.saves),
        "files": replay.files,
    }
    theirs: dict[str, Any] = {
        "divergence": None,
        "stopped": driven.stopped_epoch,
        "by": driven.stopped_by,
        "kept": driven.kept_epoch,
        "rates": driven.rates[:-1],
        "reductions": rate_changes(case, driven),
        "saves": [(epoch, file, by) for epoch, file, by, _ in driven.saves],
        "files": driven.files,
    }
    for name, value in theirs.items():
        same = ours[name] == value
        if name == "reductions":
            # a factor near 1 can reduce to the same float32 rate, which no rate shows
            seen = {one.epoch: one.new for one in replay.reductions}
            same = all(seen.get(epoch) == new for epoch, new in value)
            # a schedule changes rates without a reduction; the rates are compared
            same = same or _has_schedule(case)
        if not same:
            return f"{name}: ours {ours[name]}, Keras {value}"
    return counters_differ(case, driven, replay.trace)


# what Keras says, and what a replay has to say of it
_SAME_ERRORS = (
    ("argument 'raise_error'", "knows no raise_error"),
    ("the filepath provided must end in", "wants it to end in"),
    ("The filepath provided must end in", "wants it to end in"),
    ("Failed to format this callback filepath", "is not logged"),
    ("Unknown format code", "Unknown format code"),
    ("schedule", "where Keras wants a float"),
)


def _is_same_error(ours: str, case: Case, driven: Driven) -> bool:
    """Return whether both refuse the same, and in the same epoch."""
    theirs = driven.error or ""
    same = any(their in theirs and our in ours for their, our in _SAME_ERRORS)
    # one-based; what refuses a parameter has begun no training
    epoch = case.first_epoch + len(driven.counters) + 1
    return same and (not driven.rates or f"epoch {epoch}" in ours)


def recorded_run(case: Case, driven: Driven) -> Run:
    """Record the driven training, with the rate that every epoch was trained at."""
    *rates, last = driven.rates or [case.learning_rate]
    rates += [last] * (len(case.logs) - len(rates))
    rows = [
        {**logs, "learning_rate": rate}
        for logs, rate in zip(case.logs, rates, strict=True)
    ]
    return Run.from_logs(
        rows,
        first_epoch=case.first_epoch,
        planned_epochs=case.first_epoch + len(rows),
    )


def rate_changes(case: Case, driven: Driven) -> list[tuple[int, float]]:
    pairs = zip(driven.rates, driven.rates[1:], strict=False)
    return [
        (case.first_epoch + i, new) for i, (old, new) in enumerate(pairs) if old != new
    ]


def counters_differ(case: Case, driven: Driven, trace: tuple[Step, ...]) -> str | None:
    for step in trace:
        counters = driven.counters[step.epoch - case.first_epoch][step.callback]
        for name, theirs in counters.items():
            ours = getattr(step.state, name)
            if name == "best_epoch" and ours is None:
                ours = 0  # Keras's attribute before the first monitored epoch
            if not _same(ours, theirs):
                return f"{name} at {step}: Keras has {theirs}"
    return None


def _has_schedule(case: Case) -> bool:
    return any(isinstance(one, LearningRateScheduler) for one in case.callbacks)


def _same(ours: object, theirs: object) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float) and math.isnan(ours):
        return math.isnan(theirs)
    return bool(ours == theirs)
