"""The learning curve with what a list of callbacks decides on it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.outcomes import best_recorded_epoch
from cbreplay.plots.curve import (
    Curve,
    Mark,
    Role,
    draw_non_finite,
    draw_series,
    drawn_curve,
    drawn_mark,
)
from cbreplay.plots.epoch_axis import Shade, epoch_span, find_shade
from cbreplay.plots.picture_text import drawable_text, format_number, shorten
from cbreplay.plots.style import (
    LIGHT,
    Label,
    Look,
    draw_labels,
    label_axis,
    make_axes,
    style_axes,
    style_text,
)
from cbreplay.rules.base import format_callback, monitored_series
from cbreplay.words import spoken_rows, visible_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from cbreplay.replay import Replay
    from cbreplay.run import EpochArray

__all__ = [
    "LearningCurvePoints",
    "learning_curve_points",
    "plot_learning_curve",
    "several_curve_points",
]

_LONGEST_TITLE = 30
_LONGEST_SETTING, _MOST_LINES = 60, 4
_WIDE = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurvePoints:
    """Every number in the picture; epochs are one-based, as people count them.

    Parameters
    ----------
    title : str
        The run.
    setting : str
        The callbacks, as Keras code.
    epochs : int array of shape (n_epochs,)
        The recorded epochs.
    curves : tuple of Curve
        The monitored series first.
    last_decided : int
        The last epoch that the callbacks would have trained, as far as the log
        tells; what was recorded after it is drawn as context.
    stop, kept, best : Mark or None
        Where it stops (on the monitored series), whose weights are kept, and the
        best recorded epoch if it is another one (both on the judged series).
    shade : Shade or None
        The stretch that is not in the log.
    labels : tuple of Label
        The decisions in words.
    span : tuple of float
        The ends of the epoch axis.
    x_name : str
        What that axis counts: ``"epoch"``, or ``"evaluation"``.
    more_stops, more_kept : tuple of Mark
        `stop` and `kept` of further settings on the same curve.
    """

    title: str
    setting: str
    epochs: EpochArray
    curves: tuple[Curve, ...]
    last_decided: int
    stop: Mark | None
    kept: Mark | None
    best: Mark | None
    shade: Shade | None
    labels: tuple[Label, ...]
    span: tuple[float, float]
    x_name: str = "epoch"
    more_stops: tuple[Mark, ...] = ()
    more_kept: tuple[Mark, ...] = ()

    @property
    def judged(self) -> Curve:
        """The curve that outcomes are judged by."""
        named = [curve for curve in self.curves if curve.role == "objective"]
        return named[0] if named else self.curves[0]


def learning_curve_points(replay: Replay) -> LearningCurvePoints:
    """Collect what a replay's picture shows.

    Parameters
    ----------
    replay : Replay
        The run, the decisions, and how far the log is evidence for them.
    """
    run, outcome = replay.run, replay.outcome
    objective, _ = replay.judged_by
    watched = monitored_series(replay.callbacks)
    monitor = watched[0] if watched else objective
    best = best_recorded_epoch(run, replay.objective, replay.objective_mode)
    marked = {replay.stopped_epoch, replay.kept_epoch, best} - {None}
    positions = [epoch - run.first_epoch for epoch in marked if epoch is not None]
    drawn = _drawn(replay, monitor)
    companion = next((name for name, role in drawn if role == "training"), None)
    curves = tuple(
        drawn_curve(run, name, role, positions, companion=companion)
        for name, role in drawn
    )
    stop = drawn_mark(run, monitor, replay.stopped_epoch)
    kept = drawn_mark(run, objective, replay.kept_epoch)
    other = best if best != replay.kept_epoch else None
    shade = find_shade(replay)
    return LearningCurvePoints(
        title=run.name,
        setting=", ".join(format_callback(rule) for rule in replay.callbacks),
        epochs=run.epochs + 1,
        curves=curves,
        last_decided=run.first_epoch
        + outcome.trained_epochs
        - int(replay.evidence == "diverged"),
        stop=stop,
        kept=kept,
        best=drawn_mark(run, objective, other),
        shade=shade,
        labels=tuple(
            label._replace(text=spoken_rows(label.text, run))
            for label in (*_labels(replay, other, shade), *_oddities(curves))
        ),
        span=epoch_span(replay),
        x_name=spoken_rows("epoch", run),
    )


def several_curve_points(replays: Mapping[str, Replay]) -> LearningCurvePoints:
    """Collect what several settings decide on one curve.

    Parameters
    ----------
    replays : mapping of str to Replay
        Of one run, by the short names of the settings. They must be judged by the
        same series and watch the same.

    Raises
    ------
    ConfigError
        If they are judged by different series, watch different ones, or are of
        different runs.
    """
    first, *others = replays.values()
    if any(_shown_of(other) != _shown_of(first) for other in others):
        sentence = (
            "these settings are of different runs or watch different series, which one "
            "curve cannot show. Draw them one by one"
        )
        raise ConfigError(sentence)
    parts = [learning_curve_points(replay) for replay in replays.values()]
    # a decision that several settings share is labelled once
    deciding: dict[Label, list[str]] = {}
    for name, part in zip(replays, parts, strict=True):
        for label in part.labels:
            if label.kind in ("decision", "limit"):
                deciding.setdefault(label, []).append(name)
    labels = [
        label._replace(text=f"{_joint_name(names)}: {label.text}")
        for label, names in deciding.items()
    ]
    about_all = [
        label
        for label in parts[0].labels
        if label.kind == "oddity" or (label.kind == "best" and _none_keeps(parts))
    ]
    # if the settings differ in it, only the labels say where the log ends for each
    shade = parts[0].shade if len({part.shade for part in parts}) == 1 else None
    # the marks of all lie within the widest axis
    wide = max(parts, key=lambda part: np.subtract(*part.curves[0].limits[::-1]))
    return replace(
        parts[0],
        setting=_joint_name([*replays]),
        curves=wide.curves,
        last_decided=max(part.last_decided for part in parts),
        best=parts[0].best if _none_keeps(parts) else None,
        shade=shade,
        labels=(*labels, *about_all),
        span=max((part.span for part in parts), key=lambda span: span[1]),
        more_stops=tuple(part.stop for part in parts[1:] if part.stop is not None),
        more_kept=tuple(part.kept for part in parts[1:] if part.kept is not None),
    )


def _joint_name(names: Sequence[str]) -> str:
    """Name settings together; values of one parameter share its name.

    >>> _joint_name(["patience=7", "patience=8"])
    'patience=7, 8'
    >>> _joint_name(["patience=7", "min_delta=0.1, patience=8"])
    'patience=7; min_delta=0.1, patience=8'
    """
    parameters = {name.partition("=")[0] for name in names}
    single = all(name.count("=") == 1 for name in names)
    if len(parameters) == 1 and single:
        values = [name.partition("=")[2] for name in names]
        return f"{parameters.pop()}={', '.join(values)}"
    return "; ".join(names)


def _shown_of(replay: Replay) -> tuple[object, ...]:
    return (id(replay.run), replay.judged_by, monitored_series(replay.callbacks))


def _none_keeps(parts: Sequence[LearningCurvePoints]) -> bool:
    """Return whether the best recorded epoch is kept by no setting."""
    return all(part.best is not None for part in parts)


def _drawn(replay: Replay, monitor: str) -> list[tuple[str, Role]]:
    """Name the series in the picture, and why each is there."""
    drawn: list[tuple[str, Role]]
    drawn = [(monitor, "monitored")]
    training = monitor.removeprefix("val_")
    if training != monitor and training in replay.run.series:
        drawn.append((training, "training"))
    objective, _ = replay.judged_by
    if objective != monitor:
        drawn = [(name, role) for name, role in drawn if name != objective]
        drawn.append((objective, "objective"))
    return drawn


def _labels(replay: Replay, best: int | None, shade: Shade | None) -> list[Label]:
    """Say the decisions in words, each at its epoch."""
    run, labels = replay.run, []
    if replay.stopped_epoch is not None:
        saved = replay.outcome.epochs_saved
        words = f"stops at epoch {replay.stopped_epoch + 1} of {run.horizon + 1}"
        if saved:
            words += f", saves {saved} epoch{'s' * (saved > 1)}"
        labels.append(Label(replay.stopped_epoch + 1, words, "decision"))
    if replay.kept_epoch is not None:
        so_far = "so far " if replay.outcome.provisional else ""
        value = format_number(replay.outcome.kept_value) or "no number"
        words = f"{so_far}keeps epoch {replay.kept_epoch + 1}: {value}"
        labels.append(Label(replay.kept_epoch + 1, words, "decision"))
    if best is not None:
        value = format_number(
            float(run.series[replay.judged_by[0]].values[best - run.first_epoch])
        )
        words = f"best recorded: epoch {best + 1}, {value}"
        labels.append(Label(best + 1, words, "best"))
    if shade is not None:
        labels.append(Label(shade.start, shade.words, "limit"))
    return labels


def _oddities(curves: tuple[Curve, ...]) -> list[Label]:
    """Say which values are outside the axis, infinite or NaN."""
    labels = []
    for curve in curves:
        name = "" if curve.role == "monitored" else f"{drawable_text(curve.name)} "
        if curve.role == "training":
            continue
        if curve.outside is not None:
            epoch, value = curve.outside
            arrow = "↑" if value > curve.limits[1] else "↓"
            words = f"{arrow} {name}{format_number(value)} at epoch {epoch}"
            labels.append(Label(epoch, words, "oddity"))
        values = [
            (curve.not_a_number, "NaN"),
            (curve.too_high, "inf"),
            (curve.too_low, "-inf"),
        ]
        labels += [
            Label(int(epochs[0]), f"{name}{value} at {_spoken(epochs)}", "oddity")
            for epochs, value in values
            if epochs.size
        ]
    return labels


def _spoken(epochs: EpochArray) -> str:
    if len(epochs) == 1:
        return f"epoch {epochs[0]}"
    return f"{len(epochs)} epochs, the first {epochs[0]}"


def plot_learning_curve(
    points: LearningCurvePoints,
    *,
    ax: Axes | None = None,
    look: Look = LIGHT,
    labels: bool = True,
) -> Axes:
    """Draw the learning curve with the decisions.

    Parameters
    ----------
    points : LearningCurvePoints
        Every number in the picture.
    ax : Axes, optional
        Where to draw; a figure of its own by default.
    look : Look
        The colours.
    labels : bool
        Whether the decisions are written out and the axes named; False for a small
        picture among others.
    """
    ax = make_axes(ax, look)
    ax.set_xlim(*points.span)
    if points.shade is not None:
        ax.axvspan(points.shade.start, points.span[1], facecolor=look.shade, zorder=0.5)
    judged_ax = _draw_curves(ax, points, look, labels=labels)
    _draw_marks(ax, judged_ax, points, look)
    if labels:
        _draw_leaders(judged_ax, points, look)
        _write_words(ax, judged_ax, points, look)
    return ax


def _write_words(
    ax: Axes, judged_ax: Axes, points: LearningCurvePoints, look: Look
) -> None:
    """Name the run and the axes, and write the decisions out."""
    main, judged = drawable_text(points.curves[0].name), points.judged.name
    label_axis(ax, x=points.x_name, y=main, color=look.monitored, look=look)
    if judged_ax is not ax:
        name = drawable_text(judged)
        label_axis(judged_ax, x=None, y=name, color=look.objective, look=look)
    height = draw_labels(ax, points.labels, look)
    title = drawable_text(points.title, _LONGEST_TITLE)
    bold = style_text(look.text, fontweight="bold")
    ax.set_title(title, loc="left", pad=height + 3, **bold)
    if ax.figure.get_figure(root=True).get_figwidth() >= _WIDE:
        setting = _in_lines(points.setting)
        ax.set_title(setting, loc="right", pad=height + 3, **style_text(look.muted))


def _in_lines(setting: str) -> str:
    """Write a setting in a few lines, so that none of its numbers is left out."""
    lines = textwrap.wrap(visible_text(setting), _LONGEST_SETTING)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1]} ..."]
    return "\n".join(shorten(line, _LONGEST_SETTING + 4) for line in lines)


def _draw_curves(
    ax: Axes, points: LearningCurvePoints, look: Look, *, labels: bool
) -> Axes:
    """Draw every series; return the axes that the judged one is on."""
    judged_ax = ax
    for curve in points.curves:
        target, color = ax, look.monitored
        if curve.role == "training":
            if labels:
                _draw_training(ax, points, curve, look)
            continue
        if curve.role == "objective":
            judged_ax = target = ax.twinx()
            style_axes(target, look)
            target.grid(visible=False)
            target.set_xlim(*points.span)
            color = look.objective
        target.set_ylim(*curve.limits)
        draw_series(
            target,
            points.epochs,
            curve,
            last_decided=points.last_decided,
            color=color,
            look=look,
        )
        draw_non_finite(target, curve, color)
    return judged_ax


def _draw_training(
    ax: Axes, points: LearningCurvePoints, curve: Curve, look: Look
) -> None:
    """Draw the training series faintly, on the monitored one's axis, with its name."""
    ax.plot(points.epochs, curve.values, color=look.faint, linewidth=0.9, zorder=1.5)
    low, high = ax.get_ylim()
    # on the right are the numbers of the other axis
    shared = points.judged is not points.curves[0]
    inside = np.flatnonzero((curve.values > low) & (curve.values < high))
    if inside.size:
        ax.annotate(
            drawable_text(curve.name, 16),
            xy=(float(points.epochs[inside[-1]]), float(curve.values[inside[-1]])),
            xytext=(-4, 4) if shared else (5, 0),
            textcoords="offset points",
            ha="right" if shared else "left",
            va="bottom" if shared else "center",
            annotation_clip=False,
            **style_text(look.muted),
        )


