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
from cbreplay.readers.building.lists import plain_value, read_lists
from cbreplay.readers.columns.column_names import may_number_rows
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
    def iloc(self) -> Any: ...

    def reset_index(self, *, level: Sequence[int]) -> _Frame: ...

    def set_axis(self, labels: Sequence[object], *, axis: int) -> _Frame: ...


class InMemoryReader(LogReader):
    """Reader of objects that hold lists; what is a table is read as its CSV."""

    def accepts(self, source: object) -> bool:
        """Tell whether an object is a History or a dict of lists."""
        return _is_history(source) or isinstance(source, Mapping)

    def read(self, source: object) -> Iterator[Run]:
        """Yield each training in the object."""
        if _is_history(source):
            yield from self._history(cast("_History", source))
        else:
            lists = dict(cast("Mapping[Any, Any]", source))
            yield from read_lists("dict", lists, self.options)

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


def as_csv(source: object) -> bytes | None:
    """Return a DataFrame as the CSV of pandas; None for what is no table.

    Trackers have such tables, and their CSVs are known: ``run.history()`` of W&B,
    Lightning's ``metrics.csv``, a row for each metric and step. So is a dict of lists,
    one of them of steps, text or times.
    """
    if _is_history(source):
        return None
    if isinstance(source, Mapping):
        # what is one number stays one, and a list of arrays need not be a whole array
        lists = {
            str(name): own
            if isinstance(own, list)
            else np.asarray(own, object).tolist()
            for name, own in source.items()
        }
        is_table = rows_of_lists(lists, epochs=False) or _hold_words([*lists.values()])
        return _csv_of([*lists.items()]) if is_table else None
    return _csv_of(_columns_of(cast("_Frame", source))) if _is_frame(source) else None


def _csv_of(columns: Sequence[tuple[str, list[Any]]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([name for name, _ in columns])
    table.writerows(zip(*(map(plain_value, own) for _, own in columns), strict=True))
    return text.getvalue().encode()


def _hold_words(columns: Sequence[Any]) -> bool:
    """Tell whether lists of one length are of text or times, and others of numbers."""
    sizes = {len(own) if isinstance(own, list) else 0 for own in columns}
    if len(sizes) != 1 or 0 in sizes:
        return False
    words = [all(isinstance(value, _NO_NUMBERS) for value in own) for own in columns]
    return any(words) and not all(words)


# columns of these are left out as those of a CSV are
_NO_NUMBERS = (str, dt.date, dt.timedelta)


def _columns_of(frame: _Frame) -> list[tuple[str, list[Any]]]:
    """Return the columns of a table, below their names, with an index that counts.

    Where a column counts epochs or steps, a nameless index tells nothing; nor does one
    that only numbers the rows, unless one without a value would be lost in a CSV, or
    columns that are left out would be a reason against rows that nothing numbers.
    """
    frame = _flat(frame)
    columns = [
        (str(name), [*map(_nan_as_none, frame.iloc[:, at].tolist())])
        for at, name in enumerate(frame.columns)
    ]
    if any(may_number_rows(name) for name, _ in columns) or any(
        list_counts_on(*own) for own in columns
    ):
        return columns
    index, in_order = frame.index.tolist(), [*range(len(frame.index))]
    whole = (
        isinstance(own, (int, float)) and own >= 0 and own % 1 == 0 for own in index
    )
    index = [*map(int, index)] if all(whole) else in_order
    rows = zip(*(own for _, own in columns), strict=True)
    silent = any(all(value is None for value in row) for row in rows)
    kinds = {type(value) for _, own in columns for value in own}
    # text may be of models or settings, whose rows are no epochs
    odd = not kinds.isdisjoint(_ODD) and str not in kinds
    told = silent or odd or index != in_order
    return [("", index), *columns] if told else columns


# a metric of each class, and a flag such as is_best
_ODD = (list, tuple, np.ndarray, bool, np.bool_)


def _flat(frame: _Frame) -> _Frame:
    """Return a table whose index levels are columns, but for a last nameless one.

    A last level without a name stays: it counts the rows of each part. Columns of
    several levels are named by all that are not empty, as val/loss.
    """
    *outer, last = frame.index.names
    named = [*outer, last] if last is not None else outer
    # set_index(drop=False) leaves a column beside its level
    levels = [at for at, name in enumerate(named) if name not in [*frame.columns]]
    if levels:
        frame = frame.reset_index(level=levels)
    if not any(isinstance(name, tuple) for name in frame.columns):
        return frame
    parts = [name if isinstance(name, tuple) else (name,) for name in frame.columns]
    names = ["/".join(str(part) for part in own if part != "") for own in parts]
    return frame.set_axis(names, axis=1)


def _is_history(source: object) -> bool:
    return isinstance(source, _History) and isinstance(source.history, Mapping)


def _is_frame(source: object) -> bool:
    return isinstance(source, _Frame) and not isinstance(source, type)


def _nan_as_none(value: object) -> object:
    # NaN is the one value that does not equal itself; pandas's NA refuses to answer
    try:
        return value if value == value else None  # noqa: PLR0124
    except TypeError:
        return None
    except ValueError:
        # an array, as of a metric of each class
        return value
