"""What one log says of its learning rate: recorded changes, and what explains them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from cbreplay.document import Code, Deferred, Fact, Points, Section, phrase, say
from cbreplay.rules.base import format_callback
from cbreplay.wording.shown_digits import spoken_figure
from cbreplay.wording.words import spoken_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.document import Block, Part, Text
    from cbreplay.replay import Replay
    from cbreplay.staircase import Staircase
    from cbreplay.staircase.rate_history import RateHistory
    from cbreplay.staircase.reductions import LaterGain

__all__ = ["rate_section"]

_MOST_REDUCTIONS = 8


def rate_section(
    staircase: Staircase, replay: Replay | None = None
) -> Iterator[Section]:
    """Yield the learning rate: what was recorded, and what would first change it.

    If a replay is given, the rates of its setting are drawn beside the recorded ones.
    """
    drawn, schedule = replay or staircase.replay, _schedule_of(staircase)
    decides = any(callback.changes_learning_rate for callback in drawn.callbacks)
    if staircase.replay.run.learning_rate is None and not (schedule or decides):
        # deferred: finding it out takes replays, and it is shown only on request
        told = Points(Deferred(lambda: _told(staircase)))
        yield Section("The learning rate", (told,), untitled=True, on="asked")
        return
    points, rate = _told(staircase), staircase.rate
    if not points:
        return
    blocks: list[Block] = [Points(points)]
    known = rate.is_recorded or drawn.learning_rate is not None
    changes = bool(rate.reductions) or rate.rises or decides
    if known and changes:
        from cbreplay.answers.pictures import rate_figure

        blocks.insert(0, rate_figure(drawn))
    section = Section("The learning rate", tuple(blocks), untitled=True)
    # that the rate never changed is shown only on request
    said = changes or schedule is not None
    yield section if said else section._replace(on="asked")


def _told(staircase: Staircase) -> tuple[Text, ...]:
    rate, schedule = staircase.rate, _schedule_of(staircase)
    if schedule is not None:
        return (_scheduled(rate, schedule),)
    return (*_sentences(rate), *_still_gained(staircase))


def _schedule_of(staircase: Staircase) -> str | None:
    """Return the schedule that the optimizer had, if run.json names one."""
    metadata = staircase.replay.run.metadata
    return None if metadata is None else metadata.schedule


def _learning_rate(words: str, *parts: Part | Text) -> Text:
    return phrase("{} " + words, Code("learning_rate"), *parts)


def _scheduled(rate: RateHistory, schedule: str) -> Text:
    """Say which schedule set the rate, and between which values."""
    ends = f" ({_rate(rate, rate.first)} to {_rate(rate, rate.last)} in the log)"
    ends = "" if rate.first is None else ends
    words = f"went by the optimizer's schedule, {{}}{ends}."
    return _learning_rate(words, Code(schedule))


def _sentences(rate: RateHistory) -> Iterator[Text]:
    if not rate.is_recorded:
        yield _learning_rate("is not in the log; it is taken as constant.")
    elif rate.rises:
        yield _rises(rate)
    elif rate.reductions:
        ends = f"({_rate(rate, rate.first)} to {_rate(rate, rate.last)})"
        yield _learning_rate(f"was reduced {_when(rate)} {ends}{{}}", _explained(rate))
    elif rate.first is not None:
        yield _learning_rate(f"is {_rate(rate, rate.first)} throughout.")
    if rate.first_reductions and not rate.rises:
        firsts = ", ".join(
            f"{reduction.patience} after epoch {reduction.epoch + 1}"
            for reduction in rate.first_reductions
        )
        who = "A ReduceLROnPlateau"
        if rate.explained_by is not None:
            who = "With a smaller patience it"
        yield say(
            f"{who} would first act: patience {firsts}. What training would have done "
            "from there on is not in this log."
        )


def _rises(rate: RateHistory) -> Text:
    """Say that the rate rises, and whether a fit that was resumed set it so."""
    bounds = f" ({_rate(rate, rate.lowest)} to {_rate(rate, rate.highest)})"
    if not rate.raised_by_fits:
        falls = " as well as falls" if rate.reductions else ""
        words = f"rises{falls}, as no ReduceLROnPlateau does{bounds}."
        return _learning_rate(words)
    epochs = ", ".join(str(epoch + 1) for epoch in rate.raised_by_fits)
    words = f"rises where another fit began, at epoch {epochs}"
    if not rate.reductions:
        return _learning_rate(f"{words}{bounds}.")
    words += f", and was reduced {_when(rate)}{bounds}{{}}"
    return _learning_rate(words, _explained(rate))


def _still_gained(staircase: Staircase) -> Iterator[Text]:
    """Say what the run still gained after the first reductions, and what that means."""
    from cbreplay.answers.retrainings import meant_in_retrainings
    from cbreplay.staircase.reductions import later_gains

    gains = later_gains(staircase)
    if not gains:
        return
    lowered = any(later.gain for later in gains)
    told: list[Part] = []
    for _, alike in itertools.groupby(gains, lambda later: _gain(later).text):
        first, *others = alike
        none = " not at all" if lowered else ""
        told += [",", *((" by ", _gain(first)) if first.gain else (none,))]
        told.append(" after epochs " if others else " after epoch ")
        for at, later in enumerate((first, *others)):
            told += ["" if not at else " and " if at == len(others) else ", "]
            told.append(Fact(later.epoch, "epoch", "first_reduction_epoch"))
    yield say(
        f"The recorded training {'still lowered' if lowered else 'did not lower'} its "
        "best ",
        Code(staircase.objective),
        *told[1:],
        f". {meant_in_retrainings(later.gain for later in gains)}",
    )


def _gain(later: LaterGain) -> Fact:
    return Fact(later.gain, "share", "later_gain")


def _when(rate: RateHistory) -> str:
    """Say after which epochs the rate was reduced."""
    # an epoch, or the range of those without a rate that it is one of
    epochs = [spoken_range(drop.epoch + 1, drop.latest + 1) for drop in rate.reductions]
    if len(epochs) > _MOST_REDUCTIONS:
        return f"{len(epochs)} times, after epochs {epochs[0]} to {epochs[-1]}"
    if len(epochs) == 1:
        is_range = rate.reductions[0].latest > rate.reductions[0].epoch
        return f"once, after {'one of epochs' if is_range else 'epoch'} {epochs[0]}"
    return f"after epochs {', '.join(epochs)}"


def _explained(rate: RateHistory) -> Text:
    """Say which rule explains the reductions."""
    if rate.explained_by is None:
        return say("; no ReduceLROnPlateau that was tried explains it.")
    reading = " if the rate was logged after each reduction"
    exactly = "to all its digits" if rate.is_rounded else "exactly"
    return phrase(
        ", {} as {:code} would{}; others may too.",
        exactly,
        format_callback(rate.explained_by),
        reading if rate.is_other_reading else "",
    )


def _rate(history: RateHistory, rate: float | None) -> str:
    """Say one of the recorded rates; 0 where it was not rounded to it."""
    if rate == 0 and history.rounded_to_zero:
        return f"below {spoken_figure(history.rounded_to_zero)}"
    return "unknown" if rate is None else spoken_figure(rate)
