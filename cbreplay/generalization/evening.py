"""What a few runs lose and train by a patience, smoothed over neighbouring values.

That 17 is the first patience to lose nothing on these runs, and not 15 or 21, is
chance. So the logarithms of the means are smoothed by a normal kernel over
log(patience). The kernel is wider the fewer runs there are, and the less they agree on
the sufficient patience. Where all agree the means hardly change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from cbreplay.run import EpochArray, FloatArray

__all__ = ["Evening"]

# a run that loses at most this share of its scale loses next to nothing
_NEXT_TO_NOTHING = 0.01

# the standard deviation of log(sufficient patience) between runs that is assumed
# beforehand, and as how many runs this assumption counts
_USUAL_SPREAD, _USUAL_RUNS = 1.0, 2

# the means are averaged on a grid of log(patience) with this step, so that a plan of
# a hundred times as many epochs is no more than three times as much work
_STEP = 0.05

# values below this count as this, so that their logarithm does not outweigh all others
_LEAST = 1e-6


class Evening(NamedTuple):
    """The smoothing of one set of runs: where patience values stand, and how widely.

    Parameters
    ----------
    at : array of shape (n_patience,)
        The logarithms of the values.
    apart : array of shape (n_patience,)
        How far each is from its neighbours.
    step : int array of shape (n_patience,)
        The grid step of each value.
    places : array of shape (n_steps,)
        The mean logarithm on each step.
    enough : array of shape (n_runs,)
        The logarithm of the patience from which on each run loses next to nothing; NaN
        where it does not tell.
    """

    at: FloatArray
    apart: FloatArray
    step: EpochArray
    places: FloatArray
    enough: FloatArray

    @classmethod
    def of(cls, patience: EpochArray, lost: FloatArray) -> Evening:
        """Return the smoothing for runs with these losses: (n_runs, n_patience)."""
        at = np.log(np.maximum(patience, 1))
        each, place, times = np.unique(at, return_inverse=True, return_counts=True)
        apart = np.gradient(each) if len(each) > 1 else np.ones(1)
        _, step = np.unique(np.round(at / _STEP), return_inverse=True)
        places = np.bincount(step, at) / np.bincount(step)
        bad = lost > _NEXT_TO_NOTHING
        first = len(at) - np.argmax(bad[:, ::-1], axis=1)
        first = np.where(bad.any(axis=1), np.minimum(first, len(at) - 1), 0)
        enough = np.where(np.isnan(lost).all(axis=1), np.nan, at[first])
        return cls(at, (apart / times)[place], step, places, enough)

    def without(self, row: int) -> Evening:
        """Return the same without one of the runs."""
        return self._replace(enough=np.delete(self.enough, row))

    def width(self, smoothing: float) -> float:
        """Return the standard deviation of the normal curve that averages.

        By Silverman's rule it narrows with the fifth root of the number of runs.

        >>> two = Evening.of(np.array([1, 2, 3]), np.zeros((2, 3)))
        >>> round(two.width(1.0), 3)  # sqrt(2 x 1 / (2 + 2 - 1)) / 2 ** 0.2
        0.711
        """
        told = self.enough[~np.isnan(self.enough)]
        n_runs = max(len(told), 1)
        apart = np.square(told - told.sum() / n_runs).sum()
        usual = _USUAL_RUNS * _USUAL_SPREAD**2
        spread = np.sqrt((usual + apart) / (_USUAL_RUNS + n_runs - 1))
        return float(smoothing * spread / n_runs**0.2)

    def even_out(
        self, mean: FloatArray, told: EpochArray, floor: float, smoothing: float
    ) -> FloatArray:
        """Return the mean of what runs lose, or train, smoothed.

        Parameters
        ----------
        mean : array of shape (n_patience,)
            Of the runs that tell; NaN where none does.
        told : int array of shape (n_patience,)
            How many do.
        floor : float
            Is added before a logarithm is taken.
        smoothing : float
            A multiple of the width.

        Examples
        --------
        Of two values as far apart as the curve is wide, the other counts exp(-1 / 2) =
        0.607. So of log(0.04) and log(0.01) the first has a share of 1 / 1.607, and
        what is lost by a patience of 1 is 0.04 ** 0.622 x 0.01 ** 0.378 - 0.01.

        >>> evening = Evening.of(np.array([1, 2]), np.zeros((1, 2)))
        >>> smoothing = np.log(2) / evening.width(1.0)
        >>> told, lost = np.array([1, 1]), np.array([0.03, 0.0])
        >>> evening.even_out(lost, told, 0.01, smoothing).round(4)
        array([0.0137, 0.0069])
        """
        apart = (self.places[:, None] - self.places) / self.width(smoothing)
        near, counts = np.exp(-np.square(apart) / 2), told * self.apart
        logs = np.log(np.where(told > 0, np.maximum(mean + floor, _LEAST), 1))
        total, count = (
            near @ np.bincount(self.step, cells, len(near))
            for cells in (counts * logs, counts)
        )
        evened = np.where(count > 0, total, 0) / np.where(count > 0, count, 1)
        even: FloatArray = np.exp(np.interp(self.at, self.places, evened)) - floor
        return even
