"""At which distances epochs or steps stand, and what these tell.

A cadence, steps that count batches, lost epochs, a sample of a longer history; and the
steps of evaluations are counted by their distances.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import BoolArray, EpochArray, FloatArray

__all__ = [
    "are_thinned",
    "cadence_of_epochs",
    "common_distance",
    "count_batches",
    "count_lost_before",
    "count_steps",
    "lack_epochs",
    "lacks_steps",
    "lay_steps",
    "stand_further_apart",
    "stand_regularly",
]

_SHORTEST = 2
# if a cadence would make this many times as many steps as there are, it is chance
_MOST_LACKING = 10
# the largest float64 that an int64 holds
_LAST_STEP = np.nextafter(2.0**63, 0)
# steps farther apart than this count batches: nobody logs so few epochs
_MOST_EPOCHS = 10
# up to this part of a cadence a step may be off, and one of so many by more
_MOST_OFF, _ODD_OF = 0.25, 10


def cadence_of_epochs(epochs: EpochArray) -> int | None:
    """Return the usual distance between epochs; None if there is none.

    It is the most frequent one, without the first and the last, if more than half of
    the rest have it.

    The epochs are in the order of the log; a step back is no distance.

    Examples
    --------
    >>> (
    ...     cadence_of_epochs(np.array([1, 10, 20, 30, 33])),
    ...     cadence_of_epochs(np.array([2, 3, 9])),
    ... )
    (10, None)
    """
    distances = np.diff(epochs)
    distances = distances[distances > 0]
    inner = distances[1:-1] if len(distances) > _SHORTEST else distances
    return common_distance(inner.tolist())


def common_distance(distances: Sequence[int]) -> int | None:
    """Return the distance that more than half of them are; None without one.

    >>> common_distance([5, 5, 10]), common_distance([1, 2])
    (5, None)
    """
    if not distances:
        return None
    distance, n_of_it = Counter(distances).most_common(1)[0]
    return distance if 2 * n_of_it > len(distances) else None


def count_batches(steps: EpochArray) -> bool:
    """Tell whether steps are so far apart that they count batches, and no epochs.

    >>> count_batches(np.array([467, 935, 1403])), count_batches(np.array([4, 9, 14]))
    (True, False)
    """
    cadence = cadence_of_epochs(steps)
    return cadence is not None and cadence > _MOST_EPOCHS


def lack_epochs(steps: EpochArray) -> bool:
    """Tell whether steps look like the numbers of epochs, some of which are lost.

    Some are no farther apart than epochs are, not counting the last one, and they have
    no cadence that only the first and the last of them leave.

    >>> lack_epochs(np.array([0, 2, 3])), lack_epochs(np.array([0, 1, 4, 6]))
    (True, True)
    >>> lack_epochs(np.array([0, 5, 10, 12])), lack_epochs(np.array([24, 49, 60]))
    (False, False)
    """
    distances = np.diff(steps)
    cadence = cadence_of_epochs(steps)
    if len(distances) < _SHORTEST or distances[:-1].min() > _MOST_EPOCHS:
        return False
    if cadence is None or bool((distances[1:-1] % cadence).any()):
        return True
    return bool(2 * np.count_nonzero(distances == cadence) <= len(distances))


def lacks_steps(steps: EpochArray) -> bool:
    """Tell whether steps are not all multiples of one number, or are too few to tell.

    They count from 0 or from 1. A few that are left of more hardly are all of them.

    >>> (
    ...     lacks_steps(np.array([500, 1000, 1500])),
    ...     lacks_steps(np.array([499, 999, 1499])),
    ... )
    (False, False)
    >>> lacks_steps(np.array([62, 71, 80])), lacks_steps(np.array([500, 1000]))
    (True, True)
    """
    distances = set(np.diff(steps).tolist())
    begins = {0, *distances, *(distance - 1 for distance in distances)}
    return len(steps) <= _SHORTEST or len(distances) > 1 or steps[0] not in begins


def stand_regularly(steps: EpochArray) -> bool:
    """Tell whether steps have a cadence, and hardly one is off its multiples.

    A thinned history may have a cadence by chance: of every fifth step in three are
    left, 2 or 1 apart. An epoch may be cut short, or hold a step more.

    >>> thinned = np.array([0, 1, 3, 5, 6, 8, 10, 11, 13, 15])
    >>> stand_regularly(thinned), stand_regularly(np.array([24, 49, 74, 125, 150, 157]))
    (False, True)
    """
    cadence = _usual_distance(steps)
    if cadence is None:
        return False
    distances = np.diff(steps)
    inner = distances[distances > 0][1:-1] / cadence
    n_odd = np.count_nonzero(np.abs(inner - np.rint(inner)) > _MOST_OFF)
    return bool(n_odd <= max(1, len(inner) // _ODD_OF))


def stand_further_apart(steps: EpochArray) -> bool:
    """Tell whether distances grow and never shrink, as they do by a plan.

    Among steps that are drawn at random, or of which some are lost, others lie closer.

    >>> (
    ...     stand_further_apart(np.array([1, 2, 4, 8, 16])),
    ...     stand_further_apart(np.arange(9)),
    ... )
    (True, False)
    """
    distances = np.diff(steps)
    several = len(set(distances.tolist())) >= _GROWS
    return several and bool((np.diff(distances) >= 0).all())


# fewer distances may grow by chance, where rows are lost
_GROWS = 4


def _usual_distance(steps: EpochArray) -> float | None:
    """Return the cadence of steps, or the middle distance if most are nearly that.

    Lost steps leave distances that are multiples of the most frequent one; the distance
    of the first step from the beginning counts too. Of two distances it is the first,
    if the second is a multiple of it: no evaluation at the end comes later than usual.
    """
    cadence = cadence_of_epochs(steps)
    distances = np.diff(steps)
    distances = distances[distances > 0]
    begins = distances[(distances == steps[0]) | (distances == steps[0] + 1)][:1]
    told = np.append(begins, distances)
    common = common_distance(told.tolist())
    if common is not None and common > 1 and not (told % common).any():
        return common
    if cadence is not None or not len(distances):
        return cadence
    if len(distances) == _SHORTEST and distances[1] % distances[0] == 0:
        return int(distances[0])
    distances.sort()
    middle = float(distances[len(distances) // 2])
    near = np.abs(distances / middle - 1) <= _MOST_OFF
    return middle if 2 * np.count_nonzero(near) > len(near) else None


def count_steps(steps: EpochArray) -> EpochArray:
    """Count steps from 0, skipping those that the cadence shows to be missing.

    Parameters
    ----------
    steps : int array
        Steps that only go upwards. A distance counts as the nearest multiple of the
        cadence: an epoch may be cut short, or hold a step more.

    Examples
    --------
    >>> count_steps(np.array([24, 49, 74, 124, 149, 174, 180])).tolist()
    [0, 1, 2, 4, 5, 6, 7]
    >>> count_steps(np.array([2, 5, 9, 11])).tolist()
    [0, 1, 2, 3]
    >>> count_steps(np.array([24, 49, 99])).tolist()
    [0, 1, 3]
    >>> count_steps(np.array([24, 49, 99, 124])).tolist()
    [0, 1, 3, 4]
    """
    numbers: EpochArray = np.arange(len(steps), dtype=np.int64)
    cadence = _usual_distance(steps) if stand_regularly(steps) else None
    if cadence is None:
        return numbers
    counted = np.maximum(np.rint(np.diff(steps) / cadence), 1)
    if counted.sum() > _MOST_LACKING * len(steps):
        return numbers
    numbers[1:] = np.cumsum(counted)
    return numbers


def are_thinned(steps: EpochArray) -> bool:
    """Tell whether more than one in ten distances leave out steps, by no plan.

    >>> are_thinned(np.array([0, 1, 4, 5, 6, 9, 10, 17]))
    True
    >>> are_thinned(np.array([50, 100, 117, 167, 217, 234, 284]))
    False
    """
    n_gaps = int(np.count_nonzero(_leave_gaps(steps)))
    return n_gaps > len(steps) // _ODD_OF and not stand_further_apart(steps)


def _leave_gaps(steps: FloatArray | EpochArray) -> BoolArray:
    """Return which distances are nearly two usual ones, or two steps if none is."""
    usual = _usual_distance(steps.astype(np.int64))
    gaps: BoolArray = np.diff(steps) > _NEARLY_TWO * (1 if usual is None else usual)
    return gaps


def count_lost_before(
    evaluated: FloatArray | EpochArray,
    logged: FloatArray | EpochArray,
    *,
    is_sample: bool = False,
) -> int:
    """Count the evaluations that lie before the first one in a log of steps from 1 on.

    `evaluated` are the steps of the evaluations, and `logged` those of all rows: where
    rows of the training stand before the first evaluation, it just came late; in a
    sample only if they leave no gap where an evaluation would have been.

    >>> own = np.array([60.0, 80.0, 100.0])
    >>> count_lost_before(own, own), count_lost_before(own - 40, own - 40)
    (2, 0)
    >>> logged = np.array([10.0, 20.0, 30.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0])
    >>> count_lost_before(own, logged), count_lost_before(own, logged, is_sample=True)
    (0, 2)
    >>> count_lost_before(own, np.append([50.0], own))
    2
    """
    cadence = _usual_distance(evaluated.astype(np.int64))
    every = np.unique(logged[np.isfinite(logged)])
    if cadence is None or len(every) < _SHORTEST:
        return 0
    first, usual = every[0], max(cadence, every[1] - every[0])
    before = np.arange(evaluated[0] - cadence, 0, -cadence)
    if is_sample:
        at = np.searchsorted(every, before)
        gaps = _leave_gaps(np.append(0, every[every <= evaluated[0]]))
        if bool((gaps[at] & (every[at] != before)).any()):
            first, usual = evaluated[0], cadence
    if first < _NEARLY_TWO * usual:
        return 0
    return int(np.count_nonzero(before < first))


# the steps of an epoch vary a little
_NEARLY_TWO = 1.75


def lay_steps(numbers: EpochArray, steps: FloatArray, n_rows: int) -> EpochArray:
    """Return the step of every number from 0 on; missing ones are interpolated.

    >>> lay_steps(np.array([0, 1, 3]), np.array([24.0, 49.0, 99.0]), 4).tolist()
    [24, 49, 74, 99]
    """
    laid = np.rint(np.interp(np.arange(n_rows), numbers, steps))
    return np.minimum(laid, _LAST_STEP).astype(np.int64)
