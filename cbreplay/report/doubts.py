"""What a careful reader should know before trusting an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbreplay.outcomes import was_still_improving
from cbreplay.replay.notes import NAN_IS_BEST
from cbreplay.report.document import Code, Notice, Section, Strong, Text
from cbreplay.rules.base import watched_series
from cbreplay.words import (
    count,
    find_non_finite,
    spoken_non_finite,
    spoken_number,
    spoken_range,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.replay import Replay
    from cbreplay.report.advised import Advised
    from cbreplay.run import Run
    from cbreplay.staircase import Staircase

__all__ = ["doubts_of_many", "doubts_of_one", "usual_steps"]

_TITLE = "Before you trust it"
_MOST_NAMES = 5
_MOST_NOTES = 12
_NO_DOUBT = (
    "Nothing stood out in these logs. They say something about runs like these only."
)
# two files that agree are no doubt; cbreplay inspect shows this note too
_ROUTINE = "the CSV and the event files are one training"


def doubts_of_one(
    replay: Replay, staircase: Staircase | None, *, decimals: int
) -> Section:
    """Return the doubts about an answer from one run."""
    points: list[Text] = [
        (
            Strong("One run describes itself; it does not promise the next."),
            " Give a directory of runs to see what fixed settings cost on each: ",
            Code("cbreplay report runs/"),
        )
    ]
    if staircase is not None:
        points += _usual_change(staircase, decimals)
    points += _non_finite(replay)
    notes = replay.notes if staircase is None else staircase.notes
    every = dict.fromkeys([*notes, *_reading_notes(replay.run), *replay.notes])
    # that one is told with the values
    points += [(f"Noted: {one.rstrip('.')}.",) for one in every if one != NAN_IS_BEST]
    return Section(_TITLE, (Notice(tuple(points)),))


def _reading_notes(run: Run) -> list[str]:
    return [note for note in run.notes if not note.startswith(_ROUTINE)]


def usual_steps(staircase: Staircase) -> list[tuple[int, int | None]]:
    """Return the patience values whose cost is below the usual change."""
    usual = staircase.usual_change
    return [
        (step.first_patience, step.last_patience)
        for step in staircase.steps
        if usual is not None and step.regret is not None and 0 < step.regret < usual
    ]


def _usual_change(staircase: Staircase, decimals: int) -> Iterator[Text]:
    steps, usual = usual_steps(staircase), staircase.usual_change
    if not steps:
        return
    named = ", ".join(spoken_range(*step) for step in steps[:_MOST_NAMES])
    more = "" if len(steps) <= _MOST_NAMES else f" and {len(steps) - _MOST_NAMES} more"
    yield (
        Strong(
            f"Some differences are within the usual change: patience {named}{more}."
        ),
        " They cost less than ",
        Code(staircase.replay.objective),
        (
            " changes from one epoch to the next anyway "
            f"({spoken_number(usual, decimals)}, the median over the second half)."
        ),
    )


def _non_finite(replay: Replay) -> Iterator[Text]:
    for name in dict.fromkeys([replay.objective, *_monitors(replay), "loss"]):
        epochs = find_non_finite(replay.run, name)
        if epochs:
            yield (
                Strong(f"{count(len(epochs), 'epoch')} with NaN or infinity in "),
                Code(name),
                (
                    f", the first at epoch {epochs[0] + 1}: "
                    f"{spoken_non_finite(replay, name)}."
                ),
            )


def _monitors(replay: Replay) -> list[str]:
    watched = map(watched_series, replay.callbacks)
    return [one for one in watched if one is not None]


def doubts_of_many(
    replays: Sequence[Replay],
    left_out: Sequence[tuple[Run, str]],
    *,
    setting: str,
    advised: Advised | str,
    given: bool,
) -> Section:
    """Return the doubts about what a setting does on several runs.

    Parameters
    ----------
    replays : sequence of Replay
        Of the drawn setting, on every run that can be replayed.
    left_out : sequence of (Run, str)
        The others, and why.
    setting : str
        How the drawn setting is called.
    advised : Advised or str
        The recommendation with its doubts, or why there is none.
    given : bool
        Whether the setting was asked about, rather than recommended.
    """
    points: list[Text] = []
    if isinstance(advised, str):
        points.append((Strong("This page recommends nothing."), f" {advised}"))
    else:
        points += [(sentence,) for sentence in advised.doubts]
    if given or isinstance(advised, str):
        points += _about_setting(replays, setting)
    if isinstance(advised, str):
        points += _about_logs(replays)
        unclean = [one.run for one in replays if any(_non_finite(one))]
        points += _about(unclean, "logged NaN or infinity.")
    points += _about([run for run, _ in left_out], "could not be replayed; see below.")
    points += _notes_of_many(replays)
    if not points:
        points.append((_NO_DOUBT,))
    return Section(_TITLE, (Notice(tuple(points)),))


def _about_setting(replays: Sequence[Replay], setting: str) -> Iterator[Text]:
    """Yield where a setting that was not chosen from these runs is no answer."""
    kinds = [
        ("censored", f"cannot say what {setting} would have done: the log ends first"),
        ("diverged", f"cannot say it for {setting} after a learning-rate change"),
    ]
    for evidence, words in kinds:
        runs = [one.run for one in replays if one.evidence == evidence]
        yield from _about(runs, f"{words}. They are counted, never averaged.")


def _about_logs(replays: Sequence[Replay]) -> Iterator[Text]:
    """Yield where the logs end too early; a recommendation says this itself."""
    improving = [
        one.run
        for one in replays
        if was_still_improving(one.run, one.objective, one.objective_mode)
    ]
    words = "still improved at the end of the log: their costs are against the record"
    yield from _about(improving, f"{words} only.")
    yield from _about([one.run for one in replays if _ended_itself(one.run)], _OWN_STOP)


_OWN_STOP = (
    "were ended by their own callback: they say nothing about a patience above it."
)


def _ended_itself(run: Run) -> bool:
    ended = run.metadata.ended if run.metadata is not None else None
    return ended is not None and ended.by not in ("plan", "interrupt", "error", "")


def _about(runs: Sequence[Run], words: str) -> Iterator[Text]:
    """Say something about runs, naming the first of them."""
    if not runs:
        return
    names: list[str | Code] = []
    for run in runs[:_MOST_NAMES]:
        names += [", ", Code(run.name)]
    more = len(runs) - _MOST_NAMES
    rest = f" and {more} more" if more > 0 else ""
    yield (Strong(count(len(runs), "run")), f" {words} ", *names[1:], rest)


def _notes_of_many(replays: Sequence[Replay]) -> Iterator[Text]:
    """Yield what was noted while reading and replaying, one point for like notes."""
    noted: dict[str, list[tuple[str, str]]] = {}
    for replay in replays:
        for note in dict.fromkeys([*_reading_notes(replay.run), *replay.notes]):
            if "still improving" not in note:
                alike = re.sub(r"\d+", "", note)
                noted.setdefault(alike, []).append((replay.run.name, note))
    for runs in list(noted.values())[:_MOST_NOTES]:
        name, note = runs[0]
        more = f" (and {count(len(runs) - 1, 'other run')} alike)" if runs[1:] else ""
        yield (Code(name), f"{more}: {note.rstrip('.')}.")
    if len(noted) > _MOST_NOTES:
        yield (
            f"{count(len(noted) - _MOST_NOTES, 'more note')}: ",
            Code("cbreplay inspect"),
            " lists them all.",
        )
