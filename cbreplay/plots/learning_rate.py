"""The learning rate over the epochs: recorded, and as the callbacks would set it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from cbreplay.errors import EvidenceError
from cbreplay.evidence_words import parting_of
from cbreplay.plots.curve import (
    POINTS_ACROSS,
    Shade,
    drawn_places,
    epoch_span,
    find_shade,
)
from cbreplay.plots.picture_text import drawable_text
from cbreplay.plots.style import (
    LIGHT,
    Label,
    Look,
    draw_labels,
    label_axis,
    make_axes,
    style_text,
)
from cbreplay.shown_digits import spoken_figure
from cbreplay.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from cbreplay.replay import Replay
    from cbreplay.run import EpochArray, FloatArray, Series

__all__ = [
    "LearningRatePoints",
    "RateChange",
    "constant_rate",
    "has_learning_rate",
    "learning_rate_points",
    "plot_learning_rate",
]

_LOG_FROM = 10.0
_MOST_LABELLED = 3
_LONGEST_TITLE = 70


class RateChange(NamedTuple):
    """A reduction at the end of a one-based epoch."""

    epoch: int
    old: float
    new: float


@dataclass(frozen=True, slots=True, eq=False)
class LearningRatePoints:
    """Every number in the picture; epochs are one-based.

    Parameters
    ----------
    title : str
        The run.
    epochs : int array of shape (n_epochs,)
        The recorded epochs.
    recorded : array of shape (n_epochs,)
        The rate that each epoch was trained at; NaN where the log has none.
    simulated : array of shape (n_epochs,)
        The rate that the callbacks would have trained each epoch at; NaN after the
        stop and after the first epoch at another rate than the recorded one.
    decided : bool
        Whether a callback in the list can change the rate. If none can, the recorded
        rate is part of the run, and nothing is simulated.
    reductions : tuple of RateChange
        Where the callbacks would have reduced the rate; where none can, the recorded
        falls.
    same : bool
        Whether recorded and simulated rate agree in all epochs that have both.
    logarithmic : bool
        Whether the rates span more than a factor of ten.
    limits : tuple of float
        The ends of the rate axis.
    shade : Shade or None
        Where the log says nothing.
    span : tuple of float
        The ends of the epoch axis.
    labels : tuple of Label
        The first reductions in words.
    x_name : str
        What the axis below counts: ``"epoch"``, or ``"evaluation"``.
    """

    title: str
    epochs: EpochArray
    recorded: FloatArray
    simulated: FloatArray
    decided: bool
    reductions: tuple[RateChange, ...]
    same: bool
    logarithmic: bool
    limits: tuple[float, float]
    shade: Shade | None
    span: tuple[float, float]
    labels: tuple[Label, ...]
    x_name: str = "epoch"


def has_learning_rate(replay: Replay) -> bool:
    """Return whether any rate is known, recorded or simulated."""
    rates = (replay.run.learning_rate, replay.learning_rate)
    return any(rate is not None and _finite(rate.values).size for rate in rates)


def constant_rate(points: LearningRatePoints) -> float | None:
    """Return the rate if it never changes (its picture is a flat line); else None."""
    known = _finite(np.concatenate([points.recorded, points.simulated]))
    return float(known[0]) if (known == known[0]).all() else None


def learning_rate_points(replay: Replay) -> LearningRatePoints:
    """Collect the recorded and the simulated rate of a replay.

    Raises
    ------
    EvidenceError
        If neither is known in any epoch.
    """
    run = replay.run
    if not has_learning_rate(replay):
        sentence = (
            f"run {run.name!r} records no learning rate, so there is none to draw. "
            "Give --initial-lr or initial_learning_rate=, or draw --kind curve."
        )
        raise EvidenceError(sentence)
    recorded = _values(run.learning_rate, run.n_epochs)
    simulated = _values(replay.learning_rate, run.n_epochs)
    _add_diverging_rate(replay, simulated)
    decided = any(callback.changes_learning_rate for callback in replay.callbacks)
    reductions = _recorded_falls(run.epochs, recorded)
    if decided:
        reductions = _simulated_reductions(replay)
    known = _finite(np.concatenate([recorded, simulated]))
    low, high = float(known.min()), float(known.max())
    logarithmic = 0 < low * _LOG_FROM < high
    both = np.isfinite(recorded) & np.isfinite(simulated)
    return LearningRatePoints(
        title=run.name,
        epochs=run.epochs + 1,
        recorded=recorded,
        simulated=simulated,
        decided=decided,
        reductions=tuple(reductions),
        same=bool((recorded[both] == simulated[both]).all() and both.any()),
        logarithmic=logarithmic,
        limits=_limits(low, high, logarithmic=logarithmic),
        shade=find_shade(replay),
        span=epoch_span(replay),
        labels=tuple(
            label._replace(text=spoken_rows(label.text, replay.run))
            for label in _labels(replay, reductions, decided=decided)
        ),
        x_name=spoken_rows("epoch", replay.run),
    )


def _finite(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _values(series: Series | None, length: int) -> FloatArray:
    """Return rates for all epochs of the run, NaN where there is none."""
    values = np.full(length, np.nan)
    if series is not None:
        values[: len(series)] = series.values
    return values


def _add_diverging_rate(replay: Replay, simulated: FloatArray) -> None:
    """Add the rate of the first epoch that would have been trained at another one."""
    if replay.divergence_epoch is None:
        return
    position = replay.divergence_epoch - replay.run.first_epoch
    if parting_of(replay) == "recorded":
        # the recorded rate changed here, the simulated one did not
        simulated[position] = simulated[position - 1]
        return
    last = replay.reductions[-1] if replay.reductions else None
    if last is None or last.epoch + 1 != replay.divergence_epoch:
        return
    if last.new is not None and position < len(simulated):
        simulated[position] = last.new


def _simulated_reductions(replay: Replay) -> list[RateChange]:
    return [
        RateChange(reduction.epoch + 1, reduction.old, reduction.new)
        for reduction in replay.reductions
        if reduction.old is not None and reduction.new is not None
    ]


def _recorded_falls(epochs: EpochArray, recorded: FloatArray) -> list[RateChange]:
    """Return where the recorded rate fell; a gap is not a change."""
    known = np.flatnonzero(np.isfinite(recorded))
    return [
        RateChange(int(epochs[last]) + 1, float(recorded[last]), float(recorded[after]))
        for last, after in itertools.pairwise(known)
        if recorded[after] < recorded[last]
    ]


def _limits(low: float, high: float, *, logarithmic: bool) -> tuple[float, float]:
    if logarithmic:
        return low / 2, high * 2
    margin = 0.18 * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _labels(
    replay: Replay, reductions: list[RateChange], *, decided: bool
) -> list[Label]:
    """Say the reductions in words, and where the log ends."""
    labels = [
        Label(
            change.epoch + 0.5,
            f"{spoken_figure(change.old, 3)} → {spoken_figure(change.new, 3)} "
            f"after epoch {change.epoch}",
            "decision" if decided else "best",
        )
        for change in reductions[:_MOST_LABELLED]
    ]
    if len(reductions) > _MOST_LABELLED:
        last = reductions[-1]
        words = (
            f"{len(reductions)} reductions, the last to {spoken_figure(last.new, 3)}"
        )
        labels[-1] = Label(last.epoch + 0.5, words, labels[-1].kind)
    shade = find_shade(replay)
    if shade is not None:
        labels.append(Label(shade.start, shade.words, "limit"))
    return labels


def plot_learning_rate(
    points: LearningRatePoints,
    *,
    ax: Axes | None = None,
    look: Look = LIGHT,
    labels: bool = True,
) -> Axes:
    """Draw the learning-rate staircase.

    Parameters
    ----------
    points : LearningRatePoints
        Every number in the picture.
    ax : Axes, optional
        Where to draw; a figure of its own by default.
    look : Look
        The colours.
    labels : bool
        Whether the reductions are written out above; under a learning curve the
        curve's own labels stand there.
    """
    ax = make_axes(ax, look, height=2.8)
    ax.set_xlim(*points.span)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.3g}"))
    if points.logarithmic:
        _set_log_scale(ax)
    ax.set_ylim(*points.limits)
    if points.shade is not None:
        ax.axvspan(points.shade.start, points.span[1], facecolor=look.shade, zorder=0.5)
    _draw_steps(ax, points, look)
    scale = " (log)" if points.logarithmic else ""
    name = f"learning rate{scale}"
    label_axis(ax, x=points.x_name, y=name, color=look.muted, look=look)
    if labels:
        height = draw_labels(ax, points.labels, look)
        title = drawable_text(points.title, _LONGEST_TITLE)
        bold = style_text(look.text, fontweight="bold")
        ax.set_title(title, loc="left", pad=height + 3, **bold)
    return ax


def _set_log_scale(ax: Axes) -> None:
    """Use a logarithmic axis whose ticks are written as people write rates."""
    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(numticks=6))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.3g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _draw_steps(ax: Axes, points: LearningRatePoints, look: Look) -> None:
    """Draw both rates as steps, each with its name, and a mark at each reduction."""
    name = "recorded and simulated" if points.decided and points.same else "recorded"
    epochs, recorded, simulated = points.epochs, points.recorded, points.simulated
    _draw_rate(ax, epochs, recorded, look.monitored, dashed=False)
    _name_recorded(ax, epochs, recorded, name, look.monitored)
    if points.decided and not points.same:
        _draw_rate(ax, epochs, simulated, look.decision, dashed=True)
        _name_simulated(ax, epochs, (simulated, recorded), look.decision)
    marked = _told_apart(points.reductions, points.span)
    ax.plot(
        [change.epoch + 0.5 for change in marked],
        [change.new for change in marked],
        linestyle="none",
        marker="v",
        markersize=6,
        color=look.decision if points.decided else look.monitored,
        zorder=5,
    )


def _told_apart(
    changes: Sequence[RateChange], span: tuple[float, float]
) -> list[RateChange]:
    """Leave out changes in the same pixel column as the one before.

    A schedule may change the rate in every one of thousands of epochs.
    """
    begin, end = span
    columns = {
        int(POINTS_ACROSS * (change.epoch - begin) / (end - begin)): change
        for change in reversed(changes)
    }
    return [*reversed(columns.values())]


def _draw_rate(
    ax: Axes, epochs: EpochArray, values: FloatArray, color: str, *, dashed: bool
) -> None:
    """Draw one staircase: each epoch is half an epoch to each side."""
    places = drawn_places(values)
    epochs, values = epochs[places], values[places]
    ax.plot(
        np.column_stack([epochs - 0.5, epochs + 0.5]).ravel(),
        np.repeat(values, 2),
        color=color,
        linestyle=(0, (4, 2)) if dashed else "-",
        linewidth=1.8,
        zorder=4 if dashed else 3,
    )


def _name_recorded(
    ax: Axes, epochs: EpochArray, values: FloatArray, words: str, color: str
) -> None:
    """Write the name of a rate above its highest step, which no part of it crosses."""
    known = np.flatnonzero(np.isfinite(values))
    if known.size:
        at = int(known[np.argmax(values[known])])
        rightwards = _is_left(ax, float(epochs[at]))
        place = float(epochs[at]) - 0.5 if rightwards else float(epochs[at]) + 0.5
        _write_name(ax, (place, float(values[at])), words, color, rightwards=rightwards)


def _name_simulated(
    ax: Axes, epochs: EpochArray, rates: tuple[FloatArray, FloatArray], color: str
) -> None:
    """Write its name below the end of the simulated rate, or below its beginning.

    In the lower left corner if neither place is free. `rates` are the simulated and the
    recorded one; the rest is as in `_draw_rate`.
    """
    known = np.flatnonzero(np.isfinite(rates[0]))
    if not known.size:
        return
    last, first = int(known[-1]), int(known[0])
    ends = (last, float(epochs[last]) + 0.5, _is_left(ax, float(epochs[last])))
    begins = (first, float(epochs[first]) - 0.5, True)
    low, high = ax.get_xlim()
    figure = ax.get_figure(root=True)
    per_point = 1.0 if figure is None else figure.dpi / 72
    # the width of a name, in epochs
    room = (high - low) * _NAME_WIDTH * per_point / ax.get_window_extent().width

    def is_free(at: int, place: float, rightwards: bool) -> bool:  # noqa: FBT001 - a place
        start = place if rightwards else place - room
        below = (epochs + 0.5 > start) & (epochs - 0.5 < start + room)
        drawn = np.concatenate([rate[below] for rate in rates])
        return not bool((drawn < rates[0][at]).any())

    free = next((end for end in (ends, begins) if is_free(*end)), None)
    if free is None:
        # a rate falls, so the lower left corner is free
        corner = (begins[1], ax.get_ylim()[0])
        _write_name(ax, corner, "simulated", color, rightwards=True)
        return
    at, place, rightwards = free
    point = (place, float(rates[0][at]))
    _write_name(ax, point, "simulated", color, rightwards=rightwards, below=True)


# the width of a name in points; the share of the axis beyond which it is written to
# the left
_NAME_WIDTH, _LATE = 68, 0.8


def _is_left(ax: Axes, epoch: float) -> bool:
    """Return whether a name has room to the right of an epoch."""
    low, high = ax.get_xlim()
    return epoch <= low + _LATE * (high - low)


def _write_name(
    ax: Axes,
    point: tuple[float, float],
    words: str,
    color: str,
    *,
    rightwards: bool,
    below: bool = False,
) -> None:
    ax.annotate(
        words,
        xy=point,
        xytext=(4 if rightwards else -2, -4 if below else 4),
        textcoords="offset points",
        ha="left" if rightwards else "right",
        va="top" if below else "bottom",
        **style_text(color),
    )
