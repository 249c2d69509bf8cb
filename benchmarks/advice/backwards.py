"""Slopes by the chain rule, for many networks at once.

A term remembers what it was made of. The first axis of every array is for the runs, the
second for the examples of a batch.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Array", "Term", "find_slopes"]

Array: TypeAlias = NDArray[np.floating[Any]]
_SMALL = 1e-3
_numbers = itertools.count()


class Term:
    """A value of all runs.

    Parameters
    ----------
    value : array
        What it is.
    made_of : pairs of a Term and a function
        Each function turns a slope by this term into one by the other.
    """

    __slots__ = ("made_of", "number", "value")

    def __init__(
        self, value: Array, *made_of: tuple[Term, Callable[[Array], Array]]
    ) -> None:
        self.value, self.made_of, self.number = value, made_of, next(_numbers)

    def __matmul__(self, other: Term) -> Term:
        mine, theirs = self.value, other.value
        return Term(
            mine @ theirs,
            (self, lambda slope: slope @ theirs.swapaxes(-1, -2)),
            (other, lambda slope: mine.swapaxes(-1, -2) @ slope),
        )

    def __add__(self, other: Term) -> Term:
        return Term(
            self.value + other.value,
            (self, lambda slope: _summed(slope, self.value.shape)),
            (other, lambda slope: _summed(slope, other.value.shape)),
        )

    def times(self, other: Term) -> Term:
        """Multiply element by element."""
        mine, theirs = self.value, other.value
        return Term(
            mine * theirs,
            (self, lambda slope: _summed(slope * theirs, mine.shape)),
            (other, lambda slope: _summed(slope * mine, theirs.shape)),
        )

    def relu(self) -> Term:
        """Cut what is negative."""
        positive = self.value > 0
        return Term(self.value * positive, (self, lambda slope: slope * positive))

    def tanh(self) -> Term:
        """Bend it into -1 to 1."""
        bent = np.tanh(self.value)
        return Term(bent, (self, lambda slope: slope * (1 - bent * bent)))

    def shaped(self, *shape: int) -> Term:
        """Give it another shape."""
        before = self.value.shape
        return Term(
            self.value.reshape(shape), (self, lambda slope: slope.reshape(before))
        )

    def mean(self, axis: int) -> Term:
        """Average over an axis."""
        shape = self.value.shape
        return Term(
            self.value.mean(axis=axis),
            (
                self,
                lambda slope: np.broadcast_to(
                    np.expand_dims(slope, axis) / shape[axis], shape
                ),
            ),
        )

    def normalised(self) -> tuple[Term, Array, Array]:
        """Give every feature of a batch a mean of 0 and a variance of 1."""
        mean = self.value.mean(axis=1, keepdims=True)
        spread = np.sqrt(self.value.var(axis=1, keepdims=True) + _SMALL)
        even = (self.value - mean) / spread

        def slope_before(slope: Array) -> Array:
            along = (slope * even).mean(axis=1, keepdims=True)
            level = slope.mean(axis=1, keepdims=True)
            found: Array = (slope - level - even * along) / spread
            return found

        return Term(even, (self, slope_before)), mean, spread


def _summed(slope: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which a value was repeated."""
    repeated = tuple(
        axis
        for axis, (whole, own) in enumerate(zip(slope.shape, shape, strict=True))
        if whole != own
    )
    found: Array = slope.sum(axis=repeated, keepdims=True) if repeated else slope
    return found


def find_slopes(made: Term, slope: Array, wanted: Sequence[Term]) -> list[Array]:
    """Return how what was made changes with each of the wanted terms.

    Parameters
    ----------
    made : Term
        The outcome.
    slope : array
        How what is minimised changes with it.
    wanted : sequence of Term
        What it was made of, near or far.

    Examples
    --------
    >>> weight = Term(np.array([[[2.0]]]))
    >>> outcome = (Term(np.array([[[3.0]]])) @ weight).times(weight)  # 3 w x w
    >>> find_slopes(outcome, np.array([[[1.0]]]), [weight])  # 6 w
    [array([[[12.]]])]
    """
    slopes, waiting = {made: slope}, {made}
    while waiting:
        # what was made last has met all that was made of it
        term = max(waiting, key=lambda one: one.number)
        waiting.remove(term)
        for part, turned in term.made_of:
            share = turned(slopes[term])
            slopes[part] = slopes[part] + share if part in slopes else share
            waiting.add(part)
    return [slopes[term] for term in wanted]
