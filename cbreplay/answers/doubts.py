"""What to know about several runs before trusting an answer about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.answers.reading_notes import alike, telling_notes
from cbreplay.answers.staircase_doubts import noted
from cbreplay.document import Code, Strong, phrase, say
from cbreplay.note import topic_of
from cbreplay.training_course import was_still_improving
from cbreplay.words import count, list_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.document import Text
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["IN_BRACKETS", "about_logs", "about_runs", "noted_of", "notes_of_many"]

IN_BRACKETS = (
    "In brackets: as if training had ended with the log; such figures are never "
    "compared."
)
_MOST_NAMES = 5
_MOST_NOTES = 12


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
    ended = [replay.run for replay in replays if _ended_itself(replay.run)]
    yield from about_runs(
        ended,
        "were ended by their own callback and say nothing about a setting that trains "
        "for longer",
    )


def _ended_itself(run: Run) -> bool:
    ended = run.metadata.ended if run.metadata is not None else None
    return ended is not None and ended.by_callback


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
    spoken = [*alike(noted)]
    yield from spoken[:_MOST_NOTES]
    if len(spoken) > _MOST_NOTES:
        yield phrase(
            "{}: {} lists them all.",
            count(len(spoken) - _MOST_NOTES, "more note"),
            Code("cbreplay inspect"),
        )
