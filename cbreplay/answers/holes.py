"""What a hole in a log means for an answer, and what would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbreplay.document import Code, Fact, say
from cbreplay.holes import find_cadence, find_gap
from cbreplay.rules.base import read_series

if TYPE_CHECKING:
    from cbreplay.document import Text
    from cbreplay.replay import Replay
    from cbreplay.run import Run

__all__ = ["hole_sentence", "lacking_series", "mending"]


def lacking_series(replay: Replay) -> str:
    """Return the series whose hole ends the evidence of a replay."""
    gap, run = replay.gap_epoch, replay.run
    reads = [name for name in read_series(replay.callbacks) if name in run.series]
    lacking = [name for name in reads if find_gap(run, name) == gap]
    several = [name for name in reads if run.series[name].others]
    return next(iter([*lacking, *several, *reads]), replay.objective)


def hole_sentence(replay: Replay) -> Text:
    """Say from which epoch on a log cannot tell, why, and what would mend it."""
    run, gap, name = replay.run, replay.gap_epoch, lacking_series(replay)
    what = " there. " if find_gap(run, name) == gap else " by then. "
    verb = "it lacks " if find_gap(run, name) == gap else "it holds several values of "
    return say(
        "From epoch ",
        Fact(gap, "epoch", "gap_epoch"),
        f" on this log cannot tell: {verb}",
        Code(name),
        what,
        mending(run, name),
    )


def mending(run: Run, name: str) -> str:
    """Say the one step that would fill the hole of a series."""
    gap = find_gap(run, name)
    if gap is None:
        return "Give the log of one writer alone."
    sampled = run.begins_at is not None and (
        find_cadence(run.series[name]) is None or gap == run.first_epoch
    )
    if sampled:
        return (
            "It looks like a sample: export the whole history (for W&B "
            "run.scan_history(), which leaves no step out)."
        )
    if not run.has_row[gap - run.first_epoch]:
        return "Rows are missing: give the whole log, or every file of this training."
    return (
        "If those cells are empty because they were NaN: --empty nan (empty='nan'). "
        "Else give every file of this training, as it was written."
    )
