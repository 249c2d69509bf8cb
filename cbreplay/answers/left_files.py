"""Which files the callbacks of a setting leave, and whose weights are in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Fact, Points, Row, Table, TableColumn, say
from cbreplay.rules.words import name_in_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.document import Block
    from cbreplay.replay import Replay

__all__ = ["left_files"]


def left_files(replay: Replay) -> Iterator[Block]:
    """Yield the table of the files that are not written over, and what limits it.

    Parameters
    ----------
    replay : Replay
        What is asked about.
    """
    several = len({index for _, _, index in replay.saves}) > 1
    columns = (
        TableColumn("file", "file", "name"),
        TableColumn("epoch", "weights of epoch", "epoch"),
        TableColumn("saved_epoch", "saved at", "epoch", shown="programs"),
        TableColumn("callback", "index", "number", shown="programs"),
        TableColumn(
            "callback_name",
            "callback",
            "name",
            shown="always" if several else "programs",
        ),
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


def _rows(replay: Replay) -> Iterator[Row]:
    """Yield a row a file, in the order in which they were last written."""
    last: dict[str, tuple[int, int]] = {}
    for epoch, file, index in replay.saves:
        last.pop(file, None)
        last[file] = epoch, index
    for file, (epoch, index) in last.items():
        name = name_in_list(replay.callbacks, index)
        yield Row((file, replay.files.get(file), epoch, index, name))
