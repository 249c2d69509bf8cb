"""Named parameter values to configs: every combination in order, or row by row."""

from __future__ import annotations

import math
import sys
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, cast

from cbreplay.arguments import checked, shown_value
from cbreplay.errors import ConfigError
from cbreplay.rules.base import Callback
from cbreplay.rules.callbacks_list import read_callback
from cbreplay.rules.registry import row_of
from cbreplay.wording.near_names import nearest_name

__all__ = ["Choices", "Grid", "PairedChoices", "choices", "make_grid", "pair_choices"]

Config = tuple[Callback, ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """A callback of which some parameters are to be tried with several values.

    Parameters
    ----------
    kind : type, or a function that has a name
        The callback's class, or what else makes it.
    fixed : mapping
        The parameters with one value.
    varied : mapping of str to sequence
        The parameters with several, in the order in which they were named.
    """

    kind: Any
    fixed: Mapping[str, Any] = field(hash=False)
    varied: Mapping[str, Sequence[Any]] = field(hash=False)

    @property
    def code(self) -> str:
        """The call that makes it, with ``...`` for what is varied."""
        given = [f"{name}=..." for name in self.varied]
        given += [f"{name}={value!r}" for name, value in self.fixed.items()]
        return f"{self.kind.__name__}({', '.join(given)})"

    def build(self, chosen: Mapping[str, Any]) -> Callback:
        """Return the callback with one value chosen for each varied parameter."""
        callback: Callback = self.kind(**self.fixed, **chosen)
        return callback


@checked
def choices(kind: type[Any], **parameters: Any) -> Choices:  # noqa: ANN401 - as Keras's
    """Name the values that a callback's parameters are to be tried with.

    Parameters
    ----------
    kind : type
        The callback's class, for example ``EarlyStopping``.
    **parameters
        Each a value, or a list, range or array of values to try.

    Raises
    ------
    ConfigError
        If a parameter is unknown, has no value, or has one that the class refuses.

    Examples
    --------
    >>> from cbreplay import EarlyStopping
    >>> tried = choices(EarlyStopping, patience=range(1, 4), min_delta=[0, 0.001])
    >>> list(tried.varied["patience"])
    [1, 2, 3]
    """
    if not is_dataclass(kind):
        sentence = (
            f"kind is {shown_value(kind)}, where the class of one of cbreplay's own "
            "callbacks is expected"
        )
        raise ConfigError(sentence)
    known = [parameter.name for parameter in fields(kind)]
    fixed: dict[str, Any] = {}
    varied: dict[str, Sequence[Any]] = {}
    for name, value in parameters.items():
        if name not in known:
            sentence = (
                f"{kind.__name__} has no parameter {name!r}, "
                f"only {', '.join(known)}{nearest_name(name, known)}"
            )
            raise ConfigError(sentence)
        values = _values_in(value)
        if values is None:
            fixed[name] = value
        else:
            varied[name] = _checked_axis(kind, name, values)
    first = {name: values[0] for name, values in varied.items()}
    for name, values in varied.items():
        _check_values(kind, name, values, {**fixed, **first})
    kind(**fixed, **first)
    return Choices(kind, fixed, varied)


def _values_in(value: Any) -> Any:  # noqa: ANN401
    """Return the values of an axis; None where one value is given, numpy's or not."""
    if isinstance(value, range):
        return value
    if not isinstance(value, list) and hasattr(value, "tolist"):
        # an array or a column of pandas; a scalar of numpy is no list then
        value = value.tolist()
    if not isinstance(value, list):
        return None
    if _PLAIN.issuperset(map(type, value)):
        return value
    return [own.item() if hasattr(own, "item") else own for own in value]


def _checked_axis(kind: type[Any], name: str, values: Any) -> Sequence[Any]:  # noqa: ANN401
    """Raise ConfigError unless there are values, and not more than can be tried."""
    if not 0 < _count(values) <= _MOST:
        many = "more values than can be tried" if _count(values) else "no value to try"
        sentence = f"{kind.__name__}: {name} has {many}"
        raise ConfigError(sentence)
    return cast("Sequence[Any]", values)


def _count(values: Sequence[Any]) -> int:
    try:
        return len(values)
    except OverflowError:
        # of a range that is longer than any memory
        return sys.maxsize


# the largest axis that an int32 can index
_MOST = 2**31
_PLAIN = frozenset({bool, float, int, str, type(None)})


def _check_values(
    kind: type[Any], name: str, values: Sequence[Any], given: dict[str, Any]
) -> None:
    """Raise ConfigError for the first value that the class refuses."""
    if isinstance(values, range):
        # it holds integers only: its ends stand for all of them
        values = [values[0], values[-1]]
    elif _allows_between(kind, name) and {float, int}.issuperset(map(type, values)):
        ends = [min(values), max(values)]
        # only NaN differs from itself
        without_nan = all(value == value for value in values)  # noqa: PLR0124
        if without_nan and _takes(kind, name, ends, given):
            return
    for value in values:
        kind(**given | {name: value})


def _allows_between(kind: type[Any], name: str) -> bool:
    """Return whether any number between two allowed ones is allowed as well.

    This holds for the float parameters of cbreplay's own rules.
    """
    wanted = {parameter.name: parameter.type for parameter in fields(kind)}[name]
    return row_of(kind) is not None and wanted == "float"


def _takes(
    kind: type[Any], name: str, values: Sequence[Any], given: dict[str, Any]
) -> bool:
    try:
        for value in values:
            kind(**given | {name: value})
    except ConfigError:
        return False
    return True


@dataclass(frozen=True, slots=True, eq=False)
class _Configs(Sequence[Config]):
    """A callbacks list with varied parameters, as the lists that these make."""

    entries: tuple[Callback | Choices, ...]
    parameters: Mapping[str, Sequence[Any]]

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401 - Sequence has two overloads
        if isinstance(index, slice):
            return [self[column] for column in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            message = f"config {index} of {len(self)}"
            raise IndexError(message)
        return self._config(position)

    def __iter__(self) -> Iterator[Config]:
        return map(self._config, range(len(self)))

    def _config(self, position: int) -> Config:
        chosen = list(self.values_of(position).values())
        config: list[Callback] = []
        for entry in self.entries:
            if isinstance(entry, Choices):
                own, chosen = chosen[: len(entry.varied)], chosen[len(entry.varied) :]
                config.append(entry.build(dict(zip(entry.varied, own, strict=True))))
            else:
                config.append(entry)
        return tuple(config)

    @abstractmethod
    def values_of(self, index: int) -> dict[str, Any]:
        """Return the value of each varied parameter in one config, by its name."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid(_Configs):
    """Every combination of the varied parameters, as callbacks lists.

    Parameters
    ----------
    entries : tuple of Callback or Choices
        The callbacks list, in order.
    parameters : mapping of str to sequence
        The values of each axis by the name ``EarlyStopping.patience``; the second
        callback of a kind is ``EarlyStopping#2``.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of values on each axis, in the order of `parameters`."""
        return tuple(len(values) for values in self.parameters.values())

    def __len__(self) -> int:
        return math.prod(self.shape)

    def values_of(self, index: int) -> dict[str, Any]:
        """Return the value on each axis of one config, by the axis's name."""
        values = {}
        # C order: the last axis runs fastest
        for name, axis in reversed(list(self.parameters.items())):
            index, chosen = divmod(index, len(axis))
            values[name] = axis[chosen]
        return dict(reversed(values.items()))


@checked
def make_grid(entries: Iterable[Any]) -> Grid:
    """Combine every value of every varied parameter.

    Parameters
    ----------
    entries : iterable of Callback, Keras callback or Choices
        One callbacks list, in order.

    Raises
    ------
    ConfigError
        If an entry is neither a callback nor choices, or there is none.
    EvidenceError
        If no log can tell what one of them does.

    Examples
    --------
    >>> from cbreplay import EarlyStopping
    >>> grid = make_grid([choices(EarlyStopping, patience=[1, 2], min_delta=[0, 0.1])])
    >>> grid.shape, grid[1][0].min_delta
    ((2, 2), 0.1)
    """
    grid = Grid(*_read_entries(entries))
    if math.prod(grid.shape) > sys.maxsize:
        shape = " x ".join(map(str, grid.shape))
        sentence = f"a grid of {shape} settings is more than can be tried"
        raise ConfigError(sentence)
    return grid


@dataclass(frozen=True, slots=True, eq=False)
class PairedChoices(_Configs):
    """Configs of which the nth has the nth value of each parameter, as callbacks lists.

    Parameters
    ----------
    entries : tuple of Callback or Choices
        The callbacks list, in order.
    parameters : mapping of str to sequence
        The values by the names of `Grid`: one value for each config.
    """

    def __len__(self) -> int:
        return min(map(len, self.parameters.values()))

    def values_of(self, index: int) -> dict[str, Any]:
        """Return the value of each varied parameter in one config, by its name."""
        return {name: values[index] for name, values in self.parameters.items()}

    def cut(self, begin: int, end: int) -> PairedChoices:
        """Return the configs from `begin` to before `end`, without building them."""
        entries = [
            Choices(
                entry.kind,
                entry.fixed,
                {name: values[begin:end] for name, values in entry.varied.items()},
            )
            if isinstance(entry, Choices)
            else entry
            for entry in self.entries
        ]
        return PairedChoices(*_read_entries(entries))


@checked
def pair_choices(entries: Iterable[Any]) -> PairedChoices:
    """Combine the varied parameters value by value, as drawn for a random search.

    The first config has the first value of each, the second the second.

    Parameters
    ----------
    entries : iterable of Callback, Keras callback or Choices
        One callbacks list, in order.

    Raises
    ------
    ConfigError
        If an entry is neither a callback nor choices, nothing is varied, or the
        parameters have not equally many values.
    EvidenceError
        If no log can tell what one of them does.

    Examples
    --------
    >>> from cbreplay import EarlyStopping
    >>> drawn = choices(EarlyStopping, patience=[3, 9, 5], min_delta=[0, 0.1, 0.02])
    >>> configs = pair_choices([drawn])
    >>> len(configs), configs[1][0].patience, configs[1][0].min_delta
    (3, 9, 0.1)
    """
    listed, parameters = _read_entries(entries)
    counts = {name: len(values) for name, values in parameters.items()}
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{count} of {name}" for name, count in counts.items())
        sentence = (
            "each varied parameter needs a value for every config, and there are "
            f"{told or 'none'}. Give equally many, or combine them with make_grid"
        )
        raise ConfigError(sentence)
    return PairedChoices(listed, parameters)


def _read_entries(
    entries: Iterable[Any],
) -> tuple[tuple[Callback | Choices, ...], dict[str, Sequence[Any]]]:
    """Return a callbacks list, and the values of what is varied, by name."""
    listed = tuple(
        entry if isinstance(entry, Choices) else read_callback(entry)
        for entry in entries
    )
    if not listed:
        sentence = "a grid needs at least one callback"
        raise ConfigError(sentence)
    parameters: dict[str, Sequence[Any]] = {}
    seen: dict[str, int] = {}
    for entry in listed:
        kind = _kind_of(entry)
        seen[kind] = seen.get(kind, 0) + 1
        owner = kind if seen[kind] == 1 else f"{kind}#{seen[kind]}"
        if isinstance(entry, Choices):
            for name, values in entry.varied.items():
                parameters[f"{owner}.{name}"] = values
    return listed, parameters


def _kind_of(entry: Callback | Choices) -> str:
    if isinstance(entry, Choices):
        return str(entry.kind.__name__)
    return entry.class_name
