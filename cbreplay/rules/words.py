"""The types with which rules put their decisions into words, and words for any rule.

Epochs are counted from 1 in every sentence. The words of each rule are in its family's
folder.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from cbreplay.wording.claims import claim, tell
from cbreplay.wording.spoken_comparisons import spoken_float, spoken_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbreplay.rules.base import Callback
    from cbreplay.rules.decisions import Decision
    from cbreplay.run import Run
    from cbreplay.wording.claims import Claim, Said, Told

__all__ = [
    "PLAIN_WORDS",
    "Course",
    "DecisionWord",
    "Earlier",
    "Ending",
    "Moment",
    "RuleWords",
    "TraceRow",
    "best_row",
    "name_in_list",
    "spoken_times",
    "tell_deed",
    "tell_deeds",
    "tell_not_restored",
    "tell_restored",
    "tell_with_numbers",
]

DecisionWord: TypeAlias = Literal[
    "improvement", "wait", "skip", "reduction", "schedule", "save", "stop"
]

Earlier: TypeAlias = Literal["none", "skipped", "compared"]


class Moment(NamedTuple):
    """One callback in one epoch: the material of a sentence about it.

    Parameters
    ----------
    callback : Callback
        Whose decision it is.
    epoch : int
        The epoch, zero-based.
    value : float or None
        The watched value.
    before, after : object
        The callback's states.
    decision : Decision
        What it decided.
    learning_rate : float or None
        The rate before it decided.
    next_value : str
        How the next value is named: ``"epoch 13"``.
    earlier : {"none", "skipped", "compared"}
        What became of the values of the epochs before: there were none, the callback
        skipped them all, or compared some.
    """

    callback: Any
    epoch: int
    value: float | None
    before: Any
    after: Any
    decision: Decision
    learning_rate: float | None
    next_value: str
    earlier: Earlier

    @property
    def is_first(self) -> bool:
        """Whether its value is an improvement only because none was compared before."""
        best = self.before.best
        unbeaten = best is None or (math.isinf(best) and self.decision.improved)
        return bool(unbeaten) and self.earlier != "compared"

    def tell_first(self) -> Told:
        """Say that a value is the first: of the log, or the first that counts."""
        if self.value is None:
            message = "a first value is a value"
            raise AssertionError(message)
        counts = " that counts" if self.earlier == "skipped" else ""
        return tell(
            f"the first {self.callback.watched}{counts}, {spoken_float(self.value)}",
            claims=claim(f"first{counts}".replace(" ", "_"), value=self.value),
        )


class TraceRow(NamedTuple):
    """What one callback did at the end of one epoch.

    Parameters
    ----------
    epoch : int
        The epoch, zero-based and absolute.
    callback : int
        The callback's index in the list.
    value : float or None
        The monitored value; None where it was not recorded.
    before, after : object
        The callback's state before and after the epoch.
    compared : tuple of float, or None
        Both sides as this framework compares them, the value's first; None where
        nothing was compared.
    learning_rate, new_learning_rate : float or None
        The rate before it decided, and the one it set; float32 values.
    decision : {"improvement", "wait", "skip", "reduction", "schedule", "save", "stop"}
        What it decided.
    needed : float or None
        The value nearest to the best one that would improve on it in the next epoch;
        None where every value or none does.
    why : str
        The row in words, its epochs counted from 1.
    hypothetical : bool
        Whether it lies past the end of the evidence.
    claims : tuple of Claim
        What `why` says about the data.
    """

    epoch: int
    callback: int
    value: float | None
    before: Any
    compared: tuple[float, float] | None
    after: Any
    learning_rate: float | None
    new_learning_rate: float | None
    decision: DecisionWord
    needed: float | None
    why: str
    hypothetical: bool
    claims: tuple[Claim, ...] = ()


class Ending(NamedTuple):
    """What is known when training ends, or when the log does.

    Parameters
    ----------
    run : Run
        The record.
    callbacks : tuple of Callback
        The list.
    rows : list of TraceRow
        The trace up to the end.
    stopped_epoch, stopped_by, kept_epoch : as in Replay
        Or as in its `hypothetical`.
    """

    run: Run
    callbacks: tuple[Callback, ...]
    rows: list[TraceRow]
    stopped_epoch: int | None
    stopped_by: tuple[int, ...]
    kept_epoch: int | None

    @property
    def goes_on(self) -> bool:
        """Whether training would have gone on past the log."""
        return self.stopped_epoch is None and not self.run.reached_plan

    @property
    def raised(self) -> bool:
        """Whether training ended by an error."""
        return any(self.callbacks[index].raises for index in self.stopped_by)

    def course_of(self, place: int) -> Course:
        """Return what the callback with this index did."""
        rows = [row for row in self.rows if row.callback == place]
        name = name_in_list(self.callbacks, place)
        return Course(self, place, self.callbacks[place], name, rows)


class Course(NamedTuple):
    """What one callback of a list did, from the first epoch to the end.

    Parameters
    ----------
    ending : Ending
        How training ended, or the log.
    place : int
        The callback's index in the list.
    callback : Callback
        The callback.
    name : str
        Its class; the second of a kind is ``EarlyStopping#2``.
    rows : list of TraceRow
        Its rows of the trace.
    """

    ending: Ending
    place: int
    callback: Any
    name: str
    rows: list[TraceRow]

    def claim(self, predicate: str, **facts: Any) -> tuple[Claim, ...]:
        """Return a claim about this callback."""
        return claim(predicate, callback=self.place, **facts)


def name_in_list(callbacks: Sequence[Callback], index: int) -> str:
    """Return a callback's class; the second of a kind is ``EarlyStopping#2``."""
    names = [callback.class_name for callback in callbacks[: index + 1]]
    before = names.count(names[-1])
    return names[-1] if before == 1 else f"{names[-1]}#{before}"


