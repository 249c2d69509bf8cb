"""Early stopping beyond patience, each rule judged beside plain patience.

For each set some runs are drawn; every rule takes the setting with the least mean score
on these, and so does plain patience; both are judged on the other runs, at the same
weight of training. Judged by val_loss, which is what is watched, and by test_loss,
which nobody saw. A win is a score that is better by more than half a thousandth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks.advice.stopping import (
    Costs,
    Stops,
    measure_costs,
    stop_by_patience,
    stop_when,
    watch_series,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.advice.curves import Curves
    from cbreplay.run import FloatArray

__all__ = ["RULES", "Series", "compare_rules", "smooth_exponentially", "smooth_window"]

PATIENCE = (1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160)
# fewer values of a second parameter's patience, lest the grid be the difference
_COARSE = (2, 5, 10, 20, 40, 80)
_PLANS = (100, 200)
_SIZES = (10, 30)
_WIN = 0.0005
COST_WEIGHT = 0.05


class Series(NamedTuple):
    """What a rule may watch; the least is best: an accuracy is given as its error."""

    val_loss: FloatArray
    val_error: FloatArray | None


def smooth_exponentially(values: FloatArray, keep: float) -> FloatArray:
    """Return the exponential mean, which begins at the first value.

    >>> smooth_exponentially(np.array([[1.0, 0.0, 0.0]]), 0.5).tolist()
    [[1.0, 0.5, 0.25]]
    """
    smoothed = values.copy()
    for epoch in range(1, values.shape[1]):
        before = smoothed[:, epoch - 1]
        smoothed[:, epoch] = keep * before + (1 - keep) * values[:, epoch]
    return smoothed


def smooth_window(
    values: FloatArray, n_epochs: int, middle: Callable[..., FloatArray] = np.mean
) -> FloatArray:
    """Return the mean (or median) of the last values, of fewer at the beginning.

    >>> smooth_window(np.array([[4.0, 2.0, 0.0, 1.0]]), 2).tolist()
    [[4.0, 3.0, 1.0, 0.5]]
    """
    return np.stack(
        [
            middle(values[:, max(0, epoch + 1 - n_epochs) : epoch + 1], axis=1)
            for epoch in range(values.shape[1])
        ],
        axis=1,
    )


def _join(parts: Sequence[Stops]) -> Stops:
    """Return the settings of several in one."""
    last, kept = (np.concatenate(column, axis=1) for column in zip(*parts, strict=True))
    return Stops(last, kept)


def _patience(series: Series) -> Stops:
    return stop_by_patience(watch_series(series.val_loss), PATIENCE)


def _on_smoothed(
    smooth: Callable[[FloatArray], FloatArray],
) -> Callable[[Series], Stops]:
    """Watch a smoothed loss, and keep the epoch at which it is least."""
    return lambda series: stop_by_patience(
        watch_series(smooth(series.val_loss)), PATIENCE
    )


def _on_smoothed_keeping_best(
    smooth: Callable[[FloatArray], FloatArray],
) -> Callable[[Series], Stops]:
    """Stop by a smoothed loss, and keep the epoch with the least loss itself."""

    def stop(series: Series) -> Stops:
        smoothed = watch_series(smooth(series.val_loss))
        asked = [smoothed.wait >= patience for patience in PATIENCE]
        return stop_when(asked, watch_series(series.val_loss).best_epoch)

    return stop


def _targets(series: Series) -> FloatArray:
    """Return target values: what a share of the runs reach, and some easier ones."""
    best = np.nanmin(series.val_loss, axis=1)
    reached = np.quantile(best, np.linspace(0, 1, 11))
    return np.concatenate([reached, reached[-1] * np.array([1.05, 1.1, 1.25, 1.5])])


def _target(series: Series) -> Stops:
    """End training once a value is reached."""
    watch = watch_series(series.val_loss)
    asked = [series.val_loss <= target for target in _targets(series)]
    return stop_when(asked, watch.best_epoch)


def _target_or_patience(series: Series) -> Stops:
    watch = watch_series(series.val_loss)
    asked = [
        (series.val_loss <= target) | (watch.wait >= patience)
        for target in _targets(series)[::2]
        for patience in PATIENCE
    ]
    return stop_when(asked, watch.best_epoch)


def _relative_min_delta(series: Series) -> Stops:
    return _join(
        [
            stop_by_patience(watch_series(series.val_loss, relative=share), PATIENCE)
            for share in (0, 1e-4, 1e-3, 3e-3, 1e-2)
        ]
    )


def _growing_patience(series: Series) -> Stops:
    """Wait for a share of the epochs that the best one took, where that is more."""
    watch = watch_series(series.val_loss)
    asked = [
        watch.wait >= np.maximum(patience, share * (watch.best_epoch + 1))
        for share in (0, 0.25, 0.5, 1, 2)
        for patience in PATIENCE
    ]
    return stop_when(asked, watch.best_epoch)


def _combined(
    second: Callable[[Series], FloatArray | None], *, every: bool
) -> Callable[[Series], Stops | None]:
    """Stop when any of two patiences is over, or every one; keep the least loss."""

    def stop(series: Series) -> Stops | None:
        other = second(series)
        if other is None:
            return None
        watches = [watch_series(series.val_loss), watch_series(other)]
        join = np.logical_and if every else np.logical_or
        asked = [
            join(
                np.logical_or.accumulate(watches[0].wait >= first, axis=1),
                np.logical_or.accumulate(watches[1].wait >= last, axis=1),
            )
            for first in PATIENCE
            for last in _COARSE
        ]
        return stop_when(asked, watches[0].best_epoch)

    return stop


def _smoothed(series: Series) -> FloatArray:
    return smooth_exponentially(series.val_loss, 0.9)


def _error(series: Series) -> FloatArray | None:
    return series.val_error


RULES: dict[str, Callable[[Series], Stops | None]] = {
    "patience": _patience,
    "ema(val_loss, 0.9)": _on_smoothed(lambda loss: smooth_exponentially(loss, 0.9)),
    "ema(val_loss, 0.6)": _on_smoothed(lambda loss: smooth_exponentially(loss, 0.6)),
    "EmaStopping: least loss kept": _on_smoothed_keeping_best(
        lambda loss: smooth_exponentially(loss, 0.9)
    ),
    "mean(val_loss, 5)": _on_smoothed(lambda loss: smooth_window(loss, 5)),
    "MeanStopping: least loss kept": _on_smoothed_keeping_best(
        lambda loss: smooth_window(loss, 5)
    ),
    "median(val_loss, 5)": _on_smoothed(lambda loss: smooth_window(loss, 5, np.median)),
    "TargetStopping": _target,
    "AnyOf(patience, target)": _target_or_patience,
    "AnyOf(val_loss, val_accuracy)": _combined(_error, every=False),
    "AllOf(val_loss, val_accuracy)": _combined(_error, every=True),
    "AnyOf(val_loss, its ema)": _combined(_smoothed, every=False),
    "AllOf(val_loss, its ema)": _combined(_smoothed, every=True),
    "relative min_delta": _relative_min_delta,
    "growing patience": _growing_patience,
}


class _Priced(NamedTuple):
    """What a rule's settings cost on the runs of a set, by each objective."""

    watched: Costs
    tested: Costs


