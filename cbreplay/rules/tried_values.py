"""The values of a rule that `recommend` compares it by with a patience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.run import Mode

__all__ = ["TriedValues"]


class TriedValues(NamedTuple):
    """The values of a rule that are worth comparing it by.

    Parameters
    ----------
    parameter : str
        Which parameter they are of.
    values : tuple or callable
        The values; or what takes the best value of each run and the mode, and returns
        them.
    origin : str
        What they are: "the values of Prechelt (1998)".
    beside_patience : tuple of int
        Beside which patience values it is tried too, whichever asks first; mostly none.
    """

    parameter: str
    values: tuple[Any, ...] | Callable[[Sequence[float], Mode], tuple[Any, ...]]
    origin: str
    beside_patience: tuple[int, ...] = ()