class RuleWords(NamedTuple):
    """The functions that write the sentences about one rule, and what these claim.

    Each but `moment` takes the `Course` of the callback.

    Parameters
    ----------
    moment : callable
        Takes a `Moment`; says what was decided, and why.
    ending : callable
        Says how near a callback that did not stop training came to it, or what it did
        in all.
    stopper : callable, optional
        Says why the callback that stopped did; by default its name alone.
    holder : callable, optional
        Says why the weights of the kept epoch were put back; by default only that they
        were.
    not_restored : callable, optional
        Continues "the last one trained": why a callback that can put weights back did
        not; None for one that cannot.
    overlooked : callable, optional
        Says why a value better than the kept one did not count; empty if none.
    """

    moment: Callable[[Moment], Said]
    ending: Callable[[Course], Said]
    stopper: Callable[[Course], Said] | None = None
    holder: Callable[[Course], Said] | None = None
    not_restored: Callable[[Course], Said] | None = None
    overlooked: Callable[[Course], Said] | None = None


def tell_deed(moment: Moment) -> str:
    """Say what a callback did in an epoch; why, only words of its own could say."""
    shown = moment.callback.shown
    return tell_with_numbers(moment, shown(moment.before), shown(moment.after))


def tell_with_numbers(
    moment: Moment, before: Mapping[str, Any], after: Mapping[str, Any]
) -> str:
    """Say what a callback did, and which of its own numbers have changed."""
    decision, done = moment.decision, []
    if decision.learning_rate is not None:
        old, new = moment.learning_rate, decision.learning_rate
        done.append(
            f"sets the learning rate, {spoken_rate(old, new)}, to "
            f"{spoken_rate(new, old)}"
        )
    elif decision.reduced:
        done.append("reduces the learning rate, which is not in the log")
    if decision.saved_files:
        done.append(f"saves {', '.join(decision.saved_files)}")
    if decision.restored_epoch is not None:
        done.append(f"puts back the weights of epoch {decision.restored_epoch + 1}")
    if decision.stop:
        done.append("asks for the stop")
    if decision.cancels_stop:
        done.append("takes back the stop that was asked for")
    seen = ""
    if moment.value is not None:
        seen = f"sees {moment.callback.watched} {spoken_float(moment.value)}: "
    return seen + (", ".join(done) or "nothing") + _tell_changed(before, after)


def _tell_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    changed = [
        f"{name} {spoken_float(value) if isinstance(value, float) else value}"
        for name, value in after.items()
        # by their text: a NaN that stayed NaN has not changed
        if repr(value) != repr(before.get(name))
    ]
    return f"; {', '.join(changed)}" if changed else ""


def tell_deeds(course: Course) -> str:
    """Say how often a callback set the rate and saved."""
    rows, name = course.rows, course.name
    rates = sum(row.decision in ("reduction", "schedule") for row in rows)
    saves = sum(row.decision == "save" for row in rows)
    done = [
        f"{what} {spoken_times(times)}"
        for what, times in (("set the learning rate", rates), ("saved", saves))
        if times
    ]
    return f"{name} {' and '.join(done) or 'did nothing that a replay can see'}"


def spoken_times(times: int) -> str:
    """Write how often something was done.

    >>> spoken_times(1), spoken_times(3)
    ('once', '3 times')
    """
    return "once" if times == 1 else f"{times} times"


def tell_restored(course: Course) -> str:
    """Say that a rule that holds the best weights put those of the kept epoch back."""
    best = spoken_float(course.rows[-1].after.best)
    monitor = course.callback.monitor
    return f"restore_best_weights=True, and its {monitor}, {best}, is the best seen"


def tell_not_restored(course: Course, *, because: str = "") -> Told:
    """Say why a callback with ``restore_best_weights`` put nothing back.

    `because` is said of a ``restore_best_weights`` that is False.
    """
    callback = course.callback
    if callback.restore_best_weights:
        counted = f"no epoch had a {callback.monitor} that counted"
        return tell(counted, claims=course.claim("none_counted"))
    told = f"restore_best_weights is False{because}"
    best, kept = best_row(course), course.ending.kept_epoch
    if best is None or best.value is None:
        return tell(told)
    if any(row.epoch == kept and row.value == best.value for row in course.rows):
        return tell(told)
    value = f"{callback.monitor}, {spoken_float(best.value)}"
    return tell(
        f"{told}; the best {value}, was at epoch {best.epoch + 1}",
        claims=course.claim("is_best", value=best.value, epoch=best.epoch),
    )


def best_row(course: Course) -> TraceRow | None:
    """Return the first row with the best finite value, even if it did not count."""
    rows = [
        row for row in course.rows if row.value is not None and math.isfinite(row.value)
    ]
    standing = course.callback.standing(rows[-1].after) if rows else None
    sign = -1 if standing is not None and standing.comparison.mode == "max" else 1
    return min(rows, key=lambda row: sign * (row.value or 0.0), default=None)


# for a rule that has no words of its own
PLAIN_WORDS = RuleWords(tell_deed, tell_deeds)
