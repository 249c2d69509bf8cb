"""Read a Keras History, or rows of logs, that somebody wrote as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cbreplay.readers._csv_runs import build_runs
from cbreplay.readers._csv_table import CsvTable
from cbreplay.readers._formats import FormatReader
from cbreplay.readers._json_text import read_json
from cbreplay.readers._step_rows import fold_by
from cbreplay.readers.base import Damage, ForeignLogError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbreplay.run import Run

__all__ = ["JsonHistoryReader"]


class JsonHistoryReader(FormatReader):
    """Reader of ``history.history``, of a History's attributes, or of rows, as JSON.

    Also of what pandas writes of a DataFrame: a mapping of rows under each name.
    """

    log_format = "json"

    def read(self, path: str) -> Iterator[Run]:
        """Yield each training in the file.

        Raises
        ------
        LogError
            If it is no JSON, or damaged.
        ForeignLogError
            If it is JSON of something else.
        """
        held = read_json(path)
        if isinstance(held, dict):
            yield from self._read_dict(held, path)
        elif isinstance(held, list) and held and all(_is_row(one) for one in held):
            table = CsvTable.of_rows(held, path, Damage(self.options))
            table.check_whole()
            names = {name.lower(): name for name in table.columns}
            fold_by(table, names.get("epoch"), names.get("step"))
            yield from build_runs(table, self.options, self.metadata)
        else:
            raise _foreign(path)

    def _read_dict(self, held: dict[str, Any], path: str) -> Iterator[Run]:
        from cbreplay.readers.in_memory import InMemoryReader

        planned, epochs = None, None
        if isinstance(held.get("history"), dict):
            params = held.get("params")
            planned = params.get("epochs") if isinstance(params, dict) else None
            epochs = held.get("epoch")
            held = held["history"]
        lists = {name: _as_list(one) for name, one in held.items()}
        kept = {name: one for name, one in lists.items() if one is not None}
        if not any(name != "epoch" for name in kept):
            raise _foreign(path)
        notes = []
        if len(kept) < len(lists):
            names = ", ".join(name for name in lists if name not in kept)
            notes.append(f"left out {names}: no list of numbers")
        reader = InMemoryReader(self.options)
        yield from reader.read_lists(path, kept, epochs, planned, notes)


def _is_row(one: object) -> bool:
    return isinstance(one, dict)


def _as_list(values: object) -> list[Any] | None:
    """Return a list of numbers; pandas writes ``{"0": 0.5, "1": 0.25}``."""
    if isinstance(values, dict):
        numbered = {str(row) for row in range(len(values))} == values.keys()
        values = [values[str(row)] for row in range(len(values))] if numbered else None
    if not isinstance(values, list) or not values:
        return None
    numbers = all(
        one is None or (isinstance(one, (int, float)) and not isinstance(one, bool))
        for one in values
    )
    return values if numbers else None


def _foreign(path: str) -> ForeignLogError:
    problem = "this JSON holds no lists of numbers, one number for each epoch"
    hint = "Write history.history as JSON, or train with CSVLogger('logs.csv')"
    return ForeignLogError(problem, source=path, hint=hint)
