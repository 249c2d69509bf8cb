"""A note on a run that carries its topic, so that no code has to parse its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from typing import Literal

    NoteTopic = Literal[
        "end",
        "epochs",
        "files",
        "improving",
        "lost rows",
        "missing",
        "other logs",
        "parts",
        "rate",
        "reading",
        "values",
    ]

__all__ = ["OF_NUMBERING", "Note", "reworded", "topic_of"]

# what no longer holds where epochs are numbered anew
OF_NUMBERING = frozenset(("epochs", "lost rows"))


class Note(str):
    """A note that concerns only some questions: a string, with the topic it is about.

    Parameters
    ----------
    text : str
        What is said.
    topic : str
        ``files``: the CSV and the event files of one training agree, which is no doubt.
        ``reading``: how such a log is always read. ``rate``: how the learning rate was
        read, which matters to callbacks that change it. ``values``: which of several
        values of an epoch is used. ``other logs``: what was left out beside this run.
        ``epochs``: how its epochs were counted. ``lost rows``: which have no row.
        ``parts``: it is a part of a log, where the epochs step back. ``missing``: which
        series have no value in some rows, which an answer says of those that it is
        about.
        ``improving``: the run still improved as its record ended. ``end``: a series
        ended in NaN or infinity, which headlines say too.
    """

    __slots__ = ("topic",)

    topic: NoteTopic

    def __new__(cls, text: str, topic: NoteTopic) -> Self:
        """Keep the topic beside the text."""
        note = super().__new__(cls, text)
        note.topic = topic
        return note

    def __getnewargs__(self) -> tuple[str, NoteTopic]:  # type: ignore[override]
        """Return the arguments of ``__new__``, for copying and pickling."""
        return (str(self), self.topic)

    def replace(self, old: str, new: str, /) -> Note:  # type: ignore[override]
        """Return a note on the same topic with other words for some."""
        return Note(super().replace(old, new), self.topic)


def topic_of(note: str) -> NoteTopic | None:
    """Return what a note is about; None for plain text, about any question."""
    return note.topic if isinstance(note, Note) else None


def reworded(note: str, text: str) -> str:
    """Return another text in the place of a note, on its topic if it has one."""
    return Note(text, note.topic) if isinstance(note, Note) else text
