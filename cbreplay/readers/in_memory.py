"""Read what is already in Python: a History, a dict of lists, a DataFrame.

Each is recognised by its attributes, so neither keras nor pandas is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from cbreplay.errors import LogError
from cbreplay.readers._csv_header import EPOCH_NAMES
from cbreplay.readers._fits import (
    Column,
    Record,
    Rows,
    build_run,
    join_rows,
    split_rows,
)
from cbreplay.readers._learning_rate import read_csv_rate
from cbreplay.run import LEARNING_RATE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cbreplay.readers._learning_rate import RateReading
    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import Run

__all__ = ["InMemoryReader"]


class _History(Protocol):
    """What a ``keras.callbacks.History`` holds after a fit.

    ``epoch`` and ``params`` may be absent: objects of other libraries have none.
    """

    @property
    def history(self) -> Mapping[str, Sequence[Any]]: ...


class _Frame(Protocol):
    """What is used of a ``pandas.DataFrame``."""

    @property
    def columns(self) -> Iterable[Any]: ...

    @property
    def index(self) -> Any: ...  # noqa: ANN401 - pandas has many kinds of index

    def __getitem__(self, name: Any, /) -> Any: ...  # noqa: ANN401 - a pandas column


class InMemoryReader:
    """Reader of objects.

    Parameters
    ----------
    options : ReadOptions
        How they are to be read.
    """

    def __init__(self, options: ReadOptions) -> None:
        self.options = options

    def accepts(self, source: object) -> bool:
        """Tell whether an object is a History, a dict of lists or a DataFrame."""
        return _is_history(source) or isinstance(source, Mapping) or _is_frame(source)

    def read(self, source: object) -> Iterator[Run]:
        """Yield each training in the object.

        Raises
        ------
        LogError
            If its lists do not fit together, or hold something else than numbers.
        """
        if _is_history(source):
            yield from self._history(cast("_History", source))
        elif isinstance(source, Mapping):
            yield from self.read_lists("dict", dict(source))
        else:
            yield from self._frame(cast("_Frame", source))

    def _history(self, history: _History) -> Iterator[Run]:
        params = getattr(history, "params", None)
        planned = params.get("epochs") if isinstance(params, Mapping) else None
        epochs = getattr(history, "epoch", None)
        epochs = None if epochs is None else list(epochs)
        columns = dict(history.history)
        yield from self.read_lists("History", columns, epochs, planned)

    def _frame(self, frame: _Frame) -> Iterator[Run]:
        lists = {name: frame[name].tolist() for name in frame.columns}
        epochs = _take_epochs(lists)
        if epochs is None and _is_epoch(getattr(frame.index, "name", None)):
            epochs = frame.index.tolist()
        notes = []
        if self.options.empty == "missing":
            lists = {name: list(map(_nan_as_none, one)) for name, one in lists.items()}
            if any(value is None for one in lists.values() for value in one):
                notes.append(
                    "a NaN in a DataFrame may be a missing value: it was read as one "
                    "(empty='nan' reads it as NaN)"
                )
        yield from self.read_lists("DataFrame", lists, epochs, None, notes)

    def read_lists(
        self,
        kind: str,
        lists: dict[Any, Any],
        epochs: Sequence[Any] | None = None,
        planned_epochs: int | None = None,
        notes: Sequence[str] = (),
    ) -> Iterator[Run]:
        """Yield the trainings in lists of values, one for each epoch.

        Parameters
        ----------
        kind : str
            What the lists are of, or the file that they stood in.
        lists : dict of str to list
            The values; ``"epoch"`` may stand among them.
        epochs : sequence of int, optional
            The epoch of each value.
        planned_epochs : int, optional
            The plan.
        notes : sequence of str
            What was odd so far.

        Raises
        ------
        LogError
            If the lists do not fit together, or hold something else than numbers.
        """
        epochs = _take_epochs(lists) if epochs is None else epochs
        columns = {str(name): _column(kind, name, one) for name, one in lists.items()}
        aligned = _Aligned(kind, columns, epochs, self.options)
        rows = Rows(aligned.epochs, aligned.columns)
        _check_values(kind, rows)
        places = [f"row {i}" for i in range(1, len(rows.epochs) + 1)]
        for record in join_rows(split_rows(rows, places, ()), None, kind):
            yield build_run(
                record,
                source=kind,
                options=self.options,
                planned_epochs=planned_epochs,
                rate=_rate(record),
                notes=[*notes, *aligned.notes],
            )


def _is_history(source: object) -> bool:
    return isinstance(getattr(source, "history", None), Mapping)


def _is_frame(source: object) -> bool:
    names = ("columns", "index", "iloc", "__getitem__")
    return not isinstance(source, type) and all(hasattr(source, name) for name in names)


def _is_epoch(name: object) -> bool:
    return isinstance(name, str) and name.lower() in EPOCH_NAMES


def _take_epochs(lists: dict[Any, Any]) -> Sequence[Any] | None:
    """Take the list of epochs out; None if there is none."""
    name = next((one for one in lists if _is_epoch(one)), None)
    found: Sequence[Any] | None = None if name is None else lists.pop(name)
    return found


def _nan_as_none(value: object) -> object:
    # NaN is the one value that does not equal itself; pandas's NA refuses to answer
    try:
        return value if value == value else None  # noqa: PLR0124
    except TypeError:
        return None


def _column(kind: str, name: object, values: object) -> Column:
    """Read one list of numbers, with None for a missing value."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        problem = f"{name!r} holds {values!r}, where a list of numbers is expected"
        raise LogError(problem, source=kind, hint="Give one value for each epoch")
    column: Column = []
    for i, value in enumerate(cast("Iterable[Any]", values)):
        try:
            column.append(None if _is_missing(value) else float(value))
        except (TypeError, ValueError, OverflowError):
            shown = repr(value)[:_SHOWN_LETTERS]
            problem = f"value {i} of {name!r} is {shown}, which is not one number"
            hint = "Leave out what is not a metric"
            raise LogError(problem, source=kind, hint=hint) from None
    return column


