"""Holes: epochs whose value a callback saw and the log does not hold.

A series has a cadence, the epochs that lie between two of its values: 1 where every
epoch is validated, 10 where every tenth is. An epoch on the cadence without a value is
a hole, unless the log itself says that nothing was logged there. From the first hole on
nobody can tell what a callback that watches the series decided.
"""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from cbreplay.evidence.cadence import common_distance

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cbreplay.run import Run, Series

__all__ = [
    "GapCause",
    "find_cadence",
    "find_gap",
    "find_gap_of",
    "find_shared_cadence",
    "gap_cause",
]

GapCause: TypeAlias = Literal["seam", "hole", "several", "rounded", "possible seam"]
# the first and the last distance between values may be short. From so many distances on
# the usual one is found without these two; with fewer, one lost value would make a
# cadence: epochs 0, 1, 3, 4 have none of 2
_FEWEST_VOTES = 5
# so many lost values would hardly leave the others at one distance
_MANY_LOST = 4


def find_gap_of(run: Run, names: Iterable[str]) -> int | None:
    """Return the first hole of the series that a list decides by; None without one.

    It is a zero-based, absolute epoch. A series that the run lacks has no holes here.
    """
    gaps = [find_gap(run, name) for name in names if name in run.series]
    return min((gap for gap in gaps if gap is not None), default=None)


def find_gap(run: Run, name: str) -> int | None:
    """Return the first hole of one series, as a zero-based, absolute epoch.

    Examples
    --------
    >>> from cbreplay.run import Run, Series
    >>> losses = Series.from_optional([0.9, 0.8, None, 0.7, 0.6, 0.5, 0.4])
    >>> run = Run(name="run", source="", first_epoch=0, series={"val_loss": losses})
    >>> find_gap(run, "val_loss")
    2
    """
    series = run.series[name]
    if not series.recorded.any():
        return None
    before = 0 if run.begins_at is None else run.first_epoch - run.begins_at
    if series.recorded.all():
        # the usual case, a value in every epoch: only its beginning can be missing
        return run.first_epoch if before > 0 else None
    cadence, frequency = find_cadence(run, name), _frequency(run, name)
    if before >= (cadence or 1):
        # the beginning of the training is not in the log
        return run.first_epoch
    if cadence is None and frequency is None and name not in run.not_logged:
        # nothing tells which epochs after the first value were to have one
        late = int(not series.recorded[0])
        return run.first_epoch + 1 - late if len(series) > 1 - late else None
    if frequency is not None:
        due = _due_by_frequency(run, frequency)
    else:
        due = _due_by_cadence(run, _recorded(series), cadence)
    # a row without the value may say itself that nothing was logged: then only epochs
    # without a row can be holes
    logged = run.has_row if name in run.not_logged else series.recorded
    first = next((position for position in due if not logged[position]), None)
    return None if first is None else run.first_epoch + first


def _frequency(run: Run, name: str) -> int | Sequence[int] | None:
    """Return the recorded ``validation_freq``, for a ``val_`` series."""
    if run.metadata is None or not name.startswith("val_"):
        return None
    return run.metadata.fit.validation_freq


def gap_cause(run: Run, gap_epoch: int) -> GapCause:
    """Say why nothing is known of a run from an epoch on.

    "seam": a resumed fit begins there, from weights that another list would not have
    left; "hole": a value is lacking; "several": the log holds several for an epoch;
    "rounded": its writer rounds, so that it does not tell which of two is better;
    "possible seam": a fit may have been resumed before, and the log does not tell.
    """
    if gap_epoch in run.seams and gap_epoch not in run.possible_seams:
        return "seam"
    if any(find_gap(run, name) == gap_epoch for name in run.series):
        return "hole"
    resumed = any(seam <= gap_epoch for seam in run.possible_seams)
    several = any(series.others for series in run.series.values())
    if several:
        return "several"
    return "possible seam" if resumed else "rounded" if run.rounded_to else "several"


def find_cadence(run: Run, name: str) -> int | None:
    """Return the epochs from one value of a series to the next; None if irregular.

    One distance is no cadence, and neither are a few that may come of a few lost
    values, except where ``fit`` puts values by its ``validation_freq``: these stand as
    far from the beginning. Nor is one that is no more than what damaged rows left.

    >>> from cbreplay.run import Run, Series
    >>> judged = Series.from_optional([None, 1.0, None, 1.0, None, 1.0, 1.0])
    >>> series = {"val_loss": judged, "loss": Series.from_optional([0.5] * 7)}
    >>> run = Run(name="run", source="", first_epoch=0, series=series)
    >>> find_cadence(run, "val_loss")
    2
    """
    positions = _recorded(run.series[name])
    cadence = _cadence(positions)
    if cadence in (None, 1):
        return cadence
    if run.n_dropped and run.n_dropped >= run.n_epochs - len(positions):
        return None
    return None if _may_come_of_losses(run, name, positions, cadence) else cadence


