"""What to know before trusting one log's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.misreadings import misreadings
from cbreplay.answers.reading_notes import telling_notes
from cbreplay.answers.spoken_runs import counts_otherwise
from cbreplay.document import Code, Fact, Strong, phrase, say
from cbreplay.evidence_words import find_non_finite, spoken_non_finite
from cbreplay.note import topic_of
from cbreplay.plain_text import quoted_code
from cbreplay.replay.notes import NAN_IS_BEST
from cbreplay.training_course import cuts_schedule, never_changes
from cbreplay.words import as_sentence, count, spoken_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.document import Part, Text
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase, StaircaseStep

__all__ = [
    "ONE_RUN_ALONE",
    "doubts_of_one_run",
    "doubts_of_staircase",
    "non_finite_doubts",
    "noted",
]

ONE_RUN_ALONE = "One run cannot say what the next needs."
_MOST_NOTES = 8


def doubts_of_staircase(
    staircase: Staircase, *, is_alone_told: bool = False, is_schedule_told: bool = False
) -> tuple[Text, ...]:
    """Return the doubts about an answer from one log, the gravest first.

    The flags say what is told already: that one run promises nothing, and that a stop
    cuts a schedule of the rate.
    """
    replay = staircase.replay
    alone = () if is_alone_told else (say(Strong(ONE_RUN_ALONE)),)
    names = dict.fromkeys([staircase.monitor, staircase.objective])
    return (
        *misreadings([replay.run], [replay.callbacks], replay.semantics.name),
        *alone,
        *(doubt for name in names for doubt in non_finite_doubts(replay, name)),
        *(() if is_schedule_told else _scheduled_rate(staircase)),
        *_other_series(staircase),
        *counts_otherwise([replay.run]),
        *noted(replay.run, replay.callbacks, staircase.notes),
    )


def doubts_of_one_run(replay: Replay) -> tuple[Text, ...]:
    """Return the doubts about a setting on one log, without a staircase beside it."""
    return (
        *misreadings([replay.run], [replay.callbacks], replay.semantics.name),
        say(Strong(ONE_RUN_ALONE)),
        *non_finite_doubts(replay, replay.objective),
        *counts_otherwise([replay.run]),
        *noted(replay.run, replay.callbacks, replay.notes),
    )


def non_finite_doubts(replay: Replay, name: str | None) -> Iterator[Text]:
    """Yield what NaN and infinite values of a series mean for an answer."""
    if name is None:
        return
    epochs = find_non_finite(replay.run, name)
    if epochs:
        yield say(
            Code(name),
            f" is NaN or infinite in {count(len(epochs), 'epoch')}, first in epoch ",
            Fact(epochs[0], "epoch", "first_non_finite"),
            f"; {spoken_non_finite(replay, name)}.",
        )


def _scheduled_rate(staircase: Staircase) -> Iterator[Text]:
    """Name the stop that cuts a schedule of the rate, which pays at its end."""
    step, run = staircase.sufficient_step(), staircase.replay.run
    if step is not None and cuts_schedule(run, step.first_stopped_epoch):
        from cbreplay.answers.schedules import FALLS_BY_SCHEDULE

        yield phrase(
            "{}{}: a stop at epoch {} cuts the part that usually pays.",
            Code("learning_rate"),
            FALLS_BY_SCHEDULE,
            Fact(step.first_stopped_epoch, "epoch", "stopped_epoch"),
        )


def _other_series(staircase: Staircase) -> Iterator[Text]:
    """Yield where other series are best, unless the answer keeps such an epoch too."""
    answer = staircase.sufficient_step()
    stopping = [
        step for step in staircase.steps if step.first_stopped_epoch is not None
    ]
    horizon, rest = staircase.replay.run.horizon, staircase.steps[-1]
    for name, (epoch, value) in staircase.other_best.items():
        # a log that no patience stops in says of its last epoch only that it is best
        trivial = epoch == horizon and not stopping and rest.evidence == "censored"
        if trivial or never_changes(staircase.replay.run, name):
            continue
        # several steps may keep an equally good value
        keeping = [step for step in stopping if _keeps_best(step, name, epoch, value)]
        if answer in keeping:
            continue
        where = ", at the end" if epoch == horizon else ""
        start = (
            Code(name),
            " was best at epoch ",
            Fact(epoch, "epoch", f"other_best.{name}"),
            f"{where} (",
            Fact(value, "value", f"other_best_value.{name}"),
            "): ",
        )
        if keeping:
            step = next(
                (step for step in keeping if step.kept_epoch == epoch), keeping[0]
            )
            patience = spoken_range(step.first_patience, step.last_patience)
            what = "it" if step.kept_epoch == epoch else "the same value"
            yield say(*start, f"patience {patience} keeps {what}.")
        else:
            yield say(*start, *_kept_by_none(staircase, name, epoch, value))


def _keeps_best(step: StaircaseStep, name: str, epoch: int, value: float) -> bool:
    """Return whether a step keeps the best epoch of another series, or its equal."""
    return step.kept_epoch == epoch or step.others.get(name) == value


def _kept_by_none(
    staircase: Staircase, name: str, epoch: int, value: float
) -> tuple[Part, ...]:
    rest = staircase.steps[-1]
    if rest.evidence == "exact" and _keeps_best(rest, name, epoch, value):
        return ("training to the end of the plan keeps it.",)
    asked = Code(f"--monitor {quoted_code(name)}")
    if len(staircase.steps) == 1 and rest.evidence != "incomplete":
        if name == staircase.monitor:
            return ("no patience stops inside this log.",)
        return (asked, " asks about a patience on it.")
    end = " that stops inside this log keeps that epoch"
    kept_by_none = ("no patience on ", Code(staircase.monitor), end)
    if name == staircase.monitor or epoch == staircase.replay.run.horizon:
        return (*kept_by_none, ".")
    return (*kept_by_none, " (", asked, " asks about one on it).")


def noted(
    run: Run, callbacks: Iterable[Callback], notes: tuple[str, ...]
) -> Iterator[Text]:
    """Yield what was noted in replaying and in reading, each once."""
    reading = telling_notes(run, callbacks)
    # `non_finite_doubts` and the headline say these
    every = [
        note
        for note in dict.fromkeys([*notes, *reading])
        if note != NAN_IS_BEST and topic_of(note) != "end"
    ]
    for note in every[:_MOST_NOTES]:
        yield say(as_sentence(note, run.series))
    if len(every) > _MOST_NOTES:
        more = count(len(every) - _MOST_NOTES, "more note")
        yield say(f"{more}: ", Code("cbreplay inspect"), ".")
