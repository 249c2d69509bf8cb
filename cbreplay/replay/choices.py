"""Logs that leave something open: every training they may record is followed.

The words of this module: where an epoch has several values or a rounded one, or may be
a seam, there is a *choice*. A *way* is the replay under one combination of choices up
to an epoch. Ways that come to the same state are one way from there on.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from cbreplay.replay.records import Waited, read_waited
from cbreplay.replay.unsure_stops import UnsureStops

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.replay.under_way import Walk
    from cbreplay.replay.walker import Walker

__all__ = ["MOST_WAYS", "Uncertain", "find_uncertain", "follow_every_patience"]

# no more ways than these are followed at once, and fewer in a long record, so that even
# a long log that rounds every value takes seconds
MOST_WAYS = 256
_MOST_STEPS, _FEWEST_WAYS = 80_000, 4


class Uncertain(NamedTuple):
    """What the ways of a replay disagree about.

    Parameters
    ----------
    epoch : int or None
        The first epoch in which they decide differently, or with too many ways to
        follow; None where all decide alike.
    kept : tuple of int
        The epochs that may be kept, ascending; empty where they are one, not all known,
        or not asked for.
    open_best : bool
        Whether they decide alike and still end with different best values.
    """

    epoch: int | None
    kept: tuple[int, ...] = ()
    open_best: bool = False


def find_uncertain(
    walker: Walker,
    states: Sequence[Any] | None,
    others: Mapping[int, list[dict[str, float]]],
    *,
    rounded: bool,
    counts_end: bool,
) -> Uncertain:
    """Follow every way, and return what they disagree about.

    Parameters
    ----------
    walker : Walker
        The list and the run.
    states : sequence of object or None
        As `Walker.walk` takes them.
    others : mapping of int to list of dict
        The other ``logs`` that an epoch may have had, by its position.
    rounded : bool
        Whether the choices come from rounding: then each way is followed to its end,
        and the epochs that may be kept are asked for.
    counts_end : bool
        Whether it is also uncertain what is kept if training ends with the record.
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
            return Uncertain(found)
        kept |= {way.kept() for way in fan.ended_ways()}
    if fan is not None:
        kept |= {way.end_and_keep() for way in fan.open_ways()}
        if found is None and counts_end and len(kept) > 1:
            # training ends with the record, and not with the same weights
            found = fan.epoch
    known = sorted(epoch for epoch in kept if epoch is not None)
    is_choice = rounded and found is not None and len(known) == len(kept) > 1
    return Uncertain(
        found,
        tuple(known) if is_choice else (),
        open_best=fan is not None and _has_several_bests(fan, rounded=rounded),
    )


def _has_several_bests(fan: _Fan, *, rounded: bool) -> bool:
    """Tell whether ways end with different bests; rounding moves each value a little.

    As text, so that NaN equals NaN.
    """
    bests = [way.best() for way in fan.ways]
    return len({repr(best.epoch if rounded else best) for best in bests}) > 1


def follow_every_patience(
    walker: Walker,
    others: Mapping[int, list[dict[str, float]]],
    patience: Sequence[float],
    *,
    restores: bool,
) -> list[int | None]:
    """Return, for every patience, the epoch that `find_uncertain` would find.

    All are followed at once, because nothing but the stop depends on patience.

    Parameters
    ----------
    walker : Walker
        Replays a list of one rule alone, with an infinite patience.
    others : mapping of int to list of dict
        As `find_uncertain` takes them.
    patience : sequence of float
        The patience values.
    restores : bool
        Whether a stop restores the best weights.
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
    """Return how many ways may be followed at once: fewer through a long record."""
    affordable = _MOST_STEPS // max(len(walker.logs), 1)
    return max(min(MOST_WAYS, affordable), _FEWEST_WAYS)


def _follow(
    walker: Walker,
    states: Sequence[Any] | None,
    others: Mapping[int, list[dict[str, float]]],
) -> Iterator[_Fan]:
    """Yield, epoch by epoch, the ways that the choices up to there lead to."""
    walker.walked = walker.begin(states)
    open_ways = [walker]
    for position, fit_logs in enumerate(walker.logs):
        epoch = walker.training.first_epoch + position
        told = [fit_logs, *others.get(position, ())]
        ways: dict[str, Walker] = {}
        ended: dict[str, bool] = {}
        came_from: dict[str, list[int]] = {}
        for number, way in enumerate(open_ways):
            for fork, logs in _turns(way, epoch, told):
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


def _turns(
    way: Walker, epoch: int, told: Sequence[dict[str, float]]
) -> Iterator[tuple[Walker, dict[str, float]]]:
    """Yield a copy of a way for each reading of an epoch, with its ``logs``.

    The caller lets each live through the epoch before it takes the next.
    """
    turns = [*product(way.seams.readings_at(epoch), told)]
    for seams, logs in turns:
        # without a choice here, the way goes on without a copy
        fork = way.fork() if len(turns) > 1 else way
        fork.seams = seams
        yield fork, logs
        if seams is not way.seams and way.hands_on(epoch):
            # a fit may also have ended with this row, and the next begun with another
            for again in told:
                resumed = way.fork()
                resumed.hand_on(fork, epoch)
                yield resumed, again


class _Fan(NamedTuple):
    """The ways that are followed, as they stand after one epoch.

    `ended` tells which of them end there. `came_from` holds, for each way, the indices
    of the earlier open ways that lead to it.
    """

    epoch: int
    ways: list[Walker]
    ended: list[bool]
    came_from: list[list[int]]

    def open_ways(self) -> list[Walker]:
        """Return the ways that go on."""
        return [way for way, end in zip(self.ways, self.ended, strict=True) if not end]

    def ended_ways(self) -> list[Walker]:
        """Return the ways that end here."""
        return [way for way, end in zip(self.ways, self.ended, strict=True) if end]

    def follow(self, wanted: Sequence[bool]) -> None:
        """End the ways that are not `wanted`."""
        self.ended[:] = [not follows for follows in wanted]


def _waited_of(walk: Walk) -> Waited | None:
    """Return how long the rule had waited at the end of the epoch just walked."""
    return read_waited(walk.trace[-1]) if walk.trace else None
