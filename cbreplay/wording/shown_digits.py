"""How many digits of a metric or rate people are shown, in every output.

It depends on what the value is, unless the user said how many (``--precision``).
Values in one column or sentence share their decimals: those of their `ValueScale`.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "ValueScale",
    "Worth",
    "scale_of",
    "showing_digits",
    "shown_digits",
    "spoken_figure",
]

Worth: TypeAlias = Literal[
    # of a series, or how far two such values are apart
    "value",
    # an estimate of what is lost over several runs: few digits of it are true
    "cost",
    # such costs that are compared with each other
    "close_cost",
]

_DIGITS: dict[Worth, int] = {"value": 4, "cost": 2, "close_cost": 3}
# more decimals are written only where the user asked for many digits
_MOST_DECIMALS = 10
_MORE_DECIMALS = 6

_asked: ContextVar[int | None] = ContextVar("asked digits", default=None)


@contextmanager
def showing_digits(number: int | None) -> Iterator[None]:
    """Show `number` significant digits of every value within; None for the usual.

    >>> with showing_digits(6):
    ...     shown_digits()
    6
    >>> shown_digits()
    4
    """
    token = _asked.set(number)
    try:
        yield
    finally:
        _asked.reset(token)


def shown_digits(otherwise: int = _DIGITS["value"]) -> int:
    """Return how many significant digits to show; `otherwise` if nobody said."""
    return _asked.get() or otherwise


def spoken_figure(value: float, otherwise: int = _DIGITS["value"]) -> str:
    """Write a number without trailing zeros, in at most the digits that are shown.

    >>> spoken_figure(0.5), spoken_figure(0.123456), spoken_figure(2e-7)
    ('0.5', '0.1235', '2e-07')
    """
    return f"{value:.{shown_digits(otherwise)}g}"


class ValueScale(NamedTuple):
    """The size by which values that stand together share their decimals.

    Parameters
    ----------
    size : float or None
        The size of the middle value; None where all are zero or there is none.
    worth : {"value", "cost", "close_cost"}
        What they are, which decides how many digits of that size are shown.
    """

    size: float | None
    worth: Worth = "value"

    @property
    def decimals(self) -> int:
        """How many decimals show the digits that a value of that size is worth.

        >>> (
        ...     ValueScale(0.4126).decimals,
        ...     ValueScale(123.4).decimals,
        ...     ValueScale(None).decimals,
        ... )
        (4, 1, 4)
        >>> ValueScale(0.4126, "cost").decimals
        2
        """
        digits = shown_digits(_DIGITS[self.worth])
        if self.size is None:
            return digits
        wanted = digits - 1 - math.floor(math.log10(self.size))
        return min(max(wanted, 0), max(_MOST_DECIMALS, digits + _MORE_DECIMALS))


def scale_of(values: Iterable[float | None], worth: Worth = "value") -> ValueScale:
    """Return the scale of values: the size of their median.

    So one extreme value does not decide the decimals of its whole column.

    >>> scale_of([0.4126, 0.3, 176.3, None]).size
    0.4126
    """
    sizes = [abs(size) for size in values if size is not None and math.isfinite(size)]
    known = sorted(size for size in sizes if size > 0)
    # the lower median; importing statistics would cost start-up time
    return ValueScale(known[(len(known) - 1) // 2] if known else None, worth)
