"""The values of a rule's parameter that `recommend` tries beside a patience."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cbreplay.run import Mode

__all__ = ["TriedValues"]


class TriedValues(NamedTuple):
    """The values of a rule's parameter that are worth trying.

    Parameters
    ----------
    parameter : str
        The parameter.
    values : tuple or callable
        The values; or a function of each run's best value and the mode that returns
        them.
    origin : str
        Where they come from, in words: "the values of Prechelt (1998)".
    beside_patience : tuple of int
        The patience values with which it is also tried in one list.
    """

    parameter: str
    values: tuple[Any, ...] | Callable[[Sequence[float], Mode], tuple[Any, ...]]
    origin: str
    beside_patience: tuple[int, ...] = ()
