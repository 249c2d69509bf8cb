"""Which files the callbacks of a setting leave, and whose weights are in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Fact, Points, Row, Table, TableColumn, phrase, say
from cbreplay.rules.words import name_in_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cbreplay.document import Block, Text
    from cbreplay.replay import Replay
    from cbreplay.rules.base import Callback

__all__ = ["in_file", "last_file", "left_files", "so_far"]

_NOTHING = say()


def left_files(replay: Replay) -> Iterator[Block]:
    """Yield the table of the files that are left, and up to where it is known."""
    several = len({index for _, _, index in replay.saves}) > 1
    columns = (
        TableColumn("file", "file", "name"),
        TableColumn("epoch", "weights of epoch", "epoch"),
        TableColumn("saved_epoch", "saved at", "epoch", shown="programs"),
        TableColumn("callback", "index", "number", shown="programs"),
        TableColumn("callback_name", "callback", "name").for_people_if(several),
    )
    title = "The files that are left, and whose weights each holds"
    yield Table(columns, tuple(_rows(replay)), title, is_answer=True)
    end = replay.end_of_evidence
    if end is not None:
        at = Fact(end, "epoch", "end_of_evidence")
        limit = say("as epoch ", at, " begins; what is saved after that is not known")
        yield Points((limit,))
    elif not replay.saves:
        yield Points((say("no callback of this list saves a file in this log"),))


def so_far(
    rules: Iterable[Callback],
    kept: int | None,
    file: str | None,
    held: int | None,
    about: Text = _NOTHING,
) -> Text:
    """Say for a headline what is kept where a log ends without a stop.

    The model has the weights of the epoch `kept`; a list that cannot stop early keeps
    those in its files alone. The rest is as in `in_file`.
    """
    if file is None or any(rule.stops_early for rule in rules):
        words = "; so far it keeps epoch {kept_epoch:epoch}.{}"
        return phrase(words, in_file(kept, file, held, about), kept_epoch=kept)
    return say("; ", _held_in(file, "then holds", held, about))


def in_file(
    kept: int | None, file: str | None, held: int | None, about: Text = _NOTHING
) -> Text:
    """Say that the last file holds another epoch than the model has, if it does.

    `file` was saved last, with the weights of the epoch `held`; `about` is what is said
    of that epoch, as that it is not the best.
    """
    if file is None or held in (None, kept):
        return say()
    return say(" ", _held_in(file, "holds", held, about))


def _held_in(file: str, holds: str, held: int | None, about: Text) -> Text:
    words = f"{{file:code}} {holds} the weights of epoch {{held:epoch}}{{}}."
    return phrase(words, about, file=file, held=held)


def last_file(replay: Replay) -> tuple[str | None, int | None]:
    """Return the file that was saved last, and the epoch whose weights it holds."""
    if not replay.saves:
        return None, None
    file = replay.saves[-1][1]
    return file, replay.files.get(file)


def _rows(replay: Replay) -> Iterator[Row]:
    """Yield a row a file, in the order in which they were last written."""
    last: dict[str, tuple[int, int]] = {}
    for epoch, file, index in replay.saves:
        last.pop(file, None)
        last[file] = epoch, index
    for file, (epoch, index) in last.items():
        name = name_in_list(replay.callbacks, index)
        yield Row((file, replay.files.get(file), epoch, index, name))
