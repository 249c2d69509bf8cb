"""Replays as figures: their points, and the words that say the same."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cbreplay.document import Figure, Section
from cbreplay.evidence.words import spoken_evidence
from cbreplay.wording.kinds import spoken_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbreplay.replay import Replay

__all__ = [
    "MOST_ON_A_CURVE",
    "curve_figure",
    "curve_section",
    "describe_decisions",
    "rate_figure",
    "settings_figure",
    "small_figure",
]

# a picture of more settings than this would have too many labels
MOST_ON_A_CURVE = 6


def curve_figure(replay: Replay) -> Figure:
    """Return the learning curve with the decisions."""
    words = f"{replay.run.name}: {describe_decisions(replay)}."
    legend = ""
    if replay.outcome.epochs_saved:
        legend = " Where the curve turns grey, the log goes on after that."
    if replay.evidence != "exact":
        legend += " Shaded is what the log says nothing about."
    return Figure(
        partial(_curve_points, replay),
        caption=words,
        legend=legend.strip(),
        alternative=f"Learning curve of {words}",
    )


def curve_section(figure: Figure) -> Section:
    """Return the section of a page that has the learning curve."""
    return Section("The decisions on the curve", (figure,), on="page")


def settings_figure(replays: Mapping[str, Replay]) -> Figure:
    """Return the learning curve with what several settings decide on it.

    They are all of one run, by the short names of their settings.
    """
    told = [f"{name}: {describe_decisions(replay)}" for name, replay in replays.items()]
    words = f"{next(iter(replays.values())).run.name}. {'; '.join(told)}."
    return Figure(
        partial(_several_points, replays),
        caption=words,
        legend="Where the curve turns grey, the log goes on after the last of them.",
        alternative=f"Learning curve of {words}",
    )


def rate_figure(replay: Replay) -> Figure:
    """Return the learning rate with its reductions."""
    decided = any(callback.changes_learning_rate for callback in replay.callbacks)
    what = "recorded and simulated" if decided else "as it was recorded"
    return Figure(
        partial(_rate_points, replay),
        caption=f"The learning rate, {what}.",
        legend="A triangle is a reduction.",
        alternative=f"Learning rate of {replay.run.name}, {what}",
    )


def small_figure(replay: Replay) -> Figure:
    """Return a small curve, one of many."""
    words = describe_decisions(replay)
    return Figure(
        partial(_curve_points, replay),
        caption=words,
        alternative=f"Learning curve of {replay.run.name}: {words}",
        title=replay.run.name,
        small=True,
    )


def describe_decisions(replay: Replay) -> str:
    """Say in one clause what was decided, and how far that is evidence."""
    if replay.evidence != "exact":
        return spoken_evidence(replay)
    stop = "runs to the end of its plan"
    if replay.stopped_epoch is not None:
        stop = f"stops at epoch {replay.stopped_epoch + 1}"
    if replay.kept_epoch is None:
        return stop
    kept = replay.outcome.kept_value
    value = "no number" if kept is None else spoken_value(kept, "value")
    return f"{stop}, keeps epoch {replay.kept_epoch + 1} ({value})"


def _curve_points(replay: Replay) -> Any:
    from cbreplay.plots.learning_curve import learning_curve_points

    return learning_curve_points(replay)


def _several_points(replays: Mapping[str, Replay]) -> Any:
    from cbreplay.plots.learning_curve import several_curve_points

    return several_curve_points(replays)


def _rate_points(replay: Replay) -> Any:
    from cbreplay.plots.learning_rate import learning_rate_points

    return learning_rate_points(replay)
