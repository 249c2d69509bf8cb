"""Lists with one value for each epoch, as a History holds them, in; runs out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

import numpy as np

from cbreplay.arguments import is_iterable, shown_value
from cbreplay.errors import LogError
from cbreplay.readers.base import LogFacts
from cbreplay.readers.building.fits import join_rows
from cbreplay.readers.building.metric_columns import filled_note
from cbreplay.readers.building.numbering import number_epochs
from cbreplay.readers.building.odd_epochs import put_in_order
from cbreplay.readers.building.rows import Rows, split_rows
from cbreplay.readers.building.runs import build_run
from cbreplay.readers.columns.column import first_listed
from cbreplay.readers.columns.column_names import (
    EPOCH_NAMES,
    is_epoch_name,
    is_rate_name,
)
from cbreplay.readers.sizes import check_columns, check_epochs
from cbreplay.series import Series, to_float
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import Run

__all__ = ["read_lists"]

# a value, or None where nothing was recorded
_Column: TypeAlias = "list[float | None]"


def read_lists(
    kind: str,
    lists: dict[Any, Any],
    options: ReadOptions,
    *,
    epochs: Sequence[Any] | None = None,
    counts_from_zero: bool = False,
    planned_epochs: object = None,
    notes: Sequence[str] = (),
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Run]:
    """Yield the trainings in lists of values, one for each epoch.

    Parameters
    ----------
    kind : str
        What kind of object holds the lists, or the file that they are from.
    lists : dict of str to list
        The values; ``"epoch"`` may be one of the lists, else `epochs` are given.
    counts_from_zero : bool
        Whether they are known to count from 0, as Keras's own do.
    planned_epochs : object
        The `epochs` in the params of a History; ignored if it is no plan.
    left_out : mapping of str to str
        The lists that were left out, each with the reason.

    Raises
    ------
    LogError
        If the lists do not fit together, or hold something else than numbers.
    """
    notes = [*notes]
    epochs = _take_epochs(lists, notes) if epochs is None else epochs
    _check_size(lists, kind, options.max_bytes)
    of_arrays = _take_arrays(lists)
    columns = {str(name): _column(kind, name, values) for name, values in lists.items()}
    notes += _listed(lists)
    notes += [f"left out {', '.join(of_arrays)}: {_ARRAYS}"] if of_arrays else []
    notes += _fill_empty(columns) if options.empty == "nan" else []
    length = max(map(len, columns.values()), default=0)
    numbers = range(length) if epochs is None else _as_list(kind, "epoch", epochs)
    listed = _epochs(kind, numbers)
    facts, assumed = LogFacts(kind, notes), list[str]()
    if listed:
        numbered = number_epochs(np.array(listed), options, known=counts_from_zero)
        listed, assumed = numbered.epochs.tolist(), numbered.notes
        facts.counts_from = numbered.counts_from
    laid, said = _align(kind, columns, listed, facts, options)
    rows = Rows(listed, laid, lines=range(1, len(listed) + 1))
    _check_values(kind, rows)
    if epochs is None and options.parts == "split":
        rows.count_models_anew()
    if options.parts != "rows":
        rows = put_in_order(rows, facts, resumes=options.parts == "join")
    facts.notes += dict.fromkeys([*assumed, *said])
    facts.take_plan(planned_epochs)
    facts.empty_cells = {name for name, own in columns.items() if None in own}
    facts.left_out = {**left_out, **dict.fromkeys(of_arrays, _ARRAYS)}
    pieces = split_rows(rows, facts, options.max_bytes)
    for record in join_rows(pieces, options, None, kind):
        yield build_run(record, facts, options)


def _take_arrays(lists: dict[Any, Any]) -> list[str]:
    """Remove the lists of arrays, as of an F1Score of each class; return their names.

    Where all lists are of arrays, or some values are numbers, they stay to be refused.
    """
    found = [name for name, values in lists.items() if _holds_arrays(name, values)]
    if len(found) == len(lists):
        return []
    for name in found:
        del lists[name]
    return [str(name) for name in found]


def _holds_arrays(name: object, values: object) -> bool:
    return (
        isinstance(values, list)
        and bool(values)
        and not is_rate_name(str(name))
        and all(
            isinstance(value, (list, tuple, np.ndarray)) and np.size(value) > 1
            for value in values
        )
    )


def _check_size(lists: Mapping[Any, Any], kind: str, most: int) -> None:
    """Raise LogError if there are more lists, or longer ones, than are read."""
    check_columns(len(lists), kind, most)
    longest = max(
        (len(own) for own in lists.values() if isinstance(own, list)), default=0
    )
    check_epochs(longest, kind, most, "its lists are long")


def _take_epochs(lists: dict[Any, Any], notes: list[str]) -> Sequence[Any] | None:
    """Remove the list of epochs and return it; None if there is none, or no epoch."""
    called = {name.lower(): name for name in reversed(lists) if is_epoch_name(name)}
    name = next((called[own] for own in EPOCH_NAMES if own in called), None)
    if name is None:
        return None
    found: Sequence[Any] = lists.pop(name)
    told = [*found] if is_iterable(found) else []
    if told and all(_is_missing(own) or own != own for own in told):  # noqa: PLR0124
        notes.append(f"left out {name}: no row has one")
        return None
    return found


def _as_list(kind: str, name: object, values: Any) -> Iterable[Any]:
    """Return what is a list; refuse what is none."""
    # a set has no order, and iterating a dict gives its keys
    no_list = isinstance(values, (str, bytes, Mapping, AbstractSet))
    if no_list or not is_iterable(values):
        problem = (
            f"{name!r} holds {_brief(values)}, where a list of numbers is expected"
        )
        raise LogError(problem, source=kind, hint="Give one value for each epoch")
    listed: Iterable[Any] = values
    return listed


def _column(kind: str, name: object, values: object) -> _Column:
    """Read one list of numbers, with None for a missing value."""
    column: _Column = []
    for i, value in enumerate(_as_list(kind, name, values)):
        if type(value) is float:
            # the usual case: nothing to ask about it
            column.append(value)
            continue
        try:
            column.append(None if _is_missing(value) else to_float(value))
        except (TypeError, ValueError, OverflowError):
            listed = first_listed(value) if is_rate_name(str(name)) else None
            if listed is not None:
                column.append(listed)
                continue
            shown = _brief(value)
            problem = f"value {i} of {name!r} is {shown}, which is not one number"
            hint = "Leave out what is not a metric"
            raise LogError(problem, source=kind, hint=hint) from None
    return column


def _fill_empty(columns: dict[str, _Column]) -> Iterator[str]:
    """Put NaN where a value is missing, as the user asked; yield notes of how often."""
    for name, column in columns.items():
        n_missing = column.count(None)
        if n_missing and not is_rate_name(name):
            columns[name] = [math.nan if each is None else each for each in column]
            yield filled_note(name, n_missing)


def _listed(lists: Mapping[Any, Any]) -> Iterator[str]:
    """Note which lists hold lists as values, of which one number was taken."""
    for name, values in lists.items():
        cell = next((cell for cell in values if isinstance(cell, (list, tuple))), None)
        if cell is not None:
            which = "first number" if len(cell) > 1 else "number"
            shown = _brief(cell)
            yield f"{name}: the {which} in values such as {shown} was taken"


def _brief(value: object) -> str:
    return shown_value(value)[:_SHOWN_LETTERS]


def _is_missing(value: object) -> bool:
    # of pandas, and of numpy's masked arrays
    names = ("NAType", "NaTType", "MaskedConstant")
    return value is None or type(value).__name__ in names


def _check_values(kind: str, rows: Rows) -> None:
    metrics = [name for name in rows.columns if not is_rate_name(name)]
    if not any(v is not None for name in metrics for v in rows.columns[name]):
        problem = "there is no epoch with a metric in it"
        raise LogError(problem, source=kind, hint="Give a log with at least one epoch")


def _align(
    kind: str,
    columns: dict[str, _Column],
    epochs: Sequence[int],
    facts: LogFacts,
    options: ReadOptions,
) -> tuple[dict[str, Series], list[str]]:
    """Lay lists out over their epochs, also where validation was not run in each.

    Return them with what was assumed; `facts` get the names of those.
    """
    laid, notes = dict(columns), dict[str, None]()
    for name, values in columns.items():
        n_values, n_epochs = len(values), len(epochs)
        if n_values == n_epochs:
            continue
        if n_values > n_epochs or not _may_be_seldom(name, columns, options):
            lengths = f"{count(n_values, 'value')} for {count(n_epochs, 'epoch')}"
            problem = f"{name!r} has {lengths}"
            hint = _LENGTH_HINT
            fitting = _fitting_frequencies(epochs, n_values)
            if len(fitting) == 1 and name.startswith("val_"):
                hint += f"; or, if {_EVERY.format(fitting[0])}"
            raise LogError(problem, source=kind, hint=hint)
        frequency = options.validation_freq
        if frequency is None:
            frequency = _only_frequency(kind, name, n_values, epochs)
            notes[_ASSUMED.format(frequency)] = None
        validated = _validated_epochs(epochs, frequency)
        if sum(validated) != n_values:
            problem = (
                f"{name!r} has {count(n_values, 'value')}, and validation_freq "
                f"{frequency} makes {sum(validated)} in {count(n_epochs, 'epoch')}"
            )
            raise LogError(problem, source=kind, hint=_FREQUENCY_HINT)
        facts.not_logged.add(name)
        given = iter(values)
        laid[name] = [next(given) if own else None for own in validated]
    series = {name: Series.from_optional(own) for name, own in laid.items()}
    return series, [*notes]


def _may_be_seldom(
    name: str, columns: Mapping[str, _Column], options: ReadOptions
) -> bool:
    """Tell whether Keras may have logged a list at validated epochs only.

    Beside train_losses, val_losses may be of every epoch, and they of each batch.
    """
    trained = name.removeprefix("val_")
    return trained != name and (
        options.validation_freq is not None or trained in columns
    )


def _only_frequency(kind: str, name: str, n_values: int, epochs: Sequence[int]) -> int:
    """Return the one validation_freq that makes so many values."""
    fitting = _fitting_frequencies(epochs, n_values)
    if len(fitting) == 1:
        return fitting[0]
    several = " or ".join(map(str, fitting[:_SHOWN])) or "no whole number"
    problem = (
        f"{name!r} has {count(n_values, 'value')} for {count(len(epochs), 'epoch')}, "
        f"and {several} as validation_freq fits that"
    )
    hint = _FREQUENCY_HINT if fitting else _LENGTH_HINT
    raise LogError(problem, source=kind, hint=hint)


_ASSUMED = (
    "validation was taken as run every {} epochs, the only whole number that fits; "
    "validation_freq= or --validation-freq says otherwise"
)
_ARRAYS = "its values are lists, not single numbers"
_LENGTH_HINT = "Give lists of one length, with None for a missing value"
_EVERY = "validated every {0} epochs: --validation-freq {0} or validation_freq={0}"
_FREQUENCY_HINT = "Give the value of fit: --validation-freq or validation_freq="
_SHOWN = 4
_SHOWN_LETTERS = 60
_MOST_TRIED, _MOST_WORK = 10_000, 100_000_000
# above it, float64 no longer holds every whole number
_EXACT = 2**53


def _validated_epochs(
    epochs: Sequence[int], frequency: int | Iterable[int]
) -> list[bool]:
    if not isinstance(frequency, int):
        validated = frozenset(frequency)
        return [epoch + 1 in validated for epoch in epochs]
    return [(epoch + 1) % frequency == 0 for epoch in epochs]


def _fitting_frequencies(epochs: Sequence[int], n_values: int) -> list[int]:
    """Return the frequencies that make so many validations, or the first few."""
    ends = np.asarray(epochs) + 1
    fitting: list[int] = []
    # a huge epoch number would make the search endless
    most = min(int(ends.max(initial=0)), _MOST_TRIED, _MOST_WORK // (len(ends) or 1))
    for frequency in range(2, most + 1):
        if int(np.count_nonzero(ends % frequency == 0)) == n_values:
            fitting.append(frequency)
            if len(fitting) > _SHOWN:
                break
    return fitting


def _epochs(kind: str, values: Iterable[Any]) -> list[int]:
    epochs = []
    for i, value in enumerate(values):
        whole = isinstance(value, float) and value.is_integer()
        whole = whole or isinstance(value, (int, SupportsIndex))
        if not whole or not 0 <= value < _EXACT:
            shown = _brief(value)
            problem = f"the epoch of row {i + 1} is {shown}, not a whole number"
            raise LogError(problem, source=kind, hint="Count epochs from 0")
        epochs.append(int(value))
    return epochs