def _price(stops: Stops, curves: Curves, plan: int) -> _Priced:
    return _Priced(
        *(
            measure_costs(stops, curves.series(name, plan))
            for name in ("val_loss", "test_loss")
        )
    )


def _choose_and_judge(
    priced: _Priced, place: int, n_runs: int, draws: int
) -> FloatArray:
    """Return the mean scores on other runs, by val_loss and by test_loss."""
    watched, tested = (costs.score(COST_WEIGHT) for costs in priced)
    rng = np.random.default_rng([7, place, n_runs])
    found = []
    for _ in range(draws):
        order = rng.permutation(len(watched))
        setting = watched[order[:n_runs]].mean(axis=0).argmin()
        others = order[n_runs:]
        found.append([score[others, setting].mean() for score in (watched, tested)])
    means: FloatArray = np.mean(found, axis=0)
    return means


def _compare(
    sets: Sequence[Curves], plan: int, n_runs: int, draws: int
) -> Iterator[tuple[str, FloatArray]]:
    """Yield each rule's scores less those of patience: (n_sets, val_loss and test)."""
    scores: dict[str, list[FloatArray]] = {}
    for place, curves in enumerate(sets):
        loss = curves.series("val_loss", plan)
        accuracy = curves.series("val_accuracy", plan)
        series = Series(loss, 1 - accuracy if curves.classes else None)
        for name, rule in RULES.items():
            stops = rule(series)
            judged = np.full(2, np.nan)
            if stops is not None:
                priced = _price(stops, curves, plan)
                judged = _choose_and_judge(priced, place, n_runs, draws)
            scores.setdefault(name, []).append(judged)
    plain = np.array(scores["patience"])
    for name, judged_sets in scores.items():
        if name != "patience":
            yield name, np.array(judged_sets) - plain


def compare_rules(sets: Sequence[Curves], draws: int) -> None:
    """Print how often each rule beats plain patience, and by how much."""
    for plan in _PLANS:
        for n_runs in _SIZES:
            print(
                f"plan of {plan} epochs, chosen on {n_runs} runs: sets won / tied / "
                "lost against patience, and its mean score less that of patience, "
                "in thousandths"
            )
            for name, apart in _compare(sets, plan, n_runs, draws):
                columns = []
                for objective, column in zip(("val", "test"), apart.T, strict=True):
                    known = column[~np.isnan(column)]
                    won, lost = (known < -_WIN).sum(), (known > _WIN).sum()
                    tied = len(known) - won - lost
                    columns.append(
                        f"{objective} {won:2d} / {tied:2d} / {lost:2d} "
                        f"{1000 * known.mean():+6.1f} (median "
                        f"{1000 * np.median(known):+5.1f})"
                    )
                print(f"  {name:30s} {'   '.join(columns)}", flush=True)
