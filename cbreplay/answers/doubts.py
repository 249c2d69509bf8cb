"""What to know before trusting an answer about one log, or about several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.headline_limits import asking_about, counts_otherwise
from cbreplay.answers.misreadings import misreadings
from cbreplay.answers.reading_notes import alike, telling_notes
from cbreplay.answers.spoken_runs import own_end
from cbreplay.document import Code, Fact, Strong, phrase, say
from cbreplay.evidence.training_course import (
    cuts_schedule,
    never_changes,
    was_still_improving,
)
from cbreplay.evidence.words import find_non_finite, spoken_non_finite
from cbreplay.replay.notes import NAN_IS_BEST
from cbreplay.wording.note import topic_of
from cbreplay.wording.words import as_sentence, count, list_names, spoken_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase, StaircaseStep

__all__ = [
    "IN_BRACKETS",
    "ONE_RUN_ALONE",
    "about_logs",
    "about_runs",
    "doubts_of_one_run",
    "doubts_of_replay",
    "doubts_of_staircase",
    "non_finite_doubts",
    "noted",
    "noted_of",
    "notes_of_many",
]

IN_BRACKETS = (
    "In brackets: as if training had ended with the log; such figures are never "
    "compared."
)
ONE_RUN_ALONE = "One run cannot say what the next needs."
_MOST_NAMES = 5
# notes of one run, and of several
_MOST_OF_ONE, _MOST_NOTES = 8, 12


def about_runs(runs: Sequence[Run], words: str) -> Iterator[Text]:
    """Yield a sentence about runs, which names the first of them."""
    if runs:
        named = list_names([run.name for run in runs], _MOST_NAMES)
        yield say(Strong(count(len(runs), "run")), f" {words}: {named}.")


def about_logs(replays: Sequence[Replay]) -> Iterator[Text]:
    """Yield which runs still improved at the end, and which stopped themselves.

    A recommendation says this itself.
    """
    improving = [
        replay.run
        for replay in replays
        if was_still_improving(replay.run, replay.objective, replay.objective_mode)
    ]
    yield from about_runs(
        improving,
        "still improved at the end of the log, so their costs are against the record "
        "only",
    )
    yield from about_runs(
        [replay.run for replay in replays if own_end(replay.run) is not None],
        "were ended by their own callback and say nothing about a setting that trains "
        "for longer",
    )


def notes_of_many(replays: Sequence[Replay]) -> Iterator[Text]:
    """Yield what was noted in reading and replaying, like notes as one point."""
    told = (
        (replay.run, [note for note in replay.notes if topic_of(note) != "improving"])
        for replay in replays
    )
    rules = [rule for replay in replays for rule in replay.callbacks]
    yield from alike_notes(told, rules)


def noted_of(
    runs: Sequence[Run], about: Sequence[Sequence[str]], callbacks: Sequence[Callback]
) -> Iterator[Text]:
    """Yield what was noted of one run; of several each once, with how many others."""
    if len(runs) == 1:
        yield from noted(runs[0], callbacks, tuple(about[0]))
    else:
        yield from alike_notes(zip(runs, about, strict=True), callbacks)


def alike_notes(
    told: Iterable[tuple[Run, Sequence[str]]], callbacks: Sequence[Callback]
) -> Iterator[Text]:
    """Yield the notes of runs, each with how many others have one like it.

    `told` are the runs with what an answer about `callbacks` notes on each; the notes
    of reading it are put before.
    """
    noted = [
        (run, note)
        for run, about in told
        for note in dict.fromkeys([*telling_notes(run, callbacks), *about])
    ]
    yield from _first_of([*alike(noted)], _MOST_NOTES)


def _first_of(notes: Sequence[Text], most: int) -> Iterator[Text]:
    """Yield the first notes, and where the others are."""
    yield from notes[:most]
    if len(notes) > most:
        words = "{}: {cbreplay:code} lists them all."
        more = count(len(notes) - most, "more note")
        yield phrase(words, more, cbreplay="cbreplay inspect")


def doubts_of_staircase(
    staircase: Staircase,
    *,
    is_alone_told: bool = False,
    is_schedule_told: bool = False,
    also: Sequence[str] = (),
) -> tuple[Text, ...]:
    """Return the doubts about an answer from one log, the gravest first.

    The flags say what is told already: that one run promises nothing, and that a stop
    cuts a schedule of the rate. `also` is what was noted in replaying a setting that
    the answer is about too.
    """
    replay = staircase.replay
    alone = () if is_alone_told else (say(Strong(ONE_RUN_ALONE)),)
    names = dict.fromkeys([staircase.monitor, staircase.objective])
    own = (
        *alone,
        *(doubt for name in names for doubt in non_finite_doubts(replay, name)),
        *(() if is_schedule_told else _scheduled_rate(staircase)),
        *_other_series(staircase),
    )
    return doubts_of_replay(replay, own, (*staircase.notes, *also))


def doubts_of_one_run(replay: Replay) -> tuple[Text, ...]:
    """Return the doubts about a setting on one log, without a staircase beside it."""
    alone = say(Strong(ONE_RUN_ALONE))
    own = (alone, *non_finite_doubts(replay, replay.objective))
    return doubts_of_replay(replay, own, replay.notes)


def doubts_of_replay(
    replay: Replay, own: Sequence[Text], notes: tuple[str, ...]
) -> tuple[Text, ...]:
    """Return what every answer from one log doubts, with doubts of its own among it.

    `notes` is what was noted in replaying.
    """
    run, callbacks = replay.run, replay.callbacks
    return (
        *misreadings([run], [callbacks], replay.semantics.name),
        *own,
        *counts_otherwise([run]),
        *noted(run, callbacks, notes),
    )


def non_finite_doubts(replay: Replay, name: str | None) -> Iterator[Text]:
    """Yield what NaN and infinite values of a series mean for an answer."""
    if name is None:
        return
    epochs = find_non_finite(replay.run, name)
    if epochs:
        yield phrase(
            "{name:code} is NaN or infinite in {}, first in epoch "
            "{first_non_finite:epoch}; {}.",
            count(len(epochs), "epoch"),
            spoken_non_finite(replay, name),
            name=name,
            first_non_finite=epochs[0],
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
        kept = [step for step in keeping if step.kept_epoch == epoch]
        if keeping:
            step = (*kept, *keeping)[0]
            patience = spoken_range(step.first_patience, step.last_patience)
            what = "it" if kept else "the same value"
            who = say(f"patience {patience} keeps {what}.")
        else:
            who = _kept_by_none(staircase, name, epoch, value)
        yield phrase(
            "{name:code} was best at epoch {}{where} ({}): {who}",
            Fact(epoch, "epoch", f"other_best.{name}"),
            Fact(value, "value", f"other_best_value.{name}"),
            name=name,
            where=", at the end" if epoch == horizon else "",
            who=who,
        )


def _keeps_best(step: StaircaseStep, name: str, epoch: int, value: float) -> bool:
    """Return whether a step keeps the best epoch of another series, or its equal."""
    return step.kept_epoch == epoch or step.others.get(name) == value


def _kept_by_none(staircase: Staircase, name: str, epoch: int, value: float) -> Text:
    rest, asked = staircase.steps[-1], asking_about(name, staircase.replay.run)
    if rest.evidence == "exact" and _keeps_best(rest, name, epoch, value):
        return say("training to the end of the plan keeps it.")
    if len(staircase.steps) == 1 and rest.evidence != "incomplete":
        if name == staircase.monitor:
            return say("no patience stops inside this log.")
        return say(asked, " asks about a patience on it.")
    asks = say(" (", asked, " asks about one on it)")
    if name == staircase.monitor or epoch == staircase.replay.run.horizon:
        asks = say()
    return phrase(
        "no patience on {monitor:code} that stops inside this log keeps that epoch{}.",
        asks,
        monitor=staircase.monitor,
    )


def noted(
    run: Run, callbacks: Iterable[Callback], notes: tuple[str, ...]
) -> Iterator[Text]:
    """Yield what was noted in replaying and in reading, each once."""
    reading = telling_notes(run, callbacks)
    # `non_finite_doubts` and the headline say these
    every = [
        say(as_sentence(note, run.series))
        for note in dict.fromkeys([*notes, *reading])
        if note != NAN_IS_BEST and topic_of(note) != "end"
    ]
    yield from _first_of(every, _MOST_OF_ONE)
