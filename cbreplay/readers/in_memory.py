"""Read what is already in Python: a History, a dict of lists, a DataFrame.

Each is recognised by its attributes, so neither keras nor pandas is imported.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np

from cbreplay.readers.base import LogReader
from cbreplay.readers.building.lists import read_lists, take_epochs
from cbreplay.readers.columns.column_names import (
    SETTINGS,
    STEP_NAMES,
    is_epoch_name,
    letters,
)
from cbreplay.readers.columns.counters import list_counts_on
from cbreplay.readers.columns.turned import rows_of_lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.run import Run

__all__ = ["InMemoryReader", "as_csv"]


@runtime_checkable
class _History(Protocol):
    """What a ``keras.callbacks.History`` holds after a fit.

    ``epoch`` and ``params`` may be absent: objects of other libraries have none.
    """

    @property
    def history(self) -> Mapping[str, Sequence[Any]]: ...


@runtime_checkable
class _Frame(Protocol):
    """What is read of a ``pandas.DataFrame``, and by what it is recognised."""

    @property
    def columns(self) -> Iterable[Any]: ...

    @property
    def index(self) -> Any: ...

    @property
    def iloc(self) -> object: ...

    def reset_index(self, *, level: Sequence[int]) -> _Frame: ...

    def set_axis(self, labels: Sequence[object], *, axis: int) -> _Frame: ...

    def to_csv(self, *, index: bool) -> str: ...

    def __getitem__(self, name: Any, /) -> Any: ...


class InMemoryReader(LogReader):
    """Reader of objects."""

    def accepts(self, source: object) -> bool:
        """Tell whether an object is a History, a dict of lists or a DataFrame."""
        return _is_history(source) or isinstance(source, Mapping) or _is_frame(source)

    def read(self, source: object) -> Iterator[Run]:
        """Yield each training in the object."""
        if _is_history(source):
            yield from self._history(cast("_History", source))
        elif isinstance(source, Mapping):
            yield from read_lists("dict", dict(source), self.options)
        else:
            yield from self._frame(cast("_Frame", source))

    def _history(self, history: _History) -> Iterator[Run]:
        params = getattr(history, "params", None)
        planned = params.get("epochs") if isinstance(params, Mapping) else None
        epochs = getattr(history, "epoch", None)
        columns = dict(history.history)
        yield from read_lists(
            "History",
            columns,
            self.options,
            epochs=epochs,
            counts_from_zero=True,
            planned_epochs=planned,
        )

    def _frame(self, frame: _Frame) -> Iterator[Run]:
        frame = _flat(frame)
        lists = {name: frame[name].tolist() for name in frame.columns}
        epochs = take_epochs(lists)
        if epochs is None and is_epoch_name(getattr(frame.index, "name", None)):
            epochs = frame.index.tolist()
        notes = []
        if epochs is None and _index_counts(frame):
            epochs = frame.index.tolist()
            notes.append("there is no epoch column: the index was taken as it")
        if self.options.empty == "missing":
            lists = {
                name: list(map(_nan_as_none, values)) for name, values in lists.items()
            }
            if any(value is None for values in lists.values() for value in values):
                notes.append(
                    "a NaN in a DataFrame may be a missing value: it was read as one "
                    "(empty='nan' reads it as NaN)"
                )
        yield from read_lists(
            "DataFrame", lists, self.options, epochs=epochs, notes=notes
        )


def as_csv(source: object) -> bytes | None:
    """Return a DataFrame of text, times, steps or settings as the CSV of pandas.

    Trackers have such tables, and their CSVs are known: ``run.history()`` of W&B,
    Lightning's ``metrics.csv``, a row for each metric and step. So is a dict of lists,
    one of them of steps, text or times. None for anything else.
    """
    if isinstance(source, Mapping):
        return _csv_of_lists(source)
    if not _is_frame(source) or _is_history(source):
        return None
    frame = _flat(cast("_Frame", source))
    of_settings = any(letters(str(name)) in SETTINGS for name in frame.columns)
    if not (of_settings or _counts_steps(frame)) and not any(
        isinstance(value, _NO_NUMBERS)
        for name in frame.columns
        for value in frame[name]
    ):
        return None
    told = any(map(is_epoch_name, frame.index.names)) or (
        not any(map(is_epoch_name, frame.columns)) and _index_counts(frame)
    )
    return frame.to_csv(index=told).encode()


def _csv_of_lists(source: Mapping[Any, Any]) -> bytes | None:
    # what is one number stays one
    lists = {
        str(name): np.asarray(own, dtype=object).tolist()
        for name, own in source.items()
    }
    rows = rows_of_lists(lists, epochs=False)
    if rows is None and _hold_words([*lists.values()]):
        values = zip(*lists.values(), strict=True)
        rows = [dict(zip(lists, row, strict=True)) for row in values]
    if rows is None:
        return None
    text = io.StringIO()
    table = csv.DictWriter(text, [*lists])
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def _hold_words(columns: Sequence[Any]) -> bool:
    """Tell whether lists of one length are of text or times, and others of numbers."""
    sizes = {len(own) if isinstance(own, list) else 0 for own in columns}
    if len(sizes) != 1 or 0 in sizes:
        return False
    words = [all(isinstance(value, _NO_NUMBERS) for value in own) for own in columns]
    return any(words) and not all(words)


def _counts_steps(frame: _Frame) -> bool:
    if any(str(name).lower().strip("_") in STEP_NAMES for name in frame.columns):
        return True
    told = any(map(is_epoch_name, [*frame.columns, *frame.index.names]))
    return not told and any(
        list_counts_on(str(name), frame[name].tolist()) for name in frame.columns
    )


# columns of these are left out as those of a CSV are
_NO_NUMBERS = (str, dt.date, dt.timedelta)


def _flat(frame: _Frame) -> _Frame:
    """Return a table whose index levels are columns, as those of concat(keys=...).

    A last level without a name stays: it counts the rows of each part. Columns of
    several levels are named by all that are not empty, as val/loss.
    """
    *outer, last = frame.index.names
    if outer:
        frame = frame.reset_index(level=[*range(len(outer) + (last is not None))])
    if not any(isinstance(name, tuple) for name in frame.columns):
        return frame
    levels = [name if isinstance(name, tuple) else (name,) for name in frame.columns]
    names = ["/".join(str(level) for level in own if level != "") for own in levels]
    return frame.set_axis(names, axis=1)


def _is_history(source: object) -> bool:
    return isinstance(source, _History) and isinstance(source.history, Mapping)


def _is_frame(source: object) -> bool:
    return isinstance(source, _Frame) and not isinstance(source, type)


def _index_counts(frame: _Frame) -> bool:
    """Tell whether a nameless index tells more of the rows than their order does.

    So does that of a table from which rows were taken, or that was put together.
    """
    if _counts_steps(frame):
        return False
    numbers = frame.index.tolist() if frame.index.name is None else []
    counts = all(isinstance(number, int) and number >= 0 for number in numbers)
    return bool(numbers) and counts and numbers != [*range(len(numbers))]


def _nan_as_none(value: object) -> object:
    # NaN is the one value that does not equal itself; pandas's NA refuses to answer
    try:
        return value if value == value else None  # noqa: PLR0124
    except TypeError:
        return None
