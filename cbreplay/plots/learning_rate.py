"""The learning rate over the epochs: recorded, and as the callbacks would set it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbreplay.arguments import checked
from cbreplay.errors import EvidenceError
from cbreplay.evidence.words import parting_of
from cbreplay.plots.curve import Shade, epoch_span, find_shade
from cbreplay.plots.labels import Label
from cbreplay.staircase.reductions import recorded_reductions
from cbreplay.wording.shown_digits import spoken_figure
from cbreplay.wording.words import spoken_rows

if TYPE_CHECKING:
    from cbreplay.replay import Replay
    from cbreplay.run import EpochArray, FloatArray, Series

__all__ = [
    "LearningRatePoints",
    "RateChange",
    "constant_rate",
    "has_learning_rate",
    "learning_rate_points",
]

_LOG_FROM = 10.0
_MOST_LABELLED = 3


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


@checked
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
    reductions = _reductions(replay, decided=decided)
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
            label.in_rows_of(run)
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


def _reductions(replay: Replay, *, decided: bool) -> list[RateChange]:
    """Return where the callbacks would have reduced the rate, or the recorded fell."""
    made = replay.reductions if decided else recorded_reductions(replay.run)
    return [
        RateChange(reduction.epoch + 1, reduction.old, reduction.new)
        for reduction in made
        if reduction.old is not None and reduction.new is not None
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