def _may_come_of_losses(
    run: Run, name: str, positions: Sequence[int], cadence: int
) -> bool:
    """Tell whether a few lost values would leave a cadence that ``fit`` did not put."""
    n_lacking = positions[-1] - positions[0] + 1 - len(positions)
    is_regular = n_lacking == (cadence - 1) * (len(positions) - 1)
    alone = len(positions) == 2  # noqa: PLR2004 - they have one distance
    if not alone and (is_regular or n_lacking >= _MANY_LOST):
        return False
    if not alone and name in run.empty_cells:
        # a NaN may have stood there
        return True
    # in `fit` an epoch without a validation has a row; the last epoch may have a value
    # of its own
    has_rows = alone or bool(run.has_row[positions[0] : positions[-1]].all())
    return not has_rows or (run.first_epoch + positions[-2] + 1) % cadence != 0


def find_shared_cadence(run: Run) -> int:
    """Return the distance between the epochs of a run, where all series share one.

    1 where the series differ in it, or one has values between; and where a ``run.json``
    or rows without values show that the epochs between were there.

    >>> from cbreplay.run import Run, Series
    >>> losses = Series.from_optional([0.9, None, None, 0.8, None, None, 0.7])
    >>> run = Run(name="run", source="", first_epoch=0, series={"loss": losses})
    >>> find_shared_cadence(run)
    3
    """
    held = [name for name in run.series if run.holds(name)]
    if run.metadata is not None or any(
        run.series[name].recorded.all() for name in held
    ):
        return 1
    cadences = {_kept_cadence(run, name) for name in held}
    silent = any(name in run.not_logged for name in run.series) and run.has_row.all()
    return cadences.pop() or 1 if len(cadences) == 1 and not silent else 1


def _kept_cadence(run: Run, name: str) -> int | None:
    """Return the cadence, if only the first and the last value may lie off it."""
    cadence = find_cadence(run, name)
    if cadence is None:
        return None
    inner = {position % cadence for position in _recorded(run.series[name])[1:-1]}
    return cadence if len(inner) <= 1 else None


def _recorded(series: Series) -> list[int]:
    found: list[int] = series.recorded.nonzero()[0].tolist()
    return found


def _cadence(positions: Sequence[int]) -> int | None:
    distances = [after - before for before, after in itertools.pairwise(positions)]
    votes = distances[1:-1] if len(distances) >= _FEWEST_VOTES else distances
    cadence = common_distance(votes)
    if cadence is None:
        return None
    inner = distances[1:-1]
    if len(votes) < len(distances):
        # a closer cadence may stand at the beginning
        inner = [*itertools.dropwhile(lambda own: own % cadence, inner)]
    if any(own % cadence for own in inner):
        # values that lie off it show that it comes of lost ones
        return None
    return cadence


def _due_by_cadence(
    run: Run, positions: Sequence[int], cadence: int | None
) -> Iterable[int]:
    """Return, in order, the positions at which a series should have a value."""
    first, n_epochs = positions[0], run.n_epochs
    if cadence is None or first >= cadence:
        # without a cadence, or with a missing beginning, every epoch is due
        return range(n_epochs)
    # the first or the last value may stand off the cadence: the others set the phase
    inner = positions[1:-1] or positions
    phase, _ = Counter(position % cadence for position in inner).most_common(1)[0]
    due = range(first + (phase - first) % cadence, n_epochs, cadence)
    lost = _lost_behind_beginning(run, positions, cadence)
    return sorted({*due, *lost}) if lost else due


def _lost_behind_beginning(
    run: Run, positions: Sequence[int], cadence: int
) -> list[int]:
    """Return epochs without any row that a closer cadence at the beginning makes due.

    A log that holds epochs 1 to 5, and then every fifth, may have been thinned, while a
    row without the value would say itself that validations became seldom.
    """
    distances = [after - before for before, after in itertools.pairwise(positions)]
    early = [*itertools.takewhile(lambda distance: distance < cadence, distances)]
    if len(early) <= 1:
        return []
    as_at_first = range(positions[0], run.n_epochs, min(early))
    return [position for position in as_at_first if not run.has_row[position]]


def _due_by_frequency(run: Run, frequency: int | Sequence[int]) -> Iterable[int]:
    """Return the positions at which ``fit`` validates by its ``validation_freq``."""
    first, n_epochs = run.first_epoch, run.n_epochs
    if isinstance(frequency, int):
        due: Iterable[int] = range(frequency - 1, first + n_epochs, frequency)
    else:
        # fit counts the epochs of a list from 1
        due = (epoch - 1 for epoch in sorted(frequency))
    return [epoch - first for epoch in due if first <= epoch < first + n_epochs]