def _is_missing(value: object) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _check_values(kind: str, rows: Rows) -> None:
    metrics = [n for n in rows.columns if n not in LEARNING_RATE_NAMES]
    if not any(v is not None for name in metrics for v in rows.columns[name]):
        problem = "there is no epoch with a metric in it"
        raise LogError(problem, source=kind, hint="Give a log with at least one epoch")


def _rate(record: Record) -> RateReading | None:
    rates = [record.take_rate(name) for name in LEARNING_RATE_NAMES]
    return next((read_csv_rate(one, None) for one in rates if one is not None), None)


class _Aligned:
    """Lists laid beside their epochs, validation that was not run each epoch included.

    Attributes
    ----------
    epochs : list of int
        The epoch of each row.
    columns : dict of str to Column
        The values, each as long as `epochs`.
    notes : list of str
        What was assumed.
    """

    def __init__(
        self,
        kind: str,
        columns: dict[str, Column],
        epochs: Sequence[Any] | None,
        options: ReadOptions,
    ) -> None:
        self.kind, self.options = kind, options
        length = max((len(one) for one in columns.values()), default=0)
        self.epochs = _epochs(kind, range(length) if epochs is None else epochs)
        self.notes: list[str] = []
        self.columns = {name: self._align(name, one) for name, one in columns.items()}
        self.notes = list(dict.fromkeys(self.notes))

    def _align(self, name: str, values: Column) -> Column:
        if len(values) == len(self.epochs):
            return values
        if not name.startswith("val_") or len(values) > len(self.epochs):
            problem = f"{name!r} has {len(values)} values for {len(self.epochs)} epochs"
            hint = "Give lists of one length, with None for a missing value"
            raise LogError(problem, source=self.kind, hint=hint)
        validated = self._validated(name, len(values))
        given = iter(values)
        return [next(given) if one else None for one in validated]

    def _validated(self, name: str, n_values: int) -> list[bool]:
        """Tell which epochs were validated, as ``fit`` decides it (epoch + 1)."""
        frequency = self.options.validation_freq
        if frequency is not None:
            validated = _validated_epochs(self.epochs, frequency)
            if sum(validated) == n_values:
                return validated
            problem = (
                f"{name!r} has {n_values} values, and validation_freq {frequency} "
                f"makes {sum(validated)} in {len(self.epochs)} epochs"
            )
            raise LogError(problem, source=self.kind, hint=_FREQUENCY_HINT)
        fitting = _fitting_frequencies(self.epochs, n_values)
        if len(fitting) != 1:
            several = " or ".join(map(str, fitting[:_SHOWN])) or "no whole number"
            problem = (
                f"{name!r} has {n_values} values for {len(self.epochs)} epochs, "
                f"and {several} as validation_freq fits that"
            )
            raise LogError(problem, source=self.kind, hint=_FREQUENCY_HINT)
        self.notes.append(
            f"validation was taken as run every {fitting[0]} epochs, the only whole "
            "number that fits; validation_freq= or --validation-freq says otherwise"
        )
        return _validated_epochs(self.epochs, fitting[0])


_FREQUENCY_HINT = "Give the value of fit: --validation-freq or validation_freq="
_SHOWN = 4
_SHOWN_LETTERS = 60
# above it, float64 no longer holds every whole number
_EXACT = 2**53


def _validated_epochs(
    epochs: Sequence[int], frequency: int | tuple[int, ...]
) -> list[bool]:
    if isinstance(frequency, tuple):
        return [epoch + 1 in frequency for epoch in epochs]
    return [(epoch + 1) % frequency == 0 for epoch in epochs]


def _fitting_frequencies(epochs: Sequence[int], n_values: int) -> list[int]:
    """Return the frequencies that make so many validations, or the first few."""
    ends = np.asarray(epochs) + 1
    fitting: list[int] = []
    for frequency in range(2, int(ends.max()) + 1):
        if int(np.count_nonzero(ends % frequency == 0)) == n_values:
            fitting.append(frequency)
            if len(fitting) > _SHOWN:
                break
    return fitting


def _epochs(kind: str, values: Iterable[Any]) -> list[int]:
    epochs = []
    for i, value in enumerate(values):
        whole = isinstance(value, float) and value.is_integer()
        if not (hasattr(value, "__index__") or whole) or not 0 <= value < _EXACT:
            shown = repr(value)[:_SHOWN_LETTERS]
            problem = f"the epoch of row {i + 1} is {shown}, not a whole number"
            raise LogError(problem, source=kind, hint="Count epochs from 0")
        epochs.append(int(value))
    return epochs
