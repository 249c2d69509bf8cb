"""How such advice did on other data: better than a fixed 10, as good, or worse."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cbreplay.generalization.prior import read_written

if TYPE_CHECKING:
    from cbreplay.run import EpochArray, FloatArray

__all__ = [
    "Odds",
    "TrackRecord",
    "parse_track_record",
    "read_track_record",
]


class TrackRecord(NamedTuple):
    """How such advice did on other runs of data sets that it had not learned from.

    Parameters
    ----------
    runs : array of shape (n_sizes,)
        From how many runs it was given, ascending.
    gains : array of shape (n_gains,)
        By how much it was expected to score better than a fixed 10: from this value on,
        up to the next; ascending from 0.
    better, same : array of shape (n_sizes, n_gains)
        The share of cases in which it was better on the other runs of its set by more
        than `margin`, and in which it differed by no more than that.
    margin : float
        Less than this is called the same.
    cost_weight : float
        The one that it was measured at.
    plans : (int, int)
        The shortest and the longest plan that it was measured on, in values.
    """

    runs: EpochArray
    gains: FloatArray
    better: FloatArray
    same: FloatArray
    margin: float
    cost_weight: float
    plans: tuple[int, int]

    def covers(self, plan: int | None) -> bool:
        """Return whether trainings of this length were measured."""
        shortest, longest = self.plans
        return plan is not None and shortest <= plan <= longest

    def look_up(self, n_runs: int, gain: float) -> Odds | None:
        """Return the odds of advice from as many runs as were measured, and no more.

        None for fewer than measured.

        >>> record = TrackRecord(
        ...     runs=np.array([3, 10]),
        ...     gains=np.array([0.0, 0.01]),
        ...     better=np.array([[0.25, 0.75], [0.25, 1.0]]),
        ...     same=np.array([[0.5, 0.0], [0.5, 0.0]]),
        ...     margin=0.0005,
        ...     cost_weight=0.05,
        ...     plans=(50, 200),
        ... )
        >>> record.look_up(9, 0.02), record.look_up(2, 0.02)
        (Odds(better=0.75, same=0.0, worse=0.25, n_runs=3), None)
        """
        size = int(np.searchsorted(self.runs, n_runs, side="right")) - 1
        if size < 0:
            return None
        place = max(int(np.searchsorted(self.gains, gain, side="right")) - 1, 0)
        better, same = (float(table[size, place]) for table in (self.better, self.same))
        return Odds(better, same, 1 - better - same, int(self.runs[size]))


class Odds(NamedTuple):
    """In what share of such cases the advice was better than 10, as good, and worse.

    Parameters
    ----------
    better, same, worse : float
        The shares; they add up to 1.
    n_runs : int
        From how many runs the advice was given there.
    """

    better: float
    same: float
    worse: float
    n_runs: int


@cache
def read_track_record() -> TrackRecord:
    """Return how the advice did on the sets of the benchmark."""
    return parse_track_record(read_written()["track_record"])


def parse_track_record(written: dict[str, Any]) -> TrackRecord:
    """Return the track record that a `prior.json` holds."""
    return TrackRecord(
        np.array(written["runs"]),
        np.array(written["gains"], float),
        np.array(written["better"], float),
        np.array(written["same"], float),
        float(written["margin"]),
        float(written["cost_weight"]),
        (min(written["plans"]), max(written["plans"])),
    )
