"""How a replay ended, in words: what stopped it or why not, and the weights kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.rules.registry import words_of
from cbreplay.rules.words import PLAIN_WORDS
from cbreplay.wording.claims import claim, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.rules.words import Course, Ending, RuleWords
    from cbreplay.wording.claims import Said, Told

__all__ = ["tell_ending"]


def tell_ending(ending: Ending) -> Iterator[Told]:
    """Yield where it stopped, how near the others came, and which weights are kept."""
    yield _tell_stop(ending)
    for index in dict.fromkeys(row.callback for row in ending.rows):
        if index not in ending.stopped_by:
            course = ending.course_of(index)
            yield tell(_words(course).ending(course))
    if ending.kept_epoch is not None:
        yield _tell_kept(ending, ending.kept_epoch)
        overlooked = _tell_overlooked(ending)
        if overlooked.words:
            yield overlooked


def _words(course: Course) -> RuleWords:
    return words_of(course.callback) or PLAIN_WORDS


def _tell_stop(ending: Ending) -> Told:
    run, stopped = ending.run, ending.stopped_epoch
    claims = claim("stopped_at", epoch=stopped, by=ending.stopped_by)
    if stopped is not None:
        by = [ending.callbacks[index] for index in ending.stopped_by]
        # a callback that is asked after every batch may not have waited for the end
        when = "in" if any("batch" in rule.acts_at for rule in by) else "at the end of"
        told = tell(f"stopped {when} epoch {stopped + 1} by ", claims=claims)
        for number, course in enumerate(map(ending.course_of, ending.stopped_by)):
            told = tell(told, " and " if number else "", _tell_stopper(course))
        return told
    if not ending.goes_on:
        end = f"not stopped: training went to its planned end, epoch {run.horizon + 1}"
        return tell(end, claims=claims)
    end = f"not stopped in the log, which ends at epoch {run.horizon + 1}"
    return tell(end, claims=claims)


def _tell_stopper(course: Course) -> Said:
    stopper = _words(course).stopper
    return course.name if stopper is None else stopper(course)


def _tell_kept(ending: Ending, kept: int) -> Told:
    provisional = "if training ended with the log, it " if ending.goes_on else ""
    told = tell(
        f"{provisional}keeps the weights of epoch {kept + 1}",
        claims=claim("keeps", epoch=kept),
    )
    if ending.raised:
        return tell(told, ": the error came within it, and nothing is restored")
    holder = _holder(ending)
    if holder is not None:
        tell_holder = _words(holder).holder
        why: Said = f"{holder.name} puts them back"
        return tell(told, ": ", why if tell_holder is None else tell_holder(holder))
    told = tell(told, ", the last one trained")
    for course in map(ending.course_of, range(len(ending.callbacks))):
        say_why_not = _words(course).not_restored
        if say_why_not is not None and course.rows:
            return tell(told, ": ", say_why_not(course))
    return tell(told, ": no callback in the list restores others")


def _holder(ending: Ending) -> Course | None:
    """Return the callback that restores weights: the last that holds some."""
    found = None
    for course in map(ending.course_of, range(len(ending.callbacks))):
        if not course.rows:
            continue
        callback, last = course.callback, course.rows[-1]
        # some put weights back only when they stop themselves
        holds = callback.shown(last.after).get("held_epoch") is not None
        restores = last.decision == "stop" and holds
        if restores or callback.held_epoch(last.after) is not None:
            found = course
    return found


def _tell_overlooked(ending: Ending) -> Told:
    """Say why a better value than the kept one was passed over."""
    holder = _holder(ending)
    if holder is None or ending.raised:
        return tell()
    overlooked = _words(holder).overlooked
    return tell() if overlooked is None else tell(overlooked(holder))
