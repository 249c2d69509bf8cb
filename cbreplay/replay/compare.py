"""Two replays of one run side by side: where they part, and what each keeps."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from cbreplay.arguments import checked
from cbreplay.errors import ConfigError
from cbreplay.showing import show_frame, show_html, show_plot, show_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.figure import Figure

    from cbreplay.replay.records import Replay
    from cbreplay.run import Run, Series

__all__ = [
    "ComparisonTotals",
    "PartingCause",
    "ReplayComparison",
    "Side",
    "compare_replays",
    "total_comparisons",
]

PartingCause: TypeAlias = Literal[
    "learning rate", "reduction", "weights", "stop", "kept weights"
]
Side: TypeAlias = Literal["first", "rival", "same"]


class ReplayComparison(NamedTuple):
    """Two callbacks lists on one run.

    Parameters
    ----------
    first, rival : Replay
        What each would have done.
    parting_epoch : int or None
        The first epoch, zero-based, in which they differ: in its learning rate, a
        reduction, weights put back, or the stop at its end; or the epoch in which both
        end, if they keep different weights. None if they do not differ as far as the
        record is evidence for both. Saved files do not count: they change no training.
    parted_by : str or None
        In what they differ there.
    evident_until : int
        The last epoch that is evidence for both; one before the first recorded epoch if
        there is none.
    """

    first: Replay
    rival: Replay
    parting_epoch: int | None
    parted_by: PartingCause | None
    evident_until: int

    @property
    def both_exact(self) -> bool:
        """Whether the outcomes of both are evidence, and may be compared."""
        return self.first.evidence == "exact" and self.rival.evidence == "exact"

    @property
    def value_gain(self) -> float | None:
        """By how much the rival's kept value is better, in the objective's unit.

        Negative if it is worse; None unless both are exact and have a kept value.
        """
        first, rival = self.first.outcome.kept_value, self.rival.outcome.kept_value
        if not self.both_exact or first is None or rival is None:
            return None
        if first == rival:
            # the difference of two equal infinities would be NaN
            return 0.0
        return first - rival if self.first.objective_mode == "min" else rival - first

    @property
    def better(self) -> Side | None:
        """Which of them keeps the better value; None where that is not evidence."""
        gain = self.value_gain
        if gain is None:
            return None
        if gain == 0:
            return "same"
        return "rival" if gain > 0 else "first"

    @property
    def epochs_gain(self) -> int | None:
        """How many epochs more the rival saves; None unless both are exact."""
        if not self.both_exact:
            return None
        return self.rival.outcome.epochs_saved - self.first.outcome.epochs_saved

    def _repr_html_(self) -> str:
        return show_html(self)

    def __str__(self) -> str:
        return show_text(self)

    def plot(self) -> Figure:
        """Draw it on the learning curve."""
        return show_plot(self)

    def to_frame(self) -> pd.DataFrame:
        """Return its table as a DataFrame; epochs count from 0."""
        return show_frame(self)

    def __repr__(self) -> str:
        """Return where they part and what is better, without the runs."""
        return (
            f"ReplayComparison({self.first.run.name!r}, "
            f"parting_epoch={self.parting_epoch!r}, parted_by={self.parted_by!r}, "
            f"evident_until={self.evident_until!r}, better={self.better!r}, "
            f"epochs_gain={self.epochs_gain!r})"
        )


class ComparisonTotals(NamedTuple):
    """Comparisons of several runs, added up over those where both lists are exact.

    Parameters
    ----------
    runs, exact_runs : int
        All runs, and those where both lists are exact, which the figures below count.
    parted_runs : int
        On how many of all runs, exact or not, they are seen to part.
    first_better, rival_better, same : int
        On how many each keeps the better value, or both the same; the rest have no
        value to compare.
    first_epochs_saved, rival_epochs_saved : int
        Sums over the exact runs.
    first_mean_regret, rival_mean_regret : float or None
        Means over the runs in which both are known, and no bounds; None without one.
    """

    runs: int
    exact_runs: int
    parted_runs: int
    first_better: int
    rival_better: int
    same: int
    first_epochs_saved: int
    rival_epochs_saved: int
    first_mean_regret: float | None
    rival_mean_regret: float | None


@checked
def compare_replays(first: Replay, rival: Replay) -> ReplayComparison:
    """Say where two callbacks lists part on one run, and what each keeps.

    Parameters
    ----------
    first, rival : Replay
        Of the same run, judged by the same objective.

    Raises
    ------
    ConfigError
        If they are of different runs or objectives.

    Examples
    --------
    >>> from cbreplay import EarlyStopping, Run, replay_run
    >>> run = Run.from_logs({"val_loss": loss} for loss in [0.8, 0.6, 0.7, 0.5, 0.6])
    >>> replays = [
    ...     replay_run(run, EarlyStopping(patience=patience, restore_best_weights=True))
    ...     for patience in (1, 2)
    ... ]
    >>> comparison = compare_replays(*replays)
    >>> comparison.parting_epoch, comparison.parted_by, comparison.better
    (2, 'stop', None)
    """
    _check(first, rival)
    end = min(first.last_evident_epoch, rival.last_evident_epoch)
    parting = _first_parting(first, rival, end) or _parting_at_end(first, rival, end)
    epoch, cause = parting or (None, None)
    return ReplayComparison(first, rival, epoch, cause, end)


def total_comparisons(comparisons: Iterable[ReplayComparison]) -> ComparisonTotals:
    """Add comparisons up over the runs where both lists are exact."""
    every = list(comparisons)
    exact = [comparison for comparison in every if comparison.both_exact]
    better = [comparison.better for comparison in exact]
    outcomes = [
        (comparison.first.outcome, comparison.rival.outcome) for comparison in exact
    ]
    regrets = [
        (first.priced, rival.priced)
        for first, rival in outcomes
        if first.priced is not None and rival.priced is not None
    ]
    return ComparisonTotals(
        runs=len(every),
        exact_runs=len(exact),
        parted_runs=sum(comparison.parting_epoch is not None for comparison in every),
        first_better=better.count("first"),
        rival_better=better.count("rival"),
        same=better.count("same"),
        first_epochs_saved=sum(first.epochs_saved for first, _ in outcomes),
        rival_epochs_saved=sum(rival.epochs_saved for _, rival in outcomes),
        first_mean_regret=_mean([first for first, _ in regrets]),
        rival_mean_regret=_mean([rival for _, rival in regrets]),
    )


def _check(first: Replay, rival: Replay) -> None:
    if not _is_one_record(first.run, rival.run):
        sentence = (
            f"the replays are of different runs, {first.run.name!r} and "
            f"{rival.run.name!r}, and only two of one run can be compared"
        )
        raise ConfigError(sentence)
    judged = (first.objective, first.objective_mode)
    rivals = (rival.objective, rival.objective_mode)
    if judged != rivals:
        sentence = (
            f"one list is judged by {_spoken_objective(first)} and its rival by "
            f"{_spoken_objective(rival)}. Name one with --objective or objective=."
        )
        raise ConfigError(sentence)


def _is_one_record(run: Run, other: Run) -> bool:
    """Return whether two runs are one, which may have been read twice or copied."""
    if run is other:
        return True
    names = run.series.keys()
    if _TOLD(run) != _TOLD(other) or names != other.series.keys():
        return False
    series = [(run.series[name], other.series[name]) for name in names]
    return all(map(_hold_the_same, [*series, (run.learning_rate, other.learning_rate)]))


_TOLD = attrgetter(
    "name",
    "source",
    "first_epoch",
    "planned_epochs",
    "seams",
    "same_callbacks",
    "broken_off",
)


def _hold_the_same(pair: tuple[Series | None, Series | None]) -> bool:
    first, second = pair
    if first is None or second is None:
        return first is second
    same = np.array_equal(first.values, second.values, equal_nan=True)
    return same and np.array_equal(first.recorded, second.recorded)


def _spoken_objective(replay: Replay) -> str:
    if replay.objective is None:
        return "no series"
    return f"{replay.objective} {replay.objective_mode}"


def _first_parting(
    first: Replay, rival: Replay, end: int
) -> tuple[int, PartingCause] | None:
    """Return where they first differ in training, up to an epoch."""
    decided = _decisions(first), _decisions(rival)
    for epoch in range(first.run.first_epoch, end + 1):
        rates = _rate_at(first, epoch), _rate_at(rival, epoch)
        if None not in rates and rates[0] != rates[1]:
            return epoch, "learning rate"
        for cause in ("reduction", "weights", "stop"):
            ours, theirs = (of_list.get((epoch, cause)) for of_list in decided)
            if ours != theirs:
                return epoch, cause
    return None


def _parting_at_end(
    first: Replay, rival: Replay, end: int
) -> tuple[int, PartingCause] | None:
    """Return how two replays part that decided alike up to `end`."""
    if first.evidence == "exact" and rival.evidence == "exact":
        # both end here, but may keep different weights
        return (end, "kept weights") if first.kept_epoch != rival.kept_epoch else None
    for leaving, other in ((first, rival), (rival, first)):
        # one leaves the record where the other goes on with it
        if leaving.divergence_epoch == end + 1 and other.last_evident_epoch > end:
            by_weights = leaving.diverged_by_weights
            return end + 1, "weights" if by_weights else "learning rate"
    return None


def _decisions(replay: Replay) -> dict[tuple[int, str], Any]:
    """Return what changes the training, by epoch and kind."""
    found: dict[tuple[int, str], Any] = {}
    for reduction in replay.reductions:
        new: Any = reduction.new
        if new is None:
            # where no rate is known, reductions by different factors still differ
            new = replay.callbacks[reduction.callback].reduction
        found.setdefault((reduction.epoch, "reduction"), []).append(new)
    for step in replay.trace:
        restored = step.decision.restored_epoch
        if restored is not None and step.epoch != replay.stopped_epoch:
            found[step.epoch, "weights"] = restored
    if replay.stopped_epoch is not None:
        found[replay.stopped_epoch, "stop"] = True
    return found


def _rate_at(replay: Replay, epoch: int) -> float | None:
    series, position = replay.learning_rate, epoch - replay.run.first_epoch
    if series is None or not series.recorded[position]:
        return None
    return float(series.values[position])


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
