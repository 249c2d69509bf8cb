"""The median, without what numpy and statistics import for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["median_of"]


def median_of(values: Iterable[float]) -> float:
    """Return the middle value, or the mean of the two in the middle.

    ``np.median`` imports ``numpy.ma``, and ``statistics`` imports ``fractions``: each
    costs as much as a whole answer on one log may. There is at least one value, and
    none of them is NaN.

    >>> median_of([3.0, 1.0, 2.0]), median_of([4.0, 1.0, 2.0, 3.0])
    (2.0, 2.5)
    """
    ordered = sorted(values)
    middle = len(ordered) // 2
    return (ordered[middle] + ordered[-middle - 1]) / 2
