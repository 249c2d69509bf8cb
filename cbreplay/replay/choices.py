"""Every way that a log leaves open: several values, rounding, and possible seams."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.replay.records import Waited, read_waited
from cbreplay.replay.unsure_stops import UnsureStops

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.replay.walker import Walk, Walker

__all__ = ["MOST_WAYS", "find_uncertain", "follow_every_patience"]

# more ways than these at once are not followed, and in a long record fewer: what is
# followed takes seconds, however long a log is that rounds every epoch away
MOST_WAYS = 256
_MOST_STEPS, _FEWEST_WAYS = 80_000, 4


def find_uncertain(
    walker: Walker,
    states: Sequence[Any] | None,
    others: Mapping[int, list[dict[str, float]]],
    *,
    rounded: bool,
) -> tuple[int | None, tuple[int, ...]]:
    """Return the first epoch in which a choice decides otherwise, and what is kept.

    Which of several values it was, and whether a fit was resumed where that is not
    known: every choice is followed, and choices that come to the same state are one
    from there on; None where all of them decide alike.

    Parameters
    ----------
    walker : Walker
        What is walked.
    states : sequence of object or None
        As `Walker.walk` takes them.
    others : mapping of int to list of dict
        The other ``logs`` that an epoch may have had, by its position.
    rounded : bool
        Whether the choices are those that rounding leaves: then each is followed to
        its end, for the epochs that may be kept.
    """
    found: int | None = None
    kept: set[int | None] = set()
    fan, most = None, _most_ways(walker)
    for fan in _follow(walker, states, others):
        ways = fan.ways
        told = {way.decided(fan.epoch) for way in ways}
        if found is None and (len(told) > 1 or len(ways) > most):
            found = fan.epoch
        if found is not None and (not rounded or len(ways) > most):
            return found, ()
        kept |= {way.kept() for way in fan.ended_ways()}
    if rounded and fan is not None:
        kept |= {way.end_and_keep() for way in fan.open_ways()}
        if found is None and len(kept) > 1:
            # training ends with the record, and not with the same weights
            found = fan.epoch
    known = sorted(epoch for epoch in kept if epoch is not None)
    is_choice = found is not None and len(known) == len(kept) > 1
    return found, tuple(known) if is_choice else ()


def follow_every_patience(
    walker: Walker,
    others: Mapping[int, list[dict[str, float]]],
    patience: Sequence[float],
    *,
    restores: bool,
) -> list[int | None]:
    """Return `find_uncertain` for every patience of a rule that never stops itself.

    All are followed at once: before its stop, nothing hangs on patience.

    Parameters
    ----------
    walker : Walker
        Of that rule alone.
    others : mapping of int to list of dict
        As `find_uncertain` takes them.
    patience : sequence of float
        What is asked for.
    restores : bool
        Whether a stop puts back the weights that are held.
    """
    stops = UnsureStops(patience, restores=restores, most_ways=_most_ways(walker))
    fan = None
    for fan in _follow(walker, None, others):
        waits = [_waited_of(way.walked) for way in fan.ways]
        fan.follow(stops.go_on(fan.epoch, fan.came_from, waits, ended=fan.ended))
    if fan is not None:
        ends = [way.end_and_keep() for way in fan.open_ways()]
        stops.end(fan.epoch, ends)
    return stops.unsure


def _most_ways(walker: Walker) -> int:
    """Return how many ways at once are followed through a record."""
    affordable = _MOST_STEPS // max(len(walker.logs), 1)
    return max(min(MOST_WAYS, affordable), _FEWEST_WAYS)


def _follow(
    walker: Walker,
    states: Sequence[Any] | None,
    others: Mapping[int, list[dict[str, float]]],
) -> Iterator[_Fan]:
    """Yield, epoch by epoch, the ways that the choices up to there lead to.

    Choices that come to the same state are one from there on.
    """
    walker.walked = walker.begin(states)
    open_ways = [walker]
    for position, fit_logs in enumerate(walker.logs):
        epoch = walker.training.first_epoch + position
        turns = [
            *product(walker.seams_at(epoch), [fit_logs, *others.get(position, ())])
        ]
        ways: dict[str, Walker] = {}
        ended: dict[str, bool] = {}
        came_from: dict[str, list[int]] = {}
        for (number, way), (seams, logs) in product(enumerate(open_ways), turns):
            # without a choice here, the way itself goes on: no copy
            fork = way.fork() if len(turns) > 1 else way
            fork.seams = seams
            fork.walked.trace.clear()
            is_last = fork.live(position, logs)
            situation = fork.situation()
            ended[situation], ways[situation] = is_last, fork
            came_from.setdefault(situation, []).append(number)
        fan = _Fan(epoch, [*ways.values()], [*ended.values()], [*came_from.values()])
        yield fan
        open_ways = fan.open_ways()
        if not open_ways:
            return


class _Fan(NamedTuple):
    """The ways that are followed, after an epoch.

    `ended` is which of them go no further, and `came_from` the places, among the ways
    that were open before, of those that each goes on from.
    """

    epoch: int
    ways: list[Walker]
    ended: list[bool]
    came_from: list[list[int]]

    def open_ways(self) -> list[Walker]:
        """Return those that go on."""
        return [way for way, end in zip(self.ways, self.ended, strict=True) if not end]

    def ended_ways(self) -> list[Walker]:
        """Return those that do not."""
        return [way for way, end in zip(self.ways, self.ended, strict=True) if end]

    def follow(self, wanted: Sequence[bool]) -> None:
        """Follow no others any further."""
        self.ended[:] = [not follows for follows in wanted]


def _waited_of(walk: Walk) -> Waited | None:
    """Return how long a rule had waited at the end of the epoch that was walked."""
    return read_waited(walk.trace[-1]) if walk.trace else None
