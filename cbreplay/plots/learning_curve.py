"""The learning curve with what a list of callbacks decides on it, as points."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.evidence.outcomes import best_recorded_epoch
from cbreplay.plots.curve import (
    Curve,
    Mark,
    Role,
    Shade,
    drawn_curve,
    drawn_mark,
    epoch_span,
    find_shade,
)
from cbreplay.plots.labels import Label
from cbreplay.plots.picture_text import drawable_text, format_number
from cbreplay.rules.base import format_callback, monitored_series
from cbreplay.series_names import find_series, is_validation, metric_of
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cbreplay.replay import Replay
    from cbreplay.run import EpochArray, Run

__all__ = ["LearningCurvePoints", "learning_curve_points", "several_curve_points"]


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


@checked
def learning_curve_points(replay: Replay) -> LearningCurvePoints:
    """Collect what a replay's picture shows.

    Parameters
    ----------
    replay : Replay
        The run, the decisions, and how far the log is evidence for them.
    """
    run = replay.run
    objective, _ = replay.judged_by
    monitor = _main_series(replay)
    best = best_recorded_epoch(run, replay.objective, replay.objective_mode)
    curves = _curves([replay])
    stop = drawn_mark(run, monitor, replay.stopped_epoch)
    kept = drawn_mark(run, objective, replay.kept_epoch)
    other = best if best != replay.kept_epoch else None
    shade = find_shade(replay)
    return LearningCurvePoints(
        title=run.name,
        setting=", ".join(format_callback(rule) for rule in replay.callbacks),
        epochs=run.epochs + 1,
        curves=curves,
        last_decided=replay.last_evident_epoch + 1,
        stop=stop,
        kept=kept,
        best=drawn_mark(run, objective, other),
        shade=shade,
        labels=(*_labels(replay, other, shade), *_oddities(curves, run)),
        span=epoch_span(replay),
        x_name=spoken_rows("epoch", run),
    )


@checked
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
        If there is none, or they are judged by different series, watch different ones,
        or are of different runs.
    """
    if not replays:
        sentence = "there is nothing to draw: give one setting or more"
        raise ConfigError(sentence)
    first, *others = replays.values()
    if any(_shown_of(other) != _shown_of(first) for other in others):
        sentence = (
            "these settings are of different runs or watch different series, which one "
            "curve cannot show. Draw them one by one"
        )
        raise ConfigError(sentence)
    parts = [learning_curve_points(replay) for replay in replays.values()]
    # the best recorded epoch is marked where no setting keeps it
    best = None if any(part.best is None for part in parts) else parts[0].best
    about_all = (
        label for label in parts[0].labels if label.kind == "best" and best is not None
    )
    # if the settings differ in it, only the labels say where the log ends for each
    shade = parts[0].shade if len({part.shade for part in parts}) == 1 else None
    curves = _curves([*replays.values()])
    return replace(
        parts[0],
        setting=_joint_name([*replays]),
        curves=curves,
        last_decided=max(part.last_decided for part in parts),
        best=best,
        shade=shade,
        labels=(
            *_shared_labels(dict(zip(replays, parts, strict=True))),
            *about_all,
            *_oddities(curves, first.run),
        ),
        span=max((part.span for part in parts), key=lambda span: span[1]),
        more_stops=tuple(part.stop for part in parts[1:] if part.stop is not None),
        more_kept=tuple(part.kept for part in parts[1:] if part.kept is not None),
    )


def _shared_labels(parts: Mapping[str, LearningCurvePoints]) -> Iterator[Label]:
    """Yield the labels of decisions, once each, with the names of their settings."""
    deciding: dict[Label, list[str]] = {}
    for name, part in parts.items():
        for label in part.labels:
            if label.kind in ("decision", "limit"):
                deciding.setdefault(label, []).append(name)
    for label, names in deciding.items():
        yield label._replace(text=f"{_joint_name(names)}: {label.text}")


def _main_series(replay: Replay) -> str:
    """Return the series that is watched; without one, what judges."""
    watched = monitored_series(replay.callbacks)
    return watched[0] if watched else replay.judged_by[0]


def _curves(replays: Sequence[Replay]) -> tuple[Curve, ...]:
    """Prepare the series of a run; each axis reaches to the values of every mark.

    `replays` are what several settings do on the run, judged by the same series.
    """
    first, run = replays[0], replays[0].run
    best = best_recorded_epoch(run, first.objective, first.objective_mode)
    ends = [(replay.stopped_epoch, replay.kept_epoch) for replay in replays]
    marked = {best, *itertools.chain(*ends)}
    positions = [epoch - run.first_epoch for epoch in marked if epoch is not None]
    drawn = _drawn(first, _main_series(first))
    companion = next((name for name, role in drawn if role == "training"), None)
    main = drawn_curve(run, *drawn[0], positions, companion=companion)
    others = [
        drawn_curve(
            run,
            *other,
            positions,
            limits=main.limits if other[1] == "training" else None,
        )
        for other in drawn[1:]
    ]
    return (main, *others)


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


def _drawn(replay: Replay, monitor: str) -> list[tuple[str, Role]]:
    """Name the series in the picture, and why each is there."""
    drawn: list[tuple[str, Role]]
    drawn = [(monitor, "monitored")]
    training = find_series(metric_of(monitor), replay.run.series, validation=False)
    if training is not None and is_validation(monitor):
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
    return [label.in_rows_of(run) for label in labels]


def _oddities(curves: tuple[Curve, ...], run: Run) -> list[Label]:
    """Say which values are outside the axis, infinite or NaN."""
    labels = []
    for curve in curves:
        name = "" if curve.role == "monitored" else f"{drawable_text(curve.name)} "
        if curve.outside is not None:
            epoch, value = curve.outside
            arrow = "↑" if value > curve.limits[1] else "↓"
            words = f"{arrow} {name}{format_number(value)} at epoch {epoch}"
            labels.append(Label(epoch, words, "oddity"))
        if curve.role == "training":
            continue
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
    return [label.in_rows_of(run) for label in labels]


def _spoken(epochs: EpochArray) -> str:
    if len(epochs) == 1:
        return f"epoch {epochs[0]}"
    return f"{len(epochs)} epochs, the first {epochs[0]}"
