"""A note on a run that knows its topic, so that nothing has to read its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from typing import Literal

    NoteTopic = Literal[
        "end",
        "files",
        "improving",
        "other logs",
        "parts",
        "rate",
        "reading",
        "values",
    ]

__all__ = ["Note", "reworded", "topic_of"]


class Note(str):
    """A note of which it matters who asks: a sentence like any other, with its topic.

    Parameters
    ----------
    text : str
        What is said.
    topic : str
        ``files``: the CSV and the event files of one training agree, which is no doubt.
        ``reading``: how such a log is always read. ``rate``: how the learning rate was
        read, which matters to callbacks that change it. ``values``: of several values
        in an epoch one stands. ``other logs``: of what was left out beside this run.
        ``parts``: it is a part of a log, where the epochs step back.
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
        """Return what makes it again where it is copied, or sent to a worker."""
        return (str(self), self.topic)


def topic_of(note: str) -> NoteTopic | None:
    """Return what a note is about; None of one that concerns whoever asks.

    Parameters
    ----------
    note : str
        A note, of which most are plain text.
    """
    return note.topic if isinstance(note, Note) else None


def reworded(note: str, text: str) -> str:
    """Return another text on the topic of a note, if it has one.

    Parameters
    ----------
    note, text : str
        The note, and what is said instead of it.
    """
    return Note(text, note.topic) if isinstance(note, Note) else text
