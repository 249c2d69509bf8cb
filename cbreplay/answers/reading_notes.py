"""The notes of reading a run: which of them an answer tells, and merging like ones."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from cbreplay.document import Code, Fact, phrase, say
from cbreplay.wording.note import reworded, topic_of
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.document import Text
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run
    from cbreplay.wording.note import NoteTopic

__all__ = ["about_reading", "alike", "spoken_note", "telling_notes"]


def spoken_note(run: Run, note: str, more: str = "") -> Text:
    """Say what was noted of a run, with its name unless it is about another log.

    `more` is added after its name.
    """
    if topic_of(note) == "other logs":
        return say(note)
    return say(Fact(run.name, "name", "run"), f"{more}: {note}")


def telling_notes(run: Run, callbacks: Iterable[Callback]) -> list[str]:
    """Return the notes of reading a run that may matter to an answer.

    How the learning rate was read matters if one of the callbacks changes it.
    """
    told_elsewhere: set[NoteTopic | None] = {"files", "missing", "reading"}
    if not any(rule.changes_learning_rate for rule in callbacks):
        told_elsewhere.add("rate")
    return [note for note in run.notes if topic_of(note) not in told_elsewhere]


def alike(noted: Iterable[tuple[Run, str]]) -> Iterator[Text]:
    """Yield notes of runs, merging those that differ only in numbers, with a count."""
    groups: dict[tuple[str, int], list[tuple[Run, str]]] = {}
    times: Counter[tuple[int, str]] = Counter()
    for run, note in noted:
        pattern = re.sub(r"\d+", "", note)
        # a second such note of one run is no other run's
        times[id(run), pattern] += 1
        groups.setdefault((pattern, times[id(run), pattern]), []).append((run, note))
    for (run, note), *others in groups.values():
        same = all(other == note for _, other in others)
        how = "likewise" if same else "with other numbers"
        more = f" (and {count(len(others), 'other run')} {how})" if others else ""
        # what is listed may end in dots of its own
        is_open = note.endswith("...")
        told = note if is_open else reworded(note, note.rstrip("."))
        yield say(spoken_note(run, told, more), "" if is_open else ".")


def about_reading(runs: Iterable[Run]) -> Iterator[Text]:
    """Yield which logs were left out, and which of those read are parts of a log."""
    resumed, parts = [], []
    for run in runs:
        for note in run.notes:
            if topic_of(note) == "other logs":
                yield say(note)
            elif topic_of(note) == "parts" and not run.resumes:
                parts.append((run, note))
        if run.resumes:
            resumed.append(run)
    yield from alike(parts)
    if resumed:
        yield _goes_on(resumed[0], len(resumed) - 1)


def _goes_on(run: Run, n_others: int) -> Text:
    """Say that a part of a log may belong to the part before it."""
    others = f", and so do {n_others} other parts" if n_others > 1 else ""
    if n_others == 1:
        others = ", and so does another part"
    return phrase(
        "{} begins at epoch {}, inside the part before it{}: if a fit was resumed "
        "there, --parts join or parts='join' takes them as one training",
        Code(run.name),
        Fact(run.first_epoch, "epoch", "resumed_epoch"),
        others,
    )
