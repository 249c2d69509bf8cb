"""Where fits were resumed, and what each hands on to the one that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbreplay.evidence.validity import RecordedRate
    from cbreplay.rules.base import Callback
    from cbreplay.run import Run

__all__ = ["HandedOn", "Seam", "Seams", "find_seams", "is_raised"]


class Seam(NamedTuple):
    """Where a resumed fit began, and what is known of the fit before it.

    Parameters
    ----------
    same_list : bool
        Whether it had the list that is replayed, but for callbacks that never decide.
    broken_off : bool
        Whether it ended without its callbacks seeing the end.
    cut_short : bool
        Whether a callback ended it before its plan did.
    """

    same_list: bool = False
    broken_off: bool = False
    cut_short: bool = False


class HandedOn(NamedTuple):
    """With which states of its callbacks, and at which rate, a fit ended."""

    states: Sequence[Any]
    rate: float | None


class Seams(NamedTuple):
    """The seams of a run under one reading, and what is carried over them.

    Parameters
    ----------
    known : mapping of int to Seam
        By the epoch in which a resumed fit began.
    possible : frozenset of int
        Those of which the log does not tell whether a fit was resumed there.
    same_callbacks : bool
        Whether each fit had the callback instances of the one before.
    earlier_rows : mapping of int to dict
        By the epoch, the values of a row that a later one stands for.
    handed_on : mapping of int to HandedOn
        By the seam, how a fit ended that wrote rows behind it too.
    """

    known: Mapping[int, Seam]
    possible: frozenset[int]
    same_callbacks: bool
    earlier_rows: Mapping[int, dict[str, float]]
    handed_on: dict[int, HandedOn]

    def readings_at(self, epoch: int) -> list[Seams]:
        """Return the seams; where an epoch may be one, also the seams without it."""
        if epoch not in self.possible:
            return [self]
        known = {at: own for at, own in self.known.items() if at != epoch}
        return [self, self._replace(known=known)]


def find_seams(run: Run, rules: tuple[Callback, ...]) -> Seams:
    """Return the seams of a run, with what is known of the fit before each."""
    asked = [_bare(rule.code) for rule in rules if rule.acts_at]
    earlier: dict[int, dict[str, float]] = {}
    for name, series in run.series.items():
        for position, (value, *_) in series.others.items():
            earlier.setdefault(run.first_epoch + position, {})[name] = value
    return Seams(
        {epoch: _seam_at(run, epoch, asked) for epoch in run.seams},
        run.possible_seams,
        run.same_callbacks,
        earlier,
        {},
    )


def _seam_at(run: Run, epoch: int, asked: list[str]) -> Seam:
    before = None if run.metadata is None else run.metadata.fit_before(epoch)
    if before is None:
        return Seam(broken_off=run.broken_off)
    alike = [text for text in map(_bare, before.callbacks) if text in asked]
    broken_off = run.broken_off if before.ended is None else before.broken_off
    return Seam(alike == asked, broken_off, before.cut_short(epoch))


def _bare(code: str) -> str:
    return code.replace(" ", "").replace('"', "'")


def is_raised(
    recorded: RecordedRate, position: int, callbacks: Sequence[Callback]
) -> bool:
    """Return whether a resumed fit has set a higher rate than the fit before it.

    No reduction does that, and so the fit begins with it whatever was reduced.
    """
    before, rate = recorded.values[position - 1 : position + 1]
    if before is None or rate is None:
        return False
    return rate > before and not any(rule.schedules_rate for rule in callbacks)
