"""What a run may lose: as asked, or by default a share of the run's own scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.errors import ConfigError
from cbreplay.rules.keras.metric_directions import ends_at_one

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import EpochArray, FloatArray
    from cbreplay.sweep import Judged

__all__ = ["Scale", "Tolerance", "measure_scale", "read_tolerance", "resolve_tolerance"]

_USUAL_SHARE = 0.01
# the standard deviation of two values has a standard error of three quarters of itself
_FEWEST_SEEDS = 3
# a best value below this share of the way from the first value to it counts as near
# zero, and is not used as a scale
_NEAR_ZERO = 0.01
_ScaleOf: TypeAlias = Literal["best", "error", "way", "way to 1"]


class Tolerance(NamedTuple):
    """What a run may lose and still count as kept.

    Parameters
    ----------
    kind : {"absolute", "share", "seeds"}
        The same for every run; a share of its scale; or the spread between the seeds
        of its group, and a share of its scale where these are fewer than three.
    value : float
        The absolute value, or the share.
    by_run : array of shape (n_runs,)
        What it comes to, in the objective's unit.
    spreads : tuple of float or None
        The spread between the seeds of each setting; None where these are fewer than
        three.
    n_near_zero : int
        For how many runs the scale is the way from the first value to the best one,
        because the best value, or the error that it leaves, is near 0.
    n_errors : int
        For how many the scale is the error that is left: 1, or 100 %, less the best.
    n_steps : int
        How many may lose more: the smallest change that their series can show.
    """

    kind: Literal["absolute", "share", "seeds"]
    value: float
    by_run: FloatArray
    spreads: tuple[float | None, ...] = ()
    n_near_zero: int = 0
    n_errors: int = 0
    n_steps: int = 0


class Scale(NamedTuple):
    """The scale on which a run's regrets are judged.

    Parameters
    ----------
    best : float
        The best value; NaN without a finite one.
    size : float
        The size of the best value, or of its error where the series ends at 1 (or 100);
        the way from the first value to the best where that is near zero.
    of : {"best", "error", "way", "way to 1"}
        Which of these it is: ``"way"`` in place of a best value near zero, ``"way to
        1"`` in place of an error near zero.
    step : float
        The smallest change from one value to the next, where the series ends at 1 and
        counts examples; else 0, as a loss moves by any amount.
    """

    best: float
    size: float
    of: _ScaleOf
    step: float


def measure_scale(judged: Judged) -> Scale:
    """Return the scale on which a run's regrets are judged."""
    finite = judged.values[np.isfinite(judged.values)]
    if not len(finite):
        return Scale(np.nan, np.nan, "best", 0.0)
    best = float(finite.min() if judged.mode == "min" else finite.max())
    way = abs(float(finite[0]) - best)
    of: _ScaleOf = "best"
    size, step = abs(best), 0.0
    if judged.mode == "max" and ends_at_one(judged.name or ""):
        # values above 1 show percent
        of, size = "error", abs((100.0 if best > 1 else 1.0) - best)
        moves = np.abs(np.diff(finite))
        step = float(moves[moves > 0].min()) if moves.any() else 0.0
    if size < _NEAR_ZERO * way:
        of, size = "way" if of == "best" else "way to 1", way
    return Scale(best, size or 1.0, of, step)


def read_tolerance(text: str | float) -> tuple[Literal["absolute", "share"], float]:
    """Read ``0.002`` or ``"1%"``.

    >>> read_tolerance("1%"), read_tolerance(0.002)
    (('share', 0.01), ('absolute', 0.002))

    Raises
    ------
    ConfigError
        If it is neither, or negative.
    """
    kind: Literal["absolute", "share"] = "absolute"
    try:
        if isinstance(text, str) and text.strip().endswith("%"):
            kind, value = "share", float(text.strip()[:-1]) / 100
        else:
            value = float(text)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value < np.inf:
        sentence = (
            f"tolerance is {text!r}, where a number from 0 on in the objective's unit, "
            "or a share such as '1%', is expected. Give --tolerance or tolerance="
        )
        raise ConfigError(sentence)
    return kind, value


def resolve_tolerance(
    asked: str | float | None,
    scales: Sequence[Scale],
    seeds: Sequence[Sequence[int]],
    trainings: Sequence[int] | None = None,
) -> Tolerance:
    """Return what each run may lose: at least the smallest change its series can show.

    `seeds` are the runs of each setting, which differ by seed; `trainings` has a number
    for each run, the same for those of one training: these are one seed. By default
    every run is a training.
    """
    best = np.array([scale.best for scale in scales])
    step = np.array([scale.step for scale in scales])
    size = np.array([scale.size for scale in scales])
    size = np.where(np.isnan(size), 1.0, size)
    kind: Literal["absolute", "share", "seeds"]
    near_zero = sum(scale.of in ("way", "way to 1") for scale in scales)
    errors = sum(scale.of in ("error", "way to 1") for scale in scales)
    if asked is not None:
        kind, value = read_tolerance(asked)
        by_run = np.full(len(size), value)
        if kind == "share":
            by_run = size * value
        else:
            step = np.zeros(len(size))
        spreads: tuple[float | None, ...] = ()
    else:
        kind, value, by_run = "share", _USUAL_SHARE, size * _USUAL_SHARE
        training = np.arange(len(scales)) if trainings is None else np.array(trainings)
        spreads = tuple(
            _spread_of(best[list(rows)], training[list(rows)]) for rows in seeds
        )
        for rows, spread in zip(seeds, spreads, strict=True):
            # the spread counts only where it is less than the share: by itself it was
            # up to a fifth of the best value, and promised a patience of 1 to 6
            if spread is not None and (spread < by_run[list(rows)]).any():
                kind = "seeds"
                by_run[list(rows)] = np.minimum(by_run[list(rows)], spread)
    n_steps = int((step > by_run).sum())
    by_run = np.maximum(by_run, step)
    return Tolerance(kind, value, by_run, spreads, near_zero, errors, n_steps)


def _spread_of(best: FloatArray, training: EpochArray) -> float | None:
    """Return the spread between the seeds of a setting; None from fewer than three.

    What several runs of one training reached counts once, by its mean.
    """
    known = np.isfinite(best)
    _, seed, n_runs = np.unique(
        training[known], return_inverse=True, return_counts=True
    )
    if len(n_runs) < _FEWEST_SEEDS:
        return None
    finite = np.bincount(seed, best[known]) / n_runs
    # rounding can give equal values a spread above 0
    return float(finite.std(ddof=1)) if np.ptp(finite) else 0.0
