"""Lists with one value for each epoch, as a History holds them, in; runs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from cbreplay.arguments import is_iterable, shown_value
from cbreplay.errors import LogError
from cbreplay.readers.base import Damage
from cbreplay.readers.building.numbering import number_epochs
from cbreplay.readers.building.table_runs import build_runs
from cbreplay.readers.columns.column_names import EPOCH_NAMES, is_epoch_name
from cbreplay.readers.columns.roles import are_epochs
from cbreplay.readers.columns.table import LogTable
from cbreplay.readers.sizes import check_columns, check_epochs
from cbreplay.series import to_float
from cbreplay.series_names import is_rate_name
from cbreplay.wording.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbreplay.readers.base import ReadOptions
    from cbreplay.run import EpochArray, Run

__all__ = ["plain_value", "read_lists"]


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
    epochs = _take_epochs(kind, lists, notes) if epochs is None else epochs
    _check_size(lists, kind, options.max_bytes)
    cells = _take_cells(kind, lists)
    numbers: list[Any] = [*map(float, range(max(map(len, cells.values()))))]
    if epochs is not None:
        numbers = [*map(_cell, _as_list(kind, "epoch", epochs))]
    zero_based = _zero_based(numbers, options, known=counts_from_zero)
    seldom, assumed = _align(kind, cells, zero_based, options)
    rows = zip(numbers, *cells.values(), strict=True)
    names = "epoch", *cells
    told = [dict(zip(names, row, strict=True)) for row in rows]
    table = LogTable.of_rows(told, kind, Damage(options))
    table.counts_from_zero, table.is_counted = counts_from_zero, epochs is None
    table.not_logged |= seldom
    table.has_own_rows |= seldom
    table.left_out |= left_out
    table.notes += [*notes, *assumed]
    table.take_plan(planned_epochs)
    yield from build_runs(table, options)


def _take_cells(kind: str, lists: Mapping[Any, Any]) -> dict[str, list[Any]]:
    """Return the values of each list; one that is no rate must hold a value."""
    cells = {
        str(name): [*map(_cell, _as_list(kind, name, values))]
        for name, values in lists.items()
        # an "epoch" that a callback logged beside those of a History tells nothing
        if name != "epoch"
    }
    if not any(
        own is not None
        for name, values in cells.items()
        if not is_rate_name(name)
        for own in values
    ):
        problem = "there is no epoch with a metric in it"
        raise LogError(problem, source=kind, hint="Give a log with at least one epoch")
    return cells


def _zero_based(
    numbers: Sequence[Any], options: ReadOptions, *, known: bool
) -> EpochArray:
    """Return zero-based epochs; what is no epoch is refused later, with its row."""
    whole = all(isinstance(number, float) for number in numbers)
    if not whole or not numbers or not are_epochs(np.array(numbers)).all():
        return np.arange(len(numbers))
    logged = np.array(numbers).astype(np.int64)
    return number_epochs(logged, options, known=known).epochs


def _check_size(lists: Mapping[Any, Any], kind: str, most: int) -> None:
    """Raise LogError if there are more lists, or longer ones, than are read."""
    check_columns(len(lists), kind, most)
    longest = max(
        (len(own) for own in lists.values() if isinstance(own, list)), default=0
    )
    check_epochs(longest, kind, most, "its lists are long")


def _take_epochs(
    kind: str, lists: dict[Any, Any], notes: list[str]
) -> Sequence[Any] | None:
    """Remove the list of epochs and return it; None if there is none, or no epoch."""
    called = {name.lower(): name for name in reversed(lists) if is_epoch_name(name)}
    name = next((called[own] for own in EPOCH_NAMES if own in called), None)
    if name is None:
        return None
    told = [*map(_cell, _as_list(kind, name, lists.pop(name)))]
    if told and all(own is None or own != own for own in told):  # noqa: PLR0124
        notes.append(f"left out {name}: no row has one")
        return None
    return told


def _as_list(kind: str, name: object, values: Any) -> Iterable[Any]:
    """Return what is a list; refuse what is none."""
    # a set has no order, and iterating a dict gives its keys
    no_list = isinstance(values, (str, bytes, Mapping, AbstractSet))
    if no_list or not is_iterable(values):
        shown = shown_value(values)[:_SHOWN_LETTERS]
        problem = f"{name!r} holds {shown}, where a list of numbers is expected"
        raise LogError(problem, source=kind, hint="Give one value for each epoch")
    listed: Iterable[Any] = values
    return listed


def _cell(value: Any) -> Any:
    """Return a number, None for a missing one, and any other value as its text."""
    if type(value) is float:
        # the usual case: nothing to ask about it
        return value
    try:
        return None if _is_missing(value) else to_float(value)
    except (TypeError, ValueError, OverflowError):
        plain = plain_value(value)
        shown = isinstance(plain, (str, list, tuple))
        return str(plain) if shown else shown_value(value)


def plain_value(value: Any) -> Any:
    """Return a value of NumPy as one of Python, and a list of numbers as one of floats.

    The text of a float32 number would be another float64 number, that of an array none.

    >>> plain_value(np.float32(0.5)), plain_value((np.float32(0.5), 1))
    (0.5, [0.5, 1.0])
    """
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if not isinstance(value, (list, tuple)):
        return value
    try:
        return [*map(to_float, value)]
    except (TypeError, ValueError, OverflowError):
        return value


def _is_missing(value: object) -> bool:
    # of pandas, and of numpy's masked arrays
    names = ("NAType", "NaTType", "MaskedConstant")
    return value is None or type(value).__name__ in names


def _align(
    kind: str, lists: dict[str, list[Any]], epochs: EpochArray, options: ReadOptions
) -> tuple[set[str], Iterable[str]]:
    """Lay lists out over their epochs, also where validation was not run in each.

    Return the names of those, with what was assumed.
    """
    seldom, notes = set[str](), dict[str, None]()
    for name, values in lists.items():
        n_values, n_epochs = len(values), len(epochs)
        if n_values == n_epochs:
            continue
        if n_values > n_epochs or not _may_be_seldom(name, lists, options):
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
        seldom.add(name)
        given = iter(values)
        lists[name] = [next(given) if own else None for own in validated]
    return seldom, notes


def _may_be_seldom(name: str, columns: Mapping[str, Any], options: ReadOptions) -> bool:
    """Tell whether Keras may have logged a list at validated epochs only.

    Beside train_losses, val_losses may be of every epoch, and they of each batch.
    """
    trained = name.removeprefix("val_")
    return trained != name and (
        options.validation_freq is not None or trained in columns
    )


def _only_frequency(kind: str, name: str, n_values: int, epochs: EpochArray) -> int:
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
_LENGTH_HINT = "Give lists of one length, with None for a missing value"
_EVERY = "validated every {0} epochs: --validation-freq {0} or validation_freq={0}"
_FREQUENCY_HINT = "Give the value of fit: --validation-freq or validation_freq="
_SHOWN = 4
_SHOWN_LETTERS = 60
_MOST_TRIED, _MOST_WORK = 10_000, 100_000_000


def _validated_epochs(epochs: EpochArray, frequency: int | Iterable[int]) -> list[bool]:
    if not isinstance(frequency, int):
        return [*np.isin(epochs + 1, [*frequency]).tolist()]
    return [*((epochs + 1) % frequency == 0).tolist()]


def _fitting_frequencies(epochs: EpochArray, n_values: int) -> list[int]:
    """Return the frequencies that make so many validations, or the first few."""
    ends = epochs + 1
    fitting: list[int] = []
    # a huge epoch number would make the search endless
    most = min(int(ends.max(initial=0)), _MOST_TRIED, _MOST_WORK // (len(ends) or 1))
    for frequency in range(2, most + 1):
        if int(np.count_nonzero(ends % frequency == 0)) == n_values:
            fitting.append(frequency)
            if len(fitting) > _SHOWN:
                break
    return fitting
