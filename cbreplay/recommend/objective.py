"""Outcomes to one score: what is lost, in a run's own scale, and what is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from cbreplay.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbreplay.run import FloatArray
    from cbreplay.sweep import Judged

__all__ = ["Tolerance", "measure_scale", "read_tolerance", "resolve_tolerance"]

_USUAL_SHARE = 0.01
# the spread of two is known to no better than three quarters of itself
_FEWEST_SEEDS = 3
# a best value this small beside the way to it says nothing about the scale
_NEAR_ZERO = 0.01


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
    seeded : int
        How many groups have three seeds or more.
    """

    kind: Literal["absolute", "share", "seeds"]
    value: float
    by_run: FloatArray
    seeded: int


def measure_scale(judged: Judged) -> tuple[float, float]:
    """Return a run's best value, and the scale on which its regrets are judged.

    The scale is the size of the best value, or the way from the first value to the
    best where the best is near zero. NaN without a finite value.
    """
    finite = judged.values[np.isfinite(judged.values)]
    if not len(finite):
        return np.nan, np.nan
    best = float(finite.min() if judged.mode == "min" else finite.max())
    way = abs(float(finite[0]) - best)
    scale = abs(best) if abs(best) >= _NEAR_ZERO * way else way
    return best, scale or 1.0


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
    best: FloatArray,
    scale: FloatArray,
    seeds: Sequence[Sequence[int]],
) -> Tolerance:
    """Return what each run may lose.

    Parameters
    ----------
    asked : str, float or None
        As in `recommend_config`.
    best, scale : array of shape (n_runs,)
        Of `measure_scale`.
    seeds : sequence of sequence of int
        The runs of each group that differ by seed.
    """
    if asked is not None:
        kind, value = read_tolerance(asked)
        by_run = scale * value if kind == "share" else np.full(len(scale), value)
        return Tolerance(kind, value, by_run, 0)
    by_run, seeded = scale * _USUAL_SHARE, 0
    for rows in seeds:
        values = best[list(rows)]
        values = values[np.isfinite(values)]
        if len(values) >= _FEWEST_SEEDS:
            by_run[list(rows)] = values.std(ddof=1)
            seeded += 1
    return Tolerance("seeds" if seeded else "share", _USUAL_SHARE, by_run, seeded)