def _draw_leaders(ax: Axes, points: LearningCurvePoints, look: Look) -> None:
    """Lead from the kept and the best epoch up to their labels."""
    kept = [(mark, look.decision) for mark in (points.kept, *points.more_kept)]
    for mark, color in (*kept, (points.best, look.muted)):
        if mark is not None:
            top = ax.get_ylim()[1]
            ax.vlines(mark.epoch, mark.value, top, color=color, linewidth=0.6)


def _draw_marks(
    ax: Axes, judged_ax: Axes, points: LearningCurvePoints, look: Look
) -> None:
    """Mark the stop, the kept epoch, and the best recorded one."""
    for stop in (points.stop, *points.more_stops):
        if stop is None:
            continue
        ax.axvline(
            stop.epoch,
            color=look.decision,
            linewidth=0.9,
            linestyle=(0, (2, 2)),
            zorder=2,
        )
        ax.plot(*stop, marker="s", markersize=6, color=look.decision, zorder=5)
    color = look.monitored if judged_ax is ax else look.objective
    for kept in (points.kept, *points.more_kept):
        if kept is None:
            continue
        judged_ax.plot(
            *kept,
            marker="o",
            markersize=7.5,
            markerfacecolor=look.background,
            markeredgecolor=color,
            markeredgewidth=2,
            zorder=6,
        )
    if points.best is not None:
        judged_ax.plot(
            *points.best, marker="^", markersize=6.5, color=look.muted, zorder=5
        )
