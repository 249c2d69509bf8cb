"""One series as it is drawn: its gaps, its limits, and where the log says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.evidence.words import spoken_evidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cbreplay.plots.style import Look
    from cbreplay.replay import Replay
    from cbreplay.run import BoolArray, EpochArray, FloatArray, Run

__all__ = [
    "POINTS_ACROSS",
    "Curve",
    "Mark",
    "Role",
    "Shade",
    "draw_non_finite",
    "draw_series",
    "drawn_curve",
    "drawn_mark",
    "drawn_places",
    "epoch_span",
    "find_lone",
    "find_shade",
]

Role: TypeAlias = Literal["monitored", "objective", "training"]

# in pixels: no figure is wider
POINTS_ACROSS = 2_000
# matplotlib's own arithmetic overflows beyond this
_LARGEST_DRAWN = 1e150


class Mark(NamedTuple):
    """A point of a curve: a one-based epoch and the value there."""

    epoch: int
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """One series as it is drawn.

    Parameters
    ----------
    name : str
        The series.
    role : {"monitored", "objective", "training"}
        Why it is in the picture. The objective has an axis of its own.
    values : array of shape (n_epochs,)
        NaN where there is a gap: not recorded, not finite, or too large to draw.
    limits : tuple of float
        The lower and upper end of its axis. A few extreme values may lie outside.
    outside : Mark or None
        The most extreme value outside the limits.
    too_high, too_low, not_a_number : int array
        One-based epochs with an infinite value, or with a logged NaN.
    """

    name: str
    role: Role
    values: FloatArray
    limits: tuple[float, float]
    outside: Mark | None
    too_high: EpochArray
    too_low: EpochArray
    not_a_number: EpochArray


def drawn_curve(
    run: Run,
    name: str,
    role: Role,
    marked: list[int],
    *,
    companion: str | None = None,
    limits: tuple[float, float] | None = None,
) -> Curve:
    """Prepare one series of a run for drawing.

    The values at the positions that are `marked` must lie on the axis. `companion` is a
    series that shares a monitored one's axis, where its ordinary values get room;
    `limits` are those of the axis, where it is another series'.
    """
    series, epochs = run.series[name], run.epochs + 1
    values = series.values.astype(np.float64)
    drawable = np.abs(values) < _LARGEST_DRAWN
    ends = [float(values[place]) for place in marked if drawable[place]]
    if companion is not None and role == "monitored":
        ends += _ordinary(run.series[companion].values)
    limits = limits or _limits(values[drawable], ends)
    outside = drawable & ((values < limits[0]) | (values > limits[1]))
    return Curve(
        name=name,
        role=role,
        values=np.where(drawable, values, np.nan),
        limits=limits,
        outside=_farthest(values, epochs, outside, sum(limits) / 2),
        too_high=epochs[values >= _LARGEST_DRAWN],
        too_low=epochs[values <= -_LARGEST_DRAWN],
        not_a_number=epochs[np.isnan(values) & series.recorded],
    )


def _ordinary(values: FloatArray) -> list[float]:
    """Return the ends of the middle eight tenths of what can be drawn."""
    drawable = values[np.abs(values) < _LARGEST_DRAWN]
    if drawable.size == 0:
        return []
    return [float(bound) for bound in np.percentile(drawable, [10, 90])]


def _limits(values: FloatArray, ends: list[float]) -> tuple[float, float]:
    """Choose the axis so that a few extreme values do not flatten the rest.

    The axis holds the middle eight tenths of the values with half their width to
    either side, and every end that is asked for; all values if that is not much more.
    """
    if values.size == 0:
        values = np.array(ends or [0.0, 1.0])
    low, high = min([values.min(), *ends]), max([values.max(), *ends])
    inner_low, inner_high = _ordinary(values)
    width = (inner_high - inner_low) / 2
    cut_low = min([max(low, inner_low - width), *ends])
    cut_high = max([min(high, inner_high + width), *ends])
    if high - low > 2 * (cut_high - cut_low) > 0:
        low, high = cut_low, cut_high
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return float(low - margin), float(high + margin)


def _farthest(
    values: FloatArray, epochs: EpochArray, outside: BoolArray, middle: float
) -> Mark | None:
    if not outside.any():
        return None
    distance = np.where(outside, np.abs(values - middle), -1.0)
    farthest = int(np.argmax(distance))
    return Mark(int(epochs[farthest]), float(values[farthest]))


def drawn_mark(run: Run, name: str, epoch: int | None) -> Mark | None:
    """Return a point of a series; NaN in place of a value that cannot be drawn."""
    if epoch is None:
        return None
    value = float(run.series[name].values[epoch - run.first_epoch])
    return Mark(epoch + 1, value if abs(value) < _LARGEST_DRAWN else float("nan"))


def drawn_places(values: FloatArray) -> EpochArray:
    """Return the positions that a line is drawn through: of a long line, not all.

    Of the epochs in one pixel column the first, the last, the lowest and the highest
    value are enough, with the gaps beside them. To draw all of tens of thousands of
    noisy epochs would take over a gigabyte.
    """
    n_values = len(values)
    known = np.flatnonzero(np.isfinite(values))
    if n_values <= 4 * POINTS_ACROSS or not known.size:
        return np.arange(n_values)
    column = known * POINTS_ACROSS // n_values
    # by column, and by value within each
    sorted_in = known[np.lexsort((values[known], column))]
    begins = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(begins[1:], len(known)) - 1
    shown = np.concatenate(
        [known[begins], known[ends], sorted_in[begins], sorted_in[ends]]
    )
    beside = np.concatenate([shown - 1, shown + 1])
    beside = beside[(beside >= 0) & (beside < n_values)]
    gaps = beside[np.isnan(values[beside])]
    return np.unique(np.concatenate([shown, gaps]))


def draw_series(
    ax: Axes,
    epochs: EpochArray,
    curve: Curve,
    *,
    last_decided: int,
    color: str,
    look: Look,
) -> None:
    """Draw a series up to `last_decided`, and faintly what was recorded after it."""
    alone = find_lone(curve.values)
    stretches = [
        (epochs >= last_decided, look.faint, 1.2, 2),
        (epochs <= last_decided, color, 1.8, 3),
    ]
    for mask, ink, width, order in stretches:
        if mask.sum() < min(2, len(epochs)):
            continue
        places = np.flatnonzero(mask)
        places = places[drawn_places(curve.values[places])]
        ax.plot(
            epochs[places],
            curve.values[places],
            color=ink,
            linewidth=width,
            marker="o",
            markersize=3.5,
            markevery=np.flatnonzero(alone[places]).tolist(),
            zorder=order,
        )


def find_lone(values: FloatArray) -> BoolArray:
    """Return where a value has a gap on both sides, which no line would show."""
    known = np.concatenate(([False], np.isfinite(values), [False]))
    return known[1:-1] & ~known[:-2] & ~known[2:]


def draw_non_finite(ax: Axes, curve: Curve, color: str) -> None:
    """Mark infinite, huge and NaN values at the edges of the axes."""
    edges = [(curve.too_high, 1.0, "^"), (curve.too_low, 0.0, "v")]
    for epochs, height, marker in [*edges, (curve.not_a_number, 0.0, "x")]:
        # an empty line outside the axes would still take up room at the page's corner
        if epochs.size == 0:
            continue
        ax.plot(
            epochs,
            np.full(len(epochs), height),
            linestyle="",
            marker=marker,
            markersize=5.5,
            color=color,
            transform=ax.get_xaxis_transform(),
            clip_on=False,
            zorder=4,
        )


_UNRECORDED_MARGIN = 0.12


class Shade(NamedTuple):
    """A stretch about which the log says nothing, in the picture's epochs."""

    start: float
    end: float
    words: str


def find_shade(replay: Replay) -> Shade | None:
    """Return the stretch that is not evidence: past its end, or after the log."""
    run, words = replay.run, spoken_evidence(replay)
    horizon = run.horizon + 1
    if replay.end_of_evidence is not None:
        return Shade(replay.end_of_evidence + 0.5, horizon + 0.5, words)
    if replay.evidence == "exact":
        return None
    end = float(run.planned_epochs or 0)
    if end <= horizon:
        end = horizon + max(2.0, _UNRECORDED_MARGIN * run.n_epochs)
    return Shade(horizon + 0.5, end + 0.5, words)


def epoch_span(replay: Replay) -> tuple[float, float]:
    """Return the ends of the epoch axis: the log, and what is shaded after it."""
    run, shade = replay.run, find_shade(replay)
    first = run.first_epoch + 1
    end = run.horizon + 1.0 if shade is None else max(shade.end, run.horizon + 1.0)
    margin = max(0.5, 0.012 * (end - first))
    # less than one to the left, so that no axis shows an epoch 0
    return first - min(margin, 0.9), end + margin
