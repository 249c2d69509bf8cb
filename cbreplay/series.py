"""One metric over the epochs of a run, and the arrays that everything is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cbreplay.arguments import read_argument, shown_value
from cbreplay.errors import ConfigError, LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

__all__ = ["BoolArray", "EpochArray", "FloatArray", "Series", "read_logs", "to_float"]

FloatArray: TypeAlias = "NDArray[np.floating[Any]]"
EpochArray: TypeAlias = "NDArray[np.integer[Any]]"
BoolArray: TypeAlias = "NDArray[np.bool_]"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Series:
    """One metric over the epochs of its run.

    Parameters
    ----------
    values : array of shape (n_epochs,)
        The logged values, float64 (float32 for a learning rate). A value that was
        logged as NaN is NaN; so is one that was not recorded.
    recorded : bool array of shape (n_epochs,)
        False where nothing was recorded. Only this tells a missing value from NaN.
    others : mapping of int to tuple of float
        By position, the earlier values of an epoch for which the log holds several;
        `values` holds the last one. Where a row of the epoch lacks a value that others
        have, all are here, and none is recorded.
    """

    values: FloatArray
    recorded: BoolArray
    others: Mapping[int, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values, recorded = self.values, self.recorded
        try:
            fits = values.shape == recorded.shape and values.ndim == 1
            values.setflags(write=False)
            recorded.setflags(write=False)
        except AttributeError:
            # asked only now: each log makes several series
            for name in ("values", "recorded"):
                read_argument(name, getattr(self, name), "ndarray")
            raise
        if not fits:
            shapes = f"{values.shape} and {recorded.shape}"
            sentence = (
                f"values and recorded must be vectors of one length, not {shapes}"
            )
            raise ConfigError(sentence)

    def __reduce__(self) -> tuple[Any, ...]:
        """Build it anew: an array that was pickled or copied can be written."""
        return Series, (self.values, self.recorded, dict(self.others))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, position: int) -> float | None:
        """Return a value by its position; None where nothing was recorded."""
        return float(self.values[position]) if self.recorded[position] else None

    def __iter__(self) -> Iterator[float | None]:
        pairs = zip(self.values.tolist(), self.recorded.tolist(), strict=True)
        return (value if recorded else None for value, recorded in pairs)

    def __repr__(self) -> str:
        return f"<Series of {len(self)} epochs, {int(self.recorded.sum())} recorded>"

    def take(self, kept: BoolArray | EpochArray | slice) -> Series:
        """Return the values at some positions, each with the others of its epoch.

        `kept` says which, as numpy indexes by it.
        """
        values, recorded = self.values[kept], self.recorded[kept]
        if not self.others:
            return Series(values, recorded)
        origin = np.arange(len(self))[kept].tolist()
        others = {
            position: self.others[before]
            for position, before in enumerate(origin)
            if before in self.others
        }
        return Series(values, recorded, others)

    def filled_by(self, other: Series) -> Series:
        """Return the values of both; where both have one of an epoch, this one's."""
        values = np.where(self.recorded, self.values, other.values)
        others = {**other.others, **self.others}
        return Series(values, self.recorded | other.recorded, others)

    @classmethod
    def from_optional(
        cls,
        values: Iterable[float | None],
        *,
        dtype: type[np.floating[Any]] = np.float64,
    ) -> Series:
        """Build a series from numbers, with None where nothing was recorded.

        Raises
        ------
        ConfigError
            If a value is no number.
        """
        listed = list(read_argument("values", values, "Iterable[Any]"))
        recorded = np.array([value is not None for value in listed], dtype=np.bool_)
        filled = [np.nan if value is None else value for value in listed]
        try:
            return cls(np.array(filled, dtype=dtype), recorded)
        except (TypeError, ValueError, OverflowError):
            shown = shown_value(listed)
            sentence = f"values is {shown}, where a list of numbers is expected"
            raise ConfigError(sentence) from None


def to_float(value: Any) -> float:  # noqa: ANN401 - whatever a user logged
    """Return a number as a Python float.

    Raises
    ------
    TypeError, ValueError, OverflowError
        If it is not one real number: numpy would drop the imaginary part.
    """
    if isinstance(value, np.complexfloating):
        message = "a complex number has no order"
        raise TypeError(message)
    return float(value)


def read_logs(row: Any, epoch: int, name: str) -> dict[str, float]:  # noqa: ANN401
    """Return the values of one epoch as Python floats, without the missing ones.

    Raises
    ------
    LogError
        If the row is no dict of numbers.
    """
    if not isinstance(row, Mapping):
        problem = f"epoch {epoch} is {row!r}, not a dict of logs"
        raise LogError(problem, source=name, hint="Give lists of values to load_runs")
    numbers = {}
    for key, value in row.items():
        try:
            if value is not None:
                numbers[str(key)] = to_float(value)
        except OverflowError:
            problem = f"{key!r} is larger than any float in epoch {epoch}"
            raise LogError(problem, source=name) from None
        except (TypeError, ValueError):
            problem = f"{key!r} is {value!r} in epoch {epoch}, which is not one number"
            raise LogError(problem, source=name) from None
    return numbers
